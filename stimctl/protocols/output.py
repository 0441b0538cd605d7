"""What stimulates: pads on the skin, channels, and what every kind with an output has."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Final, final

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from stimctl.limits import BodyPart, Effect
from stimctl.protocols import quantities as q
from stimctl.protocols.checks import Choice, Listing, Name, Reference, Words
from stimctl.protocols.pads import PAD_MODELS
from stimctl.protocols.sites import FORBIDDEN_WORDS, SITES, Limb
from stimctl.protocols.strict import Head, Strict, as_tuple
from stimctl.units import SquareMicrometre

MAX_CHANNELS: Final = 8
MAX_PADS: Final = 2 * MAX_CHANNELS


def _why_not_a_site(word: str) -> str:
    """A clearer refusal for a placement that labels forbid."""
    words = set(word.lower().replace("_", "-").split("-"))
    if not words & FORBIDDEN_WORDS or words & {"hand", "forearm"}:  # the back of the hand is only misspelt
        return ""
    return "is a forbidden placement: no current through head, neck, chest, heart or trunk"


MODEL: Final = Choice(tuple(PAD_MODELS), "pads are models with a known conductive area (hazard H13)")
_SITE = Choice(
    tuple(SITES), "closed list of sites; forbidden placements per device labels and IEC 60601-2-10", _why_not_a_site
)
_PAIR = Listing(Reference(), 2, 2, "the names of exactly two different pads, such as ['proximal', 'distal']")


def _frozen(pads: dict[str, PadUse]) -> Mapping[str, PadUse]:
    return MappingProxyType(pads)


@final
class PadUse(Strict):
    """One physical pad on the skin. Two channels that name the same pad share it, and their currents add up there."""

    model: Annotated[str, MODEL]
    """Pad model, from the closed list; its name is the conductive size in mm."""

    @property
    def area_um2(self) -> SquareMicrometre:
        """Conductive area in µm²."""
        return PAD_MODELS[self.model].area_um2


@final
class Channel(Strict):
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
    pulses_per_period: Annotated[int, q.PULSES_PER_PERIOD] = 1
    """Pulses at each beat of rate_hz: 1, or 2 for doublets, whose two pulses stand 10 ms apart, or evenly where there is less room."""

    @property
    def part(self) -> BodyPart:
        """The body part whose limits hold at this site."""
        return SITES[self.site].part

    @property
    def limb(self) -> Limb:
        """The limb that both pads lie on."""
        return SITES[self.site].limb


class Stimulation(Head):
    """What every kind with an output has."""

    effect: ClassVar[Effect]

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
        BeforeValidator(as_tuple),
        Field(alias="channel"),
    ]
    """The channels; each uses one board output and two pads."""

    def strongest(self, channel: Channel) -> Channel:
        """The channel with each of its pulses' numbers at the highest that it ever has: what the limits judge."""
        return channel
