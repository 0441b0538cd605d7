"""For any bytes at any times: what flows stays inside the board's own limits and ends within its dead-man.

The judge is written here a third time, over the ledger's pulses one by one, and knows nothing of frames.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from stimctl.boards.reference import messages as m
from stimctl.boards.reference.codec import END, STOP_FRAME
from stimctl.boards.reference.facts import table_crc
from stimctl.pulse import PulseTrain, net_charge_pc
from stimctl.sim.board import Twin
from stimctl.sim.guard import TABLE
from stimctl.sim.ledger import APART_US, Ledger
from stimctl.sim.patient import Patient
from tests.sim_host import MS, SECOND, TOKEN, Host, bent, make_twin, train

# Around every bound of the table, and anywhere.
amplitudes = st.one_of(
    st.sampled_from((0, 100, 1_000, 5_000, 20_000, 99_900, 100_000, 100_100)), st.integers(0, 2**32 - 1)
)
widths = st.one_of(st.sampled_from((19, 20, 250, 500, 501)), st.integers(0, 2**16 - 1))
rates = st.one_of(st.sampled_from((0, 499, 500, 35_000, 200_000, 200_001)), st.integers(0, 2**32 - 1))
wild = st.builds(PulseTrain, amplitudes, widths, widths, amplitudes, widths, rates, st.integers(0, 255))
mild = st.builds(
    train,
    st.integers(0, 300).map(lambda n: n * 100),
    st.integers(20, 500),
    st.integers(500, 100_000),
    interphase_gap_us=st.integers(0, 200),
    pulses_per_period=st.sampled_from((1, 1, 2, 3, 9, 10)),
)
trains = st.one_of(mild, mild, wild)


def judge(ledger: Ledger, now_us: int) -> None:
    """Hold everything that flowed against the table, from first principles."""
    for start, end, _, flowing, _ in ledger.history(now_us):
        first, back = flowing.amplitude_ua / 1e6, flowing.recovery_amplitude_ua / 1e6  # A
        t1, t2 = flowing.phase_width_us / 1e6, flowing.recovery_width_us / 1e6  # s
        hz = flowing.rate_mhz / 1e3 * flowing.pulses_per_period
        if flowing.pulses_per_period > 2:  # in the burst, and all of it inside its period
            assert hz <= 100
            hz = 100
        assert end >= start
        assert max(first, back) <= TABLE.peak_ua / 1e6
        assert TABLE.phase_width_min_us <= flowing.phase_width_us <= TABLE.phase_width_max_us
        assert TABLE.rate_min_mhz <= flowing.rate_mhz <= TABLE.rate_max_mhz
        assert 1 <= flowing.pulses_per_period <= TABLE.pulses_per_period_max
        assert max(first * t1, back * t2) <= TABLE.charge_nc * 1e-9 * (1 + 1e-9)
        assert math.sqrt((first**2 * t1 + back**2 * t2) * hz) <= TABLE.rms_ua * 1e-6 * (1 + 1e-9)
        # balanced to 5 % of the larger phase and to 100 µA of mean current
        assert abs(first * t1 - back * t2) <= 0.05 * max(first * t1, back * t2) * (1 + 1e-9)
        assert abs(first * t1 - back * t2) * hz <= 100e-6 * (1 + 1e-9)


def pulses_never_overlap(ledger: Ledger, now_us: int) -> None:
    pulses = ledger.pulses_between(max(0, now_us - SECOND), now_us)
    for (at, flowing), (after, _) in itertools.pairwise(pulses):
        busy = flowing.phase_width_us + flowing.interphase_gap_us + flowing.recovery_width_us
        if flowing.pulses_per_period != 2:
            assert after - at >= busy - 1


class AnyBytes(RuleBasedStateMachine):
    """A host that knows the language and has no manners."""

    @initialize(seed=st.integers(0, 3), dead_man_ms=st.integers(50, 500))
    def power_up(self, seed: int, dead_man_ms: int) -> None:
        self.host = Host(make_twin(seed=seed))
        self.dead_man_ms = dead_man_ms
        self.sent: list[bytes] = [STOP_FRAME]

    def send(self, word: m.Word, **how: Any) -> None:
        frame = self.host.frame(word, **how)
        self.sent = [*self.sent[-20:], frame]
        self.host.raw(frame)

    @rule()
    def arm(self) -> None:
        self.host.token = TOKEN
        self.host.raw(END)  # a bent frame without its end would be completed by the question, and answered as well
        challenge = self.host.report().challenge
        self.send(m.Arm(challenge, self.dead_man_ms, 15, table_crc(TABLE), self.host.counter, self.host.host_ms))

    @rule(output=st.integers(0, 3), ua=st.sampled_from((0, 5_000, 30_000, 100_000)))
    def configure(self, output: int, ua: int) -> None:
        self.send(m.Configure(output, ua, 500, 500, 2_000, 200_000, 10))

    @rule(entries=st.dictionaries(st.integers(0, 5), trains, max_size=3), skew=st.integers(-200, 200))
    def update(self, entries: dict[int, PulseTrain], skew: int) -> None:
        self.host.counter += 1
        self.send(
            m.Update(
                self.host.counter,
                (self.host.host_ms + (skew if abs(skew) > 150 else 0)) % 2**32,
                tuple(m.Entry(n, each) for n, each in sorted(entries.items())),
            )
        )

    @rule(level=st.integers(1, 40))
    def ramp(self, level: int) -> None:
        """A sensible rise, so that the walk gets somewhere."""
        self.host.wait(20 * MS)
        self.host.counter += 1
        ua = min(self.host.twin.current_ua(0) + 100 * level, 60_000)
        self.send(m.Update(self.host.counter, self.host.host_ms, (m.Entry(0, train(ua)),)))

    @rule(us=st.one_of(st.integers(0, 60 * MS), st.integers(0, SECOND)))
    def wait(self, us: int) -> None:
        self.host.wait(us)

    @rule(which=st.integers(0, 20), at=st.integers(0, 400), flip=st.integers(0, 255))
    def replay_bent(self, which: int, at: int, flip: int) -> None:
        """An old frame again, with a byte changed or not."""
        frame = bytearray(self.sent[which % len(self.sent)])
        frame[at % len(frame)] ^= flip
        self.host.twin.feed(bytes(frame), self.host.now_us)

    @rule(data=st.binary(max_size=60))
    def garbage(self, data: bytes) -> None:
        self.host.twin.feed(data, self.host.now_us)

    @rule()
    def stop(self) -> None:
        self.host.raw(STOP_FRAME)
        assert not self.host.twin.energised

    @invariant()
    def inside_the_table(self) -> None:
        if not hasattr(self, "host"):
            return
        twin = self.host.twin
        assert twin.armed or not twin.energised
        for ledger in twin.ledger:
            judge(ledger, self.host.now_us)
            pulses_never_overlap(ledger, self.host.now_us)

    @invariant()
    def silence_ends_it(self) -> None:
        """The dead-man is always set, and never further away than what was agreed."""
        if hasattr(self, "host") and self.host.twin.armed:
            due = self.host.twin.next_event_us(self.host.now_us)
            assert due is not None
            assert due <= self.host.now_us + self.dead_man_ms * MS


TestAnyBytes = AnyBytes.TestCase
TestAnyBytes.settings = settings(max_examples=40, stateful_step_count=30)


@given(st.data())
def test_a_mutated_valid_frame_is_the_frame_or_nothing(data: st.DataObject) -> None:
    host = Host(make_twin())
    host.go(ua=4_000)
    frame = host.frame(m.Update(host.counter + 1, host.host_ms, (m.Entry(0, train(3_000)),)))
    kind = data.draw(st.sampled_from(("flip", "cut", "insert", "swap")))
    at = data.draw(st.integers(0, len(frame) - 1))
    match kind:
        case "flip":
            spoilt = bytearray(frame)
            spoilt[at] ^= 1 << data.draw(st.integers(0, 7))
        case "cut":
            spoilt = bytearray(frame[:at] + frame[at + data.draw(st.integers(1, 8)) :])
        case "insert":
            spoilt = bytearray(frame[:at] + data.draw(st.binary(min_size=1, max_size=4)) + frame[at:])
        case _:
            spoilt = bytearray(frame[:at] + frame[at:][::-1])
    host.twin.feed(bytes(spoilt), host.now_us)
    assert host.twin.current_ua(0) in {4_000, 3_000}
    assert all(host.twin.current_ua(n) == 0 for n in (1, 2, 3))


@given(st.integers(0, 3 * SECOND), st.integers(50, 500))
def test_silence_at_any_instant_is_zero_within_the_dead_man(us: int, dead_man_ms: int) -> None:
    host = Host(make_twin())
    host.go(dead_man_ms=dead_man_ms)
    host.beat()
    fed_us = host.now_us
    host.wait(us)
    assert host.twin.energised == (us < dead_man_ms * MS)
    host.wait(500 * MS)
    assert host.twin.ledger[0].stretches[-1].end_us == fed_us + dead_man_ms * MS


@given(st.lists(st.integers(1, 200 * MS), min_size=1, max_size=6))
def test_the_twin_lives_the_same_life_in_any_pieces(steps: list[int]) -> None:
    def life(pieces: list[int]) -> tuple[object, ...]:
        host = Host(make_twin())
        host.say(m.Listen(1_000))
        host.go()
        for piece in pieces:
            host.wait(piece)
        heard = [word for word in host.heard if isinstance(word, m.Samples)]
        return host.twin.disarms, host.twin.ledger[0].pulses, heard

    assert life(steps) == life([sum(steps)])


@given(st.data())
def test_any_split_of_the_bytes_is_the_same(data: st.DataObject) -> None:
    def life(cuts: list[int]) -> list[object]:
        host = Host(make_twin())
        host.go(ua=4_000)
        stream = b"".join(
            host.frame(m.Update(host.counter + n, host.host_ms, (m.Entry(0, train(1_000 * n)),))) for n in (1, 2, 3)
        )
        edges = [0, *sorted(cut % len(stream) for cut in cuts), len(stream)]
        for start, end in itertools.pairwise(edges):
            host.twin.feed(stream[start:end], host.now_us)
        return [host.hear(), host.twin.current_ua(0)]

    assert life(data.draw(st.lists(st.integers(0, 500), max_size=6))) == life([])


# --- the ledger ------------------------------------------------------------------------------------------------

plans = st.lists(st.tuples(st.integers(0, 300 * MS), st.one_of(st.none(), mild)), max_size=12)


@given(plans, st.lists(st.integers(0, 3 * SECOND), min_size=2, max_size=5))
def test_the_sums_are_those_of_the_single_pulses(plan: list[tuple[int, PulseTrain | None]], cuts: list[int]) -> None:
    ledger, now = Ledger(), 0
    for wait, flowing in plan:
        now += wait
        ledger.set(flowing, now)
    ledger.set(None, now + 100 * MS)
    end = now + 100 * MS
    pulses = ledger.pulses_between(0, end)
    assert len(pulses) == ledger.pulses
    assert ledger.charge_pc == sum(each.amplitude_ua * each.phase_width_us for _, each in pulses)
    assert ledger.net_pc == sum(net_charge_pc(each) for _, each in pulses) == 0
    assert ledger.peak_ua == max((each.amplitude_ua for _, each in pulses), default=0)
    assert ledger.on_us == sum(stretch.end_us - stretch.start_us for stretch in ledger.history(end))
    edges = sorted({0, end, *(cut for cut in cuts if cut < end)})
    parts = [pulse for a, b in itertools.pairwise(edges) for pulse in ledger.pulses_between(a, b)]
    assert parts == pulses


@given(
    mild.filter(lambda each: each.amplitude_ua > 0 and each.pulses_per_period == 1),
    st.lists(st.integers(0, 50 * MS), max_size=20),
)
def test_switching_off_and_on_is_no_way_to_a_higher_rate(flowing: PulseTrain, waits: list[int]) -> None:
    ledger, now = Ledger(), 0
    for wait in waits:
        ledger.set(flowing, now)
        now += wait
        ledger.set(None, now)
    times = [at for at, _ in ledger.pulses_between(0, now)]
    period_us = 10**9 / flowing.rate_mhz
    assert all(b - a >= period_us - 2 for a, b in itertools.pairwise(times))


def test_rate_and_doublets_by_the_clock() -> None:
    ledger = Ledger()
    ledger.set(train(1_000, mhz=40_000), 0)
    assert len(ledger.pulses_between(0, 60 * SECOND)) == 2_400
    doublets = Ledger()
    doublets.set(train(1_000, mhz=10_000, pulses_per_period=2), 0)
    times = [at for at, _ in doublets.pulses_between(0, 200 * MS)]
    assert times == [0, APART_US, 100 * MS, 100 * MS + APART_US]
    close = Ledger()
    close.set(train(1_000, mhz=80_000, pulses_per_period=2), 0)
    assert [at for at, _ in close.pulses_between(0, 20 * MS)] == [0, 6_250, 12_500, 18_750]  # evenly: no room for 10 ms
    bursts = Ledger()
    bursts.set(train(1_000, mhz=2_000, pulses_per_period=9), 0)
    times = [at for at, _ in bursts.pulses_between(0, SECOND)]
    assert times == [begin + n * APART_US for begin in (0, 500 * MS) for n in range(9)]


def test_in_step_an_amplitude_change_keeps_the_rhythm() -> None:
    ledger = Ledger()
    ledger.set(train(1_000, mhz=10_000), 0)
    ledger.set(train(2_000, mhz=10_000), 130 * MS)
    ledger.set(train(2_000, mhz=20_000), 230 * MS)
    assert [(at, each.amplitude_ua) for at, each in ledger.pulses_between(0, 300 * MS)] == [
        (0, 1_000),
        (100 * MS, 1_000),
        (200 * MS, 2_000),
        (250 * MS, 2_000),
    ]


def test_memory_is_bounded_and_the_sums_are_not() -> None:
    host = Host(Twin(Patient(1), keep=10))
    host.ready()
    for step in range(100):
        host.wait(20 * MS)
        host.update({0: train(1_000 + 100 * (step % 2))})
    assert len(host.twin.ledger[0].stretches) == 10
    assert host.twin.ledger[0].on_us == 99 * 20 * MS


def test_a_planted_hole_would_be_seen() -> None:
    """The judge above is no decoration: it refuses what no limiter let through."""
    for bad in (
        bent(train(), amplitude_ua=100_100),
        bent(train(), recovery_width_us=0),
        bent(train(), rate_mhz=200_001),
    ):
        ledger = Ledger()
        ledger.set(bad, 0)
        try:
            judge(ledger, 1)
        except AssertionError:
            continue
        raise AssertionError(bad)
