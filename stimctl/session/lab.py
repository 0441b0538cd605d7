"""What other recorders of a laboratory are told while a session runs: when a burst, a trigger, a stop was, and what flowed.

It is told what the record is told, a little of it: words for what happened, and numbers. Never the patient's code, a note, or
an answer. Nobody in the session waits for it, and nothing of it can stop a stop: it comes behind.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Final, Protocol, final

from stimctl.records.words import SESSION_CLOSED, SESSION_OPENED, SessionMeta

STATES: Final = {"burst": "burst", "flowing": "flow"}
"""The states in which a treatment puts out current, by the first word of their markers: burst-begin, burst-end."""

TOLD: Final = frozenset(
    {
        "to-listening", "trigger", "missed", "assist", "burst-delivered", "trigger-tried", "switch", "opening",
        "threshold-adapted", "control-range", "level", "titrate", "armed", "start", "begin", "pause", "resume",
        "stop", "stop-arming", "stop-again", "stop-confirmed", "stop-unconfirmed", "fault", "refusal", "link-lost", "link-found",
        "emg-lost", "emg-back", "emg-gap", "control-lost", "control-back", "control-gap", "robot-ready", "robot-not-ready", "dose-done",
        "emg-range", "emg-quality", "threshold-set", "rest-found", "onset", "angle-lost", "angle-back",
        "repetition-counted", "repetition-missed", "repetition-unheard", "repetition-done", "goal-moved",
    }
)  # fmt: skip
"""The record's kinds that are told; all others are not, so that nothing new gets out by being recorded."""

DETAILS: Final = (
    "repetition", "set", "delivered", "channel", "level_ua", "percent", "threshold_uv", "reason", "why", "heard", "goal",
    "gaps", "samples_missing", "rule", "rest_uv", "attempts_uv", "envelope_uv", "before_ms", "quality", "rest", "open", "unit",
    "most_percent",
)  # fmt: skip
"""What of an event goes with it."""


class Sender(Protocol):
    """Where markers and numbers go; nothing of it waits."""

    def clock_s(self) -> float:
        """Its own clock, in s."""

    def mark(self, text: str, at_s: float) -> None:
        """A marker at its own time."""

    def measure(self, labels: tuple[str, ...], values: tuple[float, ...], at_s: float) -> None:
        """A row of numbers at its own time."""


@final
class Lab:
    """The session's words in a sender's. All times are session µs; they become the sender's here."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._ahead_s = math.inf
        self._flowing = ""

    def _at_s(self, now_us: int) -> float:
        """Its clock is read a moment after the session's; the shortest such moment tells best how far they are apart."""
        self._ahead_s = min(self._ahead_s, self._sender.clock_s() - now_us / 1e6)
        return now_us / 1e6 + self._ahead_s

    def _mark(self, kind: str, details: Mapping[str, object], now_us: int) -> None:
        text = f"{kind} {json.dumps(details, ensure_ascii=False, default=str)}" if details else kind
        self._sender.mark(text, self._at_s(now_us))

    def opened(self, session: str, meta: SessionMeta, now_us: int) -> None:
        """A session begins."""
        said = {"session": session, "protocol_sha256": meta.protocol_sha256, "kind": meta.protocol_kind}
        self._flowing = ""
        self._mark(SESSION_OPENED, {**said, "simulated": meta.simulated}, now_us)

    def closed(self, session: str, outcome: str, now_us: int) -> None:
        """A session has ended."""
        self._follow("", now_us)
        self._mark(SESSION_CLOSED, {"session": session, "outcome": outcome}, now_us)

    def wrote(self, kind: str, payload: Mapping[str, object], now_us: int) -> None:
        """Something was recorded."""
        if kind in TOLD:
            self._mark(kind, {key: payload[key] for key in DETAILS if key in payload}, now_us)
        if isinstance(state := payload.get("state"), str):
            self._follow(state, now_us)

    def _follow(self, state: str, now_us: int) -> None:
        """A burst, or a flow, begins and ends with the state that is called so."""
        flowing = STATES.get(state, "")
        if flowing != self._flowing:
            if self._flowing:
                self._mark(f"{self._flowing}-end", {}, now_us)
            if flowing:
                self._mark(f"{flowing}-begin", {}, now_us)
            self._flowing = flowing

    def measured(self, currents_ua: Mapping[str, int | None], now_us: int) -> None:
        """The board has told what flows; outputs whose current it does not know are NaN."""
        if any(each is not None for each in currents_ua.values()):
            values = tuple(math.nan if each is None else float(each) for each in currents_ua.values())
            self._sender.measure(tuple(currents_ua), values, self._at_s(now_us))
