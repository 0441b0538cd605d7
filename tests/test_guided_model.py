"""Files without output: what is refused and why, and that they say the same after a round trip."""

from __future__ import annotations

import pytest

from stimctl.control import authoring
from stimctl.errors import UsageError
from stimctl.protocols import Guided, dumps, library, library_text, loads, stimulating
from stimctl.sensors import angles, samples
from tests.protocol_texts import edit, faults, put

FIST = library_text("exercise-make-a-fist")
IMAGERY = library_text("mental-imagery-hand-opening")
MITT = library_text("constraint-induced-practice")
EMG = library_text("biofeedback-emg-extensors")
ANGLE = library_text("biofeedback-angle-wrist")
STRETCH = library_text("stretching-wrist-fingers")
MIRROR = library_text("mirror-box")
COIN = library_text("exercise-coin-drop")
GUIDED = [entry.name for entry in library() if entry.kind in ("activity", "biofeedback")]


@pytest.mark.parametrize("name", GUIDED)
def test_round_trip(name: str) -> None:
    protocol = loads(library_text(name), name)
    assert isinstance(protocol, Guided)
    assert loads(dumps(protocol), "again") == protocol
    with pytest.raises(UsageError, match="without output"):
        stimulating(protocol)


REFUSED = [
    (put(FIST, "technique", '"ball"'), "activity.exercise", "only technique"),
    (edit(FIST, ('exercise = "make-a-fist"\n', "")), "activity.exercise", "is missing"),
    (edit(FIST, ('count_by = "key"', 'count_by = "emg"')), "emg", "is missing"),
    (edit(FIST, ('counts = "once"', 'counts = "no"')), "activity.count_by", "no step does"),
    (edit(FIST, ('counts = "once"', 'counts = "many"')), "step[1].hold_s", "only counts"),
    (edit(FIST, ("length_s = 5\n", 'length_s = 5\ncounts = "once"\n')), "step[2].counts", "second step"),
    (edit(FIST, ("length_s = 5\n", "length_s = 5\ngoal_count = 3\n")), "step[2].goal_count", "only counts"),
    (edit(FIST, ("set_rest_s = 90\n", "")), "dose.set_rest_s", "is missing"),
    (edit(FIST, ("[dose]", "wear_min = 60\n[dose]")), "step[2].wear_min", "unknown field"),
    (put(IMAGERY, "threshold_sd", "8\nthreshold_uv = 20"), "emg.threshold_uv", "not both"),
    (edit(IMAGERY, ("threshold_sd = 5.0\n", "")), "emg.threshold_sd", "is missing"),
    (put(MITT, "stages", "[1, 2]"), "stages", "nothing for stage 1"),
    (put(COIN, "stages", "[1]"), "stages", "nothing for stage 1"),
    (edit(MITT, (next(line for line in MITT.split("\n") if line.startswith("wear_min")) + "\n", "")),
     "activity.wear_min", "is missing"),
    (put(MIRROR, "repetitions", "9"), "dose.repetitions", "too long"),
    (edit(MIRROR, (next(line for line in MIRROR.split("\n") if line.startswith("pace_per_min")) + "\n", "")),
     "activity.pace_per_min", "metronome"),
    (edit(STRETCH, ("length_s = 30", "length_s = 121")), "step[2].length_s", "too long for a stretch"),
    (put(EMG, "start_uv", "7"), "emg.start_uv", "not within its bounds"),
    (put(EMG, "step_uv", "93"), "emg.step_uv", "larger than the room"),
    (put(EMG, "source", '"angle"'), "emg", "no meaning"),
    (put(ANGLE, "hold_s", "8"), "feedback.hold_s", "not shorter"),
    (put(ANGLE, "sets", "12"), "dose.repetitions", "too long"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "field", "words"), REFUSED, ids=[f"{row[1]}: {row[2]}" for row in REFUSED])
def test_a_refusal_names_its_field(text: str, field: str, words: str) -> None:
    assert any(fault.field == field and words in fault.message and fault.line for fault in faults(text)), faults(text)


def test_a_length_is_refused_with_its_source() -> None:
    (fault,) = faults(put(MIRROR, "repetitions", "9"))
    assert "Cochrane" in fault.source
    assert fault.allowed == "at most 60 min"


def test_an_output_has_no_place_in_guided_work() -> None:
    text = edit(FIST, ("[dose]", '[pads.a]\nmodel = "square-50x50"\n[dose]'))
    assert any(fault.field.startswith("pads") and "unknown" in fault.message for fault in faults(text))


def test_a_check_says_what_is_not_there_yet() -> None:
    import io

    folder = "stimctl/protocols/library/"
    reports = authoring.check([f"{folder}robot-glove-practice.toml", f"{folder}putty.toml"], io.BytesIO())
    glove, putty = reports
    assert glove.ok
    assert "phase line is not listened to" in glove.warnings[0].message
    assert putty.ok
    assert putty.warnings == ()
    assert any("Output disabled" in line for line in putty.summary)


def test_an_angle_grows_old_as_samples_do() -> None:
    assert angles.STALE_US == samples.STALE_US
