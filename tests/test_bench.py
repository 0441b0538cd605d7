"""``stimctl bench``: what flows on a dummy load, what is measured, and that nothing but a whole bench changes a profile."""

from __future__ import annotations

import io
import itertools
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stimctl.boards import BoardFacts
from stimctl.cli import main
from stimctl.control import bench as door
from stimctl.control.bench import BenchRequest, run_bench
from stimctl.driver import Driver, Reported, driver_for
from stimctl.errors import BoardFault, LinkLost, StimctlError, UsageError
from stimctl.orders import OutputWord
from stimctl.records import profiles
from stimctl.safety import Latch
from stimctl.session import asking, bench_plan, bench_result, bench_run
from stimctl.session.asking import ask
from stimctl.session.bench import Bench
from stimctl.session.bench_run import Finale, Phase
from stimctl.session.link import SIMULATED_KINDS, Link
from stimctl.sim.board import Twin
from stimctl.sim.faults import Fault, FaultKind
from stimctl.sim.link import SimLink
from stimctl.sim.patient import Patient
from stimctl.sim.sciencemode4 import ScienceMode4Board
from tests.serving import Server

MS = 1_000
SECOND = 1_000_000
YES = ("nobody", "500", "go on")
TRIED = ("", "p24", "rehamove3", "rehastim2", "neurostimduino")
"""Boards that can be given what is tried."""


class Rig:
    """A twin that every link leads to, and a clock that nothing waits for."""

    waits = False

    def __init__(self, twin: Any, kind: str) -> None:
        self.twin, self.kind, self.us = twin, kind, SECOND
        self.lines: list[SimLink[Any]] = []
        self.said: list[str] = []
        self.asked: list[str] = []

    def now_us(self) -> int:
        return self.us

    def sleep_until(self, us: int, fds: Any = ()) -> None:
        self.us = max(us, self.us)

    def late_us(self, due_us: int) -> int:
        return 0

    def open_link(self, url: str, latch: Latch, **_: Any) -> Link:
        self.lines.append(SimLink(self.twin, self.now_us))
        driver = driver_for(self.kind, self.lines[-1], latch, tokens=itertools.count(7).__next__)
        return Link(driver, None, self.lines[-1].next_event_us)

    def who(self) -> BoardFacts:
        return ask(f"{self.kind}:twin", self.now_us, self.sleep_until)

    def bench(self, finale: Finale, *, output: int = 1) -> Bench:
        return Bench(f"{self.kind}:twin", output, self.who(), finale, self.now_us)

    def go(self, bench: Bench, until: Callable[[], bool] = lambda: False, *, most_us: int = 60 * SECOND) -> Bench:
        """Let time pass until the run is over, or as long as somebody wants."""
        end_us = self.us + most_us
        while not (bench.ended or until()) and self.us < end_us:
            bench.tick(self.us)
            self.sleep_until(bench.next_wake_us(self.us))
        return bench

    def whole(self, *answers: str, store: Path, output: int = 1) -> int:
        """What ``stimctl bench`` does, with these answers."""
        typed = iter(answers)

        def answer(question: str) -> str:
            self.asked.append(question)
            return next(typed, "")

        return run_bench(BenchRequest(f"{self.kind}:twin", output, store=str(store)), self.said.append, answer)

    @property
    def ledgers(self) -> list[Any]:
        self.twin.advance(self.us)
        return list(self.twin.ledger)

    @property
    def flowing_ua(self) -> list[int]:
        return [ledger.current_ua() for ledger in self.ledgers]


Made = Callable[..., Rig]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    def make(kind: str = "reference", *faults: Fault, device_id: str = "SIM0000001") -> Rig:
        twin: Any = ScienceMode4Board(now_us=SECOND, device_id=device_id)
        if kind == "reference":
            twin = Twin(Patient(1), seed=1, now_us=SECOND, faults=faults)
        rig = Rig(twin, kind)
        for room in (asking, bench_run):
            monkeypatch.setattr(room, "open_link", rig.open_link)
        monkeypatch.setattr(door, "_clock", lambda _request: rig)
        return rig

    return make


