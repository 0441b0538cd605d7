"""One battery for every board: it is described by its facts (:class:`Described`), and the battery does the rest.

A board's codec and twin pass by naming them, in ``battery_boards``, and by a class of their own in ``test_battery``::

    class TestReference(Known):
        board = REFERENCE

A board that has no twin yet is a ``KnownCodec``.

A board may add tests of its own to its class. What it may not do is leave one out: where a board is known to do what it
should not, its description says so, and the battery then shows that it does.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from hypothesis import HealthCheck, settings
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from stimctl.boards.stops import StopSequence
from stimctl.sim.ledger import Ledger
from stimctl.units import SECOND

HOUR_US = 3_600 * SECOND
AFTER_US = 30 * SECOND
"""How long nothing may flow after a stop; longer than the longest train of any board that ends by itself."""


class AnyDecoder(Protocol):
    """The host's ear."""

    def feed(self, data: bytes) -> tuple[Any, ...]: ...


class AnyTwin(Protocol):
    """A board's twin, sans-IO."""

    now_us: int

    @property
    def ledger(self) -> tuple[Ledger, ...]: ...
    @property
    def energised(self) -> bool: ...
    def feed(self, data: bytes, now_us: int) -> None: ...
    def advance(self, now_us: int) -> None: ...
    def outgoing(self) -> bytes: ...


@dataclass(frozen=True)
class Twinned:
    """The facts of one board's twin.

    ``states`` make a twin that has booted and stands so; its own time is then the present. ``silent_us`` is how long
    after the host's last byte everything has ended by itself; ``None`` for a board that outlives its host. Bytes that mean
    nothing never energise it, but for the ``hair_trigger`` of a board whose every letter is a command. ``beyond_help`` is
    whether a damaged command has left a twin so that nothing helps but a reset.
    """

    states: Mapping[str, Callable[[], AnyTwin]]
    running: str
    stop: StopSequence
    silent_us: int | None
    hair_trigger: bool = False
    beyond_help: Callable[[Any], bool] = lambda _: False

    def fresh(self) -> AnyTwin:
        """Booted, and nothing said yet: the first of its states."""
        return next(iter(self.states.values()))()


@dataclass(frozen=True)
class Described:
    """The facts of one board: of its codec, and of its twin where it has one.

    ``commands`` are whole texts or frames that a host writes, those that raise the output among them; ``answers`` what
    the board says. ``claims`` tells a decoded word that a driver would believe from one that says nothing. ``held`` is
    how many bytes a decoder keeps, at most ``held_max``; ``resync`` is what ends anything half heard in either
    direction. ``checked``: what the board says has a checksum, so that damage makes no other word of it.
    """

    name: str
    commands: tuple[bytes, ...]
    answers: tuple[bytes, ...]
    decoder: Callable[[], AnyDecoder]
    claims: Callable[[Any], bool]
    held: Callable[[Any], int]
    held_max: int
    resync: bytes
    checked: bool
    twin: Twinned | None = None

    def believed(self, data: bytes) -> list[Any]:
        """What a driver would believe of these bytes."""
        return [word for word in self.decoder().feed(data) if self.claims(word)]


