"""The words of NeuroStimDuino's sketch: what a host says, and what its lines say. Channels count from 0, on the wire from 1.

Left out on purpose: stimulation without an end (nothing on the board would ever end it), other I2C addresses (the next
word would reach another board), and the Arduino's own LED, whose ``ON`` and ``OFF`` have nothing to do with output.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, final

CHANNELS: Final = 2

AMPLITUDE_STEP_UA: Final = 240
STEPS_MAX: Final = 127
"""Steps of the potentiometer that sets the amplitude; the sketch takes up to 31 mA and would ask it for 129."""

SECONDS_MAX: Final = 255


@final
class Register(Enum):
    """What can be set and read back, by its word on the wire. The values here are whole numbers of the unit given."""

    AMPLITUDE_UA = "AMPL"
    RATE_HZ = "FREQ"
    WIDTH_US = "DURN"
    GAP_US = "IDLY"
    DELAY_MS = "DELY"
    SYMMETRIC = "SYMM"
    ENABLED = "ENAB"
    RAMPING = "RAMP"


RANGES: Final = {
    Register.AMPLITUDE_UA: (0, STEPS_MAX * AMPLITUDE_STEP_UA),
    Register.RATE_HZ: (3, 100),
    Register.WIDTH_US: (7, 2_000),
    Register.GAP_US: (0, 255),
    Register.DELAY_MS: (0, 165),
    Register.SYMMETRIC: (0, 1),
    Register.ENABLED: (0, 1),
    Register.RAMPING: (0, 1),
}
"""What may be set, both ends included; of amplitudes only whole steps."""

# --- host to board ---------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True)
class Set:
    """Set one register of one channel; ramping is of both, and its channel is 0."""

    channel: int
    register: Register
    value: int


@final
@dataclass(frozen=True, slots=True)
class Stimulate:
    """Put out for ``seconds`` (1 to 255) from now, then stop. Changes of the registers act while it lasts."""

    channel: int
    seconds: int


@final
@dataclass(frozen=True, slots=True)
class Stop:
    """End the output of one channel."""

    channel: int


@final
@dataclass(frozen=True, slots=True)
class EmergencyOff:
    """End all output. The sketch says that it has done so even where it could not reach the board."""


@final
@dataclass(frozen=True, slots=True)
class Reset:
    """All registers to the board's defaults, which have changed between versions: set all of them afterwards."""


@final
@dataclass(frozen=True, slots=True)
class Read:
    """Ask for one register."""

    channel: int
    register: Register


@final
@dataclass(frozen=True, slots=True)
class Sample:
    """Measure the current of one channel. The sketch hears nothing for a second meanwhile: never while output is on."""

    channel: int


HostWord = Set | Stimulate | Stop | EmergencyOff | Reset | Read | Sample

# --- board to host ---------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True)
class Welcome:
    """The Arduino has started; the board behind it goes on with whatever it did."""


@final
@dataclass(frozen=True, slots=True)
class WasSet:
    """What a register is said to be now; ramping is channel 0's."""

    channel: int
    register: Register
    value: int


@final
@dataclass(frozen=True, slots=True)
class ReadBack:
    """Answer to :class:`Read`."""

    channel: int
    register: Register
    value: int


@final
@dataclass(frozen=True, slots=True)
class WillGenerate:
    """Answer to :class:`Stimulate`: how many pulses there will be."""

    channel: int
    pulses: int


@final
class Halt(Enum):
    """How a stop went."""

    STOPPED = "has stopped"
    RUNNING = "has not stopped"
    FAULTY = "malfunctioned"


@final
@dataclass(frozen=True, slots=True)
class Halted:
    """Answer to :class:`Stop`."""

    channel: int
    halt: Halt


@final
@dataclass(frozen=True, slots=True)
class EmergencyOffCalled:
    """Answer to :class:`EmergencyOff`; it confirms nothing."""


@final
@dataclass(frozen=True, slots=True)
class DefaultsRestored:
    """Answer to :class:`Reset`, before lists of what the registers are."""


@final
@dataclass(frozen=True, slots=True)
class Sampled:
    """Answer to :class:`Sample`: 100 values at 20 kHz, in counts that nobody documents."""

    values: tuple[int, ...]


@final
@dataclass(frozen=True, slots=True)
class I2cError:
    """The sketch could not reach the board. The line that looks like success behind it means nothing."""

    code: int


@final
@dataclass(frozen=True, slots=True)
class Refused:
    """The sketch did not take a line; its own words."""

    text: str


@final
@dataclass(frozen=True, slots=True)
class Remark:
    """Any other line."""

    text: str


BoardWord = (
    Welcome
    | WasSet
    | ReadBack
    | WillGenerate
    | Halted
    | EmergencyOffCalled
    | DefaultsRestored
    | Sampled
    | I2cError
    | Refused
    | Remark
)
