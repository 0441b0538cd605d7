"""``emg``: the streaming detector over a recording: its onsets, the reasons for each, a picture, or settings."""

from __future__ import annotations

import argparse
import json
import shutil
from typing import TYPE_CHECKING, Final

from stimctl.cli import drafting, say, writing
from stimctl.errors import UsageError

if TYPE_CHECKING:
    from stimctl.control.recordings import Answer, Asked, Proposal

_ROW: Final = "{:>10}  {:>10}  {:>10}  {:>10}  {:>10}"


def emg(arguments: argparse.Namespace) -> int:
    """Say where a session would have heard an attempt; 0 when it could listen, 1 when it never could."""
    from stimctl.control import recordings

    asked = _asked(arguments)
    if arguments.output is not None and not arguments.plot:
        raise UsageError("-o is for the picture: stimctl emg FILE --plot -o FILE.svg")
    if arguments.tune:
        return _tune(asked, arguments)
    if arguments.output is not None:
        recordings.require_picture(arguments.output)
    answer = recordings.hear(asked)
    if arguments.format == "json":
        say.whole(json.dumps(recordings.as_json(answer), indent=2, ensure_ascii=False))
    elif arguments.output is not None:
        writing.new_file(arguments.output, recordings.plot_file(answer, arguments.output))
        say.line(f"{arguments.output} is written")
    elif arguments.plot:
        width = min(shutil.get_terminal_size().columns, drafting.WIDEST)
        say.whole(recordings.plot_text(answer, width, drafting.paint, plain=not drafting.can_draw()))
    elif arguments.explain:
        _explain(answer)
    else:
        for onset in answer.played.onsets:
            say.line(str(onset.sample))
    if deaf := recordings.why_deaf(answer):
        say.problem(f"stimctl: {arguments.file}: {deaf}")
        return 1
    return 0


def _asked(arguments: argparse.Namespace) -> Asked:
    from stimctl.control.recordings import Asked

    if arguments.threshold_sd is not None and arguments.threshold_uv is not None:
        raise UsageError("--threshold-sd and --threshold-uv: give one of the two")
    return Asked(
        arguments.file,
        rate_hz=arguments.rate,
        column=arguments.column,
        labels=arguments.labels,
        pulses=arguments.pulses,
        chunk_ms=arguments.chunk_ms,
        threshold_sd=arguments.threshold_sd,
        threshold_uv=arguments.threshold_uv,
        dwell_ms=arguments.dwell_ms,
    )


# --- reasons -----------------------------------------------------------------------------------------------------


def _explain(answer: Answer) -> None:
    from stimctl.control import recordings

    recording, played = answer.recording, answer.played
    seconds = len(recording.values_uv) / recording.rate_hz
    say.line(f"{recording.name}: {seconds:.1f} s at {recording.rate_hz:g} Hz, in chunks of {answer.chunk_ms:g} ms")
    say.line(f"settings: {recordings.settings_words(answer.settings)}")
    rest = played.rest
    if rest.level_uv is not None and rest.sd_uv is not None:
        say.line(f"resting level {rest.level_uv:.4g}, SD {rest.sd_uv:.3g} ({answer.unit})")
    say.line("signal: " + ", ".join(f"{quality} {share:.1%}" for quality, share in played.shares().items()))
    say.line(_ROW.format("sample", "time s", "envelope", "threshold", "baseline"))
    for onset in played.onsets:
        baseline = "-" if onset.baseline is None else f"{onset.baseline:.4g}"
        time_s = (onset.sample + 1) / recording.rate_hz
        levels = (f"{onset.envelope:.4g}", f"{onset.threshold:.4g}", baseline)
        say.line(_ROW.format(onset.sample, f"{time_s:.3f}", *levels))
    if answer.score is not None:
        say.line(f"by the file's labels: {_judged(recordings.score_json(answer.score))}")


def _judged(score: dict[str, float | int | None]) -> str:
    parts = [f"{score['hits']} of {score['efforts']} efforts heard"]
    if score["median_ms"] is not None:
        parts.append(
            f"known {score['median_ms']:.0f} ms after their onset (median; 95 % within {score['p95_ms']:.0f} ms)"
        )
    alarms = f"{score['false_alarms']} false alarm{'s' * (score['false_alarms'] != 1)}"
    if score["false_per_min"] is not None:
        alarms += f" ({score['false_per_min']:.2g} a minute of rest)"
    return ", ".join([*parts, alarms])


# --- settings ----------------------------------------------------------------------------------------------------


def _tune(asked: Asked, arguments: argparse.Namespace) -> int:
    from stimctl.control import recordings

    progress = say.Progress("trying settings")
    found = recordings.tune(asked, progress)
    progress.clear()
    if arguments.format == "json":
        say.whole(json.dumps(recordings.proposal_json(found), indent=2, ensure_ascii=False))
    else:
        _propose(found)
    return 0


def _propose(found: Proposal) -> None:
    from stimctl.control import recordings

    left_out = f"; {found.left_out_s:.1f} s in dispute are left out" if found.left_out_s else ""
    say.line(f"# rests on: {found.basis}; {found.efforts} efforts{left_out}")
    say.line(f"# now, {recordings.settings_words(found.now.settings)}:")
    say.line(f"#   {_judged(recordings.score_json(found.now.score))}")
    if found.best.settings == found.now.settings:
        say.line("# nothing that was tried is better: keep")
    else:
        say.line(f"# proposed, {recordings.settings_words(found.best.settings)}:")
        say.line(f"#   {_judged(recordings.score_json(found.best.score))}")
    say.line(
        "# expect a little worse of another day: these figures are of the recording that the settings were chosen on"
    )
    say.line("[trigger]")
    for name, value in recordings.settings_json(found.best.settings).items():
        if value is not None:
            say.line(f"{name} = {value!r}")
