"""Sessions that follow a signal, on the twin: their files, and what tests of both kinds look at."""

from __future__ import annotations

from stimctl.engine import State
from stimctl.session.following import Following
from stimctl.units import SECOND
from tests.protocol_texts import edit
from tests.session_rig import CYCLIC, Rig


def brief(text: str, *changes: tuple[str, str]) -> str:
    """What leads in ``text``, on the rig's own pads and channel, with short rests and few openings."""
    kind = text[text.index('"fes-') :].split('"')[1]
    head = CYCLIC[: CYCLIC.index("[burst]")].replace("fes-cyclic", kind)
    return edit(head + text[text.index("[control]") :], *changes)


def following(rig: Rig) -> Following:
    """What leads the session."""
    assert rig.session.following is not None
    return rig.session.following


def width_us(rig: Rig) -> int:
    """The phase width that really flows at the first output; 0 where nothing does."""
    rig.twin.advance(rig.now_us)
    train = rig.twin.stages[0].ledger.train
    return 0 if train is None or not train.amplitude_ua else train.phase_width_us


def opened(rig: Rig, *, after_us: int = 3 * SECOND) -> Rig:
    """In the first counted opening, with the patient at it."""
    rig.work(until=State.TRIAL)
    rig.work(until=State.BURST)
    rig.go(after_us)
    assert rig.state is State.BURST
    return rig


def payloads(rig: Rig, kind: str) -> list[dict[str, object]]:
    """What the record says in its rows of a kind."""
    return [dict(event.payload) for event in rig.events() if event.kind == kind]
