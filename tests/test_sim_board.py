"""The twin against ``hw/wire.md``, rule by rule; the judge is the ledger, never the board's own word."""

from __future__ import annotations

import dataclasses

import pytest

from stimctl.boards.reference import messages as m
from stimctl.boards.reference.codec import STOP_FRAME, Decoder, Frame, encode
from stimctl.boards.reference.codes import Capability, Cause, Reason, Trouble
from stimctl.boards.reference.facts import limits_of, table_crc
from stimctl.limits import ABSOLUTE, is_within
from stimctl.sim import guard
from stimctl.sim.guard import TABLE
from stimctl.units import MicroAmp
from tests.sim_host import MS, SECOND, TOKEN, Host, bent, make_twin, train


@pytest.fixture
def host() -> Host:
    return Host(make_twin())


def nak(reason: Reason) -> object:
    """Equal to any NAK with this reason."""

    class _Any:
        def __eq__(self, other: object) -> bool:
            return isinstance(other, m.Nak) and other.reason is reason

        __hash__ = object.__hash__

        def __repr__(self) -> str:
            return f"NAK {reason!r}"

    return _Any()


# --- who is there ----------------------------------------------------------------------------------------------


def test_it_tells_that_it_booted_and_who_it_is(host: Host) -> None:
    assert host.heard[0] == m.Event(Cause.RESET, 0xFF, 0, 0)
    identity = host.identity()
    assert identity.outputs == 4
    assert Capability.SIMULATED in identity.capabilities
    assert host.heard[-1] == TABLE
    assert is_within(limits_of(TABLE), ABSOLUTE)


def test_the_second_table_is_the_absolute_one_typed_in_again() -> None:
    """Two tables, one meaning: whoever changes one must think of the other."""
    for field in dataclasses.fields(TABLE):
        assert getattr(TABLE, field.name) == getattr(ABSOLUTE, field.name), field.name


def test_nothing_flows_and_nothing_is_known_before_the_first_session(host: Host) -> None:
    report = host.report()
    assert not report.armed
    assert report.cause is Cause.RESET
    assert report.dead_man_ms == 0
    for output in report.outputs:
        assert output == m.OutputReport(0, 0, None)
    assert not host.twin.energised


# --- arming ----------------------------------------------------------------------------------------------------


def test_arm_and_all_reasons_not_to(host: Host) -> None:
    challenge, crc = host.report().challenge, table_crc(TABLE)
    host.token = TOKEN
    wrong = {
        Reason.CHALLENGE: m.Arm(challenge + 1, 500, 1, crc, 0, 0),
        Reason.LIMITS: m.Arm(challenge, 500, 1, crc ^ 1, 0, 0),
        Reason.DEAD_MAN: m.Arm(challenge, 501, 1, crc, 0, 0),
        Reason.OUTPUT: m.Arm(challenge, 500, 0b10000, crc, 0, 0),
    }
    for reason, word in wrong.items():
        assert host.say(word) == nak(reason)
    assert host.say(m.Arm(challenge, 49, 1, crc, 0, 0)) == nak(Reason.DEAD_MAN)
    assert host.say(m.Arm(challenge, 500, 0, crc, 0, 0)) == nak(Reason.OUTPUT)
    assert host.say(m.Arm(challenge, 500, 1, crc, 0, 0), token=0) == nak(Reason.TOKEN)
    assert not host.twin.armed
    good = host.frame(m.Arm(challenge, 500, 1, crc, 0, host.host_ms))
    assert host.raw(good) == [m.Ack(host.sequence)]
    assert host.raw(good) == [m.Ack(host.sequence)]  # the same again is answered again
    assert host.say(m.Arm(challenge, 500, 1, crc, 0, 0)) == nak(Reason.ARMED)
    assert host.report().cause is Cause.NONE


