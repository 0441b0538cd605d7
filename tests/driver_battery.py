"""One battery for every driver of a board that speaks a language of its own: it is described, and the battery does the rest.

A driver passes by naming its facts (:class:`Driven`) and a class of its own, in ``test_driver_battery``::

    class TestP24(DriverBattery):
        driven = P24

Each test lives in every state that the description names. Only the twin's ledger says what flowed. A board that never says
whether it is at zero is described as one (``in_full``): of it nobody ever says off, and its stop is held to what is to be
said, and when.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from hypothesis import strategies as st

from stimctl.boards.stops import StopSequence
from stimctl.driver import (
    BoardDriver,
    BoardEvent,
    Connected,
    DriverState,
    Faulted,
    Lost,
    OutputState,
    Stopped,
    Unconfirmed,
)
from stimctl.errors import LinkLost
from stimctl.pulse import PulseTrain
from stimctl.safety import Latch
from stimctl.sim.chassis import Chassis
from stimctl.units import MS, SECOND
from tests.board_battery import given

OFF, ON, UNKNOWN = OutputState.OFF, OutputState.ON, OutputState.UNKNOWN
SLEEP_US = 310 * SECOND


class AnyRig(Protocol):
    """A driver on its twin: ``run`` lets time pass, and the control loop comes round in it while ``beating``."""

    now_us: int
    driver: Any
    latch: Latch
    link: Any
    events: list[BoardEvent]
    beating: bool

    @property
    def twin(self) -> Chassis: ...
    def run(self, us: int, *, step: int = 5 * MS) -> list[BoardEvent]: ...
    def send(self, *ua: int) -> None: ...


@dataclass(frozen=True)
class Driven:
    """The facts of one driver.

    ``another`` is a second driver on the same line, whose port was opened anew. ``states`` bring a fresh rig there;
    ``connecting``, ``at_rest``, ``armed``, ``running`` and ``stopping`` are five of them. ``stop`` is what a stop writes, and
    ``first`` what it writes as long as the board is not known, if that is another thing; ``stops_us`` later nothing flows, and
    in ``confirms_us`` the driver knows. ``silent_us`` after the host's last word everything has ended by itself.
    ``connects_us`` after the port was opened it is connected, and ``gives_up_us``, if that is later, nobody waits for it any
    more. ``raises``: whether these bytes could make something flow, or more of it. ``steps_ua`` are settings of the first
    output that the board has, all within what it is armed for. A setting of two outputs takes so many ``words`` that raise
    something.

    What follows is for boards of which less is known, and says nothing about the others. ``in_full`` is for one that never
    confirms zero: what the loop says after the one write of a stop, by the state in which it came. A stop may let through as
    much as ``stop_lets_ua`` until ``ends_us``; after :meth:`close`, which nobody goes on from, it takes ``closes_us``.
    ``repeats``: what runs is said again for each beat, so a board that falls silent is still told so for ``notices_us``. The
    line may take ``lags_us`` over a setting. Where the host times the pulses, one of each of two outputs leaves every
    ``pulse_us`` while it runs; 0 where nothing has to be said for it to go on.
    """

    name: str
    fresh: Callable[[], Any]
    another: Callable[[Any, Latch], BoardDriver]
    states: Mapping[str, Callable[[Any], object]]
    stop: bytes
    stops_us: int
    confirms_us: int
    silent_us: int
    connects_us: int
    raises: Callable[[bytes], bool]
    steps_ua: tuple[int, ...]
    words: int = 1
    pulse_us: int = 0
    gives_up_us: int = 0
    first: bytes = b""
    in_full: Mapping[str, StopSequence] = field(default_factory=dict)
    stop_lets_ua: int = 0
    ends_us: int = 0
    closes_us: int = 0
    repeats: bool = False
    notices_us: int = 0
    lags_us: int = 0
    connecting: str = "connecting"
    at_rest: str = "at rest"
    armed: str = "armed"
    running: str = "running"
    stopping: str = "stopping"

    @property
    def zero(self) -> OutputState:
        """What is known of a board that has stopped: its own word, or nothing."""
        return UNKNOWN if self.in_full else OFF

    @property
    def lost_us(self) -> int:
        """By then a board that says nothing is lost, whatever was going on."""
        return max(self.connects_us, self.gives_up_us) + self.notices_us + self.silent_us

    def stop_in(self, state: str) -> bytes:
        """What a stop writes at once."""
        return self.first if self.first and state == self.connecting else self.stop


class Tap:
    """Sits on a rig's line. ``sent`` is every write that was tried, ``at_us`` when; ``before`` what left before it was put on."""

    def __init__(self, link: Any, clock: Callable[[], int] = lambda: 0) -> None:
        self._write, self._read, self._clock = link.write, link.read, clock
        link.write, link.read = self.write, self.read
        self.sent: list[bytes] = []
        self.at_us: list[int] = []
        self.before: frozenset[bytes] = frozenset()
        self.broken = self.deaf = self.mute = self.trickle = False
        self.said = b""

    def write(self, data: bytes, *, urgent: bool = False) -> None:
        self.sent.append(data)
        self.at_us.append(self._clock())
        if self.broken:
            raise LinkLost("the port takes no more data; check the board and the cable")
        self._write(b"" if self.deaf else data, urgent=urgent)

    def begin(self) -> None:
        """From now on."""
        self.before |= frozenset(self.sent)
        self.sent.clear()
        self.at_us.clear()

    def read(self) -> bytes:
        heard: bytes = self._read()
        self.said += b"" if self.mute else heard
        size = 1 if self.trickle else len(self.said)
        data, self.said = self.said[:size], self.said[size:]
        return data


