"""Every fault that can be injected, and what stands between it and the skin."""

from __future__ import annotations

import numpy as np
import pytest

from stimctl.boards.reference import messages as m
from stimctl.boards.reference.codec import STOP_FRAME
from stimctl.boards.reference.codes import Cause, Reason, Trouble
from stimctl.boards.reference.facts import limits_of, table_crc
from stimctl.errors import LimitsDisagree
from stimctl.sim.faults import ALL_OUTPUTS, Fault, FaultKind, FaultPlan, Line
from stimctl.sim.guard import TABLE
from tests.sim_host import MS, SECOND, Host, make_twin, train


@pytest.fixture
def host() -> Host:
    return Host(make_twin())


def inject(
    host: Host, kind: FaultKind, *, value: int = 0, output: int = ALL_OUTPUTS, for_us: int | None = None
) -> None:
    until = None if for_us is None else host.now_us + for_us
    host.twin.inject(Fault(kind, host.now_us, until, output, value))


def off_since(host: Host, output: int = 0) -> int:
    assert host.twin.current_ua(output) == 0
    return host.twin.ledger[output].stretches[-1].end_us


# --- the processor ---------------------------------------------------------------------------------------------


def test_a_hung_board_is_silent_and_its_dead_man_works(host: Host) -> None:
    host.go()
    fed_us = host.now_us - 20 * MS
    inject(host, FaultKind.HANG)
    for _ in range(30):
        host.wait(20 * MS)
        host.counter += 1
        assert host.raw(host.frame(m.Heartbeat(host.counter, host.host_ms))) == []
    assert off_since(host) == fed_us + 500 * MS


def test_a_board_that_hangs_energised_needs_another_switch(host: Host) -> None:
    host.go()
    inject(host, FaultKind.HANG_ENERGISED)
    assert host.raw(STOP_FRAME) == []
    host.wait(60 * SECOND)
    assert host.twin.current_ua(0) == 10_000  # H35: nobody may call this stopped


def test_a_hang_that_passes_finds_the_board_disarmed(host: Host) -> None:
    host.go()
    inject(host, FaultKind.HANG, for_us=SECOND)
    host.wait(2 * SECOND)
    assert host.report().cause is Cause.DEAD_MAN


def test_a_dead_man_that_fails(host: Host) -> None:
    host.go()
    inject(host, FaultKind.DEAD_MAN_FAILS)
    host.wait(10 * SECOND)
    assert host.twin.current_ua(0) == 10_000
    host.stop()
    assert not host.twin.energised


def test_stop_ignored_and_stop_lied_about(host: Host) -> None:
    host.go()
    inject(host, FaultKind.IGNORES_STOP)
    assert host.raw(STOP_FRAME) == []
    assert host.twin.current_ua(0) == 10_000
    host.twin.heal(FaultKind.IGNORES_STOP)
    inject(host, FaultKind.LIES_ABOUT_STOP)
    report = host.stop().report
    assert not report.armed
    assert report.outputs[0].measured_ua == pytest.approx(10_000, rel=0.02)  # H35: the current tells
    host.twin.heal(FaultKind.LIES_ABOUT_STOP)
    assert host.stop().report.outputs[0].measured_ua == 0


def test_wide_limits_are_seen_at_connect() -> None:
    host = Host(make_twin(Fault(FaultKind.WIDE_LIMITS)))
    host.identity()
    table = host.heard[-1]
    assert isinstance(table, m.LimitsTable)
    with pytest.raises(LimitsDisagree):
        limits_of(table)
    assert host.arm() == m.Nak(host.sequence, Reason.LIMITS)
    assert table_crc(table) != table_crc(TABLE)


def test_wrong_identity() -> None:
    assert Host(make_twin(Fault(FaultKind.WRONG_IDENTITY))).identity().name != Host(make_twin()).identity().name


