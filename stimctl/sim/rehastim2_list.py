"""The output side of a RehaStim 2: a list of channels that it repeats by itself, single pulses, electrodes, its switch.

Channels 1 to 4 and 5 to 8 have a current source each; in each of them the active ones take turns in slots of 1.5 ms. A
pulse has two equal phases 100 µs apart. Before each pulse the board looks at the electrode, and stops everything when it
finds none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from stimctl.boards.sciencemode2 import messages as m
from stimctl.boards.sciencemode2.codes import CHANNELS, Mode, Result, StimulationError
from stimctl.boards.sciencemode2.layout import ONE_SHOT_US
from stimctl.boards.sciencemode2.reading import WIDTH_MIN_US
from stimctl.pulse import PulseTrain, net_charge_pc, phase_charge_pc, pulse_us, symmetric
from stimctl.sim.chassis import Chassis
from stimctl.sim.electrodes import DEFAULT_OHM, OPEN_OHM, clipped
from stimctl.sim.felt import Felt
from stimctl.sim.ledger import Exact
from stimctl.sim.patient import Patient
from stimctl.sim.uart import Uart
from stimctl.units import MS, SECOND

SLOT_US: Final = 1_500
GAP_US: Final = 100
LEAST_US: Final = 8 * MS
"""Intervals that the firmware of today can do."""

COMPLIANCE_MV: Final = 150_000
_SOURCE: Final = 4  # channels of one
_MHZ_US: Final = 1_000 * SECOND


class ChannelLists(Chassis):
    """What a RehaStim 2 puts out. Outputs count from 0, channels from 1."""

    def __init__(self, outputs: int, uart: Uart, *, now_us: int, keep: int | None, patient: Patient | None) -> None:
        super().__init__(outputs, uart, now_us=now_us, keep=keep, patient=patient)
        self.contact_ohm = [DEFAULT_OHM] * CHANNELS
        self.switch_pressed = False
        self.mode = Mode.START
        self._list: m.InitChannelList | None = None
        self._groups: dict[int, m.Group] = {}
        self._begun_us = 0
        self._once_us: int | None = None
        self._error: tuple[int, StimulationError] | None = None
        self._single: tuple[int, m.SinglePulse] | None = None
        self._ending: tuple[int, int] | None = None
        self._felt = Felt()

    # --- for whoever holds it ----------------------------------------------------------------------------------

    @property
    def active(self) -> bool:
        """Whether pulses come, be it one by one."""
        return self.energised or bool(self._felt.rests_us)

    def set_contact(self, output: int, ohm: int, now_us: int) -> None:
        """Other pads, or other skin; from 20 kohm on there is no contact."""
        self.advance(now_us)
        self.contact_ohm[output] = ohm
        self._flow()

    def press(self, now_us: int, *, pressed: bool = True) -> None:
        """The emergency switch: it cuts at once, by itself, and the board tells of it."""
        self.advance(now_us)
        self.switch_pressed = pressed
        if pressed and self.mode is not Mode.START:
            self._fail(StimulationError.EMERGENCY_SWITCH)

    def break_module(self, now_us: int) -> None:
        """The stimulation module fails: everything stops, and the board tells of it."""
        self.advance(now_us)
        self._fail(StimulationError.STIMULATION_MODULE)

    # --- for its program ---------------------------------------------------------------------------------------

    def _prepare(self, word: m.InitChannelList) -> Result:
        """Take a list, or not."""
        if word.main_us != ONE_SHOT_US and word.main_us < LEAST_US:
            return Result.PARAMETER
        self._list, self._groups, self.mode = word, {}, Mode.INITIALISED
        return Result.GOOD

    def _begin(self, groups: Sequence[m.Group], first_us: int) -> Result:
        """Run the list, or change what runs."""
        listed = self._list
        if listed is None or len(groups) != len(listed.active):
            return Result.PARAMETER
        most, apart_us = max(group.pulses for group in groups), listed.inter_pulse_us
        once = listed.main_us == ONE_SHOT_US
        if (most > 1 and apart_us < LEAST_US) or not (once or listed.main_us >= most * apart_us):
            return Result.PARAMETER
        if self.mode is not Mode.STARTED or once:
            self._begun_us = first_us
        self._groups, self.mode = dict(zip(listed.active, groups, strict=True)), Mode.STARTED
        self._once_us = first_us + _SOURCE * SLOT_US + most * apart_us if once else None
        self._flow()
        return Result.GOOD

    def _pulse(self, word: m.SinglePulse, first_us: int) -> Result:
        """One pulse, soon."""
        if self._single is not None:
            return Result.BUSY
        self._single = first_us, word
        return Result.GOOD

    def _stopped(self, error: StimulationError) -> None:
        """Tell the host."""
        raise NotImplementedError

    def _clear(self) -> None:
        """Back to the beginning: no list, and nothing flows."""
        self._list, self._groups, self.mode = None, {}, Mode.START
        self._once_us = self._single = self._ending = None
        self._flow()

    def _fail(self, error: StimulationError) -> None:
        self._clear()
        self.show(f"stopped: {error.name.lower().replace('_', ' ')}")
        self._stopped(error)

    # --- what flows --------------------------------------------------------------------------------------------

    def _flow(self) -> None:
        """Bring what flows up to date with list and contacts; a pulse that finds no electrode is due as an error."""
        self._error = None
        slots = [0, 0]
        for output in range(CHANNELS):
            group = self._groups.get(output + 1)
            if group is None or self._list is None:
                if self._ending is None or self._ending[1] != output:
                    self.drive(output, None)
                continue
            source = output // _SOURCE
            self._repeat(output, group, self._list, self._begun_us + slots[source] * SLOT_US)
            slots[source] += 1

    def _repeat(self, output: int, group: m.Group, listed: m.InitChannelList, first_us: int) -> None:
        rounds = 1 + listed.low_frequency_factor * (output + 1 in listed.low_frequency)
        period_us = SECOND if listed.main_us == ONE_SHOT_US else listed.main_us * rounds
        if group.current_ua and (self.switch_pressed or self.contact_ohm[output] >= OPEN_OHM):
            late_us = max(0, self.now_us - first_us)
            due_us = first_us + -(-late_us // period_us) * period_us
            error = StimulationError.EMERGENCY_SWITCH if self.switch_pressed else StimulationError.ELECTRODE
            self._error = min(self._error or (due_us, error), (due_us, error))
        train = self._train(output, group, period_us)
        exact = None
        if train is not None:
            charge, net = phase_charge_pc(train), net_charge_pc(train)
            exact = Exact(period_us, listed.inter_pulse_us, charge, net, train.amplitude_ua)
        self.drive(output, train, first_us=first_us, exact=exact)

    def _train(self, output: int, group: m.Group, period_us: int) -> PulseTrain | None:
        """Two equal phases, as far as the voltage carries them."""
        if self.switch_pressed or self.contact_ohm[output] >= OPEN_OHM or not group.current_ua:
            return None
        width_us, rate_mhz = max(WIDTH_MIN_US, group.width_us), _MHZ_US // period_us
        train = symmetric(
            group.current_ua, width_us, rate_mhz, interphase_gap_us=GAP_US, pulses_per_period=group.pulses
        )
        return clipped(train, COMPLIANCE_MV * 1_000 // max(1, self.contact_ohm[output]))

    # --- time --------------------------------------------------------------------------------------------------

    def _list_due_us(self) -> int | None:
        """When something changes by itself."""
        times = [self._once_us, *self._felt.rests_us.values()]
        times += [each[0] for each in (self._error, self._single, self._ending) if each is not None]
        return min((time for time in times if time is not None), default=None)

    def _ring_list(self) -> None:
        """A pulse begins or ends, a list has run once, or an electrode is missed."""
        if self._ending is not None and self._ending[0] <= self.now_us:
            self.ledger[self._ending[1]].set(None, self.now_us)
            self._ending = None
        if self._single is not None and self._single[0] <= self.now_us:
            self._give(self._single[1])
        if self._once_us is not None and self._once_us <= self.now_us:
            self._once_us, self._groups = None, {}
            self._flow()
        for output in self._felt.rested(self.now_us):
            self.feel(output, self.ledger[output].train)
        if self._error is not None and self._error[0] <= self.now_us:
            self._fail(self._error[1])

    def _give(self, word: m.SinglePulse) -> None:
        """The single pulse begins."""
        self._single = None
        output, group = word.channel, m.Group(1, word.width_us, word.current_ua)
        if group.current_ua and self.switch_pressed:
            self._fail(StimulationError.EMERGENCY_SWITCH)
        elif group.current_ua and self.contact_ohm[output] >= OPEN_OHM:
            self._fail(StimulationError.ELECTRODE)
        else:
            train = self._train(output, group, SECOND)
            self.ledger[output].set(train, self.now_us, first_us=self.now_us)
            if train is not None:
                self.feel(output, self._train(output, group, self._felt.interval_us(output, self.now_us)))
                self._ending = self.now_us + pulse_us(train), output
