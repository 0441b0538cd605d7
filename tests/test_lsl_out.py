"""What a session sends to a laboratory's recorders: which words, at which time, and that nobody ever waits for them."""

from __future__ import annotations

import json
import math
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from stimctl.engine import State
from stimctl.errors import UsageError
from stimctl.orders import OrderKind as Kind
from stimctl.records.reading import sessions
from stimctl.session.diary import Diary
from stimctl.session.lab import DETAILS, Lab
from stimctl.transport import lsl_out
from stimctl.transport.lsl import library
from stimctl.transport.lsl_out import Outlet
from stimctl.units import SECOND
from tests.session_rig import EMG, Rig
from tests.test_lsl_streams import until


class Sent:
    """A sender that keeps what it is given; its clock goes ``late_s`` behind the session's, and ``ahead_s`` of it."""

    def __init__(self) -> None:
        self.now_us = 0
        self.ahead_s, self.late_s = 1_000.0, 0.0
        self.marks: list[tuple[str, float]] = []
        self.rows: list[tuple[tuple[str, ...], tuple[float, ...]]] = []

    def clock_s(self) -> float:
        return self.now_us / 1e6 + self.ahead_s + self.late_s

    def mark(self, text: str, at_s: float) -> None:
        self.marks.append((text, at_s))

    def measure(self, labels: tuple[str, ...], values: tuple[float, ...], at_s: float) -> None:
        self.rows.append((labels, values))

    @property
    def kinds(self) -> list[str]:
        return [text.partition(" ")[0] for text, _ in self.marks]


class Told(Rig):
    """A session that tells a sender."""

    def __init__(self, folder: Path, text: str) -> None:
        super().__init__(folder, text)
        self.sent = Sent()
        self.session.diary = Diary(self.journal, lab=Lab(self.sent))

    def tick(self) -> None:
        self.sent.now_us = self.now_us
        super().tick()


@pytest.fixture
def rig(tmp_path: Path) -> Any:
    made = Told(tmp_path, EMG)
    yield made
    made.close()


# --- what is told ----------------------------------------------------------------------------------------------------


def test_a_session_tells_its_bursts_triggers_and_stops(rig: Told) -> None:
    """And nothing that names or describes a patient."""
    rig.work(State.READY)
    assert rig.order(Kind.NOTE, text="Mrs Example has a cold") == ""
    rig.work(State.BURST)
    rig.go(SECOND)
    rig.session.stop_now("Space pressed")
    rig.go(SECOND)
    kinds = rig.sent.kinds
    assert kinds[0] == "session-opened"
    assert {"level", "armed", "stop-confirmed"} <= set(kinds)
    order = ("trigger", "burst-begin", "stop", "burst-end")
    assert [each for each in kinds if each in order] == list(order)
    assert kinds[kinds.index("trigger") - 1] == "to-listening"
    details = [(text.partition(" ")[0], json.loads(text.partition(" ")[2] or "{}")) for text, _ in rig.sent.marks]
    [row] = sessions(rig.store)
    sha256 = rig.session.case.loaded.sha256 if rig.session.case else None
    said = {"session": row.id, "protocol_sha256": sha256, "kind": "fes-emg-triggered", "simulated": True}
    assert details[0][1] == said
    assert ("stop", "Space pressed") in [(kind, said.get("reason")) for kind, said in details]
    assert {key for _, said in details[1:] for key in said} <= set(DETAILS)
    assert not any(hidden in text for text, _ in rig.sent.marks for hidden in ("Example", "P-1"))
    assert {"note", "screening-answer", "pads-confirmed"} <= set(rig.kinds()) - set(kinds)
    assert {labels for labels, _ in rig.sent.rows} == {("extensors",)}
    assert max(ua for _, (ua,) in rig.sent.rows) > 0, "the current that flowed"


def test_every_change_of_a_threshold_is_told_with_its_numbers(rig: Told) -> None:
    """What rest gave, what was measured with the patient, what was taken of it, and what an attempt was held against."""
    rig.work(State.READY)
    for _ in range(4):
        rig.order(Kind.NEXT)
        rig.go(6 * SECOND)
    rig.work(State.LISTENING)
    told = [(text.partition(" ")[0], json.loads(text.partition(" ")[2] or "{}")) for text, _ in rig.sent.marks]
    kinds = [kind for kind, _ in told]
    [measured] = [said for kind, said in told if kind == "emg-range"]
    assert len(measured["attempts_uv"]) == 3
    assert measured["rest_uv"] < measured["threshold_uv"] < min(measured["attempts_uv"])
    assert {said["threshold_uv"] for kind, said in told if kind == "threshold-set"} == {measured["threshold_uv"]}
    found = [said for kind, said in told if kind == "rest-found"]
    assert len(found) == 2, "while the trigger was tried, and in the treatment"
    assert all(said["rest_uv"] < said["threshold_uv"] for said in found)
    _, heard = told[kinds.index("onset", kinds.index("trigger-tried"))]
    assert heard["envelope_uv"] > heard["threshold_uv"] > found[0]["rest_uv"]
    assert 0 <= heard["before_ms"] <= 50


def test_a_trigger_is_followed_by_what_was_heard(rig: Told) -> None:
    rig.work(State.BURST)
    rig.go(SECOND)
    kinds = [kind for kind in rig.sent.kinds if kind in ("trigger", "burst-begin", "onset")]
    assert kinds[kinds.index("trigger") :] == ["trigger", "burst-begin", "onset"]


