"""Doublets: from the file to the wire, judged as two pulses."""

from __future__ import annotations

from pathlib import Path

import pytest

from stimctl.engine import State
from stimctl.protocols import dumps, loads
from stimctl.protocols.bounds import train
from stimctl.pulse import figures
from stimctl.schedule import Steps, compile_schedule
from stimctl.session.rehearsal import rehearse
from stimctl.units import SECOND
from tests.protocol_texts import CYCLIC, TENS, edit, good, put, the_fault
from tests.session_rig import CYCLIC as SHORT
from tests.session_rig import Rig

DOUBLETS = edit(CYCLIC, ("rate_hz = 35", "rate_hz = 20\npulses_per_period = 2"))


def test_the_strongest_train_is_judged_with_both_pulses() -> None:
    """Vector 14 of the clinical reference: 30 mA, 300 us, 20 Hz, doublets on 25 cm2: 4.6476 mA rms."""
    protocol = good(put(DOUBLETS, "max_amplitude_ma", "30"))
    strongest = figures(train(protocol.channels[0]), 25 * 10**8)  # type: ignore[arg-type]
    assert strongest.rms_ma == pytest.approx(4.6476, rel=1e-4)
    assert strongest.charge_uc == pytest.approx(9)


def test_a_doublet_reaches_the_schedule_and_flies() -> None:
    schedule = compile_schedule(good(DOUBLETS), Steps())
    assert schedule.channels[0].shape.pulses_per_period == 2
    single = rehearse(compile_schedule(good(put(CYCLIC, "rate_hz", "20")), Steps()))
    assert rehearse(schedule).charge_uc == pytest.approx(2 * single.charge_uc, rel=0.01)


def test_a_doublet_goes_through_a_file_and_back() -> None:
    protocol = good(DOUBLETS)
    assert loads(dumps(protocol), "again") == protocol


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        (put(DOUBLETS, "rate_hz", "26"), "channel[1].rate_hz", "is too fast: each pulse of a doublet counts as one"),
        (put(DOUBLETS, "pulses_per_period", "3"), "channel[1].pulses_per_period", "out of range"),
        (put(DOUBLETS, "pulses_per_period", "2.0"), "channel[1].pulses_per_period", "must be a whole number, write 2"),
        (
            edit(TENS, ("rate_hz = 100", "rate_hz = 50\npulses_per_period = 2")),
            "channel[1].pulses_per_period",
            "doublets are for kinds that make muscles move",
        ),
    ],
)
def test_what_is_no_doublet_is_refused(text: str, field: str, message: str) -> None:
    fault = the_fault(text)
    assert (fault.field, fault.message) == (field, message)


def test_the_fastest_doublet_is_good() -> None:
    assert good(put(DOUBLETS, "rate_hz", "25")).channels[0].pulses_per_period == 2


def test_a_session_gives_doublets(tmp_path: Path) -> None:
    rig = Rig(tmp_path, edit(SHORT, ("rate_hz = 35", "rate_hz = 20\npulses_per_period = 2")))
    rig.work(until=State.TRIAL)
    rig.work(until=State.BURST)
    rig.go(2 * SECOND)
    assert rig.flowing_ua > 0
    assert rig.session.engine.lanes[0].shape.pulses_per_period == 2
    rig.work()
    counts, review = rig.session.engine.counts(), rig.session.review()
    assert counts.delivered == 2
    measured = rig.session.measured.charge_uc
    assert measured is not None
    assert measured == pytest.approx(counts.charge_uc, rel=0.1), review
    rig.close()
