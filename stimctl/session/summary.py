"""A protocol in plain language: what an operator reads before the start, and an author after a check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stimctl.protocols.doubts import doubts
from stimctl.protocols.findings import Path
from stimctl.protocols.places import find_places
from stimctl.pulse import BURST_RATE_MHZ, DOUBLET, PulseTrain, figures
from stimctl.safety import Finding
from stimctl.schedule import ChannelPlan, Schedule
from stimctl.session.cautions import caution
from stimctl.session.dose import prescribed_line
from stimctl.units import ma_text

SAFE_THRESHOLD_SD: Final = 4.0
"""Below this many standard deviations a threshold deserves a second look (hazard H26; project). The usual 3 is meant for
the plain deviation of a signal; this detector takes the median deviation of a smoothed envelope, which is smaller. Beside
the threshold it asks for evidence that the muscle has outgrown its rest, so that 5 is safe where a threshold alone needs 8."""

SAFE_THRESHOLD_UV: Final = 5.0
"""Below this many µV a threshold deserves a second look: paralysed muscle at rest mostly reads more (B.3)."""

HASH_SHOWN: Final = 16
"""Digits of a file's hash that are shown: 64 bits, which nobody meets by accident."""


def schedule_lines(schedule: Schedule) -> tuple[str, ...]:
    """Purpose, prescription, and for each channel its pulse and what it does to its smallest pad at most."""
    lines = [schedule.purpose.strip(), prescribed_line(schedule)]
    lines += course_lines(schedule)
    lines += [_channel_line(plan) for plan in schedule.channels]
    return (*lines, *schedule.rounded)


def course_lines(schedule: Schedule) -> Iterator[str]:
    """What the operator raises to, what changes on the way, and what the threshold does."""
    if schedule.aim:
        yield f"How strong: {schedule.aim}."
    yield from schedule.guide
    if schedule.ear is not None and schedule.ear.adapting is not None:
        step, least, most = schedule.ear.adapting
        yield (
            f"The threshold adapts: {step} % up after an attempt, {step} % down after a missed window,"
            f" between {least} and {most} % of the first"
        )


def file_line(sha256: str) -> str:
    """Which file this is: enough of its hash to compare by eye (hazard H36); the record has all of it."""
    return f"Protocol file: SHA-256 {' '.join(sha256[at : at + 4] for at in range(0, HASH_SHOWN, 4))} ..."


def _channel_line(plan: ChannelPlan) -> str:
    most = figures(plan.train(plan.max_ua), min(pad.area_um2 for pad in plan.pads))
    return (
        f"{plan.name} ({plan.muscle}), output {plan.channel + 1}: {ma_text(plan.target_ua)} mA prescribed, at most"
        f" {ma_text(plan.max_ua)} mA; {pulse_words(plan.shape)};"
        f" at most {most.charge_uc:.1f} µC, {rms_words(most.rms_ma, most.period_rms_ma)}, {most.rms_density_ma_cm2:.2f} mA/cm² on the"
        f" smallest pad"
    )


def pulse_words(train: PulseTrain) -> str:
    """Pulses in words: width, rate, and how many stand together."""
    width, rate = f"{train.phase_width_us} µs per phase", f"{train.rate_mhz / 1000:g}"
    if train.pulses_per_period > DOUBLET:
        return f"{width}, {rate} bursts a second of {train.pulses_per_period} pulses at {BURST_RATE_MHZ // 1000} Hz"
    return f"{width} at {rate} Hz" + (", doublets" if train.pulses_per_period == DOUBLET else "")


def rms_words(rms_ma: float, period_ma: float) -> str:
    """The rms current that is judged, and of bursts the mean with their pauses as well (A.6 asks for both)."""
    return f"{rms_ma:.1f} mA rms" + (f" inside a burst ({period_ma:.1f} with pauses)" if period_ma < rms_ma else "")


def warning_lines(findings: tuple[Finding, ...], schedule: Schedule, text: str) -> tuple[str, ...]:
    """What an operator should think about before the start: the warn column's findings, and what else is unusual.

    ``text`` is the protocol file's: what one of its lines says is told with that line.
    """
    limits = tuple(caution(finding, schedule) for finding in dict.fromkeys(findings))
    return (*limits, *_unusual(schedule, text))


def _line(text: str, path: Path) -> str:
    """Where a field stands, as the beginning of a sentence; "" where the text cannot be walked."""
    places = find_places(text)
    return f"protocol line {places.find(path, at_key=False).line}: " if places else ""


def _unusual(schedule: Schedule, text: str) -> Iterator[str]:
    """What no limit forbids and a person should have meant."""
    if schedule.antagonists_together:
        part, when = ("sequence", "phase") if schedule.kind == "fes-sequence" else ("burst", "burst")
        where = _line(text, (part, "antagonists_together"))
        yield f"{where}antagonists work in the same {when}: {schedule.antagonists_together}"
    sd = schedule.ear.threshold_sd if schedule.ear else None
    if sd is not None and sd < SAFE_THRESHOLD_SD:
        yield (
            f"{_line(text, ('trigger', 'threshold_sd'))}trigger: threshold_sd {sd:g} is low for this detector, which measures rest robustly: below"
            f" {SAFE_THRESHOLD_SD:g} rest alone may set off bursts; 5 is what the shipped files have"
        )
    uv = schedule.ear.threshold_uv if schedule.ear else None
    if uv is not None and uv < SAFE_THRESHOLD_UV:
        yield (
            f"{_line(text, ('trigger', 'threshold_uv'))}trigger: threshold_uv {uv:g} is low: a paralysed muscle at rest mostly reads above {SAFE_THRESHOLD_UV:g} µV,"
            f" so that rest alone may set off bursts; threshold_sd follows the rest that is measured"
        )
    for path, message in doubts(schedule.channels):
        yield f"{_line(text, path)}{message}"
