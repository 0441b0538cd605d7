"""Mitigations of docs/hazards.toml that are nobody else's subject, one hazard after the other."""

from __future__ import annotations

import argparse
import ast
import hashlib
import io
import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stimctl import limits
from stimctl.boards.reference.codes import Capability
from stimctl.cli.parser import build
from stimctl.control import start
from stimctl.control.authoring import Report, check
from stimctl.control.remote import reached_by
from stimctl.control.start import RunRequest
from stimctl.engine import ARMED, State
from stimctl.limits import Effect
from stimctl.orders import OrderKind as Kind
from stimctl.orders import Stage, Status
from stimctl.session import opening
from stimctl.session.core import Session
from stimctl.session.diary import Diary
from stimctl.session.fingerprint import limits_sha256
from stimctl.session.opening import Reach, Wishes
from stimctl.session.screening import questions
from stimctl.session.skin import SkinWatch
from stimctl.sim import firmware
from stimctl.sim.faults import Fault, FaultKind
from stimctl.transport.address import host_elsewhere
from stimctl.units import MINUTE, MS
from stimctl.units import SECOND as SECOND_US
from stimctl.widgets import frame
from stimctl.widgets.bells import Bells
from tests import protocol_texts as texts
from tests.faces import STEPS
from tests.session_rig import CYCLIC, EMG, TENS, Made, Rig, rigs


@pytest.fixture
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with rigs(lambda: tmp_path_factory.mktemp("rig")) as make:
        yield make


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


# --- H07: whose limb it is -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", STEPS.values(), ids=STEPS)
def test_patient_and_side_stand_above_every_screen(status: Status) -> None:
    """In capitals, from the moment that the session is open."""
    named = frame.output_line(status, 80).plain
    assert ("P-017" in named and "LEFT" in named) is (status.stage is not Stage.START)


# --- H09, H49, H50: every question is one that counts ---------------------------------------------------------

ASKED = {
    kind: [each.id for each in questions(Effect.MOTOR, ("thenar",)) if each.kind == kind]
    for kind in ("blocker", "check")
}


@pytest.mark.parametrize("name", ASKED["blocker"])
def test_every_blocker_ends_the_session_at_zero(made: Made, name: str) -> None:
    """An implant, equipment nearby and all the others: no way leads on from a yes, not even with all else answered."""
    rig = made()
    screened(rig, **{name: "yes"})
    assert rig.order(Kind.NEXT) == ""
    assert rig.state is State.REVIEW
    assert "not possible" in rig.order(Kind.START)
    assert "armed" not in rig.kinds()
    assert rig.twin.ledger[0].pulses == 0


@pytest.mark.parametrize("name", ASKED["check"])
def test_every_check_must_be_done_before_pads_are_placed(made: Made, name: str) -> None:
    rig = made()
    screened(rig, **{name: "no"})
    assert "must be done first" in rig.order(Kind.NEXT)
    assert rig.state is State.SCREENING
    assert "not possible" in rig.order(Kind.START)


def test_the_questions_that_hazards_rely_on_are_asked() -> None:
    assert {"implant", "heat", "feedback"} <= set(ASKED["blocker"])
    assert {"identity", "position", "stop-tried", "stop-holder", "switch", "skin"} <= set(ASKED["check"])


# --- H10, H11: somebody looks at the skin, and somebody else can stop -------------------------------------------

LONG = CYCLIC.replace("rest_s = 4.0", "rest_s = 30.0").replace("repetitions = 2", "repetitions = 9")


def screened(rig: Rig, **answers: str) -> None:
    """Open the session and answer all its questions, these ones so."""
    rig.work(State.SCREENING)
    for question in rig.status.questions:
        [order] = [each for each in rig.operator(rig.status, rig.now_us) if each.name == question.id]
        value = answers.get(question.id.partition(":")[0], order.value)
        reason = "the prescriber knows" if question.kind == "precaution" and value == "yes" else ""
        assert rig.order(Kind.ANSWER, name=question.id, value=value, text=reason) == ""


