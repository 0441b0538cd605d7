"""What a face is tested with: a handle that remembers, and a status for each step of a session."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

from stimctl.orders import (
    ChannelStatus,
    Counts,
    EmgStatus,
    Order,
    OrderKind,
    OutputWord,
    Progress,
    Question,
    Stage,
    Status,
)
from stimctl.widgets.forms import Entry


class Listed(NamedTuple):
    name: str
    kind: str
    title: str
    summary: str


LIBRARY: tuple[Entry, ...] = (
    Listed("emg-triggered", "fes-emg", "EMG-triggered finger extension", "Own effort sets off each burst."),
    Listed("cyclic", "fes-cyclic", "Cyclic finger extension", "Bursts by the clock: ramp up, hold, ramp down, rest."),
    Listed("tens", "tens", "Conventional TENS", "Sensory, 100 Hz, 30 minutes, for pain."),
)


class FakeHandle:
    """Remembers what the face asked for, and hands out the statuses it was given."""

    def __init__(self, *statuses: Status) -> None:
        self.sent: list[Order] = []
        self.stops = 0
        self.beats = 0
        self.closed = False
        self.notes: tuple[str, ...] = ()
        self.statuses = list(statuses)

    def send(self, order: Order) -> None:
        self.sent.append(order)

    def stop(self) -> None:
        self.stops += 1

    def beat(self) -> None:
        self.beats += 1

    def poll(self) -> Status | None:
        return self.statuses.pop(0) if self.statuses else None


class Clock:
    """Monotonic µs that only a test moves."""

    def __init__(self) -> None:
        self.now_us = 1_000_000

    def __call__(self) -> int:
        return self.now_us

    def pass_ms(self, ms: int) -> None:
        self.now_us += ms * 1_000


def channel(at: int = 0, **changes: object) -> ChannelStatus:
    names = (
        ("Finger extensors", "extensor digitorum communis", "forearm dorsal"),
        ("Wrist extensors", "extensor carpi radialis", "forearm dorsal"),
        ("Thumb", "abductor pollicis brevis", "hand thenar"),
        ("Finger flexors", "flexor digitorum superficialis", "forearm volar"),
    )
    name, muscle, site = names[at % 4]
    usual = ChannelStatus(
        name=name if at < 4 else f"{name} {at + 1}",
        muscle=muscle,
        site=site,
        output=at + 1,
        pads="2 pads 5 x 5 cm",
        pads_confirmed=True,
        selected=at == 0,
        now_ua=12_000 - 2_000 * (at % 4),
        measured_ua=11_870 - 2_000 * (at % 4) if at % 2 == 0 else None,
        level_ua=14_000 - 2_000 * (at % 4),
        target_ua=14_000 - 2_000 * (at % 4),
        ceiling_ua=18_000 - 1_500 * (at % 4),
        max_ua=60_000,
        impedance_ohm=1_240 + 300 * at,
        contact="good",
        sensory_ua=5_000,
        motor_ua=9_000,
        tolerated_ua=18_000 - 1_500 * (at % 4),
        threshold_run=2,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def burst(x: float) -> float:
    """An envelope in µV: rest, and one effort about the middle."""
    return 6 + 3 * math.sin(x * 1.7) ** 2 + 74 / (1 + math.exp(-(x - 70) / 3)) / (1 + math.exp((x - 112) / 5))


EMG = EmgStatus(
    source="sim:",
    listening=True,
    quality="good",
    envelope_uv=tuple(burst(x) for x in range(150)),
    threshold_uv=32.0,
    release_uv=20.0,
)

K = OrderKind

QUESTIONS = (
    Question("implant", "Pacemaker, defibrillator or any other active implant?", "blocker", "no"),
    Question("bleeding", "Bleeding tissue, or an untreated bleeding disorder?", "blocker"),
    Question(
        "heart", "Known heart disease or heart failure?", "precaution", "yes", "Stable for years, cardiologist agrees"
    ),
    Question("metal", "Metal in the treated forearm or hand?", "precaution"),
    Question("stop-tried", "Stop tried today, and a stop word or gesture agreed?", "check", "yes"),
    Question("skin", "Skin at every pad intact, clean and dry?", "check", "no"),
    Question("sensation:forearm-dorsal", "Touch felt on the forearm dorsal?", "sensation"),
    Question("sensation:hand-thenar", "Touch felt on the hand thenar?", "sensation", "reduced"),
)


def session(stage: Stage, next_action: str, *can: OrderKind, **changes: object) -> Status:
    usual = Status(
        stage=stage,
        state=f"{stage}",
        next_action=next_action,
        output=OutputWord.OFF,
        simulated=True,
        board="sim:",
        protocol="EMG-triggered finger extension",
        protocol_kind="fes-emg",
        patient="P-017",
        side="left",
        can=(*can, K.NOTE),
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


START = session(
    Stage.START, "Choose a protocol, enter the patient's code and side, open the session.", K.OPEN,
    patient="", side="", protocol="", state="no session",
)  # fmt: skip
SCREENING = session(
    Stage.SCREENING, "Answer every question with the patient.", K.ANSWER, questions=QUESTIONS, state="screening",
)  # fmt: skip
PADS = session(
    Stage.PADS, "Check each channel's pads, lead and skin, then confirm it.", K.CONFIRM_PADS,
    state="board connected", channels=tuple(channel(at, pads_confirmed=at == 0, now_ua=0, level_ua=0) for at in range(3)),
    warnings=("Charge per phase 13 µC on Finger extensors is above the usual 12 µC.",),
    summary=(
        "20 bursts of 1.5 s ramp up, 5 s hold, 1 s ramp down, 10 s rest, set off by the patient's own EMG.",
        "Symmetrical pulses of 300 µs per phase at 35 Hz; at most 60 mA, and never above the ceiling found today.",
    ),
)  # fmt: skip
THRESHOLDS = session(
    Stage.THRESHOLDS, "Raise until the patient first feels it, then press 1.",
    K.SELECT, K.RAISE, K.LOWER, K.ZERO, K.MARK,
    state="finding thresholds", output=OutputWord.ON,
    channels=(
        channel(0, now_ua=8_000, level_ua=8_000, ceiling_ua=None, tolerated_ua=None, threshold_run=1, measured_ua=7_940),
        *(channel(at, now_ua=0, level_ua=0, ceiling_ua=None, sensory_ua=None, motor_ua=None, tolerated_ua=None,
                  threshold_run=1) for at in (1, 2)),
    ),
)  # fmt: skip
RUN = session(
    Stage.RUN, "Ask for the next attempt: open the hand as far as it goes.",
    K.SELECT, K.RAISE, K.LOWER, K.ZERO, K.PAUSE, K.FINISH,
    state="treating", output=OutputWord.ON, channels=tuple(channel(at) for at in range(2)), emg=EMG,
    progress=Progress("ramp up", 1_240_000, 2_000_000, 7, 20, 1, 3, 725_000_000, 1_800_000_000),
    counts=Counts(26, 19, 4, 3, charge_uc=1_200, on_time_us=180_000_000, stops=1, by="attempt"),
)  # fmt: skip
REVIEW = session(
    Stage.REVIEW, "Inspect the skin, ask for pain, then close the session.", K.SKIN_CHECKED, K.PAIN, K.CLOSE,
    state="finished", channels=(channel(0, now_ua=0, level_ua=0),),
    review=(
        "EMG-triggered finger extension, P-017, left, 30:00 min",
        "60 bursts delivered, 42 triggered, 12 missed, 6 assisted: 70 % by own effort",
        "Finger extensors: 14.0 mA mean, 15.0 mA highest, ceiling 18.0 mA",
        "1 stop, 2 ceiling hits",
    ),
)  # fmt: skip

STEPS = {
    "start": START,
    "screening": SCREENING,
    "pads": PADS,
    "thresholds": THRESHOLDS,
    "run": RUN,
    "review": REVIEW,
}