def test_a_recorded_arm_never_works_again(host: Host) -> None:
    host.arm()
    arm = host.last_frame
    host.stop()
    assert host.raw(arm)[0] == nak(Reason.CHALLENGE)
    for _ in range(3):
        before = host.report().challenge
        host.stop()  # even while disarmed
        assert host.report().challenge != before


def test_after_arming_all_is_locked(host: Host) -> None:
    host.arm()
    assert host.update({0: train(100)}) == nak(Reason.CEILING)
    assert host.twin.cause is Cause.LIMIT_REFUSED
    assert not host.twin.armed


# --- token, sequence, age --------------------------------------------------------------------------------------


def test_disarmed_nothing_is_carried_out(host: Host) -> None:
    assert host.update({0: train()}) == nak(Reason.NOT_ARMED)
    assert host.beat() == nak(Reason.NOT_ARMED)
    assert host.configure(0) == nak(Reason.NOT_ARMED)


def test_another_token_is_refused(host: Host) -> None:
    host.go()
    for token in (0, TOKEN ^ 1):
        assert host.update({0: train(12_000)}, token=token) == nak(Reason.TOKEN)
    assert host.twin.current_ua(0) == 10_000


def test_a_second_program_learns_neither_token_nor_sequence(host: Host) -> None:
    host.go()
    host.wait(20 * MS)  # whatever the board says unasked: samples
    said: list[Frame] = []

    def ask(word: m.Word, token: int) -> Frame:
        host.twin.feed(encode(word, sequence=0x7000, token=token), host.now_us)
        said.extend(frames := decoder.feed(host.twin.outgoing()))
        return frames[0]

    decoder = Decoder()
    host.configure(0, 60_000)
    sequence = host.sequence
    for token in (0, TOKEN ^ 1):
        for word in (m.Hello(), m.Listen(1_000), m.Heartbeat(1, 1), m.Arm(1, 500, 1, 1, 1, 1), m.StatusRequest()):
            ask(word, token)
        assert isinstance(said[-1].word, m.Status)
        report = said[-1].word.report
        assert (report.armed, report.last_sequence, report.outputs[0].applied_ua) == (True, 0, 10_000)
    host.now_us += 40 * MS
    host.twin.advance(host.now_us)
    said += decoder.feed(host.twin.outgoing())
    assert any(isinstance(frame.word, m.Samples) for frame in said)
    assert {frame.token for frame in said} == {0}
    answer = ask(m.StatusRequest(), TOKEN)
    assert isinstance(answer.word, m.Status)
    assert (answer.token, answer.word.report.last_sequence) == (TOKEN, sequence)
    host.now_us += 500 * MS
    host.twin.advance(host.now_us)
    assert {frame.token for frame in decoder.feed(host.twin.outgoing())} == {0}  # the event too
    assert not host.twin.armed


def test_repetition_has_no_effect_and_is_answered(host: Host) -> None:
    host.go()
    host.update({0: train(8_000)})
    changes = len(host.twin.ledger[0].history(host.now_us))
    frame = host.last_frame
    assert host.raw(frame + frame) == [m.Ack(host.sequence)] * 2
    assert len(host.twin.ledger[0].history(host.now_us)) == changes


def test_stale_sequences_are_refused(host: Host) -> None:
    host.go()
    last = host.sequence
    for behind in (0, 1, 100, 32_767):
        assert host.update({0: train(2_000)}, sequence=(last - behind) % 65_536) == nak(Reason.STALE)
    assert host.update({0: train(2_000)}, sequence=(last + 32_767) % 65_536) == m.Ack((last + 32_767) % 65_536)


def test_a_repeated_frame_of_an_older_state_does_nothing(host: Host) -> None:
    host.go(ua=10_000)
    host.update({0: train(10_000)})
    old = host.last_frame
    host.update({})
    assert host.raw(old) == [nak(Reason.STALE)]
    assert not host.twin.energised