def nearly(rig: Rig, us: int) -> None:
    """Nobody has looked for almost this long; minutes of a whole session would take the tests as many seconds."""
    rig.session.skin._armed_us = us - 5 * SECOND_US


def begun(rig: Rig, **answers: str) -> None:
    """The treatment has just begun; the skin was looked at."""
    screened(rig, **answers)
    assert rig.order(Kind.NEXT) == ""
    rig.work(State.REST)
    assert rig.order(Kind.SKIN_CHECKED, value="ok") == ""


def test_a_look_at_the_skin_is_asked_for_after_five_minutes_and_every_ten() -> None:
    watch, now_us = SkinWatch(), 0
    asked_us = []
    while now_us < 40 * MINUTE:
        watch.pass_to(now_us, armed=True)
        if watch.due:
            asked_us.append(now_us)
            watch.looked()
        now_us += SECOND_US
    assert asked_us == [5 * MINUTE, 15 * MINUTE, 25 * MINUTE, 35 * MINUTE]


def test_who_can_feel_and_say_so_is_asked_and_not_interrupted(made: Made) -> None:
    rig = made(LONG)
    begun(rig)
    nearly(rig, 10 * MINUTE)
    assert not rig.status.skin_due
    rig.go(10 * SECOND_US)
    assert rig.status.skin_due
    assert "Look at the skin" in frame.next_line(rig.status).plain
    nearly(rig, 60 * MINUTE)
    rig.go(10 * SECOND_US)
    assert rig.state in ARMED
    assert rig.order(Kind.SKIN_CHECKED, value="ok") == ""
    assert not rig.status.skin_due


@pytest.mark.parametrize("answers", [{"sensation": "reduced"}, {"cognition": "yes"}], ids=str)
def test_where_harm_may_go_unfelt_or_unsaid_nothing_flows_without_a_look(made: Made, answers: dict[str, str]) -> None:
    rig = made(LONG)
    begun(rig, **answers)
    nearly(rig, 5 * MINUTE)
    rig.go(10 * SECOND_US)
    assert rig.status.skin_due
    assert rig.state in ARMED
    nearly(rig, 6 * MINUTE)
    rig.go(10 * SECOND_US)
    assert rig.state is State.PAUSED
    assert rig.flowing_ua == 0
    [paused] = [event.payload for event in rig.events() if event.kind == "pause"]
    assert paused["reason"] == "nobody looked at the skin"
    assert "look at the skin first" in rig.order(Kind.RESUME)
    assert rig.order(Kind.SKIN_CHECKED, value="ok") == ""
    assert rig.order(Kind.RESUME) == ""


def test_time_without_output_stage_asks_for_no_look() -> None:
    watch = SkinWatch()
    watch.careful = True
    for minute in range(60):
        watch.pass_to(minute * MINUTE, armed=False)
    assert not watch.due


def test_somebody_besides_the_operator_must_be_able_to_stop(made: Made) -> None:
    rig = made()
    screened(rig, **{"stop-holder": "no"})
    assert "Can somebody besides you stop it" in rig.order(Kind.NEXT)
    assert rig.state is State.SCREENING


@pytest.mark.parametrize("text", [CYCLIC, EMG, TENS], ids=["cyclic", "emg", "tens"])
def test_who_feels_less_can_be_treated_within_the_narrower_limits(made: Made, text: str) -> None:
    """Test bursts, ramps and rests are such that these limits refuse none of them."""
    rig = made(text)
    screened(rig, sensation="reduced")
    assert rig.order(Kind.NEXT) == ""
    rig.work(State.FLOWING if text is TENS else State.BURST if text is CYCLIC else State.LISTENING)
    rig.go(3 * SECOND_US)
    assert not rig.session.went_wrong
    assert rig.twin.ledger[0].peak_ua == 7_000


