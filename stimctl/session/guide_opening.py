"""Opening a session without output: what its file is, what has to be opened for it, and the first and last rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from stimctl import __version__
from stimctl.errors import UsageError
from stimctl.orders import Order
from stimctl.protocols import Activity, AnyProtocol, Biofeedback, Guided
from stimctl.records.words import BOARDLESS, SessionMeta
from stimctl.safety import Latch
from stimctl.schedule.guided import CountBy, GuidePlan
from stimctl.session.link import Link, is_simulated, open_link
from stimctl.session.opening import Wishes, board_facts
from stimctl.session.search import ANGLE, Given, given_angle

if TYPE_CHECKING:
    from stimctl.session.guide_rooms import GuidedRooms

NO_BOARD: Final = "none:"
"""The URL of no board at all."""

_OWN_INPUT: Final = ("", "board:", "sim:")


def guided(protocol: AnyProtocol) -> Guided:
    """``protocol`` as one without output; raises :class:`UsageError` for another."""
    if not isinstance(protocol, (Activity, Biofeedback)):
        raise UsageError(f"{protocol.kind} stimulates, and this session cannot")
    return protocol


def link(url: str, plan: GuidePlan, latch: Latch, clock: Callable[[], int], seed: int) -> Link | None:
    """The board, where something of it is needed: its EMG input, or the simulated patient. It is never armed."""
    if url == NO_BOARD or (not is_simulated(url) and plan.ear is None):
        return None
    return open_link(url, latch, clock=clock, seed=seed, sites={})


def recording(order: Order, plan: GuidePlan) -> Given:
    """The recording or stream to listen to, if any; work that listens to nothing is not given one in silence."""
    if order.robot:
        raise UsageError(f"this file is led by no robot glove; leave out --robot {order.robot}")
    if order.emg.startswith(ANGLE):
        if plan.count_by is not CountBy.ANGLE:
            raise UsageError(f"this file measures no angle; leave out {order.emg.removeprefix(ANGLE)}")
        return given_angle(order.emg)
    if plan.ear is None:
        if order.emg not in _OWN_INPUT:
            raise UsageError(f"this file listens to no EMG; leave out {order.emg}")
        return None
    from stimctl.session.hearing import load_recording  # brings NumPy, which only listening needs

    return load_recording(order.emg)


def refuse_replay(wishes: Wishes, *, simulated: bool, recording: Given) -> None:
    """What a real patient sees and is counted for is what this patient's muscles do now (H47)."""
    from stimctl.session.hearing import is_replay  # brings NumPy, which only listening needs

    if not simulated and (is_replay(recording) or wishes.emg == "sim:"):
        raise UsageError(
            f"{wishes.emg} is not what this patient's muscles do now: with a patient, listen to the board's own input"
            " (board:); a recording is played on the simulated board (sim:)"
        )


def meta(session: GuidedRooms) -> SessionMeta:
    """The first row of the record."""
    plan, wishes, link = session.plan, session.wishes, session.link
    used = link is not None and link.driver.facts is not None
    return SessionMeta(
        patient=wishes.patient,
        protocol_title=plan.title,
        protocol_kind=plan.kind,
        protocol_sha256=session.loaded.sha256,
        protocol_text=session.loaded.text,
        simulated=session.simulated,
        board=board_facts(link) if used and link is not None else {"name": BOARDLESS},
        stimctl_version=__version__,
        side=wishes.side,
        emg=wishes.emg,
        extra={
            "output": "disabled",
            "technique": plan.exercise or plan.technique,
            "prescribed": {
                "repetitions": plan.repetitions,
                "sets": plan.sets,
                "counts": plan.asked,
                "longest_us": plan.longest_us,
                "wear_us": plan.wear_us,
            },
            **({"seed": session.seed} if session.simulated else {}),
        },
    )


def totals(session: GuidedRooms, now_us: int) -> dict[str, object]:
    """The last row of the record: prescribed and done, the share of attempts that came to their goal, times."""
    plan, tally = session.plan, session.guide.tally
    return {
        "output": "disabled",
        "prescribed": plan.prescribed,
        "done": tally.done,
        "reached": tally.reached,
        "missed": tally.missed,
        "unheard": tally.unheard,
        "reached_percent": tally.reached_percent,
        "counted": tally.counted,
        "asked": plan.asked,
        "beats": tally.beats,
        "highest_goal": tally.highest_goal,
        "practice_us": tally.practice_us,
        "imagery_us": tally.imagery_us,
        "rest_us": tally.rest_us,
        "worn_us": session.wear.worn_us(now_us),
        "stops": tally.stops,
        "review": list(session.review()),
    }
