"""Can the signal be believed? Missing, flat, railed, hum, drift and a lead that is off, judged block by block (H25).

What one channel can say of its electrodes without measuring their impedance is little, and it is named no surer than it is.
An amplifier that looks for a loose lead sends a current through it (ADS1299 and ADS1292 data sheets, lead-off detection:
nanoamperes, and a lead that takes them to the rail is off); a recording that comes from elsewhere holds no such thing. So a
lead is called off by what no muscle on a good electrode does, see :class:`Contact`. Noise that rises and stays is not among it:
a floating input does that, and so does a spastic muscle. It is one onset at the most, as the envelope does not come down again.
"""

from __future__ import annotations

import math
from collections import deque
from enum import StrEnum
from itertools import islice
from typing import Final, final

import numpy as np

from stimctl.sensors.samples import Samples

MAINS_HZ: Final = (50.0, 60.0)

MAINS_SHARE: Final = 0.7
"""Share of the power at one mains frequency from which the signal counts as hum (project). Muscle spreads its power
over 20 to 200 Hz and stays under a fifth for nearly all stretches of :data:`MAINS_MS`."""

MAINS_MS: Final = 60.0
"""Whole periods of both mains frequencies, short enough to see a hum before an envelope of it would trigger."""

FLAT_MS: Final = 500.0
"""A lead is off when nothing changes for so long (project). 8-bit armbands repeat a value for up to 65 ms at rest
in the development recordings."""

STUCK_MS: Final = 20.0
"""Muscle over the threshold does not stand still for so long; an amplifier at its rail does (project)."""

MAINS_FAST: Final = (3, 12)
"""A hum that begins is looked for over so many blocks at the least and at the most, before anything is taken for an effort."""

LOOK_MS: Final = 100.0
"""Drift and lead are looked at so often: five whole periods of 50 Hz and six of 60, so that no hum is left in a mean."""

WANDERS_MS: Final = 2_000.0
"""What a baseline does is looked at over so long. A tenth of it at either end of the range does not count: a knock at the cable
is over within 100 to 200 ms, and is none of the electrode's wandering."""

DRIFTS: Final = 100.0
"""The baseline wanders when it moves by more than so many times the resting muscle's rms within :data:`WANDERS_MS` (project). With
1 to 3 µV of rest, these are 50 to 150 µV a second. An amplifier for diagnostic ECG may itself move by 10 µV a second (ANSI/AAMI
EC11, baseline stability), and good Ag/AgCl electrodes keep their offset better than that; sweat, a pull at the cable or an
electrode that hangs by its edge move it by millivolts. The development recordings stay under 40, knocks and armbands in
strong effort included, and drift of ten times the rest at 0.3 Hz under 20."""

MOVED: Final = 2.0
"""And by more than so many times the muscle's rms meanwhile: at 200 Hz, means of 100 ms hold a fifth of a strong effort's own
size (project)."""

LOST_MS: Final = 2_000.0
"""Railed, or hum that has grown, for so long is a lead that is off (project). Hum lasts for 0.8 s at most in the development
recordings, where lamps and ECG are part of it."""

HUM_GROWS: Final = 9.0
"""Hum that always was there is rest. One that is so many times the power of rest (three times its rms) was not (project)."""

FALLEN: Final = 1 / 64
"""Power of the muscle's band, as a share of the rest that was learnt, under which no skin can be seen: an eighth of its rms.
Electrodes face to face have under 1 µV of noise, on skin 1 to 15 (Fernandez and Pallas-Areny 2000, Biomed Instrum Technol 34:125),
so less would be enough in many people. But a muscle that was tense while rest was learnt and lets go falls to 0.28 in the
development recordings, and is still to be heard."""

FALLEN_MS: Final = 1_000.0
"""It has to stay down for so long (project)."""

BACK_MS: Final = 500.0
"""A lead that was off is on when nothing is wrong for so long: a loose one comes and goes (project)."""

RAIL_SHARE: Final = 0.5
"""Share of the samples at the rail from which the signal is lost. Strong real efforts on 8-bit armbands clip some."""


