"""What a dry flight need not fly again: repetitions that find engine and limiter standing exactly as before.

Engine and limiter are deterministic and know time by differences alone. So when both stand at one moment as they stood
at another, every time taken from the moment itself, the same inputs lead through the same commands and the same
judgements once more, and again after that. A treatment of 60 movements is then one of 6 with the pair in its midst gone
through 28 times. Nothing is believed of it in advance: the flight of the shorter one shows it, in every set, or the whole
is flown.

What only adds up is not part of how they stand, and each has its reason in :data:`_STANDING`. Two of them decide
something: the count of movements, or the time that has flowed, which ends a set or the flow, and is as far from its end
where the two flights join; and the time that a site has been treated, which :meth:`Watch.fits` holds to its limit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, NamedTuple, final

from stimctl.engine import Engine, State
from stimctl.engine.lanes import SENSORY_RAMP_US
from stimctl.engine.machine import NEVER_US
from stimctl.limits import Effect
from stimctl.safety import Limiter
from stimctl.schedule import Schedule
from stimctl.units import SECOND

STRIDE_US: Final = 900_000
"""The longest step of a flight: below the second that the limiter lets pass unseen while output is on."""

_PAIR: Final = 2
"""What comes back is a pair of movements: in every second one, what may end a phase comes at once."""

_FIRST: Final = 2
"""Which movement of a set, from 0, begins the pair: the very first is flown in smaller steps."""


@final
class Shorter(NamedTuple):
    """A schedule without ``times`` cycles in each set, or in its flow; ``cycle_us``: how long one is in a flow."""

    schedule: Schedule
    times: int
    cycle_us: int


def shorter(schedule: Schedule) -> Shorter | None:
    """``schedule`` with as little as shows whether the rest is the same again; ``None`` where that is all of it."""
    if schedule.continuous:
        cycle_us = schedule.movement.cycle_us if schedule.movement else STRIDE_US
        times = (schedule.flow_us - 3 * cycle_us - 5 * SECOND) // cycle_us
        left = replace(schedule, flow_us=schedule.flow_us - times * cycle_us)
    else:
        cycle_us, times = 0, (schedule.repetitions - (_FIRST + _PAIR + 1)) // _PAIR
        left = replace(schedule, repetitions=schedule.repetitions - times * _PAIR)
    return Shorter(left, times, cycle_us) if times > 0 else None


# --- how engine and limiter stand ----------------------------------------------------------------------------------

_How = Callable[[Any, Any, int], Any]
"""From an object, the value of one of its attributes and the time to what has to be the same again."""


def _same(_owner: Any, value: Any, _now_us: int) -> Any:
    return tuple(value) if type(value) is list else value  # all else is put anew and never written into


def _fixed(_owner: Any, value: Any, _now_us: int) -> Any:
    """What is made once: the very object."""
    return id(value)


def _since(_owner: Any, value: Any, now_us: int) -> Any:
    """A time. What never was stays so."""
    return value if value in (None, -NEVER_US) else now_us - value


def _until(_owner: Any, value: Any, now_us: int) -> Any:
    """A time that is only waited for: once past, it does not matter since when."""
    return max(0, value - now_us)


def _sums(_owner: Any, _value: Any, _now_us: int) -> Any:
    """What adds up, and leads to nothing before the end of a set or of the flow."""
    return None


def _unread(_owner: Any, _value: Any, _now_us: int) -> Any:
    """What nothing in a treatment reads: it is for raises, permits in somebody's hands, or the operator's eye."""
    return None


def _odd(_owner: Any, value: Any, _now_us: int) -> Any:
    """Every second movement is another, and the very first one."""
    return value % _PAIR, value == 0


def _entered(engine: Any, value: Any, now_us: int) -> Any:
    """Since when it is in its state: what flows goes by what has flowed, not by when it began."""
    return None if engine.state is State.FLOWING else now_us - value


def _lane_on(lane: Any, value: Any, now_us: int) -> Any:
    """Since when a lane is on: asked where its burst ends and owes a rest, which sensory stimulation does not."""
    asked = lane.plan.effect is Effect.MOTOR and lane.amplitude_ua
    return now_us - value if asked else None


def _channel_on(channel: Any, value: Any, now_us: int) -> Any:
    """Since when a channel is on; of one without bursts nothing but whether."""
    timed = channel.placement.effect is Effect.MOTOR
    return now_us - value if timed and value is not None else value is None


def _part(_owner: Any, value: Any, now_us: int) -> Any:
    return None if value is None else _standing(value, now_us)


def _parts(_owner: Any, value: Any, now_us: int) -> Any:
    parts = value.items() if type(value) is dict else enumerate(value)
    return tuple([(key, _standing(part, now_us)) for key, part in parts])


def _words(how: _How, *names: str) -> dict[str, _How]:
    return dict.fromkeys(names, how)


_STANDING: Final[Mapping[str, Mapping[str, _How]]] = MappingProxyType(
    {
        "Engine": {
            **_words(_fixed, "schedule"),
            **_words(_same, "state", "baseline_ready", "_titrated", "_stopped_in"),
            **_words(_entered, "_entered_us"),
            **_words(_since, "_stepped_us", "_attended_us", "_triggered_us"),
            **_words(_part, "dose", "_delivery"),
            **_words(_fixed, "lanes"),  # the delivery's own
        },
        "Dose": {
            **_words(_fixed, "_schedule"),
            **_words(_same, "set", "rest_us", "_script_us"),
            **_words(_sums, "repetition", "_treated_us"),
            **_words(_part, "tally"),
        },
        "Tally": {
            **_words(_odd, "delivered"),
            **_words(_same, "missed", "assisted", "stops", "ceiling_hits"),
            **_words(_sums, "triggered", "on_time_us", "script_us"),
        },
        "Delivery": {
            **_words(_fixed, "_schedule", "_outputs", "_own", "_test"),
            **_words(_same, "_sensory", "_state", "_alone", "_control_ppm", "_command"),
            **_words(_sums, "_turns", "flowed_us", "met", "missed", "skipped"),
            **_words(_parts, "lanes"),
            **_words(_part, "_course"),
        },
        "Lane": {
            **_words(_fixed, "plan"),
            **_words(_same, "level_ua", "amplitude_ua", "wanted_ua", "worked_ua", "shape", "_output"),
            **_words(_lane_on, "on_from_us"),
            **_words(_until, "owes_rest_until_us"),
            **_words(_sums, "charge_e9pc"),
            **_words(_unread, "given_ua", "steady_from_us"),  # what the patient can be asked about
        },
        "Course": {
            **_words(_fixed, "plan", "_outputs"),
            **_words(_same, "_again", "_from_ppm", "_index", "phase", "goals"),
            **_words(_same, "length_us", "_marks", "_follows", "_moves"),  # from the phase's beginning
            **_words(_since, "_entered_us"),
        },
        "Limiter": {
            **_words(_fixed, "_channels", "_site_of", "_shared", "_titrating"),
            **_words(_same, "_epoch", "_every_bit", "_number", "_treating"),
            **_words(_since, "_approved_at_us", "_now_us"),
            **_words(_unread, "_raised_at_us", "_rising_since"),
            **_words(_parts, "_all", "_sites"),
            **_words(_part, "_latch"),
        },
        "Channel": {
            **_words(_fixed, "placement", "gate", "limits", "site"),
            **_words(_same, "bit", "number", "open", "_timed", "_step_credit", "_credit"),
            **_words(_same, "ceiling", "ceiling_train", "level", "level_train", "reached", "new", "_old"),
            **_words(_since, "_credit_at_us"),
            **_words(_until, "ready_at_us"),
            **_words(_channel_on, "_on_since_us"),
        },
        "Site": {
            **_words(_since, "_counted_to_us", "_warm_until_us"),
            **_words(_sums, "spent_us"),  # held to its limit in Watch.fits
        },
        "Latch": {
            **_words(_same, "_trips", "_cleared", "limiters"),
            **_words(_unread, "serial", "_live_from"),
        },
    }
)
"""What each attribute of engine and limiter means for what follows. One that is not here is known to nobody: see below."""


def _standing(owner: Any, now_us: int) -> Any:
    """How an object stands at ``now_us``; raises :class:`LookupError` where it has what nobody has thought about."""
    meanings = _STANDING[type(owner).__name__]
    if set(getattr(owner, "__dict__", None) or type(owner).__slots__) != meanings.keys():
        raise LookupError(type(owner).__name__)
    return tuple([how(owner, getattr(owner, name, None), now_us) for name, how in meanings.items()])


def standing(engine: Engine, limiter: Limiter, now_us: int) -> Any:
    """All that what follows depends on; ``None`` where an attribute is known to nobody, and so nothing can be said."""
    try:
        return _standing(engine, now_us), _standing(limiter, now_us)
    except LookupError:
        return None


# --- looking on ----------------------------------------------------------------------------------------------------


@final
class Mark(NamedTuple):
    """A moment of a flight: how all stood, and what had been given until then."""

    now_us: int
    standing: Any
    delivered: int
    on_time_us: int
    charge_e9pc: int
    site_us: Mapping[str, int]


@final
class Watch:
    """Looks on at the flight of a shorter schedule, for the cycle that stands for those that were left out."""

    def __init__(self, engine: Engine, limiter: Limiter, short: Shorter) -> None:
        self._engine, self._limiter, self.short = engine, limiter, short
        self.cycles: list[tuple[Mark, Mark]] = []
        """Where cycles begin and end that left all as it was: one in each set, or one in the flow."""
        self._marks: dict[int, Mark] = {}
        self._set, self._from_us = 0, -1

    def look(self, now_us: int) -> None:
        """Right after a command was approved."""
        state = self._engine.state
        if state is State.BURST:
            self._look_at_set(now_us)
        elif state is State.FLOWING and not self.cycles:
            self._look_at_flow(now_us)

    def _look_at_set(self, now_us: int) -> None:
        """At the beginning of the movement before the pair, and of the one after it."""
        dose = self._engine.dose
        if dose.set != self._set:
            self._set, self._marks = dose.set, {}
        if dose.repetition in (_FIRST, _FIRST + _PAIR) and dose.repetition not in self._marks:
            mark = self._marks[dose.repetition] = self._mark(now_us)
            if dose.repetition > _FIRST and _FIRST in self._marks:
                self._compare(self._marks[_FIRST], mark, _PAIR)

    def _look_at_flow(self, now_us: int) -> None:
        """At each beginning of the movement; where there is none, at every step."""
        if self._from_us < 0:
            self._from_us = now_us
        moves, cycle_us = self._engine.schedule.movement is not None, self.short.cycle_us
        if moves and (now_us - self._from_us) % cycle_us:
            return
        left_us = self._engine.schedule.flow_us - self._engine.flowed_us
        if left_us <= SENSORY_RAMP_US + STRIDE_US:  # its end comes in sight, which is no repetition
            return
        mark = self._marks[now_us] = self._mark(now_us)
        if now_us - cycle_us in self._marks:
            self._compare(self._marks[now_us - cycle_us], mark, 0)

    def _mark(self, now_us: int) -> Mark:
        engine, tally = self._engine, self._engine.dose.tally
        charge_e9pc = sum(lane.charge_e9pc for lane in engine.lanes.values())
        found = standing(engine, self._limiter, now_us)
        return Mark(now_us, found, tally.delivered, tally.on_time_us, charge_e9pc, self._limiter.site_times_us())

    def _compare(self, one: Mark, other: Mark, delivered: int) -> None:
        same = one.standing is not None and one.standing == other.standing
        if same and other.delivered - one.delivered == delivered:
            self.cycles.append((one, other))

    def fits(self) -> bool:
        """Whether what was left out is known, and no site comes to its limit by it, counted in all at any moment."""
        schedule = self._engine.schedule
        if len(self.cycles) != (1 if schedule.continuous else schedule.sets):
            return False
        spent_us = self._limiter.site_times_us()
        for one, other in self.cycles:
            for site, us in other.site_us.items():
                spent_us[site] += self.short.times * (us - one.site_us[site])
        most = ((plan.site, self._limiter.effective(plan.channel).site_time_us) for plan in schedule.channels)
        return all(spent_us[site] < most_us for site, most_us in most)

    def left_out(self, what: Callable[[Mark], int]) -> int:
        """How much the cycles that were left out come to."""
        return self.short.times * sum(what(other) - what(one) for one, other in self.cycles)
