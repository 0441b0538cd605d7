"""``check``, ``new``, ``library`` and ``schema``: the way of an author, from a template to a file that is good."""

from __future__ import annotations

import io
import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stimctl.cli import main
from stimctl.cli.parser import KINDS
from stimctl.control import authoring, sharing
from stimctl.protocols import library, loads, stimulating
from stimctl.schedule import Schedule, Steps, compile_schedule
from stimctl.session.rehearsal import Rehearsal, rehearse
from stimctl.session.summary import course_lines
from tests.protocol_texts import SECOND_CHANNEL, SEQUENCE, TWO, edit, line_of

Out = pytest.CaptureFixture[str]
LIBRARY = [entry.name for entry in library()]


def pipe(text: bytes, *args: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "stimctl", *args], input=text, capture_output=True, check=False)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.toml"
    path.write_text(authoring.library_text("wrist-finger-extensors-cyclic"))
    return path


@pytest.fixture
def bad(tmp_path: Path, good: Path) -> Path:
    """The same file with three mistakes, on lines 2, 3 and the last."""
    lines = good.read_text().splitlines()
    path = tmp_path / "bad.toml"
    path.write_text("\n".join([lines[0], "mystery_one = 1", "mystery_two = 2", *lines[1:], "mystery_three = 3"]) + "\n")
    return path


# --- check -----------------------------------------------------------------------------------------------------


def test_a_good_file(good: Path, capsys: Out) -> None:
    assert main(["check", str(good)]) == 0
    out, err = capsys.readouterr()
    assert f"{good}: good\n" in out
    assert "of treatment (shorter than at most, because the rest between sets takes the place of another); " in out
    assert re.search(r"of another\); .* on in all and .* per phase, finding thresholds and trial included\n", out)
    assert err == ""


@pytest.mark.parametrize("command", ["check", "preview", "fmt"])
def test_what_never_ends_is_not_read_to_its_end(command: str) -> None:
    with Path("/dev/zero").open("rb") as endless:
        args = [sys.executable, "-m", "stimctl", command, "-"]
        ended = subprocess.run(args, stdin=endless, capture_output=True, check=False, timeout=60)
    assert ended.returncode == 1
    assert b"<stdin>: is too large for a protocol file" in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("command", "closed"), [("check", ">&-"), ("check", "<&- 2>&-"), ("preview", ">&-"), ("library", "<&- >&- 2>&-")]
)
def test_a_stream_that_was_closed_from_the_beginning_is_no_bug(command: str, closed: str) -> None:
    line = f'exec "{sys.executable}" -m stimctl {command} thenar-cyclic {closed}'
    ended = subprocess.run(["sh", "-c", line], stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "grasp-release-sequence",
            "30 movements, 11:19 min of treatment (shorter than at most, because each attempt or switch comes at once and",
        ),
        (
            "grasp-release-sequence",
            " and what ends a phase comes at once in every second movement and the rest between",
        ),
        ("tens-burst-forearm", "the whole 30:00 min of treatment; "),
    ],
)
def test_a_flight_says_why_it_is_not_as_long_as_the_treatment(name: str, said: str, capsys: Out) -> None:
    assert main(["check", name]) == 0
    (line,) = [each for each in capsys.readouterr().out.splitlines() if "Dry flight at the maximum: " in each]
    assert said in line


def test_a_shipped_name_is_checked_and_a_file_of_that_name_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["check", "thenar-cyclic"]) == 0
    assert "thenar-cyclic: good\n" in capsys.readouterr().out
    Path("thenar-cyclic").write_text("kind = 3\n")
    for command in (["check", "thenar-cyclic"], ["preview", "thenar-cyclic"]):
        assert main(command) == 1
    assert main(["check", "thenar-cyclick", "thenar\0cyclic"]) == 1
    out = capsys.readouterr().out
    assert "thenar-cyclick: there is no such file (did you mean `thenar-cyclic`?); " in out
    assert main(["check", "thenar-extensors-cyclic.toml"]) == 1
    assert capsys.readouterr().out.count("\n") == 1


