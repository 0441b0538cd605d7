"""Taking up the channels of a session: what no command could make safe is refused before there is any.

Room-internal. Where the clinical reference leaves a choice, the stricter reading is taken:

* A channel without sensation at its site is refused (labels: not on numb skin, C.3), not merely lowered.
* A motor channel must bring a burst plan, and every channel at least two different pads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from itertools import combinations
from typing import NamedTuple, final

from stimctl.envelope.accounts import Channel, Site
from stimctl.envelope.rules import Gate, SharedPad, Source
from stimctl.envelope.words import Burst, Finding, Pad, Placement, Rule, ceil_div
from stimctl.errors import Refusal
from stimctl.limits import (
    PAD_AREA_MAX_UM2,
    PAD_AREA_MIN_UM2,
    BodyPart,
    Effect,
    Limits,
    Sensation,
    absolute,
    indicated,
    narrow,
    profile,
    untimed,
)


@final
class Placed(NamedTuple):
    """What a limiter works on: its channels by number, the sites by name, the shared pads with their users."""

    channels: dict[int, Channel]
    sites: dict[str, Site]
    shared: tuple[tuple[SharedPad, tuple[Channel, ...]], ...]


def place(
    placements: tuple[Placement, ...],
    board: Limits,
    senses_impedance: bool,
    spent_us: dict[str, int],
    now_us: int,
) -> Placed:
    """Judge every placement with its plan and build what a limiter needs; raises :class:`Refusal`."""
    _check_arguments(placements, board, senses_impedance, spent_us, now_us)
    sites = {site: Site(us, now_us) for site, us in spent_us.items()}
    channels: dict[int, Channel] = {}
    for placement in placements:
        check_placement(placement, now_us)
        if placement.channel in channels:
            raise _refusal(Rule.DUPLICATE_CHANNEL, placement.channel, "once", now_us)
        site = sites.setdefault(placement.site, Site(0, now_us))
        whose = sources(placement, board, senses_impedance=senses_impedance)
        channels[placement.channel] = _channel(placement, whose, site, 1 << len(channels), now_us)
    shared = _shared_pads(tuple(channels.values()), board, senses_impedance, now_us)
    return Placed(channels, sites, shared)


def _check_arguments(
    placements: object, board: Limits, senses_impedance: object, spent_us: dict[str, int], now_us: object
) -> None:
    """Refuse arguments that are not what they should be, before anything is built on them."""
    if type(now_us) is not int:
        raise _refusal(Rule.TYPE, type(now_us).__name__, "int", 0)
    for value, kind in ((placements, tuple), (senses_impedance, bool), (spent_us, dict)):
        if type(value) is not kind:
            raise _refusal(Rule.TYPE, type(value).__name__, kind.__name__, now_us)
    if not placements:
        raise _refusal(Rule.MISSING_CHANNEL, 0, "1 or more", now_us)
    check_limits(board, now_us)
    for site, us in spent_us.items():
        if not (type(site) is str and type(us) is int and us >= 0):
            raise _refusal(Rule.TYPE, f"{site!r}: {us!r}", "a site and its µs", now_us)


def _channel(placement: Placement, whose: tuple[Source, ...], site: Site, bit: int, now_us: int) -> Channel:
    """One channel with its plan judged by every source."""
    for source in whose:
        for finding in plan_findings(placement, source):
            raise finding.refusal(now_us)
    absolutely, *others = (source.limits for source in whose)
    limits = narrow(indicated(absolutely), *others)
    if placement.effect is Effect.SENSORY:
        limits = untimed(limits)
    return Channel(placement, Gate(whose), limits, site, bit)


def _shared_pads(
    channels: tuple[Channel, ...], board: Limits, senses_impedance: bool, now_us: int
) -> tuple[tuple[SharedPad, tuple[Channel, ...]], ...]:
    """The pads that more than one channel uses, each with their sources for its own area."""
    _check_sharing(channels, now_us)
    users: dict[Pad, list[Channel]] = {}
    for channel in channels:
        for pad in channel.placement.pads:
            users.setdefault(pad, []).append(channel)

    def on(pad: Pad, channel: Channel) -> tuple[Source, ...]:
        return sources(channel.placement._replace(pads=(pad,)), board, senses_impedance=senses_impedance)

    return tuple(
        (SharedPad(pad.id, tuple(source for user in each for source in on(pad, user))), tuple(each))
        for pad, each in users.items()
        if len(each) > 1
    )


def _check_sharing(channels: tuple[Channel, ...], now_us: int) -> None:
    """Refuse one pad id with two areas, and two channels with the same two pads.

    What such channels give cannot be told apart by anybody who feels it, and ceilings are found one at a time.
    """
    areas: dict[str, int] = {}
    for channel in channels:
        for pad in channel.placement.pads:
            if areas.setdefault(pad.id, pad.area_um2) != pad.area_um2:
                raise _refusal(Rule.PAD_AREA, pad.area_um2, areas[pad.id], now_us)
    for one, other in combinations(channels, 2):
        common = {pad.id for pad in one.placement.pads} & {pad.id for pad in other.placement.pads}
        if not len(common) <= 1:
            both = f"channels {one.number} and {other.number} on {' and '.join(sorted(common))}"
            raise _refusal(Rule.PADS, both, "at most one pad in common", now_us)


def _refusal(rule: Rule, value: object, bound: object, now_us: int) -> Refusal:
    return Refusal(rule, value, bound, "", now_us=now_us, bound_from="placement")


def sources(placement: Placement, board: Limits, *, senses_impedance: bool) -> tuple[Source, ...]:
    """Whose bounds a channel is under, in the order in which they are asked (A.5)."""
    part, effect = placement.part, placement.effect
    area = min(pad.area_um2 for pad in placement.pads)
    own = profile(part, effect, smallest_pad_um2=area, sensation=placement.sensation, senses_impedance=senses_impedance)
    return (
        Source("absolute", absolute(part, effect, smallest_pad_um2=area), area, accuracy=True),
        Source(f"profile {part}", own, area),
        Source("board", board, area, of_output=True),
        Source("protocol", placement.protocol, area, of_output=True),
    )


def plan_findings(placement: Placement, source: Source) -> Iterator[Finding]:
    """What is wrong with a channel's burst plan by this source; sensory stimulation has no on-time or duty rule."""
    burst, lim, timed = placement.burst, source.limits, placement.effect is Effect.MOTOR
    if burst is None:
        if timed:
            yield Finding(Rule.BURST_PLAN, 0, 1, "plans", placement.channel, source.name)
        return
    number, name = placement.channel, source.name
    if not burst.ramp_up_us >= lim.ramp_up_min_us:
        yield Finding(Rule.RAMP_UP, burst.ramp_up_us, lim.ramp_up_min_us, "µs", number, name)
    on_us = burst.ramp_up_us + burst.hold_us + burst.ramp_down_us
    all_us = on_us + burst.rest_us
    if timed and not on_us <= lim.on_time_us:
        yield Finding(Rule.ON_TIME, on_us, lim.on_time_us, "µs", number, name)
    if timed and not on_us * 1_000 <= lim.duty_permille * all_us:
        yield Finding(Rule.DUTY, ceil_div(on_us * 1_000, all_us), lim.duty_permille, "‰", number, name)


