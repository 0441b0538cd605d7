"""The kinds that are felt and block pain, or ease tone: one base, and a class for each mode."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, ClassVar, Final, Literal, TypeAlias, final

from stimctl.limits import Effect
from stimctl.protocols import quantities as q
from stimctl.protocols import tens_modes
from stimctl.protocols import tens_quantities as t
from stimctl.protocols.output import Channel, Stimulation
from stimctl.protocols.strict import Strict
from stimctl.protocols.tens_modes import Mode
from stimctl.units import MicroSecond, microseconds


@final
class TensDose(Strict):
    """How long TENS is given."""

    duration_min: Annotated[int | float, q.DURATION_MIN]
    """Time in min from the operator's start to the end."""

    @property
    def duration_us(self) -> MicroSecond:
        """The same in µs, exactly."""
        return microseconds(Decimal(repr(self.duration_min)) * 60)


class Tens(Stimulation):
    """What all kinds of TENS have: current that flows on for a time, and nothing is counted.

    It starts at zero and the operator raises by hand, so there is no ramp in the file.
    """

    effect: ClassVar[Effect] = Effect.SENSORY
    mode: ClassVar[Mode]

    dose: TensDose
    """How long it is given."""


@final
class TensConventional(Tens):
    """Continuous, high-rate sensory stimulation: a strong, comfortable tingle without contraction."""

    mode: ClassVar[Mode] = tens_modes.CONVENTIONAL

    kind: Literal["tens-conventional"]
    """What sort of protocol this is."""


@final
class TensSensory(Tens):
    """Sensory stimulation for tone: over the nerve or the belly of a spastic muscle, before exercises or beside them."""

    mode: ClassVar[Mode] = tens_modes.SENSORY

    kind: Literal["tens-sensory"]
    """What sort of protocol this is."""


@final
class TensAcupunctureLike(Tens):
    """Slow, strong pulses, each with a visible twitch, over the muscle or nerve."""

    mode: ClassVar[Mode] = tens_modes.ACUPUNCTURE_LIKE

    kind: Literal["tens-acupuncture-like"]
    """What sort of protocol this is."""


@final
class TensBriefIntense(Tens):
    """Fast, strong stimulation to the highest level that the patient accepts, for a few minutes, such as during a task."""

    mode: ClassVar[Mode] = tens_modes.BRIEF_INTENSE

    kind: Literal["tens-brief-intense"]
    """What sort of protocol this is."""


@final
class Packet(Strict):
    """The pulses of one burst, which stand 10 ms apart; a channel's rate counts bursts."""

    pulses: Annotated[int, t.PULSES]
    """Pulses in one burst, 10 ms apart, which is 100 Hz inside it."""


@final
class TensBurst(Tens):
    """Bursts of fast pulses, a few in a second, each with a strong twitch; judged by what flows inside a burst."""

    mode: ClassVar[Mode] = tens_modes.BURST

    kind: Literal["tens-burst"]
    """What sort of protocol this is."""
    packet: Packet
    """What a burst is made of."""

    def strongest(self, channel: Channel) -> Channel:
        """The channel with all the pulses of a burst in each period."""
        return channel.model_copy(update={"pulses_per_period": self.packet.pulses})


@final
class Modulation(Strict):
    """Where the pulses sweep to and back, so that the skin does not get used to them; at least one of the three."""

    period_s: Annotated[int | float, t.PERIOD_S]
    """Time in s from a channel's own pulses to these and back again."""
    rate_to_hz: Annotated[int | float, q.RATE_HZ] | None = None
    """Rate in Hz at the other end of the sweep; without it the rate stays."""
    phase_width_to_us: Annotated[int, q.PHASE_WIDTH_US] | None = None
    """Width of one phase in µs at the other end of the sweep; without it the width stays."""
    amplitude_to_percent: Annotated[int | float, t.AMPLITUDE_TO_PERCENT] | None = None
    """Share of the operator's level in percent at the other end of the sweep; without it the level stays."""


@final
class TensModulated(Tens):
    """Stimulation whose rate, width or amplitude sweeps; its strongest corner is what is judged and felt for."""

    mode: ClassVar[Mode] = tens_modes.MODULATED

    kind: Literal["tens-modulated"]
    """What sort of protocol this is."""
    modulation: Modulation
    """How the pulses change."""

    def strongest(self, channel: Channel) -> Channel:
        """The corner of the sweep: the widest and the fastest, whether they come together or not."""
        to = self.modulation
        return _at_least(channel, to.rate_to_hz, to.phase_width_to_us)


@final
class Alternation(Strict):
    """The low rate, and how long each of the two lasts; a channel's own rate and width are the high one's."""

    low_rate_hz: Annotated[int | float, q.RATE_HZ]
    """The low rate in Hz."""
    low_phase_width_us: Annotated[int, q.PHASE_WIDTH_US] | None = None
    """Width of one phase in µs at the low rate; without it that of the high rate."""
    low_s: Annotated[int | float, t.TURN_S]
    """Time in s at the low rate, its rise of half a second included."""
    high_s: Annotated[int | float, t.TURN_S]
    """Time in s at the high rate, its rise of half a second or more included."""


@final
class TensAlternating(Tens):
    """A low and a high rate in turn, never together."""

    mode: ClassVar[Mode] = tens_modes.ALTERNATING

    kind: Literal["tens-alternating"]
    """What sort of protocol this is."""
    alternation: Alternation
    """The two rates."""

    def strongest(self, channel: Channel) -> Channel:
        """The high rate in the wider of both pulses."""
        low = self.alternation
        return _at_least(channel, low.low_rate_hz, low.low_phase_width_us)


def _at_least(channel: Channel, rate_hz: float | None, width_us: int | None) -> Channel:
    """``channel`` with its rate and width no lower than these."""
    rate, width = max(channel.rate_hz, rate_hz or 0), max(channel.phase_width_us, width_us or 0)
    return channel.model_copy(update={"rate_hz": rate, "phase_width_us": width})


AnyTens: TypeAlias = (
    TensConventional
    | TensSensory
    | TensAcupunctureLike
    | TensBurst
    | TensBriefIntense
    | TensModulated
    | TensAlternating
)
"""Any kind of TENS."""

TENS_KINDS: Final[Mapping[str, type[AnyTens]]] = MappingProxyType(
    {
        "tens-conventional": TensConventional,
        "tens-sensory": TensSensory,
        "tens-acupuncture-like": TensAcupunctureLike,
        "tens-burst": TensBurst,
        "tens-brief-intense": TensBriefIntense,
        "tens-modulated": TensModulated,
        "tens-alternating": TensAlternating,
    }
)
"""The class of every kind of TENS."""