def test_reset_while_pulsing_at_a_set_time() -> None:
    host = Host(make_twin(Fault(FaultKind.RESET, SECOND, SECOND + 1)))
    host.go()
    while host.now_us < SECOND:
        host.wait(50 * MS)
        host.raw(host.frame(m.Heartbeat(host.counter + 1, host.host_ms)))
        host.counter += 1
    assert off_since(host) == SECOND
    assert host.twin.disarms[-1] == (SECOND, Cause.RESET)
    assert any(isinstance(word, m.Event) and word.cause is Cause.RESET for word in host.heard[1:])


def test_stop_button(host: Host) -> None:
    host.go()
    inject(host, FaultKind.STOP_BUTTON)
    assert off_since(host) == host.now_us
    assert host.report().stop_button
    assert host.arm() == m.Nak(host.sequence, Reason.FAULT)
    host.twin.heal(FaultKind.STOP_BUTTON)
    assert host.arm() == m.Ack(host.sequence)


@pytest.mark.parametrize(("kind", "trouble"), [(FaultKind.HOT, Trouble.HOT), (FaultKind.HARDWARE, Trouble.HARDWARE)])
def test_hardware_trouble(host: Host, kind: FaultKind, trouble: Trouble) -> None:
    host.go()
    inject(host, kind, output=2)
    assert off_since(host) == host.now_us
    report = host.report()
    assert report.cause is Cause.OUTPUT_FAULT
    assert [each.trouble for each in report.outputs] == [Trouble.NONE, Trouble.NONE, trouble, Trouble.NONE]
    if kind is FaultKind.HARDWARE:
        assert host.arm() == m.Nak(host.sequence, Reason.FAULT)
    else:
        host.arm()
        host.configure(2)
        assert host.update({2: train(1_000)}) == m.Nak(host.sequence, Reason.FAULT, 2)


# --- the output stage ------------------------------------------------------------------------------------------


def test_a_stuck_output_is_noticed_and_told(host: Host) -> None:
    """H22: the board disarms; that the current still flows only shows in what is measured."""
    host.go()
    inject(host, FaultKind.STUCK_OUTPUT, output=0, value=15_000)
    host.wait(100 * MS)
    report = host.report()
    assert report.cause is Cause.OUTPUT_FAULT
    assert report.outputs[0].applied_ua == 0
    assert report.outputs[0].measured_ua == pytest.approx(15_000, rel=0.02)
    assert Trouble.CURRENT in report.outputs[0].trouble
    assert host.twin.current_ua(0) == 15_000
    host.wait(3_600 * SECOND)  # noticed once, not for ever
    host.twin.heal(FaultKind.STUCK_OUTPUT)
    assert host.report().outputs[0].trouble is Trouble.NONE


def test_stuck_without_a_session(host: Host) -> None:
    inject(host, FaultKind.STUCK_OUTPUT, output=1, value=8_000)
    host.wait(SECOND)
    assert host.report().outputs[1].measured_ua == pytest.approx(8_000, rel=0.02)


def test_lying_read_back_hides_a_stuck_output(host: Host) -> None:
    host.go()
    inject(host, FaultKind.NO_SELF_CHECK)
    inject(host, FaultKind.LYING_READBACK)
    inject(host, FaultKind.STUCK_OUTPUT, output=0, value=25_000)
    host.wait(200 * MS)
    output = host.report().outputs[0]
    assert output.measured_ua == output.applied_ua == 10_000
    assert host.twin.current_ua(0) == 25_000  # only the ledger knows


# --- the pads --------------------------------------------------------------------------------------------------


def test_an_open_contact_ends_the_session(host: Host) -> None:
    """H12: and touching again must not restart."""
    host.go()
    inject(host, FaultKind.CONTACT_OPEN, output=0, for_us=SECOND)
    opened_us = host.now_us
    assert host.twin.current_ua(0) == 0
    host.wait(100 * MS)
    assert host.twin.disarms[-1] == (opened_us + 5 * MS, Cause.CONTACT_LOST)
    assert any(isinstance(word, m.Event) and word.output == 0 for word in host.heard[1:])
    assert host.report().outputs[0].trouble is Trouble.OPEN
    assert host.report().outputs[0].impedance_ohm is None
    host.wait(2 * SECOND)
    assert host.report().outputs[0].trouble is Trouble.NONE
    assert not host.twin.energised


