"""What is mutated, and the tests that have to notice: those that are quick and near come first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

ALL: Final = ("*",)


@dataclass(frozen=True)
class Target:
    """Modules with the qualified names in them that are mutated (:data:`ALL`: everything), and test files in order."""

    name: str
    parts: dict[str, tuple[str, ...]]
    tests: tuple[str, ...]
    why: dict[str, str] = field(default_factory=dict)
    """For each module that is mutated in part: why the rest is left out."""


_LIMITER_TESTS: Final = (
    "test_safety_words",
    "test_safety_latch",
    "test_limits",
    "test_safety_rules",
    "test_safety_limiter",
    "test_safety_several",
    "test_safety_edges_memory",
    "test_safety_edges",
    "test_safety_attacks",
    "test_safety_machine",
)
_DRIVER_TESTS: Final = (
    "test_driver_line",
    "test_driver_armed",
    "test_driver_stop",
    "test_driver_session",
    "test_driver_faults",
    "test_driver_health",
)
_SESSION_TESTS: Final = ("test_session_stop", "test_session_stage", "test_session_door")
"""Whole sessions (test_session) take a second each: what is mutated here is judged by the quick ones alone."""
_KEYS_TESTS: Final = ("test_control_keys",)
_CONTROL_TESTS: Final = ("test_control_signals", "test_control_stopping")
"""Those that start processes and wait for threads take seconds each, and a mutant that hangs them half a minute."""

TARGETS: Final = (
    Target("limits", {"stimctl.limits": ALL}, _LIMITER_TESTS),
    Target(
        "limiter",
        {
            "stimctl.safety": ALL,
            "stimctl.envelope.accounts": ALL,
            "stimctl.envelope.latch": ALL,
            "stimctl.envelope.placing": ALL,
            "stimctl.envelope.review": ALL,
            "stimctl.envelope.rules": ALL,
            "stimctl.envelope.words": ALL,
        },
        _LIMITER_TESTS,
    ),
    Target(
        "decoder",
        {
            "stimctl.boards.reference.codec": ALL,
            "stimctl.boards.reference.reading": ALL,
            "stimctl.boards.reference.layout": ("<module>",),
        },
        ("test_wire_vectors", "test_wire_codec", "test_wire_facts"),
        {"stimctl.boards.reference.layout": "its tables serve both ways; its functions write frames and read none"},
    ),
    Target(
        "stop in the driver",
        {
            "stimctl.driver.line": ALL,
            "stimctl.driver.armed": (
                "<module>",
                "ArmedSession.arm",
                "ArmedSession.send",
                "ArmedSession.send_waiting",
                "ArmedSession._check",
                "ArmedSession.beat",
                "ArmedSession._note_fed",
                "ArmedSession.is_unapplied",
            ),
            "stimctl.driver.core": (
                "Driver.output",
                "Driver.send",
                "Driver.beat",
                "Driver.stop",
                "Driver.disarm",
                "Driver.close",
                "Driver.poll",
            ),
            "stimctl.driver.conversation": (
                "<module>",
                "Conversation.state",
                "Conversation._is_quiet",
                "Conversation._mind_absence",
                "Conversation._notice_stop",
                "Conversation._begin_stop",
                "Conversation._end_session",
                "Conversation._halt",
                "Conversation._fault",
                "Conversation._lose",
                "Conversation._link",
                "Conversation._insist",
            ),
            "stimctl.driver.hearing": ("<module>", "Hearing._stopped", "Hearing._disarmed"),
        },
        _DRIVER_TESTS,
        {
            "stimctl.driver.armed": "ceilings and read-back narrow and judge output; they do not end it",
            "stimctl.driver.core": "opening, arming, ceilings and listening come before anything that could be stopped",
            "stimctl.driver.conversation": "greeting and asking again: what is not answered ends in _lose or _fault",
            "stimctl.driver.hearing": "what other words mean; where one stops, it does so by _halt or _fault",
        },
    ),
    Target(
        "stop in the session",
        {
            "stimctl.session.course": (
                "<module>",
                "Course.__init__",
                "Course.stop_now",
                "Course._take_stops",
                "Course._follow_a_stop_under_way",
                "Course._hold",
                "Course._mind_the_latch",
                "Course._follow_the_engine",
                "Course.happen",
                "Course._time_brought",
                "Course._show_stop",
                "Course._disarm_with_the_engine",
                "Course.fault",
                "Course.armed_by_board",
            ),
            "stimctl.session.connection": (
                "Connection.is_unknown",
                "Connection.stop",
                "Connection.opened",
                "Connection.close",
            ),
            "stimctl.session.stage": (
                "<module>",
                "OutputStage.disarm",
                "OutputStage.deliver",
                "OutputStage.beat",
                "OutputStage.stop_now",
                "OutputStage.next_wake_us",
                "OutputStage.output",
            ),
            "stimctl.session.door": (
                "AnySession._now",
                "AnySession.order",
                "AnySession._tick",
                "AnySession.stop_now",
                "AnySession.close",
                "AnySession.may_be_energised",
                "AnySession.ended",
            ),
            "stimctl.session.guided": (
                "GuidedSession.stop_now",
                "GuidedSession._take_stops",
                "GuidedSession.fault",
                "GuidedSession.tick",
                "GuidedSession.close",
            ),
        },
        _SESSION_TESTS,
        {
            "stimctl.session.course": "how ceilings grow old and what is recorded: neither stops nor starts output",
            "stimctl.session.connection": "looking for a lost board again: it begins with the driver's stop",
            "stimctl.session.stage": "levels and site times: what may flow is the limiter's to judge",
            "stimctl.session.door": "what is chosen, and what is read of the session that was",
            "stimctl.session.guided": "the course and the record of work that has no output stage; how either ends",
        },
    ),
    Target("stop keys", {"stimctl.control.keys": ALL}, _KEYS_TESTS),
    Target(
        "stop in control",
        {
            "stimctl.control.stopping": ALL,
            "stimctl.control.signals": ("<module>", "SignalPipe"),
        },
        _CONTROL_TESTS,
        {"stimctl.control.signals": "blocked_for_face keeps signals from a face; the face stops nothing"},
    ),
)