def test_three_mistakes_are_three_lines_that_an_editor_can_jump_to(bad: Path, capsys: Out) -> None:
    assert main(["check", str(bad)]) == 1
    lines = capsys.readouterr().out.splitlines()
    last = len(bad.read_text().splitlines())
    for number, name in ((2, "mystery_one"), (3, "mystery_two"), (last, "mystery_three")):
        assert any(line.startswith(f"{bad}:{number}:") and name in line for line in lines), lines


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            [("extensor pollicis longus", "the big one")],
            "thumb: muscle not recognised: antagonists judged by its site alone",
        ),
        (
            [("extensor pollicis longus", "the big one"), ('2\nsite = "forearm-dorsal"', '2\nsite = "upper-arm"')],
            "thumb: muscle not recognised: antagonists not judged",
        ),
        ([("extensor digitorum communis", "flexor digitorum"), (SECOND_CHANNEL, "")], "do not agree"),
        ([('site = "forearm-dorsal"', 'site = "forearm-volar"'), (SECOND_CHANNEL, "")], "do not agree"),
        ([("threshold_sd = 3.0", "threshold_uv = 4.9")], "threshold_uv 4.9 is low"),
    ],
)
def test_what_no_limit_forbids_and_a_person_should_have_meant(
    changes: list[tuple[str, str]], said: str, tmp_path: Path, capsys: Out
) -> None:
    brief = edit(TWO, ("repetitions = 30", "repetitions = 2"))  # all of them are flown
    for name, text in (
        ("plain", edit(brief, ("threshold_sd = 3.0", "threshold_uv = 5.0"))),
        ("odd", edit(brief, *changes)),
    ):
        (tmp_path / name).write_text(text)
        assert main(["check", str(tmp_path / name)]) == 0
        out = capsys.readouterr().out
        assert (said in out) is (name == "odd"), out


def test_a_warning_about_a_value_names_its_line(tmp_path: Path, capsys: Out) -> None:
    text = edit(TWO, ("threshold_sd = 3.0", "threshold_uv = 4.9"))
    line = next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith("threshold_uv"))
    (tmp_path / "low.toml").write_text(text)
    assert main(["check", str(tmp_path / "low.toml")]) == 0
    assert f"low.toml:{line}:1: warning: trigger: threshold_uv 4.9 is low" in capsys.readouterr().out


def test_several_files_end_with_a_count(good: Path, bad: Path, capsys: Out) -> None:
    assert main(["check", str(good), str(bad)]) == 1
    assert capsys.readouterr().err.startswith("2 files: 1 good, 1 with ")


def test_for_a_program(good: Path, bad: Path, capsys: Out) -> None:
    assert main(["check", "--format", "json", str(good), str(bad)]) == 1
    first, second = json.loads(capsys.readouterr().out)["files"]
    assert (first["file"], first["ok"], first["faults"]) == (str(good), True, [])
    assert not second["ok"]
    assert {"line", "column", "field", "message", "allowed", "source"} <= second["faults"][0].keys()


def test_standard_input(good: Path) -> None:
    done = pipe(good.read_bytes(), "check", "-")
    assert (done.returncode, done.stderr) == (0, b"")
    done = pipe(b"kind = 3\n", "check", "-")
    assert done.returncode == 1
    assert b":1:" in done.stdout


def test_standard_input_once(capsys: Out) -> None:
    assert main(["check", "-", "-"]) == 2
    assert "once" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"a = 1\r", b"[" * 5_000, b"a." * 5_000 + b"a = 1", b"\x00"])
def test_no_bytes_make_a_traceback(content: bytes, tmp_path: Path, capsys: Out) -> None:
    path = tmp_path / "odd.toml"
    path.write_bytes(content)
    assert main(["check", str(path)]) == 1
    out, err = capsys.readouterr()
    assert str(path) in out
    assert "bug" not in err


def test_a_file_that_is_not_there_or_is_none(tmp_path: Path, capsys: Out) -> None:
    for path in (tmp_path / "absent.toml", tmp_path, Path("nul\x00byte.toml")):
        assert main(["check", str(path)]) == 1
        assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", LIBRARY)