def given(*strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Hypothesis for tests that several classes inherit, with fewer examples: there are many boards."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        quiet = [HealthCheck.differing_executors, HealthCheck.too_slow]
        few = max(10, settings.default.max_examples // 4) if settings.default else 15
        return settings(max_examples=few, suppress_health_check=quiet)(hypothesis_given(*strategies)(test))

    return decorate


def stopped(twin: AnyTwin, stop: StopSequence) -> None:
    """Write the whole stop from now on, as whoever holds the port would, and live on until it must be over."""
    begun_us = twin.now_us
    for written in itertools.count():
        due_us = stop.due_us(written)
        if due_us is None:
            break
        twin.advance(begun_us + due_us)
        twin.feed(stop.next(written, due_us), begun_us + due_us)
    twin.advance(begun_us + stop.ends_us)


def said_within(twin: AnyTwin, us: int) -> bytes:
    twin.advance(twin.now_us + us)
    return twin.outgoing()


class Battery:
    """A board among ``others``: all boards that there are."""

    board: ClassVar[Described]
    others: ClassVar[Callable[[], tuple[Described, ...]]]

    def strangers(self) -> list[Described]:
        """All that are no kin: the first word of a name is the family's."""
        return [each for each in type(self).others() if each.name.split()[0] != self.board.name.split()[0]]


class CodecBattery(Battery):
    """What every codec has to pass: the host's ear."""

    def test_each_answer_is_understood_and_nothing_is_wrong_with_it(self) -> None:
        for answer in self.board.answers:
            assert len(self.board.believed(answer)) == 1, answer

    @given(st.data())
    def test_how_bytes_are_split_makes_no_difference(self, data: st.DataObject) -> None:
        noise = data.draw(st.lists(st.binary(max_size=20), max_size=3))
        stream = b"".join(data.draw(st.permutations([*self.board.answers, *noise])))
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
        cut = self.board.decoder()
        heard: list[Any] = []
        for start, end in itertools.pairwise([0, *cuts, len(stream)]):
            heard += cut.feed(stream[start:end])
        assert tuple(heard) == self.board.decoder().feed(stream)

    def test_byte_by_byte_is_the_same(self) -> None:
        stream = b"".join(self.board.answers)
        decoder = self.board.decoder()
        heard = [word for byte in stream for word in decoder.feed(bytes((byte,)))]
        assert tuple(heard) == self.board.decoder().feed(stream)
        assert self.board.held(decoder) == 0

    @given(st.lists(st.binary(max_size=300), max_size=6), st.data())
    def test_no_bytes_are_an_error_and_what_follows_is_heard(self, noise: list[bytes], data: st.DataObject) -> None:
        decoder = self.board.decoder()
        for piece in noise:
            decoder.feed(piece)
            assert self.board.held(decoder) <= self.board.held_max
        answer = data.draw(st.sampled_from(self.board.answers))
        heard = [*decoder.feed(self.board.resync), *decoder.feed(answer)]
        assert heard[-1:] == self.board.believed(answer)

    @given(st.data())
    def test_damage_is_no_error_and_makes_no_other_word(self, data: st.DataObject) -> None:
        answer = data.draw(st.sampled_from(self.board.answers))
        bent = bytearray(answer)
        for at in data.draw(st.lists(st.integers(0, len(bent) - 1), min_size=1, max_size=4)):
            bent[at] = data.draw(st.integers(0, 255))
        heard = self.board.believed(self.board.resync + bytes(bent) + self.board.resync)
        if self.board.checked:
            assert heard in ([], self.board.believed(answer))
        else:
            assert len(heard) <= 1 + bent.count(b"\n")

    @given(st.data())
    def test_what_is_cut_short_is_nothing_yet(self, data: st.DataObject) -> None:
        answer = data.draw(st.sampled_from(self.board.answers))
        cut = data.draw(st.integers(0, max(0, len(answer.rstrip(b"\r\n")) - 1)))
        assert self.board.believed(answer[:cut]) == []
        ended = answer[:cut] + self.board.resync
        if self.board.checked and not ended.startswith(answer):
            assert self.board.believed(ended) == []

    def test_what_other_boards_say_is_nothing(self) -> None:
        for other in self.strangers():
            for answer in other.answers:
                assert self.board.believed(answer + self.board.resync) == [], (other.name, answer)

    def test_what_hosts_say_is_nothing(self) -> None:
        """Its own words come back from a port whose wires touch; other programs may talk on it."""
        for described in (self.board, *self.strangers()):
            for command in described.commands:
                assert self.board.believed(command + self.board.resync) == [], (described.name, command)


class TwinBattery(Battery):
    """What every twin has to pass, and with it every stop."""

    @property
    def twin(self) -> Twinned:
        """The facts of this board's twin."""
        assert self.board.twin is not None, f"{self.board.name} has no twin yet: name it in a CodecBattery"
        return self.board.twin

    def test_nothing_flows_unasked(self) -> None:
        twin = self.twin.fresh()
        twin.advance(twin.now_us + HOUR_US)
        assert not any(ledger.active_after(-1) for ledger in twin.ledger)

    def test_it_runs_where_it_should(self) -> None:
        """Else the tests below would show nothing."""
        assert self.twin.states[self.twin.running]().energised
        assert len(self.twin.states) >= 3

    @given(st.data())
    def test_how_a_hosts_bytes_are_split_makes_no_difference(self, data: st.DataObject) -> None:
        stream = b"".join(data.draw(st.lists(st.sampled_from(self.board.commands), max_size=4)))
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))

        def life(edges: list[int]) -> tuple[bytes, list[Any]]:
            twin = self.twin.states[self.twin.running]()
            for start, end in itertools.pairwise(edges):
                twin.feed(stream[start:end], twin.now_us)
            said = said_within(twin, SECOND)
            return said, [(ledger.pulses, ledger.charge_pc, ledger.train) for ledger in twin.ledger]

        assert life([0, *cuts, len(stream)]) == life([0, len(stream)])

    @given(st.lists(st.tuples(st.binary(max_size=60), st.integers(0, SECOND)), max_size=6))
    def test_no_bytes_are_an_error_to_it_and_none_make_it_flow(self, noise: list[tuple[bytes, int]]) -> None:
        twin = self.twin.fresh()
        for piece, pause_us in noise:
            twin.feed(piece, twin.now_us)
            twin.advance(twin.now_us + pause_us)
        twin.advance(twin.now_us + SECOND)
        assert self.twin.hair_trigger or not any(ledger.active_after(-1) for ledger in twin.ledger)

    @given(st.data())
    def test_a_damaged_stream_is_no_error_and_the_stop_stops_it(self, data: st.DataObject) -> None:
        twin = self.twin.states[self.twin.running]()
        for command in data.draw(st.lists(st.sampled_from(self.board.commands), max_size=5)):
            bent = bytearray(command)
            for at in data.draw(st.lists(st.integers(0, len(bent) - 1), max_size=2)):
                bent[at] = data.draw(st.integers(0, 255))
            twin.feed(bytes(bent[: data.draw(st.integers(1, len(bent)))]), twin.now_us)
            twin.advance(twin.now_us + data.draw(st.integers(0, 300_000)))
        stopped(twin, self.twin.stop)
        if not self.twin.beyond_help(twin):
            self.dead(twin)

    def test_what_other_boards_are_told_does_nothing_to_it(self) -> None:
        for other in self.strangers():
            for command in other.commands:
                twin = self.twin.fresh()
                twin.feed(command, twin.now_us)
                twin.advance(twin.now_us + SECOND)
                assert not any(ledger.active_after(-1) for ledger in twin.ledger), (other.name, command)

    def test_the_stop_stops_in_every_state(self) -> None:
        for make in self.twin.states.values():
            twin = make()
            stopped(twin, self.twin.stop)
            self.dead(twin)
            stopped(twin, self.twin.stop)
            self.dead(twin)

    @given(st.data())
    def test_the_stop_stops_behind_half_of_anything(self, data: st.DataObject) -> None:
        twin = self.twin.states[data.draw(st.sampled_from(sorted(self.twin.states)))]()
        command = data.draw(st.sampled_from(self.board.commands))
        twin.feed(command[: data.draw(st.integers(0, len(command) - 1))], twin.now_us)
        twin.advance(twin.now_us + data.draw(st.integers(0, 100_000)))
        stopped(twin, self.twin.stop)
        self.dead(twin)

    def test_silence_in_every_state(self) -> None:
        """What ends by itself has ended; a board that outlives its host is shown to."""
        for name, make in self.twin.states.items():
            twin = make()
            said_us, flowed = twin.now_us, twin.energised
            twin.advance(said_us + HOUR_US)
            if self.twin.silent_us is not None:
                assert not twin.energised, name
                ends = [stretch.end_us for ledger in twin.ledger for stretch in ledger.stretches]
                assert max(ends, default=0) <= said_us + self.twin.silent_us, name
            elif name == self.twin.running:
                assert flowed
                assert twin.energised

    def dead(self, twin: AnyTwin) -> None:
        """Nothing flows now, and nothing comes by itself."""
        assert not twin.energised
        now_us = twin.now_us
        twin.advance(now_us + AFTER_US)
        assert not any(ledger.active_after(now_us) for ledger in twin.ledger)


class BoardBattery(CodecBattery, TwinBattery):
    """What every board has to pass."""
