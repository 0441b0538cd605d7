"""A protocol in plain language: what an operator reads before the start, and an author after a check."""

from __future__ import annotations

from stimctl.pulse import figures
from stimctl.safety import Finding
from stimctl.schedule import ChannelPlan, Schedule
from stimctl.session.dose import prescribed_line
from stimctl.units import ma_text


def schedule_lines(schedule: Schedule) -> tuple[str, ...]:
    """Purpose, prescription, and for each channel its pulse and what it does to its smallest pad at most."""
    lines = [schedule.purpose.strip(), prescribed_line(schedule)]
    lines += [_channel_line(plan) for plan in schedule.channels]
    return (*lines, *schedule.rounded)


def _channel_line(plan: ChannelPlan) -> str:
    most = figures(plan.train(plan.max_ua), min(pad.area_um2 for pad in plan.pads))
    return (
        f"{plan.name} ({plan.muscle}), output {plan.channel + 1}: {ma_text(plan.target_ua)} mA prescribed, at most"
        f" {ma_text(plan.max_ua)} mA; {plan.shape.phase_width_us} µs per phase at {plan.shape.rate_mhz / 1000:g} Hz;"
        f" at most {most.charge_uc:.1f} µC, {most.rms_ma:.1f} mA rms, {most.rms_density_ma_cm2:.2f} mA/cm² on the"
        f" smallest pad"
    )


def warning_lines(findings: tuple[Finding, ...], schedule: Schedule) -> tuple[str, ...]:
    """The warn column's findings, one line each."""
    names = {plan.channel: plan.name for plan in schedule.channels}
    return tuple(
        f"{names.get(finding.channel, 'all channels') if finding.channel is not None else 'all channels'}:"
        f" {finding.rule} {finding.value} {finding.unit} is beyond {finding.bound} {finding.unit} ({finding.bound_from})"
        for finding in dict.fromkeys(findings)
    )