def test_reduced_sensation_lowers_what_may_be_given(made: Made) -> None:
    """The warn column refuses then: the limiter is told of today's answer, and a normal one is no default."""
    most = {}
    for answer in ("normal", "reduced"):
        rig = made(CYCLIC.replace("max_amplitude_ma = 8.0", "max_amplitude_ma = 60.0"))
        screened(rig, sensation=answer)
        assert rig.order(Kind.NEXT) == ""
        most[answer] = rig.session.stage.limiter.effective(0)
    assert most["normal"].peak_ua == 60_000
    assert most["reduced"].peak_ua == 40_000
    assert limits.is_within(most["reduced"], most["normal"])


# --- H26: a threshold that rest alone may pass -------------------------------------------------------------------


@pytest.mark.parametrize(("sd", "warns"), [("2", True), ("3.99", True), ("4", False), ("8.0", False)])
def test_a_low_threshold_is_a_warning_of_check(sd: str, warns: bool) -> None:
    report = checked(texts.put(texts.EMG, "threshold_sd", sd))
    assert report.ok
    assert any("threshold_sd" in each.message for each in report.warnings) is warns


# --- H27, H28, H29: nothing follows the joint that it moves ------------------------------------------------------


@pytest.mark.parametrize("kind", ["ccfes", "fes-angle", "fes-closed-loop"])
def test_no_kind_of_protocol_follows_a_joint(kind: str) -> None:
    """No controller over the angle of a stimulated joint can be configured, so none can drift or oscillate.

    The sound hand may lead (tests/test_following_session.py): it is not moved by what it asks for.
    """
    fault = texts.the_fault(texts.put(texts.CYCLIC, "kind", f'"{kind}"'))
    assert fault.field == "kind"
    for field in ("angle", "gain", "sensor", "target_deg"):
        told = texts.faults(texts.edit(texts.CYCLIC, ("[dose]", f"[dose]\n{field} = 1")))
        assert [each.field for each in told] == [f"dose.{field}"]


@pytest.mark.parametrize("source", ["glove:1", "angle:left", "goniometer", "http://host/angle"])
def test_no_source_of_angles_can_be_named(made: Made, source: str) -> None:
    rig = made(EMG)
    refused = rig.order(Kind.OPEN, protocol=str(rig.path), patient="P-1", side="left", emg=source)
    assert ("follows no angle; leave out left" if source == "angle:left" else "not an EMG source") in refused
    assert rig.session.link is None


# --- H33: a stop key that is not at the board -------------------------------------------------------------------


def nobody() -> Iterator[str]:
    return iter(())


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, ""),
        ({"TERM": "xterm", "SSH_AUTH_SOCK": "agent", "TMUX": ""}, ""),
        ({"SSH_CONNECTION": "192.0.2.7 1 192.0.2.8 22", "SSH_TTY": "tty"}, "SSH"),
        ({"SSH_TTY": "tty", "TMUX": "socket,1,0"}, "SSH, tmux"),
        ({"STY": "1.pts-0"}, "screen"),
        ({"XRDP_SESSION": "1"}, "remote desktop"),
    ],
)
def test_a_terminal_from_afar_is_known_by_its_environment(environ: dict[str, str], words: str) -> None:
    assert reached_by(environ, nobody) == words


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        (("bash", "login", "systemd"), ""),
        (("python3", "sudo", "bash", "sshd-session", "sshd"), "SSH"),
        (("bash", "mosh-server"), "mosh"),
        (("bash", "tmux: server"), "tmux"),
        (("bash", "SCREEN"), "screen"),
        (("bash", "gnome-terminal-"), ""),
        (("bash", "jupyter-lab", "systemd"), "a web terminal"),
        (("bash", "jupyter-server"), "a web terminal"),
        (("bash", "node", "code-server"), "a web terminal"),
        (("bash", "cockpit-bridge", "cockpit-session"), "a web terminal"),
        (("bash", "wezterm-mux-ser"), "a wezterm server"),
        (("bash", "wezterm-gui"), ""),
        (("bash", "tailscaled"), "SSH"),
    ],
)
def test_a_terminal_from_afar_is_known_by_its_ancestors(chain: tuple[str, ...], words: str) -> None:
    """Where somebody took the environment away, as ``sudo`` does."""
    assert reached_by({}, lambda: iter(chain)) == words


