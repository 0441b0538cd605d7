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
    "test_safety_latch",
    "test_limits",
    "test_safety_rules",
    "test_safety_limiter",
    "test_safety_machine",
)
_DRIVER_TESTS: Final = ("test_driver_session", "test_driver_faults", "test_driver_health")
_SESSION_TESTS: Final = ("test_session",)
_CONTROL_TESTS: Final = ("test_control_parts", "test_control_keys", "test_control_running")

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
            "stimctl.boards.reference.layout": ALL,
        },
        ("test_wire_vectors", "test_wire_codec", "test_wire_facts"),
    ),
    Target(
        "stop in the driver",
        {
            "stimctl.driver.line": ALL,
            "stimctl.driver.armed": ALL,
            "stimctl.driver.core": ALL,
            "stimctl.driver.conversation": ALL,
        },
        _DRIVER_TESTS,
    ),
    Target(
        "stop in the session",
        {"stimctl.session.course": ALL, "stimctl.session.connection": ALL, "stimctl.session.stage": ALL},
        _SESSION_TESTS,
    ),
    Target(
        "stop in control",
        {"stimctl.control.stopping": ALL, "stimctl.control.keys": ALL, "stimctl.control.signals": ALL},
        _CONTROL_TESTS,
    ),
)
