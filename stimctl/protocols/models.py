"""A protocol file as a model: strict, frozen, nothing unknown, one union told apart by ``kind``.

A model is a claim, not a permit: whatever it says is flown through the limiter before a session starts. Numbers stay
the author's decimals; :mod:`stimctl.units` converts them exactly, which was tried here. A further kind is a further
class with its own ``kind`` in :data:`Protocol`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias, final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from stimctl.limits import BodyPart, Effect
from stimctl.protocols import quantities as q
from stimctl.protocols.checks import Choice, Exactly, Listing, Name, Reference, Truth, Words
from stimctl.protocols.pads import PAD_MODELS
from stimctl.protocols.sites import FORBIDDEN_WORDS, SITES, Limb
from stimctl.units import MicroSecond, SquareMicrometre, microseconds

MAX_CHANNELS: Final = 8
MAX_PADS: Final = 2 * MAX_CHANNELS


def _why_not_a_site(word: str) -> str:
    """A clearer refusal for a placement that labels forbid."""
    words = set(word.lower().replace("_", "-").split("-"))
    if not words & FORBIDDEN_WORDS or words & {"hand", "forearm"}:  # the back of the hand is only misspelt
        return ""
    return "is a forbidden placement: no current through head, neck, chest, heart or trunk"


_PAD = Choice(tuple(PAD_MODELS), "pads are models with a known conductive area (hazard H13)")
_SITE = Choice(
    tuple(SITES), "closed list of sites; forbidden placements per device labels and IEC 60601-2-10", _why_not_a_site
)
_PAIR = Listing(Reference(), 2, 2, "the names of exactly two different pads, such as ['proximal', 'distal']")
_SOURCES = Listing(Words(300), 1, 20, "a list of 1 to 20 different texts")


def _frozen(pads: dict[str, PadUse]) -> Mapping[str, PadUse]:
    return MappingProxyType(pads)


def _tuple(value: Any) -> Any:
    """A TOML array is a list; strict models take a tuple. Nothing else is let through by this."""
    return tuple(value) if type(value) is list else value


class _Strict(BaseModel):
    """Nothing unknown, nothing converted, nothing changed afterwards."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


@final
class PadUse(_Strict):
    """One physical pad on the skin. Two channels that name the same pad share it, and their currents add up there."""

    model: Annotated[str, _PAD]
    """Pad model, from the closed list; its name is the conductive size in mm."""

    @property
    def area_um2(self) -> SquareMicrometre:
        """Conductive area in µm²."""
        return PAD_MODELS[self.model].area_um2


@final
class Channel(_Strict):
    """One board output, its pads, and the pulses that it sends. Pulses are symmetric and charge-balanced."""

    name: Annotated[str, Name()]
    """Name of the channel, unique in the file; what the operator and the trigger call it."""
    muscle: Annotated[str, Words(60)]
    """The muscle that is meant to answer, in words, shown beside the channel's name."""
    output: Annotated[int, q.OUTPUT]
    """Board output, as printed on the board, from 1; unique in the file and never assumed."""
    site: Annotated[str, _SITE]
    """Where both pads lie, from the closed list of sites; it decides which limits hold."""
    pads: Annotated[tuple[str, str], _PAIR]
    """The two pads of this channel, by their names under [pads]."""
    amplitude_ma: Annotated[int | float, q.AMPLITUDE_MA]
    """Prescribed working level in mA, peak of the first phase; never applied by itself, the operator raises to it."""
    max_amplitude_ma: Annotated[int | float, q.AMPLITUDE_MA]
    """Level in mA, peak of the first phase, beyond which the operator cannot raise."""
    phase_width_us: Annotated[int, q.PHASE_WIDTH_US]
    """Width of ONE phase in µs, not of the whole pulse."""
    rate_hz: Annotated[int | float, q.RATE_HZ]
    """Pulses in a second, in Hz."""
    interphase_gap_us: Annotated[int, q.GAP_US] = 0
    """Pause between the two phases of a pulse in µs."""

    @property
    def part(self) -> BodyPart:
        """The body part whose limits hold at this site."""
        return SITES[self.site].part

    @property
    def limb(self) -> Limb:
        """The limb that both pads lie on."""
        return SITES[self.site].limb


@final
class BurstTimes(_Strict):
    """The course of one burst and the rest after it."""

    ramp_up_s: Annotated[int | float, q.RAMP_UP_S]
    """Time in s in which the amplitude rises from zero to the level."""
    hold_s: Annotated[int | float, q.HOLD_S]
    """Time in s at the level."""
    ramp_down_s: Annotated[int | float, q.RAMP_DOWN_S]
    """Time in s in which the amplitude falls from the level to zero."""
    rest_s: Annotated[int | float, q.REST_S]
    """Time in s at zero before the next burst or attempt."""
    antagonists_together: Annotated[str, Words(300)] | None = None
    """Why muscles that pull against each other are meant to work in the same burst; without it such a pair is refused."""


