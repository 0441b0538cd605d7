"""How much of every limit a file uses, at the most that its operator may raise to.

The bounds are the effective ones before today: absolute (with the allowance for accuracy taken off) and body part, for
normal sensation, on a board that senses impedance. A board and a person only narrow them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final, NamedTuple, final

from stimctl import pulse
from stimctl.limits import SMALL_PAD_UM2, BodyPart, Effect, Limits, Sensation, absolute, indicated, narrow, profile
from stimctl.protocols import bounds
from stimctl.schedule import ChannelPlan, Schedule
from stimctl.session.placing import placements
from stimctl.units import MINUTE, SECOND, UM2_PER_CM2

_UNITS: Final = {
    "peak": ("mA", 1e3, "peak_ua"),
    "charge per phase": ("µC", 1e3, "charge_nc"),
    "rms": ("mA rms", 1e3, "rms_ua"),
    "rms density": ("mA/cm² rms", 1e3, "rms_density_ua_cm2"),
    "power density": ("mW/cm²", 1e3, "power_density_uw_cm2"),
    "pulse energy": ("mJ", 1e3, "energy_uj"),
    "phase width": ("µs", 1.0, "phase_width_max_us"),
    "pulse rate": ("Hz", 1e3, "rate_max_mhz"),
    "time on": ("s", SECOND, "on_time_us"),
    "duty": ("%", 10.0, "duty_permille"),
    "ramp-up": ("s", SECOND, "ramp_up_min_us"),
    "time at the site": ("min", MINUTE, "site_time_us"),
}
"""Each limit's unit for people, what one of it is in the table's own, and the table's field."""


@final
class Margin(NamedTuple):
    """How much of one limit is used; ``value`` and ``bound`` in ``unit``. ``ramp-up`` is a least: its share turns round."""

    limit: str
    value: float
    bound: float
    unit: str
    percent: float
    source: str

    def __str__(self) -> str:
        least = "at least " if self.limit == "ramp-up" else ""
        return f"{self.limit} {self.percent:.0f} % ({self.value:.3g} of {least}{self.bound:.3g} {self.unit})"


@final
class PadLoad(NamedTuple):
    """What flows through one pad at most: its channels, its area, and the rms density of all of them at once."""

    name: str
    model: str
    users: tuple[str, ...]
    area_cm2: float
    rms_density_ma_cm2: float
    margin: Margin


def limits_of(plan: ChannelPlan) -> Limits:
    """What binds a channel before today, as the amplitude that is shown meets it."""
    area = min(pad.area_um2 for pad in plan.pads)
    return _limits(plan, area)


def margins(plan: ChannelPlan, schedule: Schedule) -> tuple[Margin, ...]:
    """Every limit that binds this channel, the one that is nearest first."""
    found = [*_pulse_margins(plan), *_time_margins(plan, schedule)]
    return tuple(sorted(found, key=lambda margin: -margin.percent))


def pads(schedule: Schedule) -> tuple[PadLoad, ...]:
    """Every pad, the one with the highest density first; channels that share one add up there."""
    users: dict[str, list[ChannelPlan]] = {}
    for plan in schedule.channels:
        for pad in plan.pads:
            users.setdefault(pad.name, []).append(plan)
    found = [_pad(name, plans) for name, plans in users.items()]
    return tuple(sorted(found, key=lambda pad: -pad.rms_density_ma_cm2))


def highest(plan: ChannelPlan) -> tuple[int, str]:
    """The highest amplitude in µA at which these pulses keep every limit, whatever the file says, and the limit that ends it."""
    rooms = {m.limit: (m.percent / 100) ** (-0.5 if m.limit in _SQUARED else -1) for m in _rising(plan) if m.percent}
    binds = min(rooms, key=lambda limit: rooms[limit])
    return int(plan.train(plan.max_ua).amplitude_ua * rooms[binds]), binds


