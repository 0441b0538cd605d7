"""Theorems about what has been: raises, ramps, bursts, the time of a site, and a whole command in any state.

The state before is ANY state (every counter an arbitrary integer), not only one that a session could come to; what is
assumed of it stands in each statement. Over a session the steps add up by induction: each one is proven from any state.

* ``raise`` - one act: at most one step in amplitude, charge and rms, not too soon, not too fast (R2, H03, A.0 item 4);
* ``ramp`` - credit pays for every rise in amplitude, charge and rms, is never overdrawn, and grows no faster than
  level / ramp time, so all rises in any stretch of time cost no more than that, a step and a tread;
* ``burst`` - on-time ends, and the rest that a burst owes keeps its share of time at the duty;
* ``site`` - time is counted once, never forgotten, and never counted short while output is on;
* ``approve`` - the limiter's own method: a permit for any command in any state means open, inside the gate, covered by
  level and ceiling, in time, and every channel named once; anything else is a refusal, and trips the latch. Limits are
  those of the absolute column there, as ``every source`` holds for all; naming a breach is left out (it is only text).

A level or ceiling with an amplitude has a charge and a mean square above 0, as widths and rates have least values.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.proving.limiter_givens import Given, any_limits, any_placement, any_strength, any_train
from tests.proving.theorem import Study, Theorem

SECOND_US = 1_000_000
PAUSE_US = 60 * SECOND_US
TREAD_US = 50_000
MOTOR = Given("forearm", "motor", "normal", True)


def _level(study: Study, name: str) -> Any:
    """Nothing, or the strength of a train that flows."""
    level = any_strength(study, name, 0)
    if level.peak_ua == 0:
        return study.world.words.ZERO
    study.assume((level.charge_pc >= 1) & (level.mean_square >= 1))
    return level


def _channel(study: Study) -> Any:
    """A motor channel with any limits and any past."""
    accounts = study.world.accounts
    limits = any_limits(study, "limits")
    site = accounts.Site(study.integer("site.spent_us", 0), study.integer("site.counted_to_us"))
    channel = accounts.Channel(any_placement(study, MOTOR, 0), None, limits, site, 1)
    channel._credit = study.integer("credit", 0)
    channel._credit_at_us = study.integer("credit_at_us")
    return channel


def _refused(study: Study, judge: Any, *args: Any) -> bool:
    try:
        judge(*args)
    except study.world.errors.Refusal:
        study.reached("refused")
        return True
    study.reached("passed")
    return False


def one_raise(study: Study) -> None:
    channel = _channel(study)
    old = channel.level = _level(study, "level")
    new, now_us, before_us = any_strength(study, "new", 0), study.integer("now_us"), study.integer("raised_at_us")
    study.assume(new.peak_ua >= 1)
    _quietly(study)
    if _refused(study, channel.judge_raise, new, before_us, now_us):
        return
    lim, waited_us = channel.limits, now_us - before_us
    peak, higher = old.peak_ua, old.peak_ua + lim.step_ua
    study.claim("one step", new.peak_ua <= higher)
    study.claim("not too soon", waited_us >= lim.step_interval_min_us)
    study.claim("not too fast", (new.peak_ua - peak) * SECOND_US <= lim.rise_ua_per_s * waited_us)
    if old.peak_ua == 0:
        return
    most = study.world.words.one_step_up(old, new, lim.step_ua)
    study.multiply(most.charge_pc - new.charge_pc, peak)
    study.claim("one step of charge", new.charge_pc * peak <= old.charge_pc * higher)
    study.multiply(most.mean_square - new.mean_square, peak * peak)
    study.claim("one step of rms", new.mean_square * peak * peak <= old.mean_square * higher * higher)
    study.claim("no wider gap and no more pulses", (new.gap_us <= old.gap_us) & (new.pulses <= old.pulses))
    rise = study.world.words.rise_ua(new, old, old)
    study.multiply(rise * SECOND_US, old.charge_pc)
    study.multiply(lim.rise_ua_per_s * waited_us - rise * SECOND_US, old.charge_pc)
    gain = (new.charge_pc - old.charge_pc) * peak
    study.claim("no charge too fast", gain * SECOND_US <= lim.rise_ua_per_s * waited_us * old.charge_pc)


def rising(study: Study) -> None:
    """What :func:`rise_ua` calls a rise is no less than the rise in amplitude, in charge and in rms.

    For rms: the level's amplitude that has it, ``x = peak √(m / level.m)``, lies between whole ``low`` and ``high``.
    """
    words = study.world.words
    level = _level(study, "level")
    study.assume(level.peak_ua >= 1)
    new, old = any_strength(study, "new", 0), any_strength(study, "old", 0)
    rise, peak = words.rise_ua(new, old, level), level.peak_ua
    study.reached("a rise" if rise >= 1 else "none")
    study.claim("never negative", rise >= 0)
    study.claim("amplitude", new.peak_ua - old.peak_ua <= rise)
    if new.charge_pc > old.charge_pc:
        of_charge = words.ceil_div((new.charge_pc - old.charge_pc) * peak, level.charge_pc)
        study.multiply(rise - of_charge, level.charge_pc)
    else:
        study.multiply(rise, level.charge_pc)
        study.multiply(old.charge_pc - new.charge_pc, peak)
    study.claim("charge", (new.charge_pc - old.charge_pc) * peak <= rise * level.charge_pc)
    # If the old train's rms is worth at least `worth` µA, then the new one's is worth at most `worth + 1 + rise`.
    if new.mean_square > old.mean_square:
        was = words.isqrt(old.mean_square * peak * peak // level.mean_square)
        share = words.ceil_div(new.mean_square * peak * peak, level.mean_square)
        high = words.ceil_root(new.mean_square * peak * peak, level.mean_square)
        study.claim("rms", rise >= high - was)
        study.claim("the new rms is worth no more than high", high * high >= share)
        study.claim(
            "the old rms is worth no less than low", was * was <= old.mean_square * peak * peak // level.mean_square
        )


def ramp(study: Study) -> None:
    channel = _channel(study)
    channel.level = _level(study, "level")
    channel._old = any_strength(study, "old", 0)
    new, now_us = any_strength(study, "new", 0), study.integer("now_us")
    before, elapsed_us = channel._credit, now_us - channel._credit_at_us
    study.assume(elapsed_us >= 0)
    study.multiply(channel.level.peak_ua, elapsed_us)
    study.multiply(channel.limits.step_ua, channel.limits.ramp_up_min_us)
    lim, peak = channel.limits, channel.level.peak_ua
    _quietly(study)
    paid = _any_rise(study)
    if _refused(study, channel._judge_ramp, new, now_us):
        return
    cost = sum(paid) * lim.ramp_up_min_us
    study.claim("never overdrawn", channel._credit >= 0)
    study.claim("credit grows with time alone", channel._credit + cost <= before + peak * elapsed_us)
    study.claim(
        "and holds one step and a tread", channel._credit + cost <= lim.step_ua * lim.ramp_up_min_us + peak * TREAD_US
    )
    if not paid:
        was = channel._old
        study.claim(
            "what costs nothing is no rise",
            (new.peak_ua == 0)
            | ((new.peak_ua <= was.peak_ua) & (new.charge_pc <= was.charge_pc) & (new.mean_square <= was.mean_square)),
        )


def burst(study: Study) -> None:
    channel = _channel(study)
    on_us, end_us, next_us = study.integer("on_us"), study.integer("end_us"), study.integer("next_us")
    lim = channel.limits
    study.assume((on_us <= end_us) & (lim.duty_permille >= 1) & (lim.duty_permille <= 1_000))
    channel._on_since_us = on_us
    if _refused(study, channel._judge_burst, end_us):
        return
    study.claim("on-time", end_us - on_us < lim.on_time_us)
    channel.end(end_us)
    if _refused(study, channel._judge_burst, next_us):
        return
    rest_us = next_us - end_us
    study.multiply(next_us - channel.ready_at_us, lim.duty_permille)
    study.claim("rest", (end_us - on_us) * 1_000 <= lim.duty_permille * (end_us - on_us + rest_us))
    study.reached("next")


def site(study: Study) -> None:
    accounts = study.world.accounts
    spent_us, made_us = study.integer("spent_us", 0), study.integer("made_us")
    on_us, later_us, last_us = study.integer("on_us"), study.integer("later_us"), study.integer("last_us")
    study.assume((made_us <= on_us) & (on_us <= later_us) & (later_us <= last_us))
    place = accounts.Site(spent_us, made_us)
    place.advance(on_us)
    study.claim("nothing counts before output", place.spent_us == spent_us)
    place.warm(on_us)
    place.advance(later_us)
    first_us = place.spent_us - spent_us
    study.claim("counted in full up to a pause", (first_us == later_us - on_us) | (first_us == PAUSE_US))
    study.claim("never more than has passed", (first_us >= 0) & (first_us <= later_us - on_us))
    study.claim("asked without counting", place.spent_at_us(last_us) >= place.spent_us)
    place.advance(last_us)
    study.claim("each moment once", place.spent_us - spent_us <= last_us - on_us)
    study.claim("a pause at most after the end", place.spent_us - spent_us <= PAUSE_US)
    study.reached("counted")


def _any_rise(study: Study) -> list[Any]:
    """Let a rise be any number that is not negative, which is all of what ``rising`` proves that is needed here."""
    paid: list[Any] = []

    def any_rise(*_: Any) -> Any:
        paid.append(study.integer("rise", 0))
        return paid[-1]

    study.world.accounts.rise_ua = any_rise
    return paid


def _quietly(study: Study) -> None:
    """Leave out the words of a refusal: which bound is named decides nothing."""
    world = study.world
    world.words.Strength.excess = lambda *_: (0, 0, "")
    world.rules.Gate.finding = lambda *_: world.words.Finding(world.words.Rule.PEAK, 0, 0, "")


def approve(study: Study, treating: bool, on: bool) -> None:
    world = study.world
    _quietly(study)
    _any_rise(study)
    latch = world.latch.Latch()
    limiter = _limiter(study, latch, treating)
    (state,) = limiter._all
    was_us = study.integer("on_since_us")
    state._on_since_us = was_us if on else None
    last_us, now_us = limiter._approved_at_us, study.integer("now_us")
    train = any_train(study)
    command = world.pulse.Command((world.pulse.Output(0, train),))
    before_us, ready_us = limiter._now_us, state.ready_at_us
    try:
        limiter.approve(command, now_us)
    except world.errors.Refusal as refusal:
        study.claim("a refusal trips the latch", latch.tripped)
        study.claim("no fault of ours", refusal.rule is not world.words.Rule.FAULT)
        study.reached("refused")
        return
    strength = world.words.strength(train)
    study.claim("no clock runs back", now_us >= before_us)
    study.claim("inside every bound", bool(state.gate.allows(train, strength)))
    study.claim("no silence while on", now_us - last_us <= SECOND_US if on else True)
    study.claim("not tripped", not latch.tripped)
    if strength.peak_ua == 0:
        study.reached("zero")
        return
    study.claim("open", state.open)
    for name, most in (("level", state.level), ("ceiling", state.ceiling if treating else state.level)):
        study.claim(f"amplitude within the {name}", train.amplitude_ua <= most.peak_ua)
        study.claim(f"charge within the {name}", train.amplitude_ua * train.phase_width_us <= most.charge_pc)
        study.claim(f"rms within the {name}", strength.mean_square <= most.mean_square)
        study.claim(f"gap within the {name}", train.interphase_gap_us <= most.gap_us)
    study.claim("on-time", now_us - was_us < 30 * SECOND_US if on else now_us >= ready_us)
    study.claim("time of the site", state.site.spent_us < 120 * PAUSE_US)
    study.reached("given")


def _limiter(study: Study, latch: Any, treating: bool) -> Any:
    """A limiter of one channel, as it is made, then with any past."""
    world = study.world
    words, limits = world.words, world.limits
    pads = tuple(words.Pad(name, 25 * 10**8) for name in ("a", "b"))
    plan = words.Burst(1_000_000, 5_000_000, 1_000_000, 10_000_000)
    placement = any_placement(study, MOTOR, 0, pads=pads, protocol=limits.ABSOLUTE, burst=plan)
    limiter = world.safety.Limiter((placement,), limits.ABSOLUTE, latch, senses_impedance=True, now_us=0)
    (state,) = limiter._all
    limiter._now_us = study.integer("limiter.now_us")
    limiter._approved_at_us = study.integer("approved_at_us")
    limiter._treating, limiter._titrating = treating, None if treating else state
    state.open = study.integer("open") >= 1
    state.level, state.ceiling = any_strength(study, "level", 0), any_strength(study, "ceiling", 0)
    state._old = any_strength(study, "old", 0)
    state.reached = (
        world.words.ZERO
    )  # read once all is judged, to keep the most that was given: it decides nothing here
    state._credit, state._credit_at_us = study.integer("credit", 0), study.integer("credit_at_us")
    state.ready_at_us = study.integer("ready_at_us")
    state.site.spent_us = study.integer("spent_us", 0)
    state.site._counted_to_us = study.integer("counted_to_us")
    state.site._warm_until_us = study.integer("warm_until_us")
    return limiter


THEOREMS = (
    Theorem("raise", one_raise, ("refused", "passed"), quick=False),
    Theorem("rising", rising, ("a rise", "none")),
    Theorem("ramp", ramp, ("refused", "passed")),
    Theorem("burst", burst, ("refused", "next")),
    Theorem("site", site, ("counted",)),
    *(
        Theorem(
            f"approve, {'treatment' if treating else 'titration'}, {'on' if on else 'off'} before",
            partial(approve, treating=treating, on=on),
            ("refused", "zero", "given"),
            quick=False,
        )
        for treating in (True, False)
        for on in (True, False)
    ),
)