def check_placement(placement: Placement, now_us: int) -> None:
    """Raise a :class:`Refusal` unless the placement is made of what it should be, before anything is worked out."""

    def need(fine: bool, rule: Rule, value: object, bound: object, unit: str = "") -> None:
        if not fine:
            raise Refusal(rule, value, bound, unit, now_us=now_us, bound_from="placement")

    need(type(placement) is Placement, Rule.TYPE, type(placement).__name__, "Placement")
    channel, part, effect, sensation, pads, site, protocol, burst = placement
    need(type(channel) is int and channel >= 0, Rule.UNKNOWN_CHANNEL, channel, "0 or more")
    for value, kind in ((site, str), (pads, tuple)):
        need(type(value) is kind, Rule.TYPE, value, kind.__name__)
    for value, members in ((part, BodyPart), (effect, Effect), (sensation, Sensation)):
        # By identity: a string can be made to pass for a member, and rules that ask "is it MOTOR?" would pass it over.
        need(any(value is member for member in members), Rule.TYPE, value, members.__name__)
    need(site != "", Rule.TYPE, "an empty name", "a site")
    need(sensation is not Sensation.ABSENT, Rule.SENSATION, sensation, Sensation.REDUCED)
    check_limits(protocol, now_us)
    need(len(pads) >= 2, Rule.PADS, len(pads), 2, "pads")
    for pad in pads:
        need(type(pad) is Pad and type(pad.id) is str and pad.id != "", Rule.TYPE, pad, "Pad")
        inside = type(pad.area_um2) is int and PAD_AREA_MIN_UM2 <= pad.area_um2 <= PAD_AREA_MAX_UM2
        need(inside, Rule.PAD_AREA, pad.area_um2, f"{PAD_AREA_MIN_UM2} to {PAD_AREA_MAX_UM2}", "µm²")
    need(len({pad.id for pad in pads}) == len(pads), Rule.PADS, "one pad twice", "different pads")
    if burst is not None:
        fine = type(burst) is Burst and all(type(each) is int and each >= 0 for each in burst)
        need(fine, Rule.TYPE, burst, "a Burst of whole µs")


def check_limits(limits: Limits, now_us: int) -> None:
    """Raise a :class:`Refusal` unless every bound is an exact, non-negative integer."""
    if type(limits) is not Limits:
        raise Refusal(Rule.TYPE, type(limits).__name__, "Limits", "", now_us=now_us, bound_from="limits")
    for field in fields(Limits):
        value: object = getattr(limits, field.name, None)
        if type(value) is not int or value < 0:
            raise Refusal(Rule.TYPE, value, "a whole number", field.name, now_us=now_us, bound_from="limits")
