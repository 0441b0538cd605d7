"""What sets the modes of TENS apart: rate, width, time, and how strong it is meant to feel (clinical reference, B.5, B.6).

A file that asks for one mode and has the numbers of another would be raised by the wrong words: a tingle without
contraction is not looked for at 2 Hz, nor a twitch at 100 Hz. So each mode has its own ranges, and each its own aim.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from stimctl.limits import ABSOLUTE

Range = tuple[float, float]
"""The least and the most, both allowed."""


class Mode(NamedTuple):
    """One mode: rate in Hz, width of one phase in µs, time in min, what the operator raises to, and where it is from."""

    rate_hz: Range
    width_us: Range
    duration_min: Range
    aim: str
    source: str


ANY_TIME: Final[Range] = (0, ABSOLUTE.site_time_us / 60e6)
"""A time that the mode leaves open; the limits bind it all the same."""

CONVENTIONAL: Final = Mode(
    rate_hz=(50, 130),
    width_us=(50, 125),
    duration_min=ANY_TIME,
    aim="a strong, comfortable tingle without any contraction",
    source="TENS modes, secondary tables: conventional 50 to 130 Hz, 50 to 125 µs",
)
SENSORY: Final = Mode(
    rate_hz=(80, 120),
    width_us=(60, 300),
    duration_min=(15, 60),
    aim="a clear, comfortable tingle below any contraction",
    source="TENS modes, for tone: about 100 Hz, 60 to 300 µs, 15 to 60 min (Mahmood 2019, review)",
)
ACUPUNCTURE_LIKE: Final = Mode(
    rate_hz=(1, 10),
    width_us=(100, 500),
    duration_min=(20, 45),
    aim="strong, with a visible twitch at every pulse, and still tolerable",
    source="TENS modes, secondary tables: low rate 1 to 5 Hz (here up to 10), 150 to 500 µs (here from 100), 20 to 45 min",
)
BURST: Final = Mode(
    rate_hz=(1, 5),
    width_us=(50, 250),
    duration_min=(20, 40),
    aim="strong, with a rhythmic twitch at every burst, and still comfortable",
    source="TENS modes, secondary tables: bursts, 1 to 5 a second of 70 to 100 Hz inside (here 100), 40 to 250 µs (here from 50), 20 to 40 min",
)
BRIEF_INTENSE: Final = Mode(
    rate_hz=(80, 150),
    width_us=(150, 250),
    duration_min=(1, 15),
    aim="the highest level that the patient accepts; stay beside the patient all the time",
    source="TENS modes, secondary tables: brief intense 80 to 150 Hz, 150 to 250 µs, 15 min at most",
)
MODULATED: Final = Mode(
    rate_hz=(2, 150),
    width_us=(50, 250),
    duration_min=(30, 60),
    aim="comfortable at the strongest point of the sweep",
    source="TENS modes, secondary tables: modulated, such as 125 Hz and 100 µs to 2 Hz and 200 µs in 12 s (Neotek manual)",
)
ALTERNATING: Final = Mode(
    rate_hz=(80, 120),
    width_us=(50, 300),
    duration_min=(20, 45),
    aim="strong but comfortable at the high rate, with a twitch at each pulse of the low one",
    source="TENS modes: 2 Hz and 100 Hz in turn, 3 s each (Han); width 200 µs at 100 Hz (general knowledge, kept wide)",
)
ALTERNATING_LOW_HZ: Final[Range] = (1, 10)
ALTERNATING_LOW_US: Final[Range] = (50, 500)
"""Rate and width of the low part: the acupuncture-like mode's rate; 600 µs are told of, beyond the project's 500."""

MODES: Final = {
    "tens-conventional": CONVENTIONAL,
    "tens-sensory": SENSORY,
    "tens-acupuncture-like": ACUPUNCTURE_LIKE,
    "tens-brief-intense": BRIEF_INTENSE,
}
"""The modes with one rate and one width, by their kinds: what a number that is out of place may have been meant for."""
