"""What a file comes to, in numbers: of each channel, of each pad, and of the whole treatment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, final

from stimctl import pulse
from stimctl.authoring import curve, margins
from stimctl.authoring.margins import Margin, PadLoad
from stimctl.limits import Effect
from stimctl.schedule import ChannelPlan, Schedule
from stimctl.schedule.movement import FULL_PPM
from stimctl.session.dose import prescribed_line
from stimctl.session.summary import course_lines, pulse_words, rms_words
from stimctl.units import UM2_PER_CM2, ma_text, seconds_text


@final
@dataclass(frozen=True, slots=True)
class PhaseFacts:
    """Where a channel goes in one phase of a task: its share of the level, and what that is at the prescribed one."""

    phase: str
    share_percent: float
    prescribed_ma: float


@final
@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """One channel at the most that its operator may raise to; charge per phase is also there at the prescribed level."""

    name: str
    muscle: str
    output: int
    amplitude_ma: float
    max_amplitude_ma: float
    phase_width_us: int
    rate_hz: float
    pulses_per_period: int
    charge_uc: float
    charge_prescribed_uc: float
    rms_ma: float
    """What is judged: of bursts, inside one."""
    rms_period_ma: float
    """The mean with the pauses between bursts; the same where there are none."""
    rms_density_ma_cm2: float
    worst_pad: str
    on_s: float
    """Time on in the whole treatment."""
    pulses: int
    charge_mc: float
    """Charge per phase, summed over the whole treatment."""
    charge_prescribed_mc: float
    margins: tuple[Margin, ...]
    phases: tuple[PhaseFacts, ...] = ()
    """In a task, its phases in their order; what is not a task has none."""

    @property
    def nearest(self) -> Margin:
        """The limit that binds: the one of which most is used."""
        return self.margins[0]


@final
@dataclass(frozen=True, slots=True)
class Facts:
    """The whole file. Times are the longest: every attempt takes its window, every phase its time-out."""

    kind: str
    title: str
    prescribed: str
    length_s: float
    on_s: float
    on_percent: float
    """Share of the treatment in which anything is on."""
    duty_percent: float
    """Share of one cycle, movement and rest, in which anything is on; 100 for a flow."""
    pulses: int
    charge_mc: float
    channels: tuple[ChannelFacts, ...]
    pads: tuple[PadLoad, ...]
    rounded: tuple[str, ...]

    @property
    def worst_pad(self) -> PadLoad | None:
        """The pad with the highest rms density; ``None`` where nothing flows."""
        return self.pads[0] if self.pads else None


def facts(schedule: Schedule) -> Facts:
    """Work out everything that a check, a picture and a comparison tell about a schedule."""
    channels = tuple(_channel(plan, schedule) for plan in schedule.channels)
    length_us, on_us = schedule.longest_us, curve.on_together_us(schedule)
    return Facts(
        kind=schedule.kind,
        title=schedule.title,
        prescribed=prescribed_line(schedule),
        length_s=length_us / 1e6,
        on_s=on_us / 1e6,
        on_percent=100 * on_us / length_us if length_us else 0.0,
        duty_percent=_duty_percent(schedule),
        pulses=sum(each.pulses for each in channels),
        charge_mc=sum(each.charge_mc for each in channels),
        channels=channels,
        pads=margins.pads(schedule),
        rounded=schedule.rounded,
    )


def _duty_percent(schedule: Schedule) -> float:
    if schedule.movement is None:
        return 100.0 if schedule.channels else 0.0
    return 100 * curve.on_together_us(_once(schedule)) / schedule.movement.cycle_us


def _once(schedule: Schedule) -> Schedule:
    """The same with a single cycle."""
    from dataclasses import replace

    assert schedule.movement is not None
    flow_us = schedule.movement.cycle_us if schedule.continuous else 0
    return replace(schedule, repetitions=1, sets=1, flow_us=flow_us)


def _channel(plan: ChannelPlan, schedule: Schedule) -> ChannelFacts:
    most, total = plan.train(plan.max_ua), curve.treatment(plan, schedule)
    pad = min(plan.pads, key=lambda each: each.area_um2)
    density = pulse.figures(most, pad.area_um2)
    prescribed = plan.train(plan.target_ua)
    return ChannelFacts(
        name=plan.name,
        muscle=plan.muscle,
        output=plan.channel + 1,
        amplitude_ma=plan.target_ua / 1e3,
        max_amplitude_ma=plan.max_ua / 1e3,
        phase_width_us=plan.shape.phase_width_us,
        rate_hz=plan.shape.rate_mhz / 1e3,
        pulses_per_period=plan.shape.pulses_per_period,
        charge_uc=density.charge_uc,
        charge_prescribed_uc=pulse.phase_charge_pc(prescribed) / 1e6,
        rms_ma=density.rms_ma,
        rms_period_ma=density.period_rms_ma,
        rms_density_ma_cm2=density.rms_density_ma_cm2,
        worst_pad=pad.name,
        on_s=total.on_us / 1e6,
        pulses=round(total.pulses),
        charge_mc=float(total.pc_per_ua * most.amplitude_ua) / 1e9,
        charge_prescribed_mc=float(total.pc_per_ua * prescribed.amplitude_ua) / 1e9,
        margins=margins.margins(plan, schedule),
        phases=tuple(_phases(plan, schedule)),
    )


def _phases(plan: ChannelPlan, schedule: Schedule) -> Iterator[PhaseFacts]:
    """A channel that a phase says nothing of is at zero in it: a rule of the file."""
    if schedule.movement is None or schedule.kind != "fes-sequence":
        return
    for phase in schedule.movement.phases:
        share_ppm = phase.goals[plan.channel].share_ppm if plan.channel in phase.goals else 0
        given_ua = plan.train(plan.target_ua * share_ppm // FULL_PPM).amplitude_ua
        yield PhaseFacts(phase.name, 100 * share_ppm / FULL_PPM, given_ua / 1e3)


# --- in words ---------------------------------------------------------------------------------------------------


def lines(schedule: Schedule, found: Facts) -> tuple[str, ...]:
    """What ``check`` prints below a good file."""
    head = [schedule.purpose.strip(), found.prescribed, *course_lines(schedule)]
    if schedule.channels:
        head.append(_whole_line(found))
    for plan, each in zip(schedule.channels, found.channels, strict=True):
        head += _channel_lines(plan, each)
    if found.worst_pad is not None:
        head.append(_pad_line(found.worst_pad))
    return (*head, *found.rounded)


def _whole_line(found: Facts) -> str:
    return (
        f"In all, at most: {seconds_text(round(found.length_s * 1e6))} of treatment,"
        f" {seconds_text(round(found.on_s * 1e6))} of it on ({found.on_percent:.0f} %),"
        f" duty {found.duty_percent:.0f} % of a cycle, {found.pulses} pulses, {found.charge_mc:.0f} mC per phase"
    )


def _channel_lines(plan: ChannelPlan, each: ChannelFacts) -> Iterator[str]:
    yield (
        f"{each.name} ({each.muscle}), output {each.output}: {ma_text(plan.target_ua)} mA prescribed, at most"
        f" {ma_text(plan.max_ua)} mA; {pulse_words(plan.shape)}; {each.pulses} pulses, {seconds_text(round(each.on_s * 1e6))} on"
    )
    yield (
        f"{each.name}: at most {each.charge_uc:.1f} µC per phase, {rms_words(each.rms_ma, each.rms_period_ma)},"
        f" {each.rms_density_ma_cm2:.2f} mA/cm² on the smallest pad, `{each.worst_pad}`; {each.charge_mc:.0f} mC in all"
    )
    if each.phases:
        yield f"{each.name}: at the prescribed level {', '.join(map(_phase_words, each.phases))}"
    rest = ", ".join(f"{margin.limit} {margin.percent:.0f} %" for margin in each.margins[1:])
    yield f"{each.name}: nearest limit {each.nearest}; of the others: {rest}"


def _phase_words(each: PhaseFacts) -> str:
    given = f"{ma_text(round(each.prescribed_ma * 1e3))} mA ({each.share_percent:.0f} %)" if each.share_percent else "0"
    return f"{each.phase} {given}"


def _pad_line(pad: PadLoad) -> str:
    shared = f", shared by {' and '.join(pad.users)}" if len(pad.users) > 1 else f" ({pad.users[0]})"
    return (
        f"Highest density: pad `{pad.name}`, {pad.model}{shared}: {pad.rms_density_ma_cm2:.2f} mA/cm² rms,"
        f" {pad.margin.percent:.0f} % of {pad.margin.bound:g}"
    )


def as_json(found: Facts) -> dict[str, Any]:
    """The same for a program; numbers rounded to six digits, units in the names."""
    document: dict[str, Any] = _rounded(asdict(found))
    for each, channel in zip(document["channels"], found.channels, strict=True):
        each["margins"] = [_rounded(margin._asdict()) for margin in channel.margins]
    document["pads"] = [{**_rounded(pad._asdict()), "margin": _rounded(pad.margin._asdict())} for pad in found.pads]
    return document


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return [_rounded(each) for each in value]
    return value


def is_motor(plan: ChannelPlan) -> bool:
    """Whether a channel moves a muscle."""
    return plan.effect is Effect.MOTOR


def area_words(plan: ChannelPlan) -> str:
    """A channel's pads with their areas."""
    return ", ".join(f"{pad.name} {pad.model} ({pad.area_um2 / UM2_PER_CM2:.3g} cm²)" for pad in plan.pads)