def test_every_shipped_protocol_is_good(name: str, tmp_path: Path, capsys: Out) -> None:
    path = tmp_path / "copy.toml"
    path.write_text(authoring.library_text(name))
    assert main(["check", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines.index(f"{path}: good") < len(lines) - 1, "and what it comes to is told"


def test_mutated_files_never_make_a_traceback(tmp_path: Path, capsys: Out) -> None:
    """Bytes changed, cut, doubled: each file is good or has faults, and nothing else happens."""
    chance = random.Random(2)
    path = tmp_path / "mutant.toml"
    for number in range(60):
        text = bytearray(authoring.library_text(LIBRARY[number % len(LIBRARY)]).encode())
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(text))
            text[at : at + chance.randint(0, 3)] = chance.choice(
                (b"", b"9", b"-", b'"', b"\n", b"nan", b"[", b"e9", b"\xc3")
            )
        path.write_bytes(text)
        assert main(["check", str(path)]) in (0, 1), bytes(text)
    assert "bug" not in capsys.readouterr().err


def test_check_loads_neither_numpy_nor_textual(good: Path) -> None:
    code = (
        f"import sys; from stimctl.cli import main; main(['check', {str(good)!r}]); "
        "sys.exit(' '.join({'numpy', 'textual', 'serial', 'asyncio', 'sqlite3', 'multiprocessing'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# --- new, library, schema --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_is_good_as_it_stands(kind: str, tmp_path: Path, capsys: Out) -> None:
    path = tmp_path / "new.toml"
    assert main(["new", kind, "-o", str(path)]) == 0
    assert f"stimctl check {path}" in capsys.readouterr().out
    assert main(["check", str(path)]) == 0


def test_a_template_on_standard_output(capsys: Out) -> None:
    assert main(["new", KINDS[0]]) == 0
    assert f'kind = "{KINDS[0]}"' in capsys.readouterr().out


def test_an_existing_file_is_never_overwritten(good: Path, capsys: Out) -> None:
    before = good.read_bytes()
    assert main(["new", KINDS[0], "-o", str(good)]) == 2
    assert "stays as it is" in capsys.readouterr().err
    assert good.read_bytes() == before


@pytest.mark.parametrize("name", ["no/such/folder/x.toml", "nul\x00byte.toml"])
def test_a_place_that_cannot_be_written(name: str, tmp_path: Path, capsys: Out) -> None:
    assert main(["new", KINDS[0], "-o", str(tmp_path / name)]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_an_unknown_kind_names_the_known_ones(capsys: Out) -> None:
    assert main(["new", "tenz"]) == 2
    shown = capsys.readouterr().err
    assert all(kind in shown for kind in KINDS)


def test_the_library(capsys: Out) -> None:
    assert main(["library"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in LIBRARY)
    assert all(kind in shown for kind in KINDS)


def test_one_of_the_library_as_it_stands(capsys: Out) -> None:
    assert main(["library", LIBRARY[0]]) == 0
    assert capsys.readouterr().out == authoring.library_text(LIBRARY[0])


def test_an_unknown_name_of_the_library(capsys: Out) -> None:
    assert main(["library", "../../etc/passwd"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_schema(capsys: Out) -> None:
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert "$defs" in schema
    assert all(kind in json.dumps(schema) for kind in KINDS)


# --- what a check tells --------------------------------------------------------------------------------------------


def test_a_good_file_is_told_in_numbers(tmp_path: Path, capsys: Out) -> None:
    """Pulses, time on, duty, charge, the worst pad and the nearest limit, worked out by hand for one file."""
    (tmp_path / "two.toml").write_text(TWO)
    assert main(["check", str(tmp_path / "two.toml")]) == 0
    out = capsys.readouterr().out
    # 60 attempts of 7 s of bursts at 35 Hz; 17 s a cycle and 8 s of waiting, one minute between the sets
    for said in (
        "26:00 min of treatment, 7:00 min of it on (27 %), duty 41 % of a cycle, 29400 pulses",
        "extensors: at most 7.5 µC per phase",
        # 25 mA on for 6 s of 7 (ramps count half): 14700 pulses times 7.5 µC times 6/7
        "`proximal`; 94 mC in all",
        # round-25 has 4.91 cm²: 16 mA * sqrt(2 * 200 µs * 35 Hz) = 1.89 mA rms
        "thumb: at most 3.2 µC per phase, 1.9 mA rms, 0.39 mA/cm² on the smallest pad, `thumb`",
        "Highest density: pad `thumb`, round-25 (thumb): 0.39 mA/cm² rms, 26 % of 1.5",
        "extensors: nearest limit pulse rate 70 % (35 of 50 Hz)",
        "peak 42 %",
    ):
        assert said in out, (said, out)


def test_the_numbers_for_a_program(tmp_path: Path, capsys: Out) -> None:
    (tmp_path / "two.toml").write_text(TWO)
    assert main(["check", "--format", "json", str(tmp_path / "two.toml")]) == 0
    figures = json.loads(capsys.readouterr().out)["files"][0]["figures"]
    assert figures["pulses"] == 29400
    assert [each["name"] for each in figures["channels"]] == ["extensors", "thumb"]
    margins = figures["channels"][0]["margins"]
    assert [each["percent"] for each in margins] == sorted((each["percent"] for each in margins), reverse=True)
    assert {"limit", "value", "bound", "unit", "percent", "source"} == margins[0].keys()
    shared = next(pad for pad in figures["pads"] if pad["name"] == "distal")
    assert shared["users"] == ["extensors", "thumb"]


def test_a_warning_of_the_warn_column_has_its_line_and_its_reason(tmp_path: Path, capsys: Out) -> None:
    text = edit(TWO, ("max_amplitude_ma = 25.0", "max_amplitude_ma = 42.0"), ("ramp_up_s = 1.0", "ramp_up_s = 0.6"))
    (tmp_path / "strong.toml").write_text(text)
    assert main(["check", str(tmp_path / "strong.toml")]) == 0
    out = capsys.readouterr().out
    for field, said in (
        ("max_amplitude_ma", "peak 42 mA is beyond 40 mA"),
        ("ramp_up_s", "ramp-up 0.6 s is below 1 s"),
    ):
        line = next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith(field))
        [warning] = [each for each in out.splitlines() if said in each and "extensors" in each]
        assert re.match(rf".*strong\.toml:{line}:\d+: warning: extensors: ", warning), warning
        assert "):" in warning, "the reason"


def test_what_says_the_same_in_numbers_is_one_helpers(tmp_path: Path) -> None:
    """Or each helper flies all of it, and two of them take as long as one."""
    texts = [authoring.library_text(name) for name in ("thenar-cyclic", "tens-burst-forearm", "mirror-box")]
    names = []
    for number in range(90):
        names.append(str(tmp_path / f"{number}.toml"))
        Path(names[-1]).write_text(texts[number % 3].replace('title = "', f'title = "{number} ', 1))
    names.append(str(tmp_path / "absent.toml"))
    shared = sharing.tasks(names)
    assert sorted(each for task in shared for each in task) == sorted(enumerate(names))
    assert [{place % 3 for place, _ in task if place < 90} for task in shared][:3] == [{0}, {1}, {2}]
    many = sharing.tasks([names[0]] * 1000)
    assert max(map(len, many)) <= 64, "and nobody waits for one helper with all of it"


def test_many_files_are_shared_out_and_come_back_in_order(tmp_path: Path, capsys: Out) -> None:
    """Enough of them that helpers take part; good and bad ones, and one that is not there."""
    names = [str(tmp_path / f"{number:02}.toml") for number in range(25)]
    for number, name in enumerate(names[:-1]):
        text = edit(TWO, ('title = "Test"', f'title = "{number}"'))
        Path(name).write_text(text if number % 10 else "kind = 3\n")
    assert main(["check", "--format", "json", *names]) == 1
    files = json.loads(capsys.readouterr().out)["files"]
    assert [each["file"] for each in files] == names
    assert [each["ok"] for each in files] == [bool(number % 10) for number in range(24)] + [False]
    assert len({json.dumps(each["figures"]["channels"]) for each in files if each["ok"]}) == 1


def test_what_fails_in_a_helper_is_our_bug_and_not_a_hang(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Out
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("planted")

    monkeypatch.setattr(authoring, "check_one", broken)
    assert main(["check", *[str(tmp_path / str(number)) for number in range(20)]]) == 70
    assert "planted" in capsys.readouterr().err


def test_a_helper_that_dies_is_told_and_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Out
) -> None:
    monkeypatch.setattr(authoring, "check_one", lambda *_: os._exit(9))
    assert main(["check", *[str(tmp_path / str(number)) for number in range(20)]]) == 70
    assert "a helper of this check has died" in capsys.readouterr().err


def test_a_flight_is_not_flown_twice_and_never_taken_for_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    texts = [TWO, edit(TWO, ('title = "Test"', 'title = "Other"')), edit(TWO, ("hold_s = 5.0", "hold_s = 5.1"))]
    names = []
    for number, text in enumerate(texts):
        names.append(str(tmp_path / f"{number}.toml"))
        Path(names[-1]).write_text(text)
    flown: list[str] = []

    def fly(schedule: Schedule, *, whole: bool) -> Rehearsal:
        flown.append(schedule.title)
        return rehearse(schedule, whole=whole)

    monkeypatch.setattr(authoring, "rehearse", fly)
    reports = authoring.check(names, sys.stdin.buffer)
    assert flown == ["Test", "Test"]
    assert reports[0].summary == reports[1].summary != reports[2].summary


# --- what a good file is told to come to -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("tens-acupuncture-like-forearm", "How strong: "),
        ("tens-modulated-forearm", "The pulses sweep to "),
        ("wrist-finger-extensors-emg-adaptive", "The threshold adapts: "),
        ("contralateral-hand-opening", "Follows the opening of the sound hand"),
    ],
)
def test_a_check_tells_what_the_operator_is_told_of_the_course(name: str, told: str) -> None:
    text = authoring.library_text(name)
    [report] = authoring.check(["-"], io.BytesIO(text.encode()))
    assert [line for line in report.summary if line.startswith(told)]
    schedule = compile_schedule(stimulating(loads(text, name)), Steps())
    course = list(course_lines(schedule))
    assert course
    assert report.summary[2 : 2 + len(course)] == tuple(course)


def test_antagonists_of_a_task_are_told_with_their_line() -> None:
    reason = 'start = "time"\nantagonists_together = "the wrist is held while the fingers close"'
    text = edit(SEQUENCE, (", delay_s = 0.4 }", " }"), ('start = "time"', reason))
    [report] = authoring.check(["-"], io.BytesIO(text.encode()))
    [warned] = [each for each in report.warnings if "antagonists" in each.message]
    assert warned.message == "antagonists work in the same phase: the wrist is held while the fingers close"
    assert warned.line == line_of(text, "antagonists_together")


def test_a_tasks_shares_are_told_in_milliampere() -> None:
    """What the patient is to feel in each phase, at the prescribed level; an author thinks in mA, the file in shares."""
    text = edit(SEQUENCE, ("\namplitude_ma = 12.0", "\namplitude_ma = 12.345"), ("repetitions = 20", "repetitions = 2"))
    [report] = authoring.check(["-"], io.BytesIO(text.encode()))
    told = [
        line.partition(" at the prescribed level ")[2] for line in report.summary if "at the prescribed level" in line
    ]
    assert told == [
        "reach 15.0 mA (100 %), grasp 0, hold 0, release 15.0 mA (100 %), relax 0",
        "reach 0, grasp 12.345 mA (100 %), hold 7.407 mA (60 %), release 0, relax 0",
    ]
    figures = authoring.figures(report)
    assert figures is not None
    hold = {"phase": "hold", "share_percent": 60, "prescribed_ma": 7.407}
    assert figures["channels"][1]["phases"][2] == hold


def test_what_is_no_task_has_no_shares() -> None:
    [report] = authoring.check(["-"], io.BytesIO(edit(TWO, ("repetitions = 30", "repetitions = 2")).encode()))
    figures = authoring.figures(report)
    assert figures is not None
    assert [each["phases"] for each in figures["channels"]] == [[], []]
    assert not [line for line in report.summary if "at the prescribed level" in line]