def test_the_ancestors_of_a_program_are_found() -> None:
    """A shell that is called like a server, as far as the process tree can tell."""
    code = "from stimctl.control.remote import reached_by; print(reached_by({}))"
    script = "import ctypes, subprocess, sys; ctypes.CDLL(None).prctl(15, b'mosh-server'); subprocess.run(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", script, sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "mosh" in done.stdout


@pytest.fixture
def claims_to_be_real(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin in this process no longer says that it is one."""
    monkeypatch.setattr(firmware, "_EVERYTHING", firmware._EVERYTHING & ~Capability.SIMULATED)


def opened(rig: Rig, reach: Reach, emg: str = "") -> str:
    """Open a session from a terminal that is reached so; "" or why it was refused."""
    rig.session = Session(Diary(rig.journal), lambda: rig.now_us, wishes=Wishes(), seed=1, reach=reach)
    rig.session.order(replace(rig.opening, emg=emg), rig.now_us)
    rig.go(SECOND_US)
    return rig.session.refusal


SSH = Reach("SSH")


@pytest.mark.usefixtures("claims_to_be_real")
def test_a_real_board_is_refused_from_afar_and_nothing_was_armed(made: Made) -> None:
    rig = made()
    assert "reached by SSH" in opened(rig, SSH)
    assert rig.state is State.CHOOSING
    assert rig.session.link is None


def test_a_simulated_board_is_free_from_afar(made: Made) -> None:
    rig = made()
    assert opened(rig, SSH) == ""
    assert rig.state is State.SCREENING
    assert "STOP KEY" not in frame.banner(rig.status, 80).plain


@pytest.mark.usefixtures("claims_to_be_real")
def test_who_accepts_a_terminal_from_afar_has_it_on_the_screen_and_in_the_record(made: Made) -> None:
    rig = made()
    assert opened(rig, Reach("SSH, tmux", accepted=True)) == ""
    assert rig.state is State.SCREENING
    banner = frame.banner(rig.status, 80).plain
    assert "REAL BOARD - current reaches a person" in banner
    assert "STOP KEY BY SSH, tmux" in banner
    assert len(banner) == 80
    assert rig.events()[0].payload["extra"]["terminal"] == "SSH, tmux"  # type: ignore[index]


@pytest.mark.usefixtures("claims_to_be_real")
def test_at_a_real_board_the_banner_is_as_ever(made: Made) -> None:
    rig = made()
    assert opened(rig, Reach()) == ""
    assert "STOP KEY" not in frame.banner(rig.status, 80).plain


AFAR = "reference:socket://ward-pi.hospital.lan:5000"


def test_a_board_at_another_computer_is_a_board_from_afar() -> None:
    """Whether the terminal or the board is at the far end of a network, the stop key crosses it."""
    refusal = Reach().refusal(AFAR)
    assert "ward-pi.hospital.lan" in refusal
    assert "--remote-terminal" in refusal
    assert Reach(accepted=True).refusal(AFAR) == ""
    assert Reach(accepted=True).to(AFAR) == "a network"
    assert Reach("SSH", accepted=True).to(AFAR) == "SSH, a network"
    assert "reached by SSH" in Reach("SSH").refusal(AFAR)


@pytest.mark.parametrize(
    ("port", "host"),
    [
        ("/dev/ttyACM0", ""),
        ("COM3", ""),
        ("socket://localhost:5000", ""),
        ("socket://LOCALHOST:5000", ""),
        ("socket://127.0.0.1:5000", ""),
        ("rfc2217://127.9.0.1:5000?ign_set_control", ""),
        ("rfc2217://[::1]:5000", ""),
        ("socket://192.0.2.7:5000", "192.0.2.7"),
        ("socket://0.0.0.0:5000", "0.0.0.0"),
        ("rfc2217://[fe80::1%eth0]:5000/", "fe80::1%eth0"),
        ("rfc2217://rack:5000?timeout=3", "rack"),
        ("socket://localhost.example:5000", "localhost.example"),
        ("socket://127.0.0.1.example:5000", "127.0.0.1.example"),
    ],
)
def test_only_what_is_plainly_this_computer_is_not_elsewhere(port: str, host: str) -> None:
    assert host_elsewhere(port) == host
    assert bool(Reach().refusal(f"reference:{port}")) is bool(host)


def by_network(rig: Rig, monkeypatch: pytest.MonkeyPatch, reach: Reach) -> str:
    """Open a session on the twin of this process, which is taken to stand at another computer."""
    monkeypatch.setattr(opening, "elsewhere", lambda _url: "ward-pi.hospital.lan")
    return opened(rig, reach)


@pytest.mark.usefixtures("claims_to_be_real")
def test_a_real_board_at_another_computer_is_refused_and_nothing_was_armed(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = made()
    assert "stands at ward-pi.hospital.lan" in by_network(rig, monkeypatch, Reach())
    assert rig.state is State.CHOOSING
    assert rig.session.link is None


@pytest.mark.usefixtures("claims_to_be_real")
def test_who_accepts_a_board_from_afar_has_it_on_the_screen_and_in_the_record(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = made()
    assert by_network(rig, monkeypatch, Reach(accepted=True)) == ""
    assert "STOP KEY BY a network" in frame.banner(rig.status, 80).plain
    assert rig.events()[0].payload["extra"]["terminal"] == "a network"  # type: ignore[index]


# --- H47: no real board in hurried time -----------------------------------------------------------------------------


@pytest.mark.usefixtures("claims_to_be_real")
@pytest.mark.parametrize("reach", [Reach(hurried=True), Reach("SSH", accepted=True, hurried=True)])
def test_a_real_board_is_refused_where_time_is_hurried(made: Made, reach: Reach) -> None:
    """The start screen takes another board than the command line named: the session itself has to refuse it."""
    rig = made()
    assert "--speed" in opened(rig, reach)
    assert rig.state is State.CHOOSING
    assert rig.session.link is None


def test_a_simulated_board_may_be_hurried(made: Made) -> None:
    rig = made()
    assert opened(rig, Reach(hurried=True)) == ""
    assert rig.state is State.SCREENING


@pytest.mark.parametrize(("speed", "hurried"), [(None, False), (4.0, True), (0.5, True), (math.inf, True)])
def test_a_session_is_told_whether_its_time_is_real(tmp_path: Path, speed: float | None, hurried: bool) -> None:
    request = RunRequest(speed=speed, store=str(tmp_path / "r.db"))
    with start._journal(request) as journal:
        session = start._session(request, start.Record(journal, None), start._clock(request, speed))
    assert session.reach.hurried is hurried


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
    assert shown in rig.status.review[0]  # first: a long list scrolls, and its end is out of sight
    opened = rig.events()[0].payload
    assert opened["protocol_sha256"] == digits
    assert str(opened["protocol_text"]) == CYCLIC


# --- H47: simulated and real do not mix --------------------------------------------------------------------------


@pytest.mark.usefixtures("claims_to_be_real")
def test_a_recording_sets_off_nothing_on_a_real_board(made: Made, tmp_path: Path) -> None:
    """Nor does the simulated patient: only what this patient's muscles do now may."""
    spoken = tmp_path / "old.csv"
    spoken.write_text("emg\n" + "0.001\n-0.001\n" * 2_000)
    for emg in (f"file:{spoken}?rate=1000", "sim:"):
        rig = made(EMG)
        assert "real board" in opened(rig, Reach(), emg=emg), emg
        assert rig.state is State.CHOOSING
        assert rig.session.link is None


# --- H50: a tone before a hand moves ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["clock", "assisted"])
def test_a_tone_comes_a_moment_before_every_burst_that_the_clock_brings(made: Made, kind: str) -> None:
    helped = EMG.replace("attempt_window_s = 6.0", 'attempt_window_s = 2.0\non_missed = "assist"')
    rig = made(CYCLIC if kind == "clock" else helped.replace("threshold_sd = 3.0", "threshold_uv = 999.0"))
    rig.work(State.REST)
    bells, rang_us, onsets_us, was = Bells(), [], [], rig.state
    while rig.state is not State.REVIEW:
        rig.go(50 * MS)
        if bells.news(rig.status):
            rang_us.append(rig.now_us)
        if rig.state is State.BURST and was is not State.BURST:
            onsets_us.append(rig.now_us)
        was = rig.state
    assert len(onsets_us) == 2
    for onset_us in onsets_us:
        assert any(900 * MS <= onset_us - rang <= 1_100 * MS for rang in rang_us), (onset_us, rang_us)


def test_no_tone_while_every_level_is_zero(made: Made) -> None:
    """It would be one more to get used to."""
    rig = made()
    rig.work(State.TITRATING)
    bells = Bells()
    rings = 0
    for _ in range(200):
        rig.go(50 * MS)
        rings += bells.news(rig.status)
    assert rings == 0


# --- H38: no way around the limiter ----------------------------------------------------------------------------

OPTIONS = {
    "--angle", "--board", "--check", "--chunk-ms", "--column", "--copy", "--debug", "--dwell-ms", "--emg",
    "--explain", "--format", "--headless", "--help", "--kind", "--labels", "--link", "--lsl-out", "--lsl-scope",
    "--output", "--plot", "--pulses", "--rate", "--remote-terminal", "--robot", "--search", "--seed", "--speed",
    "--stage", "--store", "--threshold-sd", "--threshold-uv", "--tune", "--variant", "--version", "--width", "-h", "-o",
}  # fmt: skip
"""Every option of every command, read by a person: none of them is known to limiter, envelope, limits or driver."""


def options(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The options of a parser and of all its commands."""
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from options(below)


def test_no_option_is_one_of_the_limiter() -> None:
    """A new option has to be written down here by somebody who has asked what it can loosen."""
    assert set(options(build())) - {"--debug", "--rate", "--column", "--output"} <= OPTIONS


def test_what_protects_reads_no_option_environment_or_file() -> None:
    """Nothing that a user can set reaches the rooms that judge: they have no way to look."""
    root = Path(limits.__file__).parent
    judges = [root / "safety.py", root / "limits.py", root / "pulse.py", *(root / "envelope").glob("*.py")]
    assert len(judges) > 6
    for path in judges:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        heads = {
            alias.name.partition(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        heads |= {str(node.module).partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not names & {"open", "input", "eval", "exec", "__import__", "getenv", "environ"}, path
        assert not heads & {"os", "sys", "pathlib", "io", "argparse", "tomllib", "json", "importlib"}, path


# --- H51: alarms that are few and graded -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value", "grade"),
    [
        (FaultKind.CONTACT_OPEN, 0, "medium"),
        (FaultKind.CONTACT_PEEL, 500, "medium"),
        (FaultKind.STOP_BUTTON, 0, "medium"),
        (FaultKind.STUCK_OUTPUT, 20_000, "high"),
        (FaultKind.HANG, 0, "high"),
        (FaultKind.IGNORES_STOP, 0, "high"),
    ],
)
def test_high_is_kept_for_output_that_nobody_knows(made: Made, kind: FaultKind, value: int, grade: str) -> None:
    """One alarm with its own words at a time; a board at zero that told why is not one to run for."""
    rig = made()
    rig.work(State.BURST)
    rig.go(2 * SECOND_US)
    rig.twin.inject(Fault(kind, rig.now_us, value=value))
    rig.go(500 * MS)
    rig.session.stop_now("Space pressed")
    rig.go(3 * SECOND_US)
    status = rig.status
    assert status.stopped
    if kind is FaultKind.IGNORES_STOP:
        assert not status.stop_confirmed
    assert status.alarm == grade
    assert status.alarm_text


def test_an_ordinary_stop_and_the_prompts_are_no_alarms(made: Made) -> None:
    rig = made()
    rig.work(State.BURST)
    rig.session.stop_now("Space pressed")
    rig.go(SECOND_US)
    assert (rig.status.stopped, rig.status.alarm) == (True, "")


# --- H54: which limits judged ------------------------------------------------------------------------------------


def test_every_record_names_the_limits_that_judged_it(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = made()
    rig.work(State.SCREENING)
    recorded = rig.events()[0].payload["extra"]["limits"]  # type: ignore[index]
    assert recorded == limits_sha256()
    for name, value in (("SMALL_PAD_PEAK_UA", 60_001), ("ABSOLUTE", replace(limits.ABSOLUTE, rms_ua=50_001))):
        with monkeypatch.context() as changed:
            changed.setattr(limits, name, value)
            limits_sha256.cache_clear()
            assert limits_sha256() != recorded, name
    limits_sha256.cache_clear()
    assert limits_sha256() == recorded


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


def test_the_trigger_is_tried_with_output_off_before_anything_is_armed(made: Made) -> None:
    """An attempt is heard and told, and nothing flows: who would be set off by rest or by nothing is found out here."""
    rig = made(EMG.replace("threshold_sd = 3.0", "threshold_sd = 8.0").replace("repetitions = 2", "repetitions = 5"))
    rig.work(State.READY)
    flowed_uc = sum(ledger.charge_pc for ledger in rig.twin.ledger)
    rig.go(5 * SECOND_US)
    assert rig.status.emg is not None
    assert rig.status.emg.listening
    assert "heard 0 times" in rig.status.next_action
    assert rig.session.trigger_tries == 0, "rest alone sets nothing off"
    patient = rig.session.link.patient  # type: ignore[union-attr]
    assert patient is not None
    for _ in range(2):
        patient.cue(rig.now_us)
        rig.go(6 * SECOND_US)
    assert rig.session.trigger_tries >= 1
    tries = rig.session.trigger_tries
    assert f"heard {tries} {'time' if tries == 1 else 'times'}" in rig.status.next_action
    assert rig.state is State.READY
    assert rig.kinds().count("trigger-tried") == rig.session.trigger_tries
    assert "armed" not in rig.kinds()[rig.kinds().index("all-found") :]
    assert sum(ledger.charge_pc for ledger in rig.twin.ledger) == flowed_uc
    assert rig.order(Kind.START) == ""
    assert not rig.session.hearing.ear.ready, "the treatment measures rest anew"  # type: ignore[union-attr]
    rig.go(SECOND_US)
    assert rig.state is State.TRIAL
    assert not rig.session.hearing.is_on
    rig.work(State.BURST)
    assert rig.session.engine.counts().triggered == 1


# --- H44: antagonists in one burst -------------------------------------------------------------------------------


def pair(one: tuple[str, str], other: tuple[str, str]) -> str:
    """A file of two channels at these sites with these muscles."""
    first, second = (
        {"site": f'"{site}"', "muscle": f'"{muscle}"', "pads": f'["{name}-a", "{name}-b"]'}
        for name, (site, muscle) in zip("xy", (one, other), strict=True)
    )
    text = texts.edit(texts.CYCLIC, ("repetitions = 30", "repetitions = 2"))  # all of them are flown
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
    assert any("the wrist is held while the fingers close" in each.message for each in meant.warnings)


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
    for old, new in (("rate_hz = 35", "rate_hz = 100"), ("us = 300", "us = 100"), ("us = 200", "us = 100")):
        assert old in text
        text = text.replace(old, new)
    texts.good(text + "\n[dose]\nduration_min = 20\n")