@final
class FesDose(_Strict):
    """How often bursts are given."""

    repetitions: Annotated[int, q.REPETITIONS]
    """Bursts (or attempts) in one set."""
    sets: Annotated[int, q.SETS] = 1
    """Number of sets."""
    set_rest_s: Annotated[int | float, q.SET_REST_S] = 0
    """Rest in s between two sets, at zero; must be stated when there is more than one set."""


@final
class TensDose(_Strict):
    """How long TENS is given."""

    duration_min: Annotated[int | float, q.DURATION_MIN]
    """Time in min from the operator's start to the end."""

    @property
    def duration_us(self) -> MicroSecond:
        """The same in µs, exactly."""
        return microseconds(Decimal(repr(self.duration_min)) * 60)


@final
class Trigger(_Strict):
    """How the patient's own attempt, seen in the EMG, sets off a burst."""

    channel: Annotated[str, Name()]
    """Name of the channel whose muscle's EMG is heard."""
    threshold_sd: Annotated[int | float, q.THRESHOLD_SD] | None = None
    """Threshold in standard deviations over the resting mean; this or threshold_uv, never both."""
    threshold_uv: Annotated[int | float, q.THRESHOLD_UV] | None = None
    """Threshold of the EMG envelope in µV; this or threshold_sd, never both."""
    dwell_ms: Annotated[int, q.DWELL_MS]
    """Time in ms for which the EMG must stay over the threshold."""
    release_fraction: Annotated[int | float, q.RELEASE_FRACTION]
    """Share of the threshold below which the EMG must fall before the next attempt counts."""
    blanking_ms: Annotated[int, q.BLANKING_MS]
    """Time in ms after each pulse in which the EMG is not heard."""
    lockout_ms: Annotated[int, q.LOCKOUT_MS]
    """Time in ms after each burst in which nothing triggers."""
    baseline_s: Annotated[int | float, q.BASELINE_S]
    """Time in s of quiet EMG at the beginning, from which the resting level is taken."""
    cue: Annotated[bool, Truth()]
    """true: the patient tries when told to, within a window; false: listen until an attempt comes."""
    attempt_window_s: Annotated[int | float, q.ATTEMPT_WINDOW_S] | None = None
    """Time in s after the cue in which an attempt counts; only with cue = true."""
    on_missed: Annotated[Literal["count", "assist"], Choice(("count", "assist"))] = "count"
    """When the window passes without an attempt: only count it, or assist with a burst; only with cue = true."""
    max_triggers_per_min: Annotated[int, q.MAX_TRIGGERS_PER_MIN]
    """Most bursts in a minute; more attempts than that stop the session."""


class _Common(_Strict):
    """What every kind has."""

    effect: ClassVar[Effect]

    format: Annotated[int, Exactly(1, "is not a format of protocol files that this version reads")]
    """Version of the file format."""
    title: Annotated[str, Words(80)]
    """Short name, shown in lists."""
    purpose: Annotated[str, Words(800, lines=True)]
    """What the protocol is for, in plain language, shown to the operator before the start."""
    sources: Annotated[tuple[str, ...], _SOURCES]
    """Where the parameters come from: trial, manual, guideline or the prescriber; at least one."""
    pads: Annotated[
        Mapping[Annotated[str, Name()], PadUse],
        Field(min_length=2, max_length=MAX_PADS),
        AfterValidator(_frozen),
        PlainSerializer(dict),
    ]
    """The physical pads on the skin, by names of your choice."""
    channels: Annotated[
        tuple[Channel, ...],
        Field(min_length=1, max_length=MAX_CHANNELS),
        BeforeValidator(_tuple),
        Field(alias="channel"),
    ]
    """The channels; each uses one board output and two pads."""


class _Fes(_Common):
    """What the kinds that make muscles move have: all channels work together in each burst."""

    effect: ClassVar[Effect] = Effect.MOTOR

    burst: BurstTimes
    """The course of one burst."""
    dose: FesDose
    """How often bursts are given."""


@final
class FesCyclic(_Fes):
    """Bursts by the clock."""

    kind: Literal["fes-cyclic"]
    """What sort of protocol this is."""


@final
class FesEmgTriggered(_Fes):
    """Bursts that the patient's own attempt sets off."""

    kind: Literal["fes-emg-triggered"]
    """What sort of protocol this is."""
    trigger: Trigger
    """How an attempt is recognised."""


@final
class TensConventional(_Common):
    """Continuous, high-rate sensory stimulation: a strong, comfortable tingle without contraction.

    It starts at zero and the operator raises by hand, so there is no ramp in the file.
    """

    effect: ClassVar[Effect] = Effect.SENSORY

    kind: Literal["tens-conventional"]
    """What sort of protocol this is."""
    dose: TensDose
    """How long it is given."""


Protocol: TypeAlias = Annotated[FesCyclic | FesEmgTriggered | TensConventional, Field(discriminator="kind")]
"""Any protocol."""

KINDS: Final[Mapping[str, type[FesCyclic | FesEmgTriggered | TensConventional]]] = MappingProxyType(
    {"fes-cyclic": FesCyclic, "fes-emg-triggered": FesEmgTriggered, "tens-conventional": TensConventional}
)
"""The class of every ``kind``."""