@final
class Quality(StrEnum):
    """The state of the signal, worst first; nothing triggers unless it is :attr:`GOOD`."""

    STALE = "stale"  # no samples have come for too long
    GAP = "gap"  # samples are missing, or are not numbers
    LEAD_OFF = "lead-off"  # what comes is not of a muscle under an electrode: see Contact
    FLAT = "flat"  # nothing changes: the source stopped, or its input is shorted
    RAILED = "railed"  # the amplifier is at its limit
    DRIFT = "drift"  # the baseline wanders by more than a good electrode's does
    MAINS = "mains"  # mostly 50 or 60 Hz
    GOOD = "good"


GOOD: Final = Quality.GOOD
MAINS: Final = Quality.MAINS
"""For what is asked at every block: to look a member up in its enumeration costs more than to compare it."""

USABLE: Final = (GOOD, MAINS)
"""Muscle may be in it: rest and envelope are followed. For a few ms, muscle can look like hum, and so that puts an onset off. A tuple, because
enumerations hash slowly and the first is nearly always the one."""


@final
class Contact:
    """Drift, and a lead that is off, from the values and the power of each block: looked at every :data:`LOOK_MS`.

    The lead is called off when the baseline wanders and the signal is flat, railed or hum as well (a floating input, or a jump to
    the rail); when it is railed for :data:`LOST_MS`, or hum that is more than rest ever was; and when less is left for
    :data:`FALLEN_MS` than skin gives. A wandering baseline alone is drift: the muscle may still be seen. Without a
    resting level, hum may have been there for ever, and nothing can have fallen.
    """

    def __init__(self, block_ms: float) -> None:
        self._look = max(1, round(LOOK_MS / block_ms))
        look_ms = self._look * block_ms
        self._kept = max(5, round(WANDERS_MS / look_ms))
        self._aside = self._kept // 10
        self._lost, self._fallen, self._back = (max(1, round(ms / look_ms)) for ms in (LOST_MS, FALLEN_MS, BACK_MS))
        self.reset()

    def reset(self) -> None:
        """Forget what went before."""
        self._raw: list[float] = []
        self._heard: list[float] = []
        self._means: deque[float] = deque(maxlen=self._kept)
        self._powers: deque[float] = deque(maxlen=self._kept)
        self._before, self._wanders, self._is_off = Quality.GOOD, False, False
        self._lost_for = self._well_for = 0
        self.low_for = 0
        """For how many looks there was less than skin gives: nothing of rest is learnt from these."""

    def judge(self, sign: Quality, raw: list[float], power: float, rest: float, *, hums: bool = False) -> Quality:
        """The verdict after the next block, which alone would be ``sign``; ``hums``: most of it is hum that was taken off.

        ``power`` and ``rest``, of the block and of the rest that was learnt, are in the muscle's band; 0 for a rest that is
        not known. Blocks are only put by here, because summing them up one by one costs more than all the rest.
        """
        self._raw.extend(raw)
        self._heard.append(power)
        if len(self._heard) == self._look:
            self._take_look(sign, rest, hums=hums or sign is MAINS)
        if self._is_off:
            return Quality.LEAD_OFF
        return Quality.DRIFT if self._wanders and sign in USABLE else sign

    def _take_look(self, sign: Quality, rest: float, *, hums: bool) -> None:
        power = sum(self._heard) / self._look
        self._means.append(sum(self._raw) / len(self._raw))
        self._powers.append(power)
        self._heard.clear()
        self._raw.clear()
        if sign in USABLE and self._before not in USABLE:
            self._means.clear()  # back from the rail: that jump is no wandering
        self._before, self._wanders = sign, self._moves(rest)
        lost = sign is Quality.RAILED or (hums and power > HUM_GROWS * rest > 0.0)
        self._lost_for = self._lost_for + 1 if lost else 0
        self.low_for = self.low_for + 1 if sign in USABLE and power < FALLEN * rest else 0
        floats = self._wanders and (hums or sign is not Quality.GOOD)
        well = sign in USABLE and not (lost or floats or self.low_for)
        self._well_for = self._well_for + 1 if well else 0
        if self._is_off:
            self._is_off = self._well_for < self._back
        else:
            self._is_off = floats or self._lost_for >= self._lost or self.low_for >= self._fallen

    def _moves(self, rest: float) -> bool:
        """Whether the baseline wanders by more than a good electrode's."""
        if len(self._means) < self._kept:
            return False
        means, here = sorted(self._means), sum(self._powers) / self._kept
        moved = means[-1 - self._aside] - means[self._aside]
        return moved**2 > max(DRIFTS**2 * (rest or here), MOVED**2 * here)