def test_a_frame_that_waited_is_not_carried_out(host: Host) -> None:
    host.go()
    late = host.frame(m.Update(host.counter + 1, host.host_ms, (m.Entry(0, train(12_000)),)))
    host.wait(101 * MS)
    assert host.raw(late) == [nak(Reason.EXPIRED)]
    assert host.twin.current_ua(0) == 10_000
    just = host.frame(m.Heartbeat(host.counter + 2, host.host_ms))
    host.wait(99 * MS)
    assert host.raw(just) == [m.Ack(host.sequence)]


def test_clocks_may_drift_and_wrap(host: Host) -> None:
    host.arm()
    for second in range(600):  # the host's clock loses 0.5 ms a second
        host.counter += 1
        host.now_us += SECOND // 4
        lag = second // 8
        assert host.say(m.Heartbeat(host.counter, (host.host_ms - lag) % (1 << 32))) == m.Ack(host.sequence)


# --- dead-man --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dead_man_ms", [50, 137, 500])
def test_silence_ends_output_at_its_own_instant_however_far_time_jumps(host: Host, dead_man_ms: int) -> None:
    host.go(dead_man_ms=dead_man_ms)
    host.beat()
    fed_us = host.now_us
    host.wait(3_600 * SECOND)
    assert host.twin.ledger[0].stretches[-1].end_us == fed_us + dead_man_ms * MS
    assert host.twin.disarms[-1] == (fed_us + dead_man_ms * MS, Cause.DEAD_MAN)
    assert host.heard[-1] == m.Event(Cause.DEAD_MAN, 0xFF, 0, (fed_us + dead_man_ms * MS) // MS)


def test_a_loop_that_stands_still_feeds_nobody(host: Host) -> None:
    """H15: heartbeats alone, from a thread that outlived its loop, keep nothing alive."""
    host.go()
    fed_us = host.now_us - 20 * MS
    for _ in range(20):
        host.wait(30 * MS)
        host.beat(advance=False)
    assert host.twin.disarms[-1] == (fed_us + 500 * MS, Cause.DEAD_MAN)


def test_the_dead_man_comes_before_the_bytes_behind_it(host: Host) -> None:
    """What a stopped and continued process finds in its queue is carried out by a disarmed board."""
    host.go()
    queued = host.frame(m.Heartbeat(host.counter + 1, host.host_ms))
    host.now_us += 10 * SECOND
    words = host.raw(queued)
    assert isinstance(words[0], m.Event)
    assert words[1] == nak(Reason.NOT_ARMED)
    assert not host.twin.energised


def test_time_left_is_reported(host: Host) -> None:
    host.arm(dead_man_ms=300)
    host.wait(100 * MS)
    assert host.report().dead_man_ms == 200


# --- configure and update --------------------------------------------------------------------------------------


def test_configure_only_what_is_admitted_and_inside(host: Host) -> None:
    host.arm(outputs=0b0101)
    assert host.configure(0) == m.Ack(host.sequence)
    assert host.configure(1) == nak(Reason.OUTPUT)
    assert host.configure(200) == nak(Reason.OUTPUT)
    assert host.configure(0, TABLE.peak_ua + 1) == m.Nak(host.sequence, Reason.LIMIT, 0, guard.RULE_PEAK)
    assert host.configure(0, rate_mhz=TABLE.rate_max_mhz + 1) == nak(Reason.LIMIT)
    assert host.twin.armed  # a refused CONFIGURE changes nothing
    assert host.configure(2, 0) == m.Ack(host.sequence)
    assert host.update({2: train(100)}) == nak(Reason.CEILING)


@pytest.mark.parametrize("at_zero", [False, True])
def test_after_the_first_output_only_narrowing(host: Host, at_zero: bool) -> None:
    host.arm(outputs=0b1111)
    host.configure(0, 4_000)
    assert host.configure(0, 60_000) == m.Ack(host.sequence)  # nothing has flowed yet
    assert host.update({0: train(0)}) == m.Ack(host.sequence)  # nor by this
    assert host.configure(1, 60_000) == m.Ack(host.sequence)
    host.wait(40 * MS)
    assert host.update({0: train(1_000)}) == m.Ack(host.sequence)
    if at_zero:
        assert host.update({}) == m.Ack(host.sequence)
    assert host.configure(0, 60_001) == nak(Reason.WIDENING)
    assert host.configure(2, 100) == nak(Reason.WIDENING)  # locked so far
    assert host.configure(0, 50_000) == m.Ack(host.sequence)
    assert host.configure(0, 60_000) == nak(Reason.WIDENING)
    host.stop()
    host.arm()
    assert host.configure(0, 60_001) == m.Ack(host.sequence)


def test_under_current_only_narrowing(host: Host) -> None:
    host.go()
    assert host.configure(0, 60_001) == nak(Reason.WIDENING)
    assert host.configure(1, 60_000, phase_width_us=400) == m.Ack(host.sequence)
    assert host.configure(1, 60_000, phase_width_us=401) == nak(Reason.WIDENING)
    assert host.twin.current_ua(0) == 10_000


def test_a_ceiling_lowered_under_the_output_takes_it_to_zero(host: Host) -> None:
    host.go()
    assert host.configure(0, 9_999) == m.Ack(host.sequence)
    assert host.twin.current_ua(0) == 0


BREACHES = {
    guard.RULE_PEAK: train(100_100, 100),
    guard.RULE_WIDTH_MIN: train(1_000, 19),
    guard.RULE_WIDTH_MAX: train(1_000, 501),
    guard.RULE_GAP: train(1_000, interphase_gap_us=501),
    guard.RULE_RATE_MIN: train(1_000, mhz=499),
    guard.RULE_RATE_MAX: train(1_000, mhz=200_001),
    guard.RULE_PULSES: train(1_000, mhz=1_000, pulses_per_period=11),
    guard.RULE_CHARGE: train(60_100, 500),
    guard.RULE_NET: bent(train(20_000), recovery_width_us=236),
    guard.RULE_DC: bent(train(50_000, 500, 200_000), recovery_width_us=480),
}


@pytest.mark.parametrize("rule", BREACHES)
def test_each_limit_is_kept_by_name(host: Host, rule: int) -> None:
    host.ready(100_000)
    host.wait(40 * MS)
    host.update({1: train(2_000)})
    assert host.update({0: BREACHES[rule], 1: train(2_000)}) == m.Nak(host.sequence, Reason.LIMIT, 0, rule)
    assert not host.twin.energised
    assert host.twin.cause is Cause.LIMIT_REFUSED
    assert host.heard[-1] == m.Event(Cause.LIMIT_REFUSED, 0, rule, host.now_us // MS)


AT_THE_CEILING = train(5_000, 300, 30_000, interphase_gap_us=100, pulses_per_period=2)
PAST_IT = {
    "amplitude_ua": 5_100,
    "recovery_amplitude_ua": 5_001,
    "phase_width_us": 301,
    "interphase_gap_us": 101,
    "recovery_width_us": 301,
    "rate_mhz": 30_001,
    "pulses_per_period": 3,
}


@pytest.mark.parametrize("field", ["", *PAST_IT])
def test_each_bound_of_configure_is_kept(host: Host, field: str) -> None:
    host.arm()
    bounds = {"phase_width_us": 300, "interphase_gap_us": 100, "recovery_width_us": 300, "rate_mhz": 30_000}
    host.configure(0, 5_000, pulses_per_period=2, **bounds)
    for level in (2_500, 5_000):
        host.wait(100 * MS)
        host.update({0: AT_THE_CEILING.at(MicroAmp(level))})
    pulses = host.twin.ledger[0].pulses
    if not field:
        assert host.update({0: AT_THE_CEILING}) == m.Ack(host.sequence)
        return
    # At the ceiling a recovery phase beyond it is also beyond the first phase, which the table's rule forbids first.
    reason = Reason.LIMIT if field == "recovery_amplitude_ua" else Reason.CEILING
    assert host.update({0: bent(AT_THE_CEILING, **{field: PAST_IT[field]})}) == nak(reason)
    assert host.twin.cause is Cause.LIMIT_REFUSED
    assert host.twin.ledger[0].pulses == pulses


def test_pulses_must_fit_into_their_period(host: Host) -> None:
    full = bent(train(1_000, 500, 200_000), interphase_gap_us=500, recovery_width_us=4_000)
    assert guard.breach(full, TABLE) is not None
    assert guard.breach(train(1_000, 500, 200_000, pulses_per_period=2), TABLE) is None
    assert guard.breach(train(1_000, 500, 200_000, pulses_per_period=2, interphase_gap_us=500), TABLE) is None
    long = bent(train(4_000, 500, 200_000, pulses_per_period=2), recovery_amplitude_ua=1_000, recovery_width_us=2_001)
    assert guard.breach(long, TABLE) == guard.RULE_RATE_MAX


def test_a_burst_has_room_for_its_pulses_ten_milliseconds_apart() -> None:
    assert guard.breach(train(1_000, 500, 10_000, pulses_per_period=10), TABLE) is None
    assert guard.breach(train(1_000, 500, 10_001, pulses_per_period=10), TABLE) == guard.RULE_RATE_MAX
    assert guard.breach(train(1_000, 500, 33_333, pulses_per_period=3), TABLE) is None
    assert guard.breach(train(1_000, 500, 33_334, pulses_per_period=3), TABLE) == guard.RULE_RATE_MAX
    slow = bent(train(4_000, 400, 1_000, pulses_per_period=4), recovery_amplitude_ua=200, recovery_width_us=8_000)
    assert guard.breach(slow, TABLE) is None
    meeting = bent(slow, interphase_gap_us=500, recovery_width_us=9_101, recovery_amplitude_ua=176)
    assert guard.breach(meeting, TABLE) == guard.RULE_RATE_MAX
    assert guard.breach(bent(meeting, recovery_width_us=9_100), TABLE) is None


def test_a_burst_is_judged_by_what_flows_inside_it() -> None:
    """35.4 mA in 500 us: 11.2 mA rms at 100 Hz. With a table of 11 mA that is too much, however seldom the burst."""
    table = dataclasses.replace(TABLE, rms_ua=11_000)
    burst = train(35_400, 500, 500, pulses_per_period=4)
    assert guard.breach(burst, TABLE) is None
    assert guard.breach(burst, table) == guard.RULE_RMS
    assert guard.breach(bent(burst, pulses_per_period=2), table) is None
    assert guard.breach(train(34_700, 500, 500, pulses_per_period=10), table) is None
    uneven = bent(train(50_000, 500, 500, pulses_per_period=4), recovery_width_us=479)
    assert guard.breach(uneven, TABLE) == guard.RULE_DC
    assert guard.breach(bent(uneven, pulses_per_period=2), TABLE) is None


def test_a_burst_rises_from_nothing_like_any_other_pulse(host: Host) -> None:
    """At what CONFIGURE states of a burst, its rms counts as its amplitude, and more pulses at one are a rise."""
    host.arm()
    host.configure(0, 4_000, rate_mhz=2_000, pulses_per_period=9, phase_width_us=200)
    for level in (1_000, 2_000, 3_000, 4_000):
        host.wait(100 * MS)
        assert host.update({0: train(level, 200, 2_000, pulses_per_period=9)}) == m.Ack(host.sequence)
    host.wait(100 * MS)
    assert host.update({0: train(4_000, 200, 2_000)}) == m.Ack(host.sequence)
    host.wait(100 * MS)
    refused = m.Nak(host.sequence + 1, Reason.RISE, 0, guard.RULE_RAMP)
    assert host.update({0: train(4_000, 200, 2_000, pulses_per_period=9)}) == refused


def test_an_update_is_carried_out_whole_or_not_at_all(host: Host) -> None:
    host.arm(outputs=0b0011)
    host.configure(0)
    host.configure(1)
    host.wait(40 * MS)
    assert host.update({0: train(1_000), 2: train(1_000)}) == m.Nak(host.sequence, Reason.OUTPUT, 2)
    assert host.twin.armed
    assert not host.twin.energised
    assert host.update({0: train(1_000), 1: train(1_000)}) == m.Ack(host.sequence)
    assert host.update({1: train(1_000)}) == m.Ack(host.sequence)
    assert [host.twin.current_ua(n) for n in range(4)] == [0, 1_000, 0, 0]  # unnamed is zero


def test_half_steps_make_no_sense_to_it(host: Host) -> None:
    host.ready()
    assert host.update({0: train(1_050)}) == m.Nak(host.sequence, Reason.MALFORMED, 0)
    assert host.twin.armed


def test_too_steep_is_refused_and_stops(host: Host) -> None:
    host.ready(60_000)  # 60 mA in 200 ms: 30 mA in the 100 ms that are forgiven
    host.wait(SECOND // 4)
    assert host.update({0: train(30_200)}) == m.Nak(host.sequence, Reason.RISE, 0, guard.RULE_RAMP)
    assert not host.twin.armed


def test_one_milliampere_is_never_too_steep(host: Host) -> None:
    host.ready(2_000)
    assert host.update({0: train(1_000)}) == m.Ack(host.sequence)


@pytest.mark.parametrize("reconfigure", [False, True])
def test_a_flood_of_small_rises_is_no_faster(host: Host, reconfigure: bool) -> None:
    host.ready(60_000)
    start_us, level = host.now_us, 0
    while host.twin.armed and level < 60_000:
        level += 1_000
        if reconfigure:
            host.configure(0, 60_000)
        host.update({0: train(level)})
        host.wait(1 * MS)
    assert not host.twin.armed
    assert level < 60_000 * (host.now_us - start_us + 100 * MS) / (200 * MS) + 1_100


def test_an_honest_ramp_passes_with_jitter(host: Host) -> None:
    host.ready(40_000)
    host.wait(50 * MS)
    times = [20 * k + jitter for k, jitter in enumerate((0, 9, -8, 0, 15, -3, 12, 0, -9, 14, 0))]
    for at, before in zip(times[1:], times, strict=False):
        host.wait((at - before) * MS)
        assert host.update({0: train(round(40_000 * at / 220 / 100) * 100)}) == m.Ack(host.sequence)


def test_a_recovery_phase_is_no_way_round_the_rise(host: Host) -> None:
    host.ready(100_000)
    host.wait(100 * MS)
    hidden = bent(train(4_000, 500, 50_000), recovery_amplitude_ua=100_000, recovery_width_us=20)
    assert host.update({0: hidden}) == m.Nak(host.sequence, Reason.LIMIT, 0, guard.RULE_PEAK)
    assert not host.twin.armed
    assert host.twin.ledger[0].pulses == 0


# From weak to strong at an unchanged amplitude: in charge (width), in rms (rate, pulses), in both.
STRONGER = {
    "width": (train(4_000, 50, 50_000), train(4_000, 500, 50_000)),
    "rate": (train(4_000, 500, 1_000), train(4_000, 500, 50_000)),
    "pulses": (train(4_000, 500, 5_000), train(4_000, 500, 50_000, pulses_per_period=2)),
    "all": (train(4_000, 20, 500), train(4_000, 500, 50_000, pulses_per_period=2)),
}


@pytest.mark.parametrize("how", STRONGER)
def test_more_charge_or_rms_at_an_unchanged_amplitude_is_a_rise(host: Host, how: str) -> None:
    weak, strong = STRONGER[how]
    host.arm()
    host.configure(0, 4_000, rate_mhz=50_000, pulses_per_period=strong.pulses_per_period)
    for level in (1_000, 2_000, 3_000, 4_000):
        host.wait(100 * MS)
        assert host.update({0: weak.at(MicroAmp(level))}) == m.Ack(host.sequence)
    host.wait(100 * MS)
    assert host.update({0: strong}) == m.Nak(host.sequence, Reason.RISE, 0, guard.RULE_RAMP)
    assert not host.twin.energised


def test_what_grows_in_charge_as_slowly_as_in_amplitude_passes(host: Host) -> None:
    host.arm()
    host.configure(0, 4_000, rate_mhz=50_000, pulses_per_period=1)
    for level in (1_000, 2_000, 3_000, 4_000):
        host.wait(100 * MS)
        assert host.update({0: train(level, 125, 50_000)}) == m.Ack(host.sequence)
    for width in (250, 375, 500):
        host.wait(100 * MS)
        assert host.update({0: train(4_000, width, 50_000)}) == m.Ack(host.sequence)
    assert host.update({0: train(4_000, 20, 500)}) == m.Ack(host.sequence)  # weaker is no rise


def test_falling_is_always_allowed(host: Host) -> None:
    host.go(ua=20_000)
    assert host.update({0: train(100)}) == m.Ack(host.sequence)
    assert host.update({}) == m.Ack(host.sequence)


# --- stop ------------------------------------------------------------------------------------------------------


def test_stop_from_every_state(host: Host) -> None:
    def is_off() -> None:
        answer = host.stop()
        assert not host.twin.energised
        assert not answer.report.armed
        assert answer.report.cause is Cause.STOP_COMMAND
        assert [each.measured_ua for each in answer.report.outputs] == [0, 0, 0, 0]

    is_off()
    host.arm()
    is_off()
    host.ready()
    is_off()
    host.go()
    is_off()
    is_off()
    host.go()
    host.wait(SECOND)
    is_off()


def test_stop_needs_no_token_sequence_or_version_and_ends_half_a_frame(host: Host) -> None:
    host.go()
    half = host.frame(m.Heartbeat(host.counter + 1, host.host_ms))[:-4]
    words = host.raw(half + STOP_FRAME)
    assert isinstance(words[-1], m.Stopped)
    assert not host.twin.energised


def test_after_a_stop_the_session_is_dead(host: Host) -> None:
    host.go()
    host.stop()
    assert host.update({0: train(1_000)}) == nak(Reason.NOT_ARMED)
    assert not host.twin.energised


def test_pulses_of_outputs_that_start_together_coincide(host: Host) -> None:
    host.ready()
    host.wait(50 * MS)
    host.update({0: train(1_000), 1: train(1_000)})
    host.wait(100 * MS)
    first, second = ([at for at, _ in host.twin.ledger[n].pulses_between(0, host.now_us)] for n in (0, 1))
    assert first == second
    assert len(first) == 4


# --- what it measures ------------------------------------------------------------------------------------------


def test_read_back_follows_the_pulses(host: Host) -> None:
    host.go(ua=10_000)
    output = host.report().outputs[0]
    assert output.applied_ua == 10_000
    assert output.measured_ua == pytest.approx(10_000, rel=0.02)
    assert output.impedance_ohm == pytest.approx(1_000, rel=0.02)
    assert output.trouble is Trouble.NONE
    host.update({})
    assert host.report().outputs[0].measured_ua == 0


def test_arming_forgets_what_was_measured_of_other_pads(host: Host) -> None:
    host.go()
    host.twin.set_contact(0, 6_000)
    host.wait(100 * MS)
    assert host.report().outputs[0].impedance_ohm == pytest.approx(6_000, rel=0.02)
    host.stop()
    host.twin.set_contact(0, 1_500)
    assert host.report().outputs[0].impedance_ohm == pytest.approx(6_000, rel=0.02)  # as it was when last measured
    assert isinstance(host.arm(), m.Ack)
    assert host.report().outputs[0].impedance_ohm is None
    host.configure(0)
    assert host.report().outputs[0].impedance_ohm is None
    host.wait(40 * MS)
    assert host.report().outputs[0].impedance_ohm is None  # until a pulse has measured it
    host.update({0: train(1_000)})
    host.wait(100 * MS)
    assert host.report().outputs[0].impedance_ohm == pytest.approx(1_500, rel=0.02)


def test_before_the_next_pulse_the_old_one_is_measured(host: Host) -> None:
    host.ready()
    host.wait(50 * MS)
    host.update({0: train(2_000, mhz=1_000)})
    host.wait(100 * MS)
    host.update({0: train(4_000, mhz=1_000)})
    assert host.report().outputs[0].applied_ua == 4_000
    assert host.report().outputs[0].measured_ua == pytest.approx(2_000, rel=0.02)


def test_compliance_lowers_the_current_and_the_board_notices(host: Host) -> None:
    host.twin.set_contact(0, 15_000)  # 120 V: 8 mA
    host.ready()
    host.wait(50 * MS)
    host.update({0: train(8_000)})
    host.wait(50 * MS)
    assert host.twin.current_ua(0) == 8_000
    host.update({0: train(10_000)})
    assert host.twin.current_ua(0) == 8_000  # off by 20 % and 2 mA, not by more
    host.update({0: train(10_100)})
    host.wait(20 * MS)
    host.beat()
    assert host.twin.armed
    host.wait(60 * MS)  # two pulses at 35 Hz
    assert host.twin.cause is Cause.OUTPUT_FAULT
    assert not host.twin.energised


# --- samples ---------------------------------------------------------------------------------------------------


def test_samples_run_without_gaps_and_survive_a_stop(host: Host) -> None:
    assert host.say(m.Listen(999)) == nak(Reason.UNSUPPORTED)
    host.wait(12_345)
    assert host.say(m.Listen(1_000)) == m.Ack(host.sequence)
    assert host.say(m.Listen(1_000)) == m.Ack(host.sequence)
    host.wait(SECOND)
    host.stop()
    host.wait(SECOND)
    chunks = [word for word in host.heard if isinstance(word, m.Samples)]
    assert [chunk.first_index for chunk in chunks] == list(range(0, 20 * len(chunks), 20))
    assert len(chunks) == 99  # 1,980 of 2,000 ms; the newest chunk is not complete
    times = [chunk.board_time_us for chunk in chunks]
    assert times == list(range(13_000, 13_000 + 20_000 * len(chunks), 20_000))
    assert host.say(m.Listen(0)) == m.Ack(host.sequence)
    host.heard.clear()
    host.wait(SECOND)
    assert not host.heard


def test_pulses_are_marked_where_their_artefact_begins(host: Host) -> None:
    host.say(m.Listen(1_000))
    host.go(ua=20_000)
    host.wait(400 * MS)
    chunks = [word for word in host.heard if isinstance(word, m.Samples)]
    values = [value for chunk in chunks for value in chunk.values]
    marks = [chunk.first_index + pulse for chunk in chunks for pulse in chunk.pulses]
    flowed = [at_us // MS for at_us, _ in host.twin.ledger[0].pulses_between(0, host.now_us // 20_000 * 20_000)]
    assert marks == flowed
    assert len(marks) > 15
    for mark in marks[5:-2]:
        near = [abs(value) for value in values[mark - 3 : mark + 3]]
        assert max(near[3:5]) > 10 * max(near[:3])


def test_a_reset_forgets_everything(host: Host) -> None:
    from stimctl.sim.faults import Fault, FaultKind

    host.say(m.Listen(1_000))
    host.go()
    challenge = host.report().challenge
    host.twin.inject(Fault(FaultKind.RESET, host.now_us))
    report = host.report()
    assert not host.twin.energised
    assert (report.armed, report.listening, report.cause) == (False, False, Cause.RESET)
    assert report.challenge != challenge
    assert report.uptime_ms == 0
    assert host.update({0: train()}) == nak(Reason.NOT_ARMED)