def test_an_open_contact_at_zero_is_reported_and_bars_output(host: Host) -> None:
    inject(host, FaultKind.CONTACT_OPEN, output=0)
    host.ready()
    host.wait(SECOND // 10)
    assert host.twin.armed
    assert host.update({0: train(1_000)}) == m.Nak(host.sequence, Reason.FAULT, 0)


def test_a_short_contact_bars_output(host: Host) -> None:
    host.go()
    inject(host, FaultKind.CONTACT_SHORT, output=0)
    assert host.report().outputs[0].trouble is Trouble.SHORT
    assert host.update({0: train(12_000)}) == m.Nak(host.sequence, Reason.FAULT, 0)


def test_a_peeling_pad_raises_the_impedance_and_not_the_current(host: Host) -> None:
    """H11: the same current through less skin."""
    host.go()
    before = host.report().outputs[0].impedance_ohm
    inject(host, FaultKind.CONTACT_PEEL, output=0, value=400)
    after = host.report().outputs[0].impedance_ohm
    assert before is not None
    assert after is not None
    assert after / before == pytest.approx(2.5, rel=0.02)
    assert host.twin.current_ua(0) == 10_000


def test_drift_is_slow_and_clips_in_the_end(host: Host) -> None:
    host.go(ua=20_000)
    inject(host, FaultKind.IMPEDANCE_DRIFT, output=0, value=2_000)  # doubled and more every minute
    readings = []
    while host.twin.armed and host.now_us < 600 * SECOND:
        host.wait(200 * MS)
        host.raw(host.frame(m.Heartbeat(host.counter + 1, host.host_ms)))
        host.counter += 1
        readings.append(host.report().outputs[0].impedance_ohm)
    seen = [ohm for ohm in readings if ohm is not None]
    assert seen[300] == pytest.approx(3_000, rel=0.05)  # after a minute
    assert host.twin.cause is Cause.OUTPUT_FAULT  # 20 mA no longer pass: 120 V / 16 mA = 7.5 kohm
    assert max(seen) == pytest.approx(7_500, rel=0.05)


# --- the analog input ------------------------------------------------------------------------------------------


def samples(host: Host, us: int = SECOND) -> list[m.Samples]:
    host.heard.clear()
    host.wait(us)
    return [word for word in host.heard if isinstance(word, m.Samples)]


def test_bad_signals(host: Host) -> None:
    host.say(m.Listen(1_000))
    inject(host, FaultKind.EMG_FLAT, for_us=SECOND)
    assert {value for chunk in samples(host)[1:] for value in chunk.values} == {0}
    inject(host, FaultKind.EMG_RAILED, for_us=SECOND)
    assert {value for chunk in samples(host)[1:] for value in chunk.values} == {32_767}
    inject(host, FaultKind.EMG_HUM, value=800, for_us=SECOND)
    assert max(value for chunk in samples(host)[1:] for value in chunk.values) == pytest.approx(8_000, rel=0.05)


def test_a_lead_that_is_off_floats_and_leads_that_touch_fall_silent(host: Host) -> None:
    host.say(m.Listen(1_000))
    inject(host, FaultKind.EMG_DRIFT, value=2_000, for_us=3 * SECOND)
    wander = [value for chunk in samples(host, 3 * SECOND)[1:-1] for value in chunk.values]
    assert max(wander) - min(wander) == pytest.approx(40_000, rel=0.1)
    inject(host, FaultKind.EMG_SHORTED, for_us=SECOND)
    assert {abs(value) <= 8 for chunk in samples(host)[1:-1] for value in chunk.values} == {True}
    inject(host, FaultKind.EMG_LEAD_OFF, value=800, for_us=SECOND)
    steps = np.diff([value for chunk in samples(host)[1:-1] for value in chunk.values])
    assert max(abs(steps)) == pytest.approx(8_000 * 2 * np.pi * 50 / 1_000, rel=0.1)


def test_a_stale_signal_leaves_a_gap_in_the_index(host: Host) -> None:
    host.say(m.Listen(1_000))
    before = samples(host)[-1]
    inject(host, FaultKind.EMG_STALE, for_us=SECOND)
    host.wait(5 * MS)
    assert samples(host, SECOND // 2) == []
    after = samples(host)[0]
    assert 900 <= after.first_index - before.first_index - 20 <= 1_100


# --- the line --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [FaultKind.LINE_DROP, FaultKind.LINE_FLIP, FaultKind.LINE_DUPLICATE])
@pytest.mark.parametrize("seed", range(4))
def test_noise_never_becomes_a_command(kind: FaultKind, seed: int) -> None:
    """H17, H18: what flows is always something that was sent."""
    host = Host(make_twin(seed=seed))
    host.ready()
    host.wait(100 * MS)
    inject(host, kind, value=300 if kind is FaultKind.LINE_DUPLICATE else 15)
    for step in range(200):
        host.wait(10 * MS)
        host.counter += 1
        word = m.Update(host.counter, host.host_ms, (m.Entry(0, train(1_000 + 100 * (step % 10))),))
        host.twin.feed(host.frame(word), host.now_us)
        host.twin.outgoing()
    sent = {0} | {1_000 + 100 * n for n in range(10)}
    flowed = {stretch.train.amplitude_ua for stretch in host.twin.ledger[0].history(host.now_us)}
    assert flowed <= sent
    assert flowed
    assert not any(ledger.pulses for ledger in host.twin.ledger[1:])


def test_a_cut_line_ends_in_the_dead_man(host: Host) -> None:
    host.go()
    fed_us = host.now_us - 20 * MS
    inject(host, FaultKind.LINE_CUT)
    host.twin.feed(host.frame(m.Heartbeat(host.counter + 1, host.host_ms)), host.now_us)
    host.wait(SECOND)
    assert off_since(host) == fed_us + 500 * MS
    host.twin.heal(FaultKind.LINE_CUT)
    assert host.report().cause is Cause.DEAD_MAN


def test_a_slow_line_keeps_the_order_and_old_commands_do_not_count(host: Host) -> None:
    """H19: what waited longer than 100 ms is not carried out; a stop always is."""
    host.go(dead_man_ms=500)
    inject(host, FaultKind.LINE_DELAY, value=150)
    host.twin.feed(host.frame(m.Update(host.counter + 1, host.host_ms, (m.Entry(0, train(12_000)),))), host.now_us)
    host.twin.feed(STOP_FRAME, host.now_us + 1)
    sent_us = host.now_us
    host.wait(SECOND)
    assert off_since(host) == sent_us + 1 + 150 * MS
    assert host.twin.ledger[0].peak_ua == 10_000
    naks = [word for word in host.heard if isinstance(word, m.Nak)]
    assert [nak.reason for nak in naks] == [Reason.EXPIRED]
    assert isinstance(host.heard[-1], m.Stopped)


def test_lines_are_the_same_for_the_same_seed() -> None:
    def through(seed: str) -> bytes:
        line = Line(seed, FaultPlan((Fault(FaultKind.LINE_FLIP, value=200), Fault(FaultKind.LINE_DROP, value=200)), 0))
        line.put(bytes(range(256)), 0)
        return line.take(0)

    assert through("a") == through("a") != through("b")


def test_a_line_without_faults_is_a_line() -> None:
    line = Line("x", FaultPlan((), 0))
    line.put(b"one", 5)
    line.put(b"two", 6)
    assert line.next_us == 5
    assert line.take(4) == b""
    assert line.take(6) == b"onetwo"


def test_plan_knows_edges() -> None:
    plan = FaultPlan((Fault(FaultKind.HOT, 10, 20, output=1), Fault(FaultKind.HANG, 15)), 0)
    edges = []
    while plan.edge_us is not None:
        edges.append(plan.edge_us)
        plan.move(plan.edge_us)
    assert edges == [10, 15, 20]
    assert plan.has(FaultKind.HANG)
    assert not plan.has(FaultKind.HOT)
