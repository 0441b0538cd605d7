"""The virtual patient: tissue under each output, one hand, a will of their own, and EMG over the finger extensors.

Seeded and deterministic; every time is an argument in µs of one monotonic clock and must not run backwards.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from stimctl.limits import Sensation
from stimctl.pulse import PulseTrain
from stimctl.sim.emg import Electrode, Levels, Pulse
from stimctl.sim.hand import Hand
from stimctl.sim.reflex import Reflex
from stimctl.sim.sound import SoundHand
from stimctl.sim.tissue import Report, Site, Tissue, draw, effective_hz, fusion
from stimctl.sim.volition import Attempt, Floats, Volition, Will
from stimctl.units import SECOND

DEFAULT_SITES: Final = (Site.DORSAL_FOREARM, Site.THENAR, Site.VOLAR_FOREARM, Site.POSTERIOR_DELTOID)
"""One pair of pads on each of the first outputs; further outputs repeat them."""

_ACTION: Final = {Site.DORSAL_FOREARM: 1, Site.VOLAR_FOREARM: -1}
_NEARNESS: Final = {Site.DORSAL_FOREARM: 1.0, Site.VOLAR_FOREARM: 0.5, Site.THENAR: 0.25}
_FAR: Final = 0.08
_OWN_FORCE: Final = 0.15  # of the full force: a paretic hand opens a little by itself
_LOOKING_BACK_US: Final = 10 * SECOND
_LINGERS_US: Final = SECOND // 10  # a motor unit's last potential outlasts the effort by less


class Patient:
    """One person, wired to the outputs of one board.

    ``sites`` says where the pads of output 0, 1, ... sit. ``seed`` fixes everything else about the person.
    ``emg_rate_hz`` is the rate at which :meth:`emg` counts samples: sample ``k`` is at ``k / rate`` on the clock. ``emg`` may
    change the sizes of what is in the EMG: another signal-to-noise ratio, knocks, another mains frequency.
    """

    def __init__(
        self,
        seed: int,
        sites: tuple[Site, ...] = DEFAULT_SITES,
        *,
        sensation: Sensation = Sensation.NORMAL,
        will: Will | None = None,
        emg_rate_hz: int = 1_000,
        emg: Callable[[Levels], Levels] | None = None,
    ) -> None:
        rng = random.Random(f"patient {seed}")  # noqa: S311 - a simulation, not a secret
        self.seed, self.sites, self.emg_rate_hz = seed, sites, emg_rate_hz
        self.tissues: tuple[Tissue, ...] = tuple(draw(site, rng, sensation) for site in sites)
        tone = rng.random()
        self.hand = Hand(tuple(_ACTION.get(site, 0) for site in sites), tone)
        self._reflex = Reflex(tone)
        self.volition = Volition(seed, Will() if will is None else will)
        self.sound = SoundHand(seed)
        levels = Levels(
            rest_uv=rng.uniform(1.2, 2.5), hum_uv=rng.uniform(0.3, 1.2), voluntary_uv=rng.uniform(20.0, 45.0)
        )
        levels = levels if emg is None else emg(levels)
        nearness = tuple(_NEARNESS.get(site, _FAR) for site in sites)
        self.electrode = Electrode(rng.getrandbits(32), emg_rate_hz, levels, nearness)
        self._trains: list[PulseTrain | None] = [None] * len(sites)
        self._pulls = [0.0] * len(sites)

    def set_output(self, output: int, train: PulseTrain | None, now_us: int) -> None:
        """From ``now_us`` on, ``train`` flows at ``output`` (``None`` or amplitude 0: nothing)."""
        self._trains[output] = train
        force = 0.0
        if train is None or train.amplitude_ua == 0:
            self.hand.drive(output, 0.0, 0.0, now_us)
        else:
            force = self.tissues[output].recruited(train) * fusion(train)
            self.hand.drive(output, force, effective_hz(train), now_us)
        pull = _ACTION.get(self.sites[output], 0) * force
        if pull != self._pulls[output]:
            self._reflex.pull(pull - self._pulls[output], now_us)
            self._pulls[output] = pull

    def report(self, output: int) -> Report:
        """What the train that flows at ``output`` now is answered with."""
        return self.tissues[output].report(self._trains[output])

    def cue(self, now_us: int) -> Attempt | None:
        """Ask the person to open the hand. Returns the attempt that will come of it, for tests; ``None`` if none does."""
        attempt = self.volition.cue(now_us)
        if attempt is not None:
            self._move(attempt)
        return attempt

    def exert(self, now_us: int, strength: float | None = None) -> Attempt:
        """Ask the person to try and to keep trying, as hard as they can or with a share of that, until told to let go."""
        attempt = self.volition.exert(now_us, strength)
        self.hand.volition(_OWN_FORCE * attempt.strength, attempt.onset_us)
        return attempt

    def let_go(self, now_us: int) -> None:
        """Tell the person to relax."""
        self.hand.volition(0.0, self.volition.let_go(now_us))

    def ask(self, now_us: int) -> None:
        """Ask the person to press the switch with the sound hand."""
        self.volition.ask(now_us)

    def presses(self, now_us: int) -> bool:
        """Whether the switch is being pressed; true once for each press."""
        return self.volition.presses(now_us)

    def angle_deg(self, now_us: int) -> float:
        """Finger extension in degrees: 0 is the resting, flexed posture, about 80 fully open."""
        self._live(now_us)
        return self.hand.angle_deg(now_us)

    def vigour(self, output: int, now_us: int) -> float:
        """Share of its fresh force that the muscle at ``output`` can still give; 1 is rested."""
        return self.hand.vigour(output, now_us)

    def emg(self, first_index: int, count: int, pulses: Iterable[Pulse] = ()) -> Floats:
        """``count`` samples in µV from absolute index ``first_index`` on.

        ``pulses`` are those that can still be seen: from :data:`~stimctl.sim.emg.RESPONSE_US` before the first sample
        to the last one, in order of time. The signal does not depend on how it is cut into chunks, as long as a cue
        is given before the samples that follow it are asked for (an attempt starts 0.3 s after it at the earliest).
        """
        if count <= 0:
            return np.zeros(0)
        last_us = (first_index + count - 1) * SECOND // self.emg_rate_hz
        self._live(last_us)
        signal = self.electrode.rest(first_index, count)
        first_us = first_index * SECOND // self.emg_rate_hz
        for attempt in self.volition.attempts:
            if attempt.onset_us <= last_us and attempt.gone_us + _LINGERS_US > first_us:
                self.electrode.add_effort(signal, first_index, attempt)
        if self._reflex.answers(first_us, last_us):
            self.electrode.add_reflex(signal, first_index, self._reflex)
        for pulse in pulses:
            self.electrode.add_pulse(signal, first_index, pulse)
        return signal

    def pulse(self, t_us: int, output: int, train: PulseTrain) -> Pulse:
        """The pulse that ``train`` sets off at ``t_us``, with the share of the muscle it recruits."""
        return Pulse(t_us, output, train.amplitude_ua, self.tissues[output].recruited(train))

    def _live(self, now_us: int) -> None:
        """Attempts of their own accord up to now; old ones are let go."""
        for attempt in self.volition.spontaneous(now_us):
            self._move(attempt)
        self.volition.forget(now_us - _LOOKING_BACK_US)

    def _move(self, attempt: Attempt) -> None:
        self.hand.volition(_OWN_FORCE * attempt.strength, attempt.onset_us)
        self.hand.volition(0.0, attempt.end_us)
