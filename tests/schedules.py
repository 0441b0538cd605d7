"""Small schedules for tests of the engine and the session, written by hand in integers."""

from __future__ import annotations

from stimctl.limits import BodyPart, Effect
from stimctl.pulse import symmetric
from stimctl.schedule import Advance, ChannelPlan, EarPlan, MovementPlan, PadPlan, Schedule, TriggerPlan, burst
from stimctl.units import MINUTE, SECOND, MicroAmp, SquareMicrometre

PAD_UM2 = SquareMicrometre(25 * 10**8)


def channel(
    name: str = "extensors", output: int = 0, *, effect: Effect = Effect.MOTOR, step_ua: int = 100
) -> ChannelPlan:
    return ChannelPlan(
        name=name,
        muscle="extensor digitorum communis",
        channel=output,
        site="forearm-dorsal",
        part=BodyPart.FOREARM,
        effect=effect,
        pads=(PadPlan(f"{name}-a", "square-50x50", PAD_UM2), PadPlan(f"{name}-b", "square-50x50", PAD_UM2)),
        target_ua=MicroAmp(15_000),
        max_ua=MicroAmp(25_000),
        shape=symmetric(0, 300, 35_000) if effect is Effect.MOTOR else symmetric(0, 100, 100_000),
        step_ua=step_ua,
    )


BURST = burst(ramp_up_us=SECOND, hold_us=3 * SECOND, ramp_down_us=SECOND, rest_us=5 * SECOND)

EAR = EarPlan(
    channel=0,
    threshold_sd=4.0,
    threshold_uv=None,
    dwell_ms=50,
    release_fraction=0.6,
    blanking_ms=15,
    baseline_us=2 * SECOND,
)

TRIGGER = TriggerPlan(
    by=Advance.ATTEMPT,
    lockout_us=300_000,
    cued=True,
    window_us=8 * SECOND,
    assist_missed=False,
    min_interval_us=SECOND,
)


def cyclic(
    *channels: ChannelPlan,
    repetitions: int = 3,
    sets: int = 1,
    movement: MovementPlan = BURST,
    trigger: TriggerPlan | None = None,
) -> Schedule:
    return Schedule(
        title="Extensors",
        kind="fes-emg-triggered" if trigger else "fes-cyclic",
        purpose="Open the hand.",
        channels=channels or (channel(),),
        movement=movement,
        trigger=trigger,
        repetitions=repetitions,
        sets=sets,
        set_rest_us=10 * SECOND,
        flow_us=0,
        rounded=(),
        ear=EAR if trigger and trigger.by is Advance.ATTEMPT else None,
    )


def tens(flow_us: int = 2 * MINUTE) -> Schedule:
    return Schedule(
        title="TENS",
        kind="tens-conventional",
        purpose="Ease pain.",
        channels=(channel(effect=Effect.SENSORY),),
        movement=None,
        trigger=None,
        repetitions=1,
        sets=1,
        set_rest_us=0,
        flow_us=flow_us,
        rounded=(),
    )
