"""What the warn column found, in words: who, how much, how much would be usual, and why it asks."""

from __future__ import annotations

from typing import Final

from stimctl.limits import SMALL_PAD_UM2, BodyPart
from stimctl.safety import Finding, Rule
from stimctl.schedule import ChannelPlan, Schedule
from stimctl.units import UM2_PER_CM2

_SKIN: Final = "the skin under the pad bears it: look at it after the first session, or take larger pads"
_SMALL: Final = "all of it passes a small pad: take a larger one, or lower max_amplitude_ma"
_REASONS: Final = {
    Rule.PEAK: "strong for this place: expect discomfort before movement; a longer phase or other pads may do with less",
    Rule.PHASE_WIDTH: "long phases reach pain fibres sooner",
    Rule.RATE: "a high rate; sensation adapts and the load on the skin grows with it",
    Rule.CHARGE: "much charge in each phase: raise slowly and ask at every step",
    Rule.ENERGY: "strong single pulses are felt as blows",
    Rule.RMS: _SKIN,
    Rule.RMS_DENSITY: _SKIN,
    Rule.POWER_DENSITY: _SKIN,
    Rule.SHARED_PAD_PEAK: "all that these channels give passes the shared pad",
    Rule.SHARED_PAD_CHARGE: "all that these channels give passes the shared pad",
    Rule.SHARED_PAD_RMS: _SKIN,
    Rule.SHARED_PAD_DENSITY: _SKIN,
    Rule.ON_TIME: "a long burst tires the muscle before the set is over",
    Rule.DUTY: "little rest for the time on: the muscle tires",
    Rule.RAMP_UP: "a quick rise startles, and sets off spasticity",
    Rule.SITE_TIME: "long for one place: tired muscle, and skin that is not looked at",
}
"""Why the warn column asks (all project, as the bounds themselves)."""

_TIMES: Final = frozenset({Rule.ON_TIME, Rule.DUTY, Rule.RAMP_UP, Rule.SITE_TIME})
_SCALES: Final = {"µA": (1e3, "mA"), "nC": (1e3, "µC"), "mHz": (1e3, "Hz"), "µs": (1, "µs"), "µJ": (1e3, "mJ")}


def caution(finding: Finding, schedule: Schedule) -> str:
    """One finding as a sentence."""
    plan = next((plan for plan in schedule.channels if plan.channel == finding.channel), None)
    value, bound = _words(finding.value, finding), _words(finding.bound, finding)
    least = "below" if finding.value < finding.bound else "beyond"
    small = _small_pad(finding, plan)
    reason = f": {_SMALL if small else _REASONS[finding.rule]}" if finding.rule in _REASONS else ""
    name = plan.name if plan else "all channels"
    return f"{name}: {finding.rule} {value} is {least} {bound} ({finding.bound_from}{small}){reason}"


def _small_pad(finding: Finding, plan: ChannelPlan | None) -> str:
    """Which pad brings the hand's bound to another place, as the end of a sentence; "" where none does."""
    if plan is None or plan.part is BodyPart.THENAR or finding.rule not in (Rule.PEAK, Rule.CHARGE):
        return ""
    small = [pad.name for pad in plan.pads if pad.area_um2 < SMALL_PAD_UM2]
    return f"; that of the hand, because pad `{small[0]}` is under {SMALL_PAD_UM2 // UM2_PER_CM2} cm²" if small else ""


def _words(value: int, finding: Finding) -> str:
    if finding.rule in _TIMES and finding.unit == "µs":
        return f"{value / 1e6:g} s" if value < 60_000_000 else f"{value / 6e7:g} min"
    scale, unit = _SCALES.get(finding.unit, (1, finding.unit))
    return f"{value / scale:g} {unit}".strip()
