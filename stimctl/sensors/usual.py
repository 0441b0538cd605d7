"""What usually follows a pulse, and how far a frame is from it: for trains that leave only a few samples of each period.

A frame is laid over those earlier ones whose artefact looked most like its own, so nothing need be known of where a pulse
stands within a sample. What is left over is weighed by how such differences have been spread all along, direction by
direction: where M-wave and ringing vary, it says little, and where only rest is, much. What the artefact's own samples
explain is taken off first (a conditional Gaussian; its parts come from one Cholesky factor).
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Final, NamedTuple, final

import numpy as np

from stimctl.sensors.samples import Samples

BEFORE: Final = 2
AFTER: Final = 2
ARTEFACT: Final = BEFORE + AFTER
"""Samples of an artefact. With one less on either side, trains without effort set off (project)."""

REMEMBERED: Final = 64
"""Earlier frames that are looked through: some 1.5 s."""

ALIKE: Final = 8
"""So many of them are laid under a new one. Twelve learn too slowly, as a period of 12.5 samples makes two kinds of frames."""

SPREAD: Final = 40
SPREAD_LEAST: Final = 16
"""Differences that make the spread, at the most and at the least."""

SIZE: Final = 0.06
STANDS_OUT: Final = 9.0
"""An artefact whose size is off by a larger share, and by so many times the variance that noise gives, is of another intensity."""

MIXED: Final = 0.1
"""Frames that are laid under a new one differ among themselves by no more than this share of the artefact."""

M_WAVE: Final = 0.3
"""An M-wave may change in size by this share with nothing to show for it in the artefact."""

EXPLAINED_SHARE: Final = 5e-5
"""Nothing is explained better than this share of its power; see :data:`stimctl.sensors.trains.EXPLAINED_SHARE`."""

GUARD: Final = 8
"""The newest frames are waited for before they count: an effort is not judged by itself."""


class Artefact(NamedTuple):
    """One at sample ``at``: what usually follows it, whether it is like those before it, by how much power it is off from them."""

    at: int
    usual: Samples | None = None
    like: bool = False
    off: float = 0.0


class Difference(NamedTuple):
    """What a frame has over the usual one, each part in measures of what varies there; the power of that, where 1 is rest and all
    that varies beside it, or less; and the power of that much rest.
    """

    parts: Samples
    power: float
    rest: float


@final
class Usual:
    """Frames of ``length`` samples, which begin ``blank`` samples after a pulse."""

    def __init__(self, blank: int, length: int) -> None:
        heard = np.arange(length) + BEFORE + blank
        self._heard, self._kept = heard, np.concatenate((np.arange(ARTEFACT), heard))
        self._whole = BEFORE + blank + length
        self._frames: deque[Samples] = deque(maxlen=REMEMBERED + GUARD)
        self._left: deque[Samples] = deque(maxlen=SPREAD + GUARD)

    def span(self, at: int) -> tuple[int, int]:
        """The samples that the frame of an artefact at sample ``at`` needs: one more on either side, to be shifted by."""
        return at - BEFORE - 1, at - BEFORE + self._whole + 1

    def match(self, at: int, artefact: Samples, rest: float, *, guarded: bool) -> Artefact:
        """What usually follows an artefact like this one: earlier frames, each laid over it where it fits best."""
        known = _older(self._frames, REMEMBERED, guarded=guarded)
        if len(known) < ALIKE:
            return Artefact(at)
        frames = np.stack(known)
        misses = np.stack([_squares(frames[:, k : k + ARTEFACT] - artefact) for k in range(3)], 1)
        shift = misses.argmin(1)
        nearest = np.argsort(misses.min(1), kind="stable")[:ALIKE]
        laid = frames[nearest[:, None], shift[nearest][:, None] + np.arange(self._whole)]
        usual: Samples = laid.mean(0)
        mine = usual[:ARTEFACT]
        mixed = float(_squares(laid[:, :ARTEFACT] - mine).mean())
        off = artefact - mine
        return Artefact(at, usual, _alike(off, mine, mixed, rest), (float(off @ off) + mixed) / ARTEFACT)

    def compare(
        self, frame: Samples, usual: Samples, rest: float, *, guarded: bool
    ) -> tuple[Samples, Difference | None]:
        """What a frame has over ``usual``, and how much that is; ``None`` while too little is known of such differences."""
        left = (frame[1:-1] - usual)[self._kept]
        known = _older(self._left, SPREAD, guarded=guarded)
        least = max(rest, EXPLAINED_SHARE * float(np.var(frame[self._heard + 1])))
        if len(known) < SPREAD_LEAST or not least > 0.0:
            return left, None
        stacked = np.stack(known)
        spread = stacked.T @ stacked / len(known)
        m_wave = M_WAVE * usual[self._heard]
        spread[ARTEFACT:, ARTEFACT:] += np.outer(m_wave, m_wave)
        spread[np.diag_indices_from(spread)] += max(least, 1e-12 * float(np.trace(spread)))
        new = np.linalg.solve(np.linalg.cholesky(spread), left)[ARTEFACT:]
        return left, Difference(new, float(new @ new) / len(new), least)

    def remember(self, frame: Samples, left: Samples | None) -> None:
        """A frame that was no effort's, and what it had over the usual one."""
        self._frames.append(frame.copy())
        if left is not None:
            self._left.append(left)


def _alike(off: Samples, mine: Samples, mixed: float, rest: float) -> bool:
    """Whether an artefact that is ``off`` is of the intensity that those it was compared with, ``mixed`` as they are, had."""
    size = float(mine @ mine)
    if not size > 0.0:
        return False
    share = float(off @ mine) / size
    along = share * share * size
    across = max(0.0, float(off @ off) - along) / (ARTEFACT - 1)
    other = abs(share) > SIZE and along > STANDS_OUT * max(across, rest)
    return not other and mixed <= MIXED * MIXED * size + ARTEFACT * rest


def _older(kept: deque[Samples], most: int, *, guarded: bool) -> list[Samples]:
    """The last ``most`` that are old enough not to be part of an effort that begins."""
    end = len(kept) - (GUARD if guarded else 0)
    return list(islice(kept, max(0, end - most), max(0, end)))


def _squares(rows: Samples) -> Samples:
    """The sum of squares of each row."""
    sums: Samples = (rows * rows).sum(1)
    return sums