@final
class Steadiness:
    """Flat and railed: looks at raw values, and has the last word. ``rail_uv`` is the amplifier's limit, where it is known."""

    def __init__(self, block: int, block_ms: float, rail_uv: float | None) -> None:
        self._block = block
        self._flat = max(2, math.ceil(FLAT_MS / block_ms))
        self._stuck = max(2, math.ceil(STUCK_MS / block_ms))
        self._has_rail, self._rail_uv = rail_uv is not None, rail_uv or 0.0
        self._clipped: deque[int] = deque(maxlen=self._stuck)
        self.reset()

    def reset(self) -> None:
        """Forget what went before."""
        self._last = math.nan
        self._still, self._sign = 0, Quality.GOOD
        self._clipped.clear()

    def judge(self, raw: list[float], *, loud: bool) -> Quality:
        """The verdict after the next block; ``loud`` says that the envelope is over the threshold."""
        last, self._last = self._last, raw[-1]
        self._still = self._still + 1 if last == raw[0] == raw[-1] and min(raw) == max(raw) else 0
        stuck = self._still >= self._stuck and (loud or self._sign is Quality.RAILED)  # it is, until it moves
        if (self._has_rail and self._clips(raw)) or stuck:
            self._sign = Quality.RAILED
        else:
            self._sign = Quality.FLAT if self._still >= self._flat else GOOD
        return self._sign

    def _clips(self, raw: list[float]) -> bool:
        self._clipped.append(len([value for value in raw if abs(value) >= self._rail_uv]))
        return sum(self._clipped) > RAIL_SHARE * self._stuck * self._block


@final
class Hum:
    """The share of the power at 50 or 60 Hz over the last :data:`MAINS_MS`."""

    def __init__(self, block: int, rate_hz: float) -> None:
        self.length = length = max(2, round(MAINS_MS * rate_hz / 1e3 / block))
        """Blocks that are looked at, at the most."""
        self._block = block
        self._powers: deque[float] = deque(maxlen=length)
        self._firsts: deque[int] = deque(maxlen=length)
        self._turns = 2 * np.pi / rate_hz * np.array(MAINS_HZ)
        waves = np.exp(-1j * np.outer(self._turns, np.arange(length * block)))
        self._waves = np.vstack((waves.real, waves.imag))

    def reset(self) -> None:
        """Forget what went before."""
        self._powers.clear()
        self._firsts.clear()

    def push(self, first: int, power: float) -> None:
        """Take the block from sample ``first``, with its mean square."""
        self._powers.append(power)
        self._firsts.append(first)

    def share(self, blocks: Samples) -> float:
        """The share over ``blocks``, one a row, which are the last that were pushed; 0 until there were so many."""
        count = len(blocks)
        past = len(self._powers) - count
        if past < 0 or not (total := sum(islice(self._powers, past, None))) > 0.0:
            return 0.0
        even = self._firsts[-1] - self._firsts[past] == (count - 1) * self._block
        strongest = self._strongest(blocks.ravel()) if even else self._strongest_of(blocks)
        # A pure sine of amplitude a has |sum| = a N / 2 and power a² / 2, which gives 1.
        return 2 * strongest / (count * self._block**2 * total)

    def _strongest(self, values: Samples) -> float:
        """The square of the larger of both waves' sums over ``values``, which follow on each other."""
        one, other, *turned = self._waves[:, : len(values)].dot(values).tolist()
        return float(max(one * one + turned[0] * turned[0], other * other + turned[1] * turned[1]))

    def _strongest_of(self, blocks: Samples) -> float:
        """The same where there are blocks missing between ``blocks``: each has its own place in the wave."""
        firsts = np.array(self._firsts)[-len(blocks) :]
        apart = np.exp(-1j * np.outer(self._turns, firsts - firsts[0]))
        count, waves = len(self._turns), self._waves[:, : self._block] @ blocks.T
        return float(np.max(np.abs(((waves[:count] + 1j * waves[count:]) * apart).sum(axis=1)) ** 2))

    def newest(self, age: int) -> int:
        """How many blocks are looked at before what began ``age`` blocks ago is believed to be an onset."""
        least, most = MAINS_FAST
        return min(max(least, age), most)
