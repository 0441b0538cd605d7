"""Protocol files for tests: one good file of each kind, and the means to break them in one place."""

from __future__ import annotations

import pytest

from stimctl.errors import Fault, ProtocolError
from stimctl.protocols import Protocol, loads, stimulating

CYCLIC = """\
format = 1
kind = "fes-cyclic"
title = "Test"
purpose = "To be tested."
sources = ["nobody: a test"]

[pads.proximal]
model = "square-50x50"

[pads.distal]
model = "square-50x50"

[[channel]]
name = "extensors"
muscle = "extensor digitorum communis"
output = 1
site = "forearm-dorsal"
pads = ["proximal", "distal"]
amplitude_ma = 15.0
max_amplitude_ma = 25.0
phase_width_us = 300
rate_hz = 35
interphase_gap_us = 0

[burst]
ramp_up_s = 1.0
hold_s = 5.0
ramp_down_s = 1.0
rest_s = 10.0

[dose]
repetitions = 30
sets = 2
set_rest_s = 60
"""

TRIGGER = """
[trigger]
channel = "extensors"
threshold_sd = 3.0
dwell_ms = 50
release_fraction = 0.6
blanking_ms = 15
lockout_ms = 300
baseline_s = 2.0
cue = true
attempt_window_s = 8.0
on_missed = "count"
max_triggers_per_min = 6
"""

EMG = CYCLIC.replace("fes-cyclic", "fes-emg-triggered") + TRIGGER

SWITCH = (
    CYCLIC.replace("fes-cyclic", "fes-switch-triggered")
    + """
[switch]
source = "key"
cue = true
attempt_window_s = 8.0
on_missed = "count"
lockout_ms = 500
max_triggers_per_min = 6
"""
)

SEQUENCE = (
    CYCLIC[: CYCLIC.index("[burst]")].replace("fes-cyclic", "fes-sequence")
    + """
[pads.belly]
model = "square-50x50"

[pads.wrist]
model = "square-50x50"

[[channel]]
name = "flexors"
muscle = "flexor digitorum superficialis"
output = 2
site = "forearm-volar"
pads = ["belly", "wrist"]
amplitude_ma = 12.0
max_amplitude_ma = 20.0
phase_width_us = 250
rate_hz = 35

[[phase]]
name = "reach"
length_s = 3.0
cue = "Reach"
channel.extensors = { share_percent = 100, ramp_s = 1.0 }

[[phase]]
name = "grasp"
length_s = 2.0
channel.extensors = { share_percent = 0, ramp_s = 0.4 }
channel.flexors = { share_percent = 100, ramp_s = 1.0, delay_s = 0.4 }

[[phase]]
name = "hold"
length_s = 5.0
advance = "key"
cue = "Hold"
channel.flexors = { share_percent = 60, ramp_s = 0.6 }

[[phase]]
name = "release"
length_s = 3.0
cue = "Let go"
channel.flexors = { share_percent = 0, ramp_s = 0.3 }
channel.extensors = { share_percent = 100, ramp_s = 1.0, delay_s = 0.3 }

[[phase]]
name = "relax"
length_s = 1.0
channel.extensors = { share_percent = 0, ramp_s = 0.5 }

[sequence]
rest_s = 10.0
release = "release"
start = "time"

[dose]
repetitions = 20
sets = 2
set_rest_s = 60
"""
)

CONTRALATERAL = (
    CYCLIC[: CYCLIC.index("[burst]")].replace("fes-cyclic", "fes-contralateral")
    + """
[control]
source = "sound-hand-angle"
modulates = "width"
floor_percent = 15
full_percent = 85
slew_percent_per_s = 100
stale_ms = 150
floor_width_us = 60

[cycle]
open_s = 6.0
ramp_down_s = 0.5
relax_s = 14.0
cue = "Open wide"

[dose]
repetitions = 10
"""
)

PROPORTIONAL = (
    CYCLIC[: CYCLIC.index("[burst]")].replace("fes-cyclic", "fes-emg-proportional")
    + """
[control]
source = "own-emg"
modulates = "width"
floor_percent = 25
full_percent = 75
slew_percent_per_s = 100
stale_ms = 180
floor_width_us = 60
blanking_ms = 20

[cycle]
open_s = 5.0
ramp_down_s = 0.5
relax_s = 10.0

[dose]
repetitions = 10
"""
)

TENS = (
    CYCLIC[: CYCLIC.index("[burst]")]
    .replace("fes-cyclic", "tens-conventional")
    .replace("phase_width_us = 300", "phase_width_us = 100")
    .replace("rate_hz = 35", "rate_hz = 100")
    + "[dose]\nduration_min = 30\n"
)

BRIEF = (
    TENS.replace("tens-conventional", "tens-brief-intense")
    .replace("phase_width_us = 100", "phase_width_us = 200")
    .replace("duration_min = 30", "duration_min = 15")
)

SECOND_CHANNEL = """
[[channel]]
name = "thumb"
muscle = "extensor pollicis longus"
output = 2
site = "forearm-dorsal"
pads = ["thumb", "distal"]
amplitude_ma = 8.0
max_amplitude_ma = 16.0
phase_width_us = 200
rate_hz = 35

[pads.thumb]
model = "round-25"
"""

TWO = EMG + SECOND_CHANNEL

GOOD = {
    "cyclic": CYCLIC,
    "emg": EMG,
    "switch": SWITCH,
    "sequence": SEQUENCE,
    "contralateral": CONTRALATERAL,
    "proportional": PROPORTIONAL,
    "tens": TENS,
    "two": TWO,
}


def edit(text: str, *changes: tuple[str, str]) -> str:
    """``text`` with each change made once; a change that finds nothing is a mistake in the test."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def drop(text: str, key: str) -> str:
    """``text`` without the first line that begins with ``key``."""
    lines = text.split("\n")
    found = next(index for index, line in enumerate(lines) if line.startswith(key))
    return "\n".join(lines[:found] + lines[found + 1 :])


def put(text: str, key: str, value: str) -> str:
    """``text`` with another value for the first field called ``key``."""
    lines = text.split("\n")
    found = next(index for index, line in enumerate(lines) if line.startswith(f"{key} ="))
    lines[found] = f"{key} = {value}"
    return "\n".join(lines)


def faults(text: str) -> tuple[Fault, ...]:
    """The faults of a text that has some."""
    with pytest.raises(ProtocolError) as caught:
        loads(text, "file.toml")
    assert caught.value.faults
    return caught.value.faults


def the_fault(text: str) -> Fault:
    """The only fault of a text."""
    (fault,) = faults(text)
    return fault


def good(text: str) -> Protocol:
    """The protocol of a text without faults."""
    return stimulating(loads(text, "file.toml"))


def line_of(text: str, start: str) -> int:
    """Number of the first line that begins with ``start``, from 1."""
    return next(number for number, line in enumerate(text.split("\n"), 1) if line.startswith(start))
