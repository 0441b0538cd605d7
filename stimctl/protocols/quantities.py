"""The window of plausibility of every number in a protocol file, and what a number outside it probably meant.

A window is not a limit: it is wide enough for every person and part of the body, and narrow enough that a value in
another unit (ms for µs, µA for mA: H04) falls outside. Bounds that :mod:`stimctl.limits` knows are taken from there.
"""

from __future__ import annotations

from typing import Final

from stimctl.limits import ABSOLUTE
from stimctl.protocols.checks import Quantity
from stimctl.units import microamps, microseconds, millihertz

_ABSOLUTE: Final = "project, the widest limit for any part of the body"
_WINDOW: Final = "project, window of plausibility against unit mistakes"
_S: Final = (("ms", 1e-3), ("min", 60.0), ("µs", 1e-6))
_MS: Final = (("s", 1e3), ("µs", 1e-3))

# Below the lowest sensory thresholds that are expected anywhere (B.9: 1 mA at the thenar) an amplitude is a mistake.
AMPLITUDE_MA: Final = Quantity(
    "mA", 0.5, ABSOLUTE.peak_ua / 1e3, _ABSOLUTE, (("µA", 1e-3), ("A", 1e3), ("nA", 1e-6)), exact=microamps
)
PHASE_WIDTH_US: Final = Quantity(
    "µs",
    ABSOLUTE.phase_width_min_us,
    ABSOLUTE.phase_width_max_us,
    _ABSOLUTE,
    (("ms", 1e3), ("ns", 1e-3), ("s", 1e6)),
    whole=True,
)
RATE_HZ: Final = Quantity(
    "Hz",
    ABSOLUTE.rate_min_mhz / 1e3,
    ABSOLUTE.rate_max_mhz / 1e3,
    _ABSOLUTE,
    (("mHz", 1e-3), ("kHz", 1e3)),
    exact=millihertz,
)
GAP_US: Final = Quantity("µs", 0, ABSOLUTE.interphase_gap_max_us, _ABSOLUTE, (("ms", 1e3), ("ns", 1e-3)), whole=True)

PULSES_PER_PERIOD: Final = Quantity("", 1, 2, "project: single pulses or doublets", whole=True)

RAMP_UP_S: Final = Quantity("s", 0.05, 30, _WINDOW, _S, exact=microseconds)
RAMP_DOWN_S: Final = Quantity("s", 0, 30, _WINDOW, _S, exact=microseconds)
HOLD_S: Final = Quantity("s", 0.1, 30, _WINDOW, _S, exact=microseconds)
REST_S: Final = Quantity("s", 0.5, 600, _WINDOW, _S, exact=microseconds)
SET_REST_S: Final = Quantity("s", 0, 1_800, _WINDOW, _S, exact=microseconds)
DURATION_MIN: Final = Quantity(
    "min", 1, 120, _WINDOW, (("s", 1 / 60), ("h", 60.0), ("ms", 1 / 60_000)), exact=microseconds
)
PHASE_S: Final = Quantity("s", 0.1, 30, _WINDOW, _S, exact=microseconds)
SHARE_PERCENT: Final = Quantity("%", 0, 100, "project: a share of the level that the operator has set", whole=True)
GOAL_RAMP_S: Final = Quantity("s", 0, 30, _WINDOW, _S, exact=microseconds)
GOAL_DELAY_S: Final = Quantity("s", 0, 30, _WINDOW, _S, exact=microseconds)

REPETITIONS: Final = Quantity("", 1, 1_000, _WINDOW, whole=True)
SETS: Final = Quantity("", 1, 20, _WINDOW, whole=True)

OUTPUT: Final = Quantity("", 1, 8, "project: no supported board has more than 8 outputs", whole=True)

# B.3: resting mean + 3 SD is usual. Under 2 the resting signal itself triggers (H26).
THRESHOLD_SD: Final = Quantity("SD", 2, 20, "project; 3 SD over rest is usual, 5 is what shipped files have")
# B.3: stroke devices detect 1.25 to 1000 µV.
THRESHOLD_UV: Final = Quantity(
    "µV", 1, 1_000, "project; NeuroMove manual: detectable 1.25 to 1000 µV", (("mV", 1e3), ("nV", 1e-3))
)
# B.3: raised after successes and lowered after a missed window; trials used 20 to 80 % of the day's best attempt.
ADAPT_PERCENT: Final = Quantity(
    "%", 0, 25, "project: small steps, so that one lucky attempt decides nothing", whole=True
)
ADAPT_LEAST_PERCENT: Final = Quantity("%", 30, 100, "project: rest alone must not trigger (hazard H26)", whole=True)
ADAPT_MOST_PERCENT: Final = Quantity("%", 100, 300, "project: an attempt must stay possible", whole=True)
DWELL_MS: Final = Quantity("ms", 10, 500, "project; clinical practice is 50 to 200 ms", _MS, whole=True)
RELEASE_FRACTION: Final = Quantity(
    "", 0.1, 0.95, "project: re-arm only after the EMG has fallen clearly below the threshold", (("%", 1e-2),)
)
# B.3: the M-wave ends about 14 ms after the pulse; 15 ms was enough, with slow amplifiers 30 ms was needed.
BLANKING_MS: Final = Quantity(
    "ms", 15, 100, "project; M-wave ends about 14 ms after a pulse (simulation study)", _MS, whole=True
)
LOCKOUT_MS: Final = Quantity(
    "ms", 300, 10_000, "project (hazard H24): no trigger for 300 ms after a burst", _MS, whole=True
)
BASELINE_S: Final = Quantity("s", 0.5, 60, _WINDOW, _S, exact=microseconds)
ATTEMPT_WINDOW_S: Final = Quantity("s", 1, 60, "project; clinical practice is 5 to 10 s", _S, exact=microseconds)
SCRIPT_S: Final = Quantity(
    "s", 1, 60, "project: one sentence that is read aloud, and the time to imagine it", _S, exact=microseconds
)
MAX_TRIGGERS_PER_MIN: Final = Quantity("", 1, 30, "project (hazard H24)", whole=True)