def profile_of(store: Path, kind: str, serial: str) -> profiles.Profile | None:
    return profiles.read(profiles.folder(store), kind, serial)


# --- a whole bench -----------------------------------------------------------------------------------------------


def test_a_good_board_passes_and_is_remembered(made: Made, tmp_path: Path) -> None:
    rig = made("reference")
    store = tmp_path / "sessions.sqlite3"
    assert rig.whole(*YES, store=store) == 0
    found = profile_of(store, "reference", rig.who().serial)
    assert found is not None
    assert found.passed
    assert [step.level_ua for step in found.steps] == [5_000, 10_000, 15_000, 20_000]
    assert all(step.measured_ua and abs(step.measured_ua - step.level_ua) < step.level_ua // 20 for step in found.steps)
    assert found.stop_us is not None
    assert found.stop_us < 20 * MS
    assert found.dead_man_us is not None
    assert 250 * MS < found.dead_man_us <= 500 * MS
    assert found.dead_man_told
    assert (found.output, found.phase_width_us, found.rate_mhz) == (1, 96, 50_000)
    assert any(line.startswith("PASSED: commissioned ") for line in rig.said)


def test_a_board_that_measures_nothing_is_not_said_to_be_accurate(made: Made, tmp_path: Path) -> None:
    rig = made("p24")
    store = tmp_path / "sessions.sqlite3"
    assert rig.whole(*YES, store=store) == 0
    found = profile_of(store, "p24", "SIM0000001")
    assert found is not None
    assert {step.measured_ua for step in found.steps} == {None}
    assert found.stop_us is not None
    assert 40 * MS <= found.stop_us < 100 * MS  # its high voltage takes so long to go off
    assert found.dead_man_us is not None
    assert 2 * SECOND <= found.dead_man_us <= 2_500 * MS
    assert not found.dead_man_told  # it tells nobody when it stops
    assert "current not measured by this board" in rig.said[-2]
    assert "dead-man within 2.5 s" in rig.said[-2]


@pytest.mark.parametrize("kind", ["reference", "p24"])
def test_what_flows_is_one_output_in_small_steps_and_nothing_after(kind: str, made: Made, tmp_path: Path) -> None:
    rig = made(kind)
    rig.whole(*YES, store=tmp_path / "s")
    first, *others = rig.ledgers
    assert first.pulses > 100
    assert (first.peak_ua, first.net_pc) == (20_000, 0)
    assert not any(ledger.pulses for ledger in others)
    amplitudes = [0, *(stretch.train.amplitude_ua for stretch in first.history(rig.us))]
    assert max(after - before for before, after in itertools.pairwise(amplitudes)) <= 1_000
    assert rig.flowing_ua == [0] * len(rig.ledgers)


def test_the_output_that_was_named_is_the_one_that_is_tried(made: Made, tmp_path: Path) -> None:
    rig = made("p24")
    assert rig.whole(*YES, store=tmp_path / "s", output=3) == 0
    assert [bool(ledger.pulses) for ledger in rig.ledgers] == [number == 2 for number in range(8)]
    assert "across output 3" in rig.asked[1]


def test_every_level_was_raised_by_steps_that_the_limiter_allows(made: Made) -> None:
    """A milliampere at a time, half a second apart: the forearm's own rules (clinical reference, A.5)."""
    rig = made("reference")
    bench = rig.bench(Finale.STOP)
    presses: list[tuple[int, int]] = []
    while not bench.ended:
        bench.tick(rig.us)
        if bench.run.has_begun and not bench.run.ours:
            level = bench.run.engine.lanes[0].level_ua
            if level and (not presses or level != presses[-1][1]):
                presses.append((rig.us, level))
        rig.sleep_until(bench.next_wake_us(rig.us))
    assert [level for _, level in presses] == list(range(1_000, 20_001, 1_000))
    assert min(after[0] - before[0] for before, after in itertools.pairwise(presses)) >= 500 * MS


# --- what a person says ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "about"), [((), "nobody"), (("yes",), "nobody"), (("nobody",), "dummy load"), (("nobody", "y"), "500")]
)
def test_without_the_words_nothing_is_armed(
    answers: tuple[str, ...], about: str, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = made("p24")
    monkeypatch.setattr(door, "Bench", lambda *_: pytest.fail("it began"))
    with pytest.raises(UsageError, match=about):
        rig.whole(*answers, store=tmp_path / "s")
    assert not any(ledger.pulses for ledger in rig.ledgers)


def test_the_load_and_what_will_flow_are_named_before(made: Made, tmp_path: Path) -> None:
    rig = made("p24")
    rig.whole(*YES, store=tmp_path / "s")
    assert "Is any person connected" in rig.asked[0]
    assert "500 ohm" in rig.asked[1]
    assert any("up to 20.0 mA through output 1" in line for line in rig.said)
    assert any(line.startswith("SIMULATED") for line in rig.said)


def test_the_second_arming_needs_an_act_of_its_own(made: Made, tmp_path: Path) -> None:
    rig = made("p24")
    store = tmp_path / "s"
    assert rig.whole("nobody", "500", "", store=store) == 1
    assert profile_of(store, "p24", "SIM0000001") is None
    assert rig.said[-1] == door.NOT_KEPT


def test_a_real_board_needs_a_terminal_to_ask_on(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = made("p24", device_id="A000123")
    monkeypatch.setattr(door, "RealClock", Rig)  # as if its time were real
    monkeypatch.setattr(door, "reached_by", lambda: "")
    monkeypatch.setattr(sys, "stdin", io.StringIO("nobody\n500\n"))
    with pytest.raises(UsageError, match="no terminal to ask on"):
        run_bench(BenchRequest("p24:twin", store=str(tmp_path / "s")), rig.said.append)


def test_nor_is_it_tried_from_afar(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = made("p24", device_id="A000123")
    monkeypatch.setattr(door, "RealClock", Rig)  # as if its time were real
    monkeypatch.setattr(door, "reached_by", lambda: "SSH")
    with pytest.raises(UsageError, match="reached by SSH"):
        rig.whole(*YES, store=tmp_path / "s")
    assert rig.asked == []


def test_a_board_that_confirms_no_stop_is_not_armed(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = made("p24")
    mute = replace(rig.who(), confirms_zero=False)
    monkeypatch.setattr(door, "ask", lambda *_: mute)
    with pytest.raises(UsageError, match="confirms no stop, so whether it stops can only be seen on a dummy load"):
        rig.whole(*YES, store=tmp_path / "s")
    assert rig.asked == []


def test_where_no_profile_could_be_kept_nothing_is_tried(made: Made, tmp_path: Path) -> None:
    rig = made("p24")
    (tmp_path / "boards").write_text("a file")
    with pytest.raises(StimctlError, match="is not a folder"):
        rig.whole(*YES, store=tmp_path / "s")
    assert rig.asked == []


# --- boards that fail --------------------------------------------------------------------------------------------


def failed(rig: Rig, tmp_path: Path, serial: str) -> profiles.Profile:
    store = tmp_path / "s"
    assert rig.whole(*YES, store=store) == 1
    found = profile_of(store, rig.kind, serial)
    assert found is not None
    assert not found.passed
    assert f"FAILED: {found.faults[0]}" in rig.said
    return found


def test_an_inaccurate_step_fails(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """30 % too much at 5 mA, which is within what a driver lets pass (2 mA), and not within the standard's 20 %."""
    rig = made("reference")
    serial = rig.who().serial
    poll = Driver.poll

    def too_much(driver: Driver, now_us: int) -> Any:
        for event in poll(driver, now_us):
            if isinstance(event, Reported):
                outputs = tuple(replace(o, measured_ua=o.applied_ua * 13 // 10) for o in event.outputs)
                event = replace(event, outputs=outputs)  # noqa: PLW2901 - what the board would have said
            yield event

    monkeypatch.setattr(Driver, "poll", lambda driver, now_us: tuple(too_much(driver, now_us)))
    found = failed(rig, tmp_path, serial)
    assert found.faults[0].startswith("6.5 mA measured where 5.0 mA were set")
    assert [step.level_ua for step in found.steps] == [5_000]  # it is not taken any higher
    assert found.stop_us is not None
    assert found.dead_man_us is None
    assert len(rig.asked) == 2  # nor armed a second time
    assert rig.ledgers[0].peak_ua <= 5_000


def test_a_stop_that_takes_too_long_fails(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stimctl.sim.sciencemode4.SWITCHING_US", 150 * MS)
    found = failed(made("p24"), tmp_path, "SIM0000001")
    assert found.stop_us is not None
    assert found.stop_us > 120 * MS
    assert "120 ms are allowed: 100 ms and one pulse (clinical reference, F.3)" in found.faults[-1]


def test_a_line_that_is_too_slow_for_a_session_gives_no_result(made: Made, tmp_path: Path) -> None:
    rig = made("reference", Fault(FaultKind.LINE_DELAY, at_us=4 * SECOND, value=90))
    assert rig.whole(*YES, store=tmp_path / "s") == 1
    assert not list((tmp_path / "boards").iterdir())


def test_a_board_that_does_not_stop_fails_and_its_output_is_not_called_off(made: Made, tmp_path: Path) -> None:
    rig = made("reference", Fault(FaultKind.IGNORES_STOP, at_us=3 * SECOND))
    found = failed(rig, tmp_path, rig.who().serial)
    assert found.stop_us is None
    assert any(OutputWord.UNKNOWN in line for line in rig.said)


def test_a_dead_man_that_does_not_act_fails_and_output_is_ended(made: Made, tmp_path: Path) -> None:
    rig = made("reference", Fault(FaultKind.DEAD_MAN_FAILS))
    found = failed(rig, tmp_path, rig.who().serial)
    assert "after this computer fell silent; the board claims 0.5 s" in found.faults[0]
    assert rig.flowing_ua == [0] * len(rig.ledgers)


def test_a_p24_that_goes_on_is_seen(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It tells nothing by itself: it has to be looked at, once, when it should have stopped."""
    monkeypatch.setattr("stimctl.sim.sciencemode_levels.KEPT_ALIVE_US", 60 * SECOND)
    rig = made("p24")
    found = failed(rig, tmp_path, "SIM0000001")
    assert "output was still on 2.4 s after" in found.faults[0]
    assert rig.flowing_ua == [0] * 8


def test_a_wrong_current_fails(made: Made, tmp_path: Path) -> None:
    rig = made("reference", Fault(FaultKind.STUCK_OUTPUT, at_us=5 * SECOND, output=0, value=30_000))
    found = failed(rig, tmp_path, rig.who().serial)
    assert found.faults


@pytest.mark.parametrize(("dead_man_us", "fits"), [(2_000_000, True), (2_500_000, True), (2_500_001, False)])
def test_a_dead_man_may_be_a_little_late(dead_man_us: int, fits: bool) -> None:
    assert (bench_result.dead_man_fault(dead_man_us, 2_000) == "") is fits


@pytest.mark.parametrize(("measured_ua", "fits"), [(4_000, True), (6_000, True), (3_999, False), (6_001, False)])
def test_a_step_may_be_off_by_a_fifth(measured_ua: int, fits: bool) -> None:
    assert (bench_result.step_fault(5_000, measured_ua) == "") is fits


@pytest.mark.parametrize(("stop_us", "fits"), [(0, True), (120_000, True), (120_001, False)])
def test_a_stop_may_take_a_tenth_of_a_second_and_a_pulse(stop_us: int, fits: bool) -> None:
    assert (bench_result.stop_fault(stop_us, 50_000) == "") is fits


# --- what is broken off ------------------------------------------------------------------------------------------


def at_ten(rig: Rig, bench: Bench) -> Bench:
    """The run, with 10 mA flowing."""
    rig.go(bench, lambda: rig.flowing_ua[0] >= 10_000)
    assert rig.flowing_ua[0] == 10_000
    return bench


@pytest.mark.parametrize("kind", ["reference", "p24"])
def test_a_stop_by_a_person_ends_at_zero_without_a_result(kind: str, made: Made) -> None:
    rig = made(kind)
    bench = at_ten(rig, rig.bench(Finale.STOP))
    bench.stop_now("Ctrl+C")
    rig.go(bench, lambda: not bench.may_be_energised)
    assert rig.flowing_ua[0] == 0
    assert not bench.run.complete
    for _ in range(100):
        rig.us += 20 * MS
        bench.tick(rig.us)
    assert rig.flowing_ua[0] == 0
    assert not bench.ended
    bench.close("stopped", rig.us)
    assert bench.status(rig.us).output is OutputWord.OFF


@pytest.mark.parametrize("phase", [Phase.ARMING, Phase.RISING, Phase.MEASURING, Phase.SILENT, Phase.LOOKING])
def test_a_stop_is_heard_in_every_phase(phase: Phase, made: Made) -> None:
    rig = made("p24")
    bench = rig.bench(Finale.DEAD_MAN)
    rig.go(bench, lambda: bench.run.phase is phase)
    assert bench.run.phase is phase
    bench.stop_now("Space")
    rig.go(bench, lambda: not bench.may_be_energised, most_us=2 * SECOND)
    assert rig.flowing_ua == [0] * 8
    assert not bench.may_be_energised
    assert not bench.run.complete


def test_a_pulled_cable_is_no_result(made: Made) -> None:
    rig = made("p24")
    bench = at_ten(rig, rig.bench(Finale.STOP))
    rig.lines[-1].close()
    with pytest.raises(LinkLost):
        rig.go(bench)
    assert not bench.run.complete
    assert bench.may_be_energised  # as far as anybody here knows
    rig.us += 3 * SECOND
    assert rig.flowing_ua[0] == 0  # the board's own time-out


def test_what_was_broken_off_keeps_the_profile_of_before(made: Made, tmp_path: Path) -> None:
    store = tmp_path / "s"
    rig = made("p24")
    assert rig.whole(*YES, store=store) == 0
    before = profile_of(store, "p24", "SIM0000001")
    rig.said.clear()
    rig.asked.clear()
    heard = rig.twin.feed

    def pulled(data: bytes, now_us: int) -> None:
        heard(data, now_us)
        if rig.twin.current_ua(0) >= 5_000:
            rig.lines[-1].close()

    rig.twin.feed = pulled
    assert rig.whole(*YES, store=store) == 1
    assert profile_of(store, "p24", "SIM0000001") == before
    assert len(rig.asked) == 2  # nobody is asked to go on
    assert any("OUTPUT UNKNOWN - PULL THE ELECTRODE LEADS" in each for each in rig.said)
    assert not any(OutputWord.UNKNOWN in each for each in rig.said)  # a P24 has no stop switch


def test_a_load_that_is_not_there_is_no_failure_of_the_board(made: Made, tmp_path: Path) -> None:
    rig = made("reference", Fault(FaultKind.CONTACT_OPEN, at_us=4 * SECOND))
    with pytest.raises(BoardFault, match="is the dummy load connected"):
        rig.whole(*YES, store=tmp_path / "s")
    assert profile_of(tmp_path / "s", "reference", rig.who().serial) is None
    assert door.NOT_KEPT in rig.said


def test_its_stop_button_is_a_person_s_stop(made: Made, tmp_path: Path) -> None:
    rig = made("reference", Fault(FaultKind.STOP_BUTTON, at_us=4 * SECOND))
    with pytest.raises(BoardFault, match="stop button"):
        rig.whole(*YES, store=tmp_path / "s")


def test_another_board_than_the_one_that_was_named_is_not_armed(made: Made) -> None:
    rig = made("p24")
    bench = Bench("p24:twin", 1, replace(rig.who(), serial="SIM0000009"), Finale.STOP, rig.now_us)
    with pytest.raises(BoardFault, match="another board"):
        rig.go(bench)
    assert rig.flowing_ua == [0] * 8


def test_an_output_that_there_is_not_is_refused(made: Made) -> None:
    rig = made("p24")
    with pytest.raises(UsageError, match="outputs 1 to 8"):
        rig.go(rig.bench(Finale.STOP, output=9))


def test_the_highest_step_is_below_what_the_board_can_give(made: Made) -> None:
    rig = made("p24")
    who = rig.who()
    weak = replace(who, limits=replace(who.limits, peak_ua=6_300))
    bench = rig.bench(Finale.STOP)
    [channel] = bench_plan.plan(1, weak, bench.run.stage.driver).channels
    assert channel.max_ua == 6_000
    assert bench_plan.levels_ua(channel, 6_000) == (1_500, 3_000, 4_500, 6_000)


def test_a_driver_that_counts_trains_shows_nothing_of_the_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A NeuroStimDuino tells nobody that its train has ended; its driver says so whatever the board does."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("nobody\n500\ngo on\n"))
    assert main(["bench", "--board", "sim:neurostimduino", "--speed", "max", "--store", str(tmp_path / "s")]) == 0
    out = capsys.readouterr().out
    assert "dead-man not shown by this board" in out
    assert "look at the load with an oscilloscope" in out
    [path] = (tmp_path / "boards").iterdir()
    assert "dead_man_us" not in path.read_text()


# --- the command -------------------------------------------------------------------------------------------------


def test_the_command_on_the_simulated_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("nobody\n500\ngo on\n"))
    store = str(tmp_path / "sessions.sqlite3")
    assert main(["bench", "--board", "sim:", "--speed", "max", "--store", store]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "PASSED: commissioned " in out
    assert [path.name for path in (tmp_path / "boards").iterdir()] == ["reference-T00000.toml"]


@pytest.mark.parametrize("kind", ["", *SIMULATED_KINDS])
def test_every_kind_that_is_simulated_passes_or_says_why_it_cannot_be_tried(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("nobody\n500\ngo on\n"))
    code = main(["bench", "--board", f"sim:{kind}", "--speed", "max", "--store", str(tmp_path / "s")])
    out, err = capsys.readouterr()
    if code == 0:
        assert "PASSED: commissioned " in out
        assert len(list((tmp_path / "boards").iterdir())) == 1
    else:
        assert kind not in TRIED
        assert "cannot give what is tried on a bench" in err or "confirms no stop" in err
        assert "armed, at zero" not in out


def test_the_end_of_the_input_is_a_no(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert main(["bench", "--board", "sim:p24", "--speed", "max", "--store", str(tmp_path / "s")]) == 2
    assert "nothing was armed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--board", "p24:/dev/nowhere"], "there is no port"),
        (["--board", "p25:/dev/x"], "names no kind of board"),
        (["--board", "p24:/dev/x", "--speed", "max"], "--speed works on the simulated board alone"),
        (["--board", "sim:", "--output", "0"], "not the number of an output"),
        ([], "--board"),
    ],
)
def test_what_makes_no_sense_is_one_line(more: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *more]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("how", ["closed", "silent"])
def test_a_real_line_that_ends_in_the_midst_of_it(how: str, tmp_path: Path) -> None:
    """On a pseudo-terminal and in real time: the twin is gone, or says nothing any more, once it is armed."""
    server = Server(ScienceMode4Board(device_id="SIM0000004"))
    url, typed, said = f"p24:{server.path}", iter(YES), list[str]()

    def say(line: str) -> None:
        said.append(line)
        if "armed" in line and how == "closed":
            server.stop()
        elif "armed" in line:
            server.twin.outgoing = lambda: b""  # type: ignore[method-assign]

    try:
        code = run_bench(BenchRequest(url, store=str(tmp_path / "s")), say, lambda _question: next(typed))
    finally:
        server.stop()
    assert code == 1
    [ending] = [line for line in said if "OUTPUT UNKNOWN - PULL THE ELECTRODE LEADS" in line]
    assert ending.startswith("stimctl: ")
    assert ("the board is gone" in ending) is (how == "closed")
    assert "Nobody knows what it puts out now: pull the P24's USB plug" in said[said.index(ending) + 1]
    assert said[-1] == door.NOT_KEPT
    assert not list((tmp_path / "boards").iterdir())
    assert not server.twin.active
