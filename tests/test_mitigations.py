"""Mitigations of docs/hazards.toml that are nobody else's subject, one hazard after the other."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator

import pytest

from stimctl.control.authoring import Report, check
from stimctl.engine import State
from stimctl.orders import OrderKind as Kind
from stimctl.units import SECOND as SECOND_US
from tests import protocol_texts as texts
from tests.session_rig import CYCLIC, Rig

Made = Callable[..., Rig]


@pytest.fixture
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Makes rigs, and closes them all."""
    rigs: list[Rig] = []

    def make(text: str = CYCLIC, *, seed: int = 1, emg: str = "") -> Rig:
        rigs.append(Rig(tmp_path_factory.mktemp("rig"), text, seed=seed, emg=emg))
        return rigs[-1]

    yield make
    for each in rigs:
        each.close()


def checked(text: str) -> Report:
    """What `stimctl check` finds in a text."""
    [report] = check(["-"], io.BytesIO(text.encode()))
    return report


# --- H06: the output that a person reads is the one that is printed on the board ---------------------------------

SECOND = CYCLIC.replace("output = 1", "output = 2")


def test_records_count_outputs_as_the_board_prints_them(made: Made) -> None:
    """H06: never from 0, and never a number without the channel's name."""
    rig = made(SECOND)
    rig.work(State.TITRATING)
    assert rig.order(Kind.RAISE) == ""
    assert rig.order(Kind.RAISE), "too soon"
    rows = {event.kind: event.payload for event in rig.events()}
    for kind in ("titrate", "refusal"):
        assert (rows[kind]["channel"], rows[kind]["output"]) == ("extensors", 2), kind
    assert "output 2: titration-rate" in rig.refused[-1]


# --- H26: a threshold that rest alone may pass -------------------------------------------------------------------


@pytest.mark.parametrize(("sd", "warns"), [("2", True), ("5.99", True), ("6", False), ("8.0", False)])
def test_a_low_threshold_is_a_warning_of_check(sd: str, warns: bool) -> None:
    report = checked(texts.put(texts.EMG, "threshold_sd", sd))
    assert report.ok
    assert any("threshold_sd" in line for line in report.warnings) is warns


# --- H36: which file it was -------------------------------------------------------------------------------------


def test_the_file_that_was_judged_is_named_before_the_start_and_after_the_end(made: Made) -> None:
    """By its hash, of which a person can compare the first digits; the record has all of it, and the text."""
    rig = made()
    rig.work(State.PADS)
    digits = hashlib.sha256(rig.path.read_bytes()).hexdigest()
    rig.path.write_text(CYCLIC.replace("amplitude_ma = 6.0", "amplitude_ma = 7.0"), encoding="utf-8")  # too late
    shown = f"SHA-256 {digits[:4]} {digits[4:8]} {digits[8:12]} {digits[12:16]}"
    assert any(shown in line for line in rig.status.summary)
    rig.work(State.REVIEW)
    assert any(shown in line for line in rig.status.review)
    opened = rig.events()[0].payload
    assert opened["protocol_sha256"] == digits
    assert str(opened["protocol_text"]) == CYCLIC


# --- what the review tells of a treatment that moved nothing -----------------------------------------------------


@pytest.mark.parametrize(("worked_ma", "told"), [(1, True), (2, True), (3, False)])
def test_a_treatment_below_the_first_twitch_is_told_at_the_review(made: Made, worked_ma: int, told: bool) -> None:
    rig = made()
    rig.work(State.TRIAL)
    for run in rig.session.preparation.thresholds[0].runs:
        run["motor"] = 3_000
    for _ in range(worked_ma):
        assert rig.order(Kind.RAISE) == ""
        rig.go(SECOND_US)
    rig.order(Kind.BEGIN)
    rig.go(30 * SECOND_US)
    assert rig.state is State.REVIEW
    hints = [line for line in rig.status.review if "below its first twitch at 3.0 mA" in line]
    assert bool(hints) is told, rig.status.review


# --- H44: antagonists in one burst -------------------------------------------------------------------------------


def pair(one: tuple[str, str], other: tuple[str, str]) -> str:
    """A file of two channels at these sites with these muscles."""
    first, second = (
        {"site": f'"{site}"', "muscle": f'"{muscle}"', "pads": f'["{name}-a", "{name}-b"]'}
        for name, (site, muscle) in zip("xy", (one, other), strict=True)
    )
    text = texts.CYCLIC
    for key, value in first.items():
        text = texts.put(text, key, value)
    two = texts.SECOND_CHANNEL.partition("[pads.thumb]")[0]
    for key, value in second.items():
        two = texts.put(two, key, value)
    pads = "".join(f'[pads.{name}]\nmodel = "square-50x50"\n' for name in ("x-a", "x-b", "y-a", "y-b"))
    named = texts.edit(
        text, ('[pads.proximal]\nmodel = "square-50x50"\n', pads), ('[pads.distal]\nmodel = "square-50x50"\n', "")
    )
    return (
        named.replace("amplitude_ma = 15.0\nmax_amplitude_ma = 25.0", "amplitude_ma = 8.0\nmax_amplitude_ma = 12.0")
        + two
    )


DORSAL, VOLAR, THENAR, UPPER = "forearm-dorsal", "forearm-volar", "thenar", "upper-arm"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((DORSAL, "extensor digitorum communis"), (VOLAR, "flexor digitorum superficialis")),
        ((VOLAR, "wrist FLEXORS"), (DORSAL, "extensor carpi radialis")),
        ((DORSAL, "what opens the hand"), (VOLAR, "what closes it")),
        ((DORSAL, "back of the arm"), (VOLAR, "front of the arm")),
        ((DORSAL, "thumb extensors"), (THENAR, "flexor pollicis brevis")),
        ((THENAR, "abductor pollicis brevis"), (THENAR, "adductor pollicis")),
        ((UPPER, "biceps"), (UPPER, "triceps brachii")),
        ((VOLAR, "pronator teres"), (DORSAL, "supinator")),
    ],
)
def test_antagonists_in_one_burst_are_refused(one: tuple[str, str], other: tuple[str, str]) -> None:
    """H44: unless the file says why, which the operator then reads before the start."""
    text = pair(one, other)
    fault = texts.the_fault(text)
    assert (fault.field, fault.allowed.split(",")[0]) == ("channel[2].muscle", "a file for each")
    reason = 'antagonists_together = "the wrist is held while the fingers close"'
    meant = checked(texts.edit(text, ("rest_s = 10.0", f"rest_s = 10.0\n{reason}")))
    assert meant.ok
    assert any("the wrist is held while the fingers close" in line for line in meant.warnings)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((DORSAL, "extensor digitorum communis"), (DORSAL, "extensor pollicis longus, abductor pollicis longus")),
        ((DORSAL, "extensor digitorum communis"), (THENAR, "flexor pollicis brevis")),
        ((DORSAL, "wrist extensors"), (UPPER, "triceps")),
        ((DORSAL, "wrist extensors"), (UPPER, "biceps")),
    ],
)
def test_muscles_that_do_not_pull_against_each_other_may_work_together(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    texts.good(pair(one, other))


def test_what_moves_nothing_has_no_antagonists() -> None:
    """Conventional TENS may lie on both sides of the forearm."""
    text = pair((DORSAL, "extensors"), (VOLAR, "flexors")).replace("fes-cyclic", "tens-conventional")
    text = text[: text.index("[burst]")] + "[[channel]]" + text.partition("[dose]")[2].partition("[[channel]]")[2]
    texts.good(text.replace("rate_hz = 35", "rate_hz = 100") + "\n[dose]\nduration_min = 20\n")