_SQUARED: Final = frozenset({"power density", "pulse energy"})
"""What grows with the square of the amplitude."""


def _rising(plan: ChannelPlan) -> Iterator[Margin]:
    """The limits that more amplitude uses more of."""
    return (margin for margin in _pulse_margins(plan) if margin.limit not in ("phase width", "pulse rate"))


def _limits(plan: ChannelPlan, area_um2: int) -> Limits:
    return _narrowest(plan.part, plan.effect, area_um2)


@cache
def _narrowest(part: BodyPart, effect: Effect, area_um2: int) -> Limits:
    return narrow(
        indicated(absolute(part, effect, smallest_pad_um2=area_um2)),
        profile(part, effect, smallest_pad_um2=area_um2, sensation=Sensation.NORMAL),
    )


def _pulse_margins(plan: ChannelPlan) -> Iterator[Margin]:
    """What the strongest pulses do."""
    most, limits = plan.train(plan.max_ua), limits_of(plan)
    area = min(pad.area_um2 for pad in plan.pads)
    rms_ua = math.sqrt(pulse.mean_square_e9(most) / 1e9)
    area_cm2 = area / UM2_PER_CM2
    values = {
        "peak": most.amplitude_ua,
        "charge per phase": pulse.phase_charge_pc(most) / 1e3,
        "rms": rms_ua,
        "rms density": rms_ua / area_cm2,
        "power density": rms_ua * rms_ua * pulse.TEST_LOAD_OHM / 1e6 / area_cm2,
        "pulse energy": pulse.pulse_square_ua2us(most) * pulse.TEST_LOAD_OHM / 1e12,
        "phase width": most.phase_width_us,
        "pulse rate": most.rate_mhz,
    }
    small = area < SMALL_PAD_UM2 and plan.part is not BodyPart.THENAR
    for name, value in values.items():
        found = _margin(name, value, limits)
        yield found._replace(source=found.source + _SMALL) if small and name in _OF_THE_PART else found


_OF_THE_PART: Final = ("peak", "charge per phase")
_SMALL: Final = f"; here that of the hand, because the pad is under {SMALL_PAD_UM2 // UM2_PER_CM2} cm²"


def _time_margins(plan: ChannelPlan, schedule: Schedule) -> Iterator[Margin]:
    """What the course in time does; on-time, duty and ramp bind motor stimulation alone."""
    limits = limits_of(plan)
    yield _margin("time at the site", schedule.longest_us, limits)
    placed = next(each for each in placements(schedule, lambda _: Sensation.NORMAL) if each.channel == plan.channel)
    if plan.effect is Effect.MOTOR and placed.burst is not None:
        burst = placed.burst
        on_us = burst.ramp_up_us + burst.hold_us + burst.ramp_down_us
        yield _margin("time on", on_us, limits)
        yield _margin("duty", 1_000 * on_us / (on_us + burst.rest_us), limits)
        yield _margin("ramp-up", burst.ramp_up_us, limits)


def _pad(name: str, plans: Sequence[ChannelPlan]) -> PadLoad:
    pad = next(each for each in plans[0].pads if each.name == name)
    limits = narrow(*(_limits(plan, pad.area_um2) for plan in plans))
    square = pulse.coincident_square([pulse.mean_square_e9(plan.train(plan.max_ua)) for plan in plans])
    area_cm2 = pad.area_um2 / UM2_PER_CM2
    density = math.sqrt(square / 1e9) / area_cm2
    margin = _margin("rms density", density, limits)
    return PadLoad(name, pad.model, tuple(plan.name for plan in plans), area_cm2, density / 1e3, margin)


def _margin(name: str, value: float, limits: Limits) -> Margin:
    unit, scale, field = _UNITS[name]
    bound = getattr(limits, field)
    share = bound / value if name == "ramp-up" and value else value / bound
    return Margin(name, value / scale, bound / scale, unit, 100 * share, bounds.SOURCES[field])