def test_every_burst_that_begins_ends(rig: Told) -> None:
    rig.work(State.REVIEW, most_us=300 * SECOND)
    given = rig.kinds().count("burst-delivered")
    assert [rig.sent.kinds.count(each) for each in ("burst-begin", "burst-end", "burst-delivered")] == [given] * 3
    assert given
    rig.order(Kind.CLOSE)
    assert rig.sent.kinds[-1] == "session-closed"


def test_a_marker_has_the_time_of_what_it_tells_of() -> None:
    """The sender's clock is read later than the session's, by now this and now that: the least of it counts."""
    sent = Sent()
    lab = Lab(sent)
    for n, late_s in enumerate((0.004, 0.0001, 0.003, 0.002)):
        sent.now_us, sent.late_s = n * SECOND, late_s
        lab.wrote("trigger", {}, n * SECOND)
    assert [round(at_s - 1_000.0 - n, 6) for n, (_, at_s) in enumerate(sent.marks)] == [0.004, 0.0001, 0.0001, 0.0001]


def test_a_clock_that_slept_is_followed() -> None:
    """The session's clock counts the time that a computer sleeps; the layer's does not."""
    sent = Sent()
    lab = Lab(sent)
    lab.wrote("trigger", {}, 0)
    sent.now_us, sent.ahead_s = 100 * SECOND, 910.0
    lab.wrote("trigger", {}, 100 * SECOND)
    assert sent.marks[-1][1] == pytest.approx(1_010.0)


def test_currents_that_nobody_knows_are_no_numbers() -> None:
    sent = Sent()
    lab = Lab(sent)
    lab.measured({"a": None, "b": None}, 0)
    assert sent.rows == []
    lab.measured({"a": None, "b": 1_200}, 0)
    [(labels, (a, b))] = sent.rows
    assert (labels, math.isnan(a), b) == (("a", "b"), True, 1_200.0)


# --- how it is sent ----------------------------------------------------------------------------------------------------


def test_another_program_reads_what_was_sent() -> None:
    """Markers with their own times, currents with their names; the last ones reach it although the end comes at once."""
    pylsl, name = library(), f"Session-{os.getpid()}"
    outlet = Outlet(name)
    [info] = pylsl.resolve_bypred(f"name='{name}'", 1, 10.0)
    assert (info.type(), info.nominal_srate(), info.channel_format()) == ("Markers", 0.0, pylsl.cf_string)
    inlet = pylsl.StreamInlet(info, recover=True)  # else a sender that is gone hides what it had sent
    inlet.open_stream(10.0)
    at_s = outlet.clock_s() - 5.0
    outlet.measure(("ext", "flex"), (1_000.0, math.nan), at_s)
    outlet.mark("trigger", at_s)
    assert inlet.pull_sample(10.0) == (["trigger"], at_s)
    [info] = until(lambda: pylsl.resolve_bypred(f"name='{name} current'", 1, 1.0))
    numbers = pylsl.StreamInlet(info, recover=False)
    numbers.open_stream(10.0)
    outlet.measure(("ext", "flex"), (2_000.0, math.nan), at_s + 1)
    values, stamp = numbers.pull_sample(10.0)
    assert (values[0], math.isnan(values[1]), stamp) == (2_000.0, True, at_s + 1)
    channel = numbers.info(10.0).desc().child("channels").child("channel")
    assert (channel.child_value("label"), channel.child_value("unit")) == ("ext", "microamperes")
    outlet.mark("session-closed", at_s + 2)
    outlet.close()
    outlet.close()
    assert inlet.pull_sample(10.0) == (["session-closed"], at_s + 2)
    assert (outlet.failed, outlet.dropped) == ("", 0)


def test_a_library_that_hangs_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sends has done so at once; what is too much is dropped and counted; the end is bounded."""
    monkeypatch.setattr(lsl_out, "CLOSE_S", 0.01)
    outlet, hangs, let_go = Outlet(f"Hung-{os.getpid()}"), threading.Event(), threading.Event()

    def hang(sent: object) -> None:
        hangs.set()
        let_go.wait()

    monkeypatch.setattr(outlet, "_send", hang)
    outlet.mark("first", 0.0)
    assert hangs.wait(30)
    for n in range(lsl_out.HELD_MAX + 100):
        outlet.mark(str(n), 0.0)
    assert outlet.dropped == 100
    outlet.close()
    let_go.set()


def test_a_library_that_fails_ends_the_streams_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    outlet = Outlet(f"Failed-{os.getpid()}")

    def fail(sent: object) -> None:
        raise RuntimeError("made up")

    monkeypatch.setattr(outlet, "_send", fail)
    outlet.mark("first", 0.0)
    until(lambda: outlet.failed)
    outlet.mark("second", 0.0)
    outlet.close()
    assert outlet.failed == "RuntimeError: made up"


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 61])
def test_a_name_that_is_none(name: str) -> None:
    with pytest.raises(UsageError, match="is no name for an LSL stream"):
        Outlet(name)


def test_a_system_that_cannot_keep_it_here_refuses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lsl_out, "keep_here", lambda: False)
    with pytest.raises(UsageError, match=r"cannot keep an LSL stream to this computer; .* add --lsl-scope link"):
        Outlet(f"Wide-{os.getpid()}")
