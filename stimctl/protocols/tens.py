"""The kinds that are felt and block pain."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Literal, final

from stimctl.limits import Effect
from stimctl.protocols import quantities as q
from stimctl.protocols.output import Stimulation
from stimctl.protocols.strict import Strict
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


@final
class TensConventional(Stimulation):
    """Continuous, high-rate sensory stimulation: a strong, comfortable tingle without contraction.

    It starts at zero and the operator raises by hand, so there is no ramp in the file.
    """

    effect: ClassVar[Effect] = Effect.SENSORY

    kind: Literal["tens-conventional"]
    """What sort of protocol this is."""
    dose: TensDose
    """How long it is given."""
