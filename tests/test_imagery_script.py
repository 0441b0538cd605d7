"""Mental imagery before an attempt: the script in a file, in time, on the twin, and what is said and recorded of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.authoring.picture import picture
from stimctl.engine import State
from stimctl.engine.dose import SCRIPT, SCRIPT_LAST, Dose
from stimctl.orders import OutputWord, Progress, Stage, Status
from stimctl.protocols import FesEmgTriggered, dumps, library_text, loads, session_us, stimulating
from stimctl.schedule import Spoken, Steps, compile_schedule
from stimctl.session.rehearsal import rehearse
from stimctl.sim.volition import Volition, Will
from stimctl.units import MS, SECOND
from stimctl.widgets.bells import Bells
from tests import protocol_texts as texts
from tests.protocol_texts import drop, edit, faults, good, the_fault
from tests.session_rig import EMG, Rig

WORDS = """
[[script]]
say = "See your own hand."
length_s = 3
[[script]]
say = "Feel it open."
length_s = 2
"""
SHIPPED = "mental-imagery-emg-rewarded"
PLAN = compile_schedule(good(texts.EMG + WORDS), Steps())


# --- the file --------------------------------------------------------------------------------------------------------


def test_a_script_is_part_of_the_wait_for_an_attempt() -> None:
    trigger = PLAN.trigger
    assert trigger is not None
    assert trigger.script == (Spoken("See your own hand.", 3 * SECOND), Spoken("Feel it open.", 2 * SECOND))
    plain = compile_schedule(good(texts.EMG), Steps())
    assert PLAN.longest_us - plain.longest_us == 60 * 5 * SECOND
    assert session_us(good(texts.EMG + WORDS)) - session_us(good(texts.EMG)) == 60 * 5 * SECOND
    assert any("script is read aloud: 2 sentences, 5 s" in line for line in PLAN.guide)
    assert compile_schedule(good(texts.SWITCH + WORDS), Steps()).trigger is not None


def test_a_script_goes_through_a_file_and_back() -> None:
    protocol = loads(texts.EMG + WORDS, "file.toml")
    assert isinstance(protocol, FesEmgTriggered)
    assert loads(dumps(protocol), "again.toml") == protocol
    assert "script" not in dumps(loads(texts.EMG, "file.toml"))


def test_a_script_needs_a_cue() -> None:
    text = drop(drop(edit(texts.EMG, ("cue = true", "cue = false")), "attempt_window_s"), "on_missed") + WORDS
    fault = the_fault(text)
    assert (fault.field, fault.message) == ("trigger.cue", "must be true: a [[script]] ends in an attempt on a cue")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (("length_s = 3", "length_s = 0.2"), "script[1].length_s"),
        (('say = "Feel it open."\n', ""), "script[2].say"),
        (("[[script]]", "[[scripts]]"), "scripts"),
    ],
)
def test_a_wrong_script_is_refused_at_its_field(change: tuple[str, str], field: str) -> None:
    assert field in {fault.field for fault in faults(texts.EMG + edit(WORDS, change))}


def test_other_kinds_have_no_script() -> None:
    assert any(fault.field.startswith("script") for fault in faults(texts.CYCLIC + WORDS))


def test_the_shipped_file_flies_and_is_drawn_with_its_script() -> None:
    schedule = compile_schedule(stimulating(loads(library_text(SHIPPED), SHIPPED)), Steps())
    assert rehearse(schedule).bursts == schedule.repetitions * schedule.sets
    bands = picture(schedule).bands
    assert [band.name for band in bands[:5]] == [
        "script 1",
        "script 2",
        "script 3",
        "script 4",
        "waits for the attempt",
    ]
    assert all(band.cue and not band.active for band in bands[:4])
    assert bands[4].begin_us == bands[3].end_us


# --- time ------------------------------------------------------------------------------------------------------------


@given(st.integers(0, 20 * SECOND), st.integers(0, 30 * SECOND))
def test_a_script_is_read_at_the_end_of_a_rest_and_never_longer(rest_us: int, elapsed_us: int) -> None:
    dose = Dose(PLAN)
    dose.begin_rest(rest_us)
    into_us = elapsed_us - rest_us
    found = dose.spoken(State.REST, elapsed_us)
    if 0 <= into_us < 3 * SECOND:
        assert found == (0, into_us)
    elif 3 * SECOND <= into_us < 5 * SECOND:
        assert found == (1, into_us - 3 * SECOND)
    else:
        assert found is None
    assert dose.spoken(State.LISTENING, elapsed_us) is None
    dose.pass_time(State.REST, elapsed_us)
    assert dose.tally.script_us == max(0, min(into_us, 5 * SECOND))


# --- a session on the twin -------------------------------------------------------------------------------------------


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, edit(EMG, ("repetitions = 2", "repetitions = 4")) + WORDS)
    yield made
    made.close()


def until_script(rig: Rig) -> Rig:
    rig.work(until=State.TRIAL)
    rig.work(until=State.REST)
    while not rig.status.progress.phase.startswith(SCRIPT):
        assert rig.state is State.REST
        rig.go(100 * MS)
    return rig


def test_the_script_is_read_then_tried_and_nothing_flows_before(rig: Rig) -> None:
    until_script(rig)
    assert rig.status.progress.cue == "See your own hand."
    assert rig.status.next_action == "Read aloud, slowly; nothing flows: See your own hand."
    assert rig.flowing_ua == 0
    rig.go(3 * SECOND)
    assert (rig.status.progress.phase, rig.status.progress.cue) == (SCRIPT_LAST, "Feel it open.")
    assert rig.flowing_ua == 0
    rig.go(2 * SECOND)
    assert rig.state is State.LISTENING
    assert rig.status.progress.cue == "Try to open the hand"


def test_a_whole_session_rewards_attempts_and_counts_missed_ones_apart(tmp_path: Path) -> None:
    """Of these attempts some are heard: each of them is rewarded, and nothing flows after one that was not."""
    rig = Rig(tmp_path, edit(EMG, ("repetitions = 2", "repetitions = 6")) + WORDS)
    try:
        flowed_after_missed: list[int] = []
        rig.work(until=State.TRIAL)
        assert rig.session.link is not None
        assert rig.session.link.patient is not None
        rig.session.link.patient.volition = Volition(2, Will(success=0.5))
        seen = 0
        while not rig.session.ended:
            rig.work(until=State.LISTENING, most_us=60 * SECOND)
            if rig.state is State.LISTENING:
                while rig.state is State.LISTENING:
                    rig.go(100 * MS)
                counts = rig.session.engine.counts()
                if counts.missed > seen:
                    seen = counts.missed
                    rig.go(SECOND)
                    flowed_after_missed.append(rig.flowing_ua)
        counts = rig.session.engine.counts()
        assert counts.triggered + counts.missed == 6
        assert counts.triggered
        assert counts.missed
        assert counts.delivered == counts.triggered
        assert flowed_after_missed == [0] * counts.missed
        assert rig.kinds().count("script") == 12
        said = [event.payload["say"] for event in rig.events() if event.kind == "script"]
        assert said == ["See your own hand.", "Feel it open."] * 6
        assert rig.session.engine.dose.tally.script_us == pytest.approx(30 * SECOND, abs=SECOND)
        assert any(line.startswith("Script before the attempts, logged apart") for line in rig.session.review())
    finally:
        rig.close()


# --- what is heard ---------------------------------------------------------------------------------------------------


def status(phase: str, left_us: int, cue: str = "") -> Status:
    progress = Progress(phase, 5 * SECOND - left_us, 5 * SECOND, cue=cue)
    return Status(Stage.RUN, "rest", "", OutputWord.ON, simulated=True, board="", progress=progress)


def test_no_bell_breaks_into_a_script() -> None:
    bells = Bells()
    assert not bells.news(status("script 1", 4 * SECOND, "See it."))
    assert not bells.news(status(SCRIPT_LAST, 4 * SECOND, "Feel it."))
    assert bells.news(status("open", 4 * SECOND, "Open"))