def pulses_since(rig: AnyRig, since_us: int) -> list[tuple[int, PulseTrain]]:
    """Every pulse that any output has given after that."""
    rig.twin.advance(rig.now_us)
    return [pulse for ledger in rig.twin.ledger for pulse in ledger.pulses_between(since_us, rig.now_us)]


class DriverBattery:
    """What every such driver has to pass."""

    driven: ClassVar[Driven]
    strangers: ClassVar[Callable[[], Mapping[str, tuple[bytes, ...]]]]
    """What other boards say, by their names."""

    def at(self, state: str) -> tuple[AnyRig, Tap]:
        """A rig in that state, and a tap on its line from now on."""
        rig: AnyRig = self.driven.fresh()
        tap = Tap(rig.link, lambda: rig.now_us)
        self.driven.states[state](rig)
        tap.begin()
        return rig, tap

    def raised(self, tap: Tap) -> list[bytes]:
        return [data for data in tap.sent if self.driven.raises(data)]

    def usual(self, us: int) -> int:
        """How many words that raise something leave in that time anyhow while it runs."""
        return 2 * (us // self.driven.pulse_us + 1) if self.driven.pulse_us else 0

    def raised_anew(self, tap: Tap) -> list[bytes]:
        """Without what only keeps going what runs, where such a thing is said at all."""
        raised = self.raised(tap)
        return [data for data in dict.fromkeys(raised) if data not in tap.before] if self.driven.repeats else raised

    def ended(self, rig: AnyRig, stopped_us: int, state: str) -> None:
        """Nothing flows after a stop but what it lets through itself, and in the end not even that."""
        self.over(rig, stopped_us + self.driven.stops_us, max(0, self.driven.ends_us - self.driven.stops_us), state)

    def over(self, rig: AnyRig, since_us: int, lets_us: int, state: str) -> None:
        """Nothing since then but what a stop lets through, and after ``lets_us`` not even that."""
        assert all(train.amplitude_ua <= self.driven.stop_lets_ua for _, train in pulses_since(rig, since_us)), state
        assert not pulses_since(rig, since_us + lets_us), state

    # --- that the tests below show anything ----------------------------------------------------------------------

    def test_it_runs_where_it_should(self) -> None:
        rig, _ = self.at(self.driven.running)
        began_us = rig.now_us
        rig.run(SECOND)
        assert pulses_since(rig, began_us)
        assert rig.driver.output is ON
        assert len(self.driven.states) >= 6
        assert self.at(self.driven.at_rest)[0].driver.output is self.driven.zero

    # --- stop ----------------------------------------------------------------------------------------------------

    def test_a_stop_in_every_state_is_one_write_and_confirmed(self) -> None:
        stopped = DriverState.STOPPED
        for state in self.driven.states:
            rig, tap = self.at(state)
            stopped_us = rig.now_us
            rig.driver.stop("Space")
            assert tap.sent == [self.driven.stop_in(state)], state
            assert rig.driver.output is UNKNOWN, state
            rig.run(self.driven.confirms_us)
            assert rig.driver.output is self.driven.zero, state
            there = {DriverState.DISARMED, DriverState.CONNECTING} if state == self.driven.connecting else {stopped}
            assert rig.driver.state in there, state
            assert rig.latch.tripped, state
            assert not self.raised(tap), state
            self.ended(rig, stopped_us, state)

    def test_a_stop_that_nothing_confirms_is_said_in_full_and_never_called_stopped(self) -> None:
        """The one write first; then the loop, each part of it when the board must have read the one before."""
        expected = set(self.driven.states) - {self.driven.connecting} if self.driven.in_full else set()
        assert set(self.driven.in_full) == expected
        for state, sequence in self.driven.in_full.items():
            rig, tap = self.at(state)
            told, stopped_us = len(rig.events), rig.now_us
            rig.driver.stop("Space")
            begun = len(sequence.writes) - (state == self.driven.stopping)  # its first part has been said there
            rig.run(sequence.last_us)
            assert not rig.events[told:], state
            rig.run(self.driven.confirms_us)
            assert rig.driver.state is DriverState.STOPPED, state
            assert [type(each) for each in rig.events[told:]] == [Unconfirmed], state
            assert not any(isinstance(each, Stopped) for each in rig.events), state
            assert tuple(tap.sent[1 : begun + 1]) == sequence.writes[-begun:], state
            apart_us = [later - sooner for sooner, later in itertools.pairwise(tap.at_us[1 : begun + 1])]
            assert min(apart_us) >= sequence.apart_us, state
            self.ended(rig, stopped_us, state)

    def test_a_loop_that_comes_late_says_no_two_parts_of_a_stop_at_once(self) -> None:
        """The board is deaf while it obeys, and what it has no room for is cut: another text, by then."""
        for state, sequence in self.driven.in_full.items():
            rig, tap = self.at(state)
            rig.driver.stop("Space")
            rig.run(20 * MS)
            rig.now_us += 4 * sequence.apart_us + 10 * MS
            rig.run(self.driven.confirms_us + 4 * sequence.apart_us)
            begun = len(sequence.writes) - (state == self.driven.stopping)
            assert rig.driver.state is DriverState.STOPPED, state
            assert tuple(tap.sent[1 : begun + 1]) == sequence.writes[-begun:], state
            apart_us = [later - sooner for sooner, later in itertools.pairwise(tap.at_us[1 : begun + 1])]
            assert min(apart_us) >= sequence.apart_us, state

    def test_nothing_of_before_a_stop_comes_after_it_even_if_the_latch_is_cleared_at_once(self) -> None:
        for state in self.driven.states:
            rig, tap = self.at(state)
            if state == self.driven.armed:
                for ua in self.driven.steps_ua[:2]:
                    rig.send(ua)
            tap.begin()
            stopped_us = rig.now_us
            rig.driver.stop("Space")
            rig.latch.clear()
            rig.run(self.driven.confirms_us)
            assert not self.raised(tap), state
            self.ended(rig, stopped_us, state)

    def test_closing_stops_in_every_state(self) -> None:
        for state in self.driven.states:
            rig, tap = self.at(state)
            closed_us = rig.now_us
            rig.driver.close()
            assert b"".join(tap.sent).startswith(self.driven.stop_in(state)), state
            rig.driver.close()
            assert (rig.driver.state, rig.driver.output) == (DriverState.LOST, UNKNOWN), state
            assert rig.run(SECOND) == [], state
            assert not pulses_since(rig, closed_us + max(self.driven.stops_us, self.driven.closes_us)), state

    # --- a line that fails ---------------------------------------------------------------------------------------

    def give_up(self, rig: AnyRig) -> None:
        """So long that nobody waits for the board any more; whoever has given up is not looked at as closely."""
        for _ in range(-(-self.driven.lost_us // SECOND)):
            rig.run(SECOND, step=(100 if rig.driver.state is DriverState.LOST else 5) * MS)

    def lost(self, rig: AnyRig, tap: Tap, state: str, since_us: int, raised: int = 0, notices_us: int = 0) -> None:
        """One clear end: lost, unknown, latched, and nothing flows or is said any more."""
        assert [type(each) for each in rig.events][-1:] == [Lost], state
        assert (rig.driver.state, rig.driver.output) == (DriverState.LOST, UNKNOWN), state
        assert rig.latch.tripped, state
        assert len(self.raised_anew(tap)) <= raised, state
        late = [at for at, data in zip(tap.at_us, tap.sent, strict=True) if self.driven.raises(data)]
        assert len(late) <= raised or late[-1] <= since_us + notices_us, state
        self.over(rig, since_us + self.driven.silent_us + notices_us, self.driven.ends_us, state)
        sent, events = len(tap.sent), len(rig.events)
        tap.broken = tap.deaf = tap.mute = False
        rig.link._closed = False
        rig.run(2 * SECOND)  # the line is good again, and a lost driver stays lost
        assert (rig.driver.state, len(tap.sent), len(rig.events)) == (DriverState.LOST, sent, events), state

    def test_a_cable_pulled_in_every_state(self) -> None:
        for state in self.driven.states:
            rig, tap = self.at(state)
            pulled_us = rig.now_us
            rig.link.close()
            rig.run(self.driven.silent_us + SECOND)
            self.lost(
                rig, tap, state, pulled_us, raised=int(self.driven.pulse_us > 0)
            )  # a pulse that was due was tried

    def test_a_write_that_fails_in_every_state(self) -> None:
        for state in self.driven.states:
            rig, tap = self.at(state)
            failed_us, tap.broken = rig.now_us, True
            rig.run(self.driven.silent_us + max(2 * SECOND, self.driven.connects_us))
            self.lost(rig, tap, state, failed_us, raised=1)  # one was tried: it is not known how much of it has left

    def test_a_board_that_falls_silent_in_every_state(self) -> None:
        for state in self.driven.states:
            rig, tap = self.at(state)
            muted_us, tap.mute = rig.now_us, True
            self.give_up(rig)
            self.lost(rig, tap, state, muted_us, raised=self.driven.words, notices_us=self.driven.notices_us)

    def test_a_board_that_hears_nothing_in_every_state(self) -> None:
        """What it says by itself still comes: nobody is told that it is at zero by what it does not answer."""
        for state in self.driven.states:
            rig, tap = self.at(state)
            deaf_us, tap.deaf = rig.now_us, True
            self.give_up(rig)
            assert (rig.driver.state, rig.driver.output) == (DriverState.LOST, UNKNOWN), state
            assert rig.latch.tripped, state
            assert not pulses_since(rig, deaf_us + self.driven.silent_us), state

    # --- a host that fails ---------------------------------------------------------------------------------------

    def test_a_loop_that_hangs_keeps_nothing_going_in_every_state(self) -> None:
        for state in self.driven.states:
            rig, tap = self.at(state)
            hung_us, rig.beating = rig.now_us, False
            rig.run(2 * self.driven.silent_us + SECOND)
            self.over(rig, hung_us + self.driven.silent_us + SECOND // 2, self.driven.ends_us, state)
            assert len(self.raised(tap)) <= self.driven.words, (
                state
            )  # a setting that was sent before, and waited for its turn

    def test_a_dead_host_in_every_state(self) -> None:
        for state in self.driven.states:
            rig, _ = self.at(state)
            dead_us = rig.now_us
            rig.now_us += self.driven.silent_us + 10 * SECOND
            assert not pulses_since(rig, dead_us + self.driven.silent_us), state

    def test_a_sleep_in_every_state(self) -> None:
        """What was known before it, and what has waited in the line, is of before: neither off nor on, and nothing goes on."""
        for state in self.driven.states:
            rig, tap = self.at(state)
            rig.now_us += SLEEP_US
            woke_us = rig.now_us
            rig.driver.poll(rig.now_us)
            assert rig.driver.output is UNKNOWN, state
            assert not self.raised(tap), state
            rig.run(self.driven.connects_us)
            self.over(rig, woke_us, self.driven.ends_us, state)
            assert rig.driver.output in {self.driven.zero, ON} or rig.latch.tripped, state
            assert rig.driver.state is not DriverState.ARMED or rig.driver.output is ON, state

    # --- what is heard -------------------------------------------------------------------------------------------

    def test_how_its_words_are_split_makes_no_difference(self) -> None:
        rig = self.driven.fresh()
        tap = Tap(rig.link)
        tap.trickle = True
        rig.driver.open(rig.now_us)
        rig.run(self.driven.connects_us, step=MS // 2)
        assert (rig.driver.state, rig.driver.output) == (DriverState.DISARMED, self.driven.zero)
        rig.driver.stop("Space")
        rig.run(self.driven.confirms_us, step=MS // 2)
        assert (rig.driver.state, rig.driver.output) == (DriverState.STOPPED, self.driven.zero)

    def test_what_other_boards_say_introduces_nobody(self) -> None:
        for other, answers in type(self).strangers().items():
            rig = self.driven.fresh()
            tap = Tap(rig.link)
            tap.mute = True
            rig.driver.open(rig.now_us)
            for answer in answers * 3:
                tap.said += answer
                rig.run(20 * MS)
            rig.run(max(self.driven.connects_us, self.driven.gives_up_us))
            assert [type(each) for each in rig.events] == [Lost], other
            assert rig.driver.output is UNKNOWN, other
            assert not self.raised(tap), other

    def test_what_other_boards_say_in_the_middle_says_neither_off_nor_more(self) -> None:
        for other, answers in type(self).strangers().items():
            rig, tap = self.at(self.driven.running)
            for answer in answers:
                tap.said += answer
            rig.run(20 * MS)
            assert rig.driver.output is not OFF, other
            assert len(self.raised_anew(tap)) <= self.usual(20 * MS), other

    @given(st.lists(st.binary(max_size=60), max_size=12), st.booleans())
    def test_no_bytes_are_an_error_and_none_say_off(self, noise: list[bytes], stops: bool) -> None:
        rig, tap = self.at(self.driven.running)
        if stops:
            rig.driver.stop("Space")
            tap.mute = True
        for piece in noise:
            tap.said += piece
            rig.run(5 * MS)
            assert rig.driver.output is not OFF or (rig.latch.tripped and not stops)
        if stops:
            assert not self.raised(tap)
        else:
            assert len(self.raised_anew(tap)) <= self.usual(len(noise) * 5 * MS)

    # --- limits --------------------------------------------------------------------------------------------------

    @given(st.data())
    def test_nothing_is_ever_stronger_than_what_was_approved(self, data: st.DataObject) -> None:
        rig, _ = self.at(self.driven.armed)
        most_ua, lately = 0, [(0, 0)]  # and what was the setting until when
        for _ in range(data.draw(st.integers(1, 8))):
            ua = data.draw(st.sampled_from((0, *self.driven.steps_ua)))
            since_us = rig.now_us
            rig.send(ua)
            rig.run(data.draw(st.sampled_from((5, 20, 60, 400))) * MS)
            # Until it has taken the newest setting the board may go on with the one before, and never with more than both.
            late_ua = max(old for until_us, old in lately if until_us + self.driven.lags_us > since_us or not until_us)
            flowed = [train.amplitude_ua for _, train in pulses_since(rig, since_us)]
            assert max(flowed, default=0) <= max(ua, most_ua, late_ua)
            lately.append((rig.now_us, most_ua))
            most_ua = ua if not rig.driver._worn or rig.driver._worn.waiting is None else max(ua, most_ua)
        rig.run(SECOND)
        since_us = rig.now_us
        rig.run(SECOND)
        assert {train.amplitude_ua for _, train in pulses_since(rig, since_us)} <= {ua}
        assert not any(isinstance(each, Faulted) for each in rig.events)

    # --- again ---------------------------------------------------------------------------------------------------

    def test_another_connection_begins_with_a_stop_and_arms_nothing(self) -> None:
        """In every state of the one before, whose port was only let go."""
        for state in self.driven.states:
            rig, tap = self.at(state)
            tap.begin()
            again_us, rig.latch = rig.now_us, Latch()
            rig.driver = self.driven.another(rig, rig.latch)
            rig.events.clear()
            rig.driver.open(rig.now_us)
            assert b"".join(tap.sent).startswith(self.driven.first or self.driven.stop), state
            assert rig.driver.output is UNKNOWN, state
            rig.run(self.driven.connects_us)
            assert any(isinstance(each, Connected) for each in rig.events), state
            assert (rig.driver.state, rig.driver.output) == (DriverState.DISARMED, self.driven.zero), state
            assert not self.raised(tap), state
            assert not pulses_since(rig, again_us + self.driven.stops_us), state
