"""A limiter on a fake clock, for the limiter's tests: placements with sane defaults and an operator's hands."""

from __future__ import annotations

from stimctl.limits import ABSOLUTE, BodyPart, Effect, Limits, Sensation
from stimctl.pulse import Command, Output, PulseTrain, symmetric
from stimctl.safety import Burst, Latch, Limiter, Pad, Placement
from stimctl.units import MS, SECOND, UM2_PER_CM2, MicroAmp

PADS = (Pad("a", 25 * UM2_PER_CM2), Pad("b", 25 * UM2_PER_CM2))
BURST = Burst(ramp_up_us=1 * SECOND, hold_us=5 * SECOND, ramp_down_us=1 * SECOND, rest_us=7 * SECOND)
PRESS_US = 500 * MS
TICK_US = 50 * MS


def area(cm2: float) -> int:
    return round(cm2 * UM2_PER_CM2)


def pads(cm2: float, *names: str) -> tuple[Pad, ...]:
    return tuple(Pad(name, area(cm2)) for name in names or ("a", "b"))


def placement(
    channel: int = 0,
    part: BodyPart = BodyPart.FOREARM,
    effect: Effect = Effect.MOTOR,
    sensation: Sensation = Sensation.NORMAL,
    on: tuple[Pad, ...] = PADS,
    site: str = "forearm-dorsal",
    protocol: Limits = ABSOLUTE,
    burst: Burst | None = BURST,
) -> Placement:
    return Placement(channel, part, effect, sensation, on, site, protocol, burst)


TENS = placement(effect=Effect.SENSORY, burst=None)


def command(*trains: PulseTrain) -> Command:
    return Command(tuple(Output(channel, train) for channel, train in enumerate(trains)))


class Rig:
    """A limiter, its latch and a clock that only this rig moves."""

    def __init__(
        self,
        *placements: Placement,
        board: Limits = ABSOLUTE,
        senses_impedance: bool = True,
        spent: dict[str, int] | None = None,
    ) -> None:
        self.latch = Latch()
        self.placements = placements or (placement(),)
        self.now_us = 1_000
        self.limiter = Limiter(
            self.placements,
            board,
            self.latch,
            senses_impedance=senses_impedance,
            now_us=self.now_us,
            site_time_spent_us=spent,
        )

    def wait(self, us: int) -> None:
        self.now_us += us

    def send(self, *trains: PulseTrain) -> object:
        return self.limiter.approve(command(*trains), self.now_us)

    def zeros(self, like: PulseTrain) -> tuple[PulseTrain, ...]:
        return tuple(zero(like) for _ in self.placements)

    def others_zero(self, channel: int, train: PulseTrain) -> tuple[PulseTrain, ...]:
        return tuple(train if number == channel else zero(train) for number in range(len(self.placements)))

    def raise_to(self, channel: int, train: PulseTrain) -> None:
        """Press after press, at the fastest that is allowed, up to ``train``; a constant shape."""
        level = self.limiter.level(channel)
        now_ua = level.amplitude_ua if level else 0
        while now_ua < train.amplitude_ua:
            now_ua = min(now_ua + 1_000, train.amplitude_ua)
            self.wait(PRESS_US)
            self.limiter.raise_level(channel, scaled(train, now_ua), self.now_us)

    def ramp_to(self, channel: int, train: PulseTrain, over_us: int = SECOND) -> None:
        """Rise in a straight line, in ticks; the others stay at zero."""
        ticks = over_us // TICK_US
        for tick in range(1, ticks + 1):
            self.wait(TICK_US)
            self.send(*self.others_zero(channel, scaled(train, train.amplitude_ua * tick // ticks)))

    def titrate(self, channel: int, train: PulseTrain) -> None:
        """Find a ceiling as it is meant to be: open, raise, give, keep, back to zero, rest."""
        self.limiter.open_titration(channel, self.now_us)
        self.raise_to(channel, train)
        self.now_us = max(self.now_us, self.limiter.ready_at_us(channel))
        self.ramp_to(channel, train)
        self.limiter.set_ceiling(channel, train, self.now_us)
        self.send(*self.zeros(train))
        self.now_us = max(self.now_us, self.limiter.ready_at_us(channel))

    def treat(self, *trains: PulseTrain) -> None:
        """Titrate every channel, open treatment, raise every level; output stays at zero."""
        for channel, train in enumerate(trains):
            self.titrate(channel, train)
        self.limiter.open_treatment(self.now_us)
        for channel, train in enumerate(trains):
            self.raise_to(channel, train)


def scaled(train: PulseTrain, amplitude_ua: int) -> PulseTrain:
    return train.at(MicroAmp(amplitude_ua))


def zero(train: PulseTrain) -> PulseTrain:
    return symmetric(0, train.phase_width_us, train.rate_mhz)
