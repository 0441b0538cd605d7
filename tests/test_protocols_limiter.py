"""Two judges, one judgement: a file is refused if, and only if, the limiter's own static rules refuse it.

The file's checks and the limiter share the table of limits and no line of code, on purpose. This test holds the one
against the other, so that an author never hears yes from ``check`` and no from the limiter, or the other way round.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stimctl.errors import ProtocolError, Refusal
from stimctl.limits import ABSOLUTE, Effect, Sensation
from stimctl.protocols import PAD_MODELS, SITES, loads
from stimctl.pulse import symmetric
from stimctl.safety import Burst, Latch, Limiter, Pad, Placement
from stimctl.units import MicroAmp, microamps, microseconds, millihertz
from tests.protocol_texts import CYCLIC, TENS, edit, put

STEP_UA = 1_000
PRESS_US = 500_000
FES = put(put(CYCLIC, "repetitions", "1"), "sets", "1")


def tenths(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers as an author writes them, and the two ends more often than chance would."""
    return st.one_of(
        st.integers(round(low * 10), round(high * 10)), st.sampled_from([round(low * 10), round(high * 10)])
    ).map(lambda value: value / 10)


EDGES_MA = st.sampled_from([18.0, 18.1, 20.0, 30.0, 30.1, 40.0, 40.1, 48.0, 48.1, 60.0, 60.1, 80.0, 80.1, 100.0])
MA = st.one_of(tenths(1, 100), EDGES_MA)
WIDTH_US = st.one_of(st.integers(20, 500), st.sampled_from([49, 50, 300, 400, 500]))
MOTOR_HZ = st.one_of(tenths(0.5, 200), st.sampled_from([9.9, 10.0, 35.0, 50.0, 50.1]))
SENSORY_HZ = st.one_of(tenths(50, 200), st.sampled_from([50.0, 100.0, 150.0, 150.1]))
GAP_US = st.one_of(st.just(0), st.sampled_from([250, 251]), st.integers(0, 500))
TIMES = st.tuples(
    st.sampled_from([0.1, 0.4, 0.5, 1.0, 2.0, 6.0]),
    st.sampled_from([1.0, 5.0, 12.0, 17.0, 18.0, 19.0, 25.0]),
    st.sampled_from([0, 0.5, 1.0, 2.0]),
    st.sampled_from([0.5, 1.0, 4.0, 10.0, 12.6, 13.3, 13.4, 20.0, 60.0]),
)
PADS = st.tuples(*[st.sampled_from(sorted(PAD_MODELS))] * 2)


def refused(text: str) -> bool:
    """Whether a limit refuses it: what only makes another mode of TENS of it is no business of the limiter's."""
    try:
        loads(text, "x")
    except ProtocolError as error:
        return any(not fault.source.startswith("TENS modes") for fault in error.faults)
    return False


def limiter_refuses(placement: Placement, train_of: tuple[float, int, float, int]) -> bool:
    """Whether a fresh limiter refuses the placement, or an operator's way from zero to the level."""
    ma, width, rate, gap = train_of
    shape = symmetric(microamps(ma), width, millihertz(rate), interphase_gap_us=gap)
    try:
        limiter = Limiter((placement,), ABSOLUTE, Latch(), senses_impedance=True, now_us=0)
        limiter.open_titration(placement.channel, 0)
        for press, ua in enumerate([*range(STEP_UA, shape.amplitude_ua, STEP_UA), shape.amplitude_ua], 1):
            limiter.raise_level(placement.channel, shape.at(MicroAmp(ua)), press * PRESS_US)
    except Refusal:
        return True
    return False


def place(site: str, pads: tuple[str, ...], effect: Effect, burst: Burst | None) -> Placement:
    skin = tuple(Pad(f"pad {index}", PAD_MODELS[name].area_um2) for index, name in enumerate(pads))
    return Placement(0, SITES[site].part, effect, Sensation.NORMAL, skin, site, ABSOLUTE, burst)


def write(text: str, site: str, pads: tuple[str, ...], train: tuple[float, int, float, int]) -> str:
    for name, model in zip(("proximal", "distal"), pads, strict=True):
        text = edit(text, (f'[pads.{name}]\nmodel = "square-50x50"', f'[pads.{name}]\nmodel = "{model}"'))
    ma, width, rate, gap = train
    fields = {
        "site": f'"{site}"',
        "amplitude_ma": "1",
        "max_amplitude_ma": ma,
        "phase_width_us": width,
        "rate_hz": rate,
    }
    for name, value in {**fields, "interphase_gap_us": gap}.items():
        text = put(text, name, str(value))
    return text


@given(
    site=st.sampled_from(sorted(SITES)),
    pads=PADS,
    train=st.tuples(MA, WIDTH_US, MOTOR_HZ, GAP_US),
    times=st.one_of(st.just((1.0, 5.0, 1.0, 10.0)), TIMES),
)
def test_motor_files_are_judged_as_the_limiter_judges(
    site: str, pads: tuple[str, ...], train: tuple[float, int, float, int], times: tuple[float, float, float, float]
) -> None:
    text = write(FES, site, pads, train)
    for name, value in zip(("ramp_up_s", "hold_s", "ramp_down_s", "rest_s"), times, strict=True):
        text = put(text, name, str(value))
    placement = place(site, pads, Effect.MOTOR, Burst(*map(microseconds, times)))
    assert refused(text) == limiter_refuses(placement, train), text


@given(site=st.sampled_from(sorted(SITES)), pads=PADS, train=st.tuples(MA, WIDTH_US, SENSORY_HZ, GAP_US))
def test_sensory_files_are_judged_as_the_limiter_judges(
    site: str, pads: tuple[str, ...], train: tuple[float, int, float, int]
) -> None:
    placement = place(site, pads, Effect.SENSORY, None)
    assert refused(write(TENS, site, pads, train)) == limiter_refuses(placement, train)
