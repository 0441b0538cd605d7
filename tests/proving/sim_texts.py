"""Protocol files for seeded sessions: every kind, one and two channels, separate and shared pads, and short."""

from __future__ import annotations

import json
import random
import tomllib
from dataclasses import dataclass
from typing import Final

_HEAD: Final = """\
format = 1
kind = "{kind}"
title = "Seeded"
purpose = "To be tried by a seed."
sources = ["made up for tests"]
"""

_PAD: Final = """[pads.{name}]
model = "square-50x50"
"""

_CHANNEL: Final = """
[[channel]]
name = "{name}"
muscle = "{muscle}"
output = {output}
site = "{site}"
pads = {pads}
amplitude_ma = {target}
max_amplitude_ma = {most}
phase_width_us = {width}
rate_hz = {rate}
interphase_gap_us = {gap}
"""

_BURST: Final = """
[burst]
ramp_up_s = {ramp}
hold_s = 0.5
ramp_down_s = 0.5
rest_s = {rest}
[dose]
repetitions = {repetitions}
"""

_TRIGGER: Final = """
[trigger]
channel = "one"
threshold_sd = 3.0
dwell_ms = 50
release_fraction = 0.6
blanking_ms = 20
lockout_ms = {lockout}
baseline_s = 1.0
cue = true
attempt_window_s = 2.0
on_missed = "{missed}"
max_triggers_per_min = 20
"""


@dataclass(frozen=True)
class Fact:
    """A channel as its file states it, read without the code under test. Currents in µA, times in µs."""

    name: str
    output: int
    most_ua: int
    width_us: int
    rate_mhz: int
    gap_us: int
    motor: bool


@dataclass(frozen=True)
class Text:
    """A protocol file and what it says; 0 where it says nothing."""

    source: str
    kind: str
    facts: tuple[Fact, ...]
    on_us: int
    rest_us: int
    lockout_us: int
    ramp_us: int

    def fact(self, output: int) -> Fact:
        """The channel at a board's output, counted from 0."""
        return next(each for each in self.facts if each.output == output)


def draw(rng: random.Random, kind: str = "") -> Text:
    """A file of the seed's own, of this kind if one is named."""
    kind = kind or rng.choices(("fes-cyclic", "fes-emg-triggered", "tens-conventional"), (5, 3, 2))[0]
    motor = not kind.startswith("tens")
    second = rng.choices(("", "cb", "cd"), (13, 4, 3))[0]  # none, sharing pad b, on pads of its own
    source = _HEAD.format(kind=kind)
    source += "".join(_PAD.format(name=name) for name in sorted({*"ab", *second}))
    source += _channel(rng, 1, motor, "ab")
    if second:
        source += _channel(rng, 2, motor, second)
    if motor:
        source += _BURST.format(
            ramp=rng.choice((0.5, 0.6, 1.0)), rest=rng.choice((1.4, 2.0)), repetitions=rng.choice((2, 3))
        )
    else:
        source += "[dose]\nduration_min = 1\n"
    if kind == "fes-emg-triggered":
        source += _TRIGGER.format(lockout=rng.choice((300, 2_600)), missed=rng.choice(("count", "assist")))
    return _read(source)


def _channel(rng: random.Random, output: int, motor: bool, pads: str) -> str:
    most = rng.choice((2.0, 2.5, 3.0))
    return _CHANNEL.format(
        name=("one", "two")[output - 1],
        muscle=("extensor digitorum communis", "extensor carpi radialis")[output - 1],
        output=output,
        site="forearm-dorsal",
        pads=json.dumps(list(pads)),
        target=rng.choice((1.0, 2.0)),
        most=most,
        width=rng.choice((200, 250, 300)) if motor else rng.choice((100, 150)),
        rate=rng.choice((20, 35, 50)) if motor else rng.choice((80, 100)),
        gap=rng.choice((0, 100)),
    )


def _read(source: str) -> Text:
    data = tomllib.loads(source)
    motor = not data["kind"].startswith("tens")
    facts = tuple(
        Fact(
            each["name"],
            each["output"] - 1,
            round(each["max_amplitude_ma"] * 1_000),
            each["phase_width_us"],
            each["rate_hz"] * 1_000,
            each["interphase_gap_us"],
            motor,
        )
        for each in data["channel"]
    )
    burst, trigger = data.get("burst", {}), data.get("trigger", {})
    on_s = sum(burst.get(name, 0) for name in ("ramp_up_s", "hold_s", "ramp_down_s"))
    return Text(
        source,
        data["kind"],
        facts,
        round(on_s * 1e6),
        round(burst.get("rest_s", 0) * 1e6),
        trigger.get("lockout_ms", 0) * 1_000,
        round(burst.get("ramp_up_s", 0) * 1e6),
    )
