"""The warn column: what a person should look at before going on. It refuses nothing.

Room-internal; :meth:`stimctl.safety.Limiter.review` is the way in.
"""

from __future__ import annotations

from collections.abc import Iterator

from stimctl.envelope.accounts import Channel
from stimctl.envelope.placing import plan_findings
from stimctl.envelope.rules import SharedPad, Source
from stimctl.envelope.words import Finding, Pad, Placement, Rule, strength, well_typed
from stimctl.limits import warning
from stimctl.pulse import Command, Output


def warn_source(placement: Placement) -> Source:
    """The warn column of a channel as a source of bounds."""
    area = min(pad.area_um2 for pad in placement.pads)
    limits = warning(placement.part, placement.effect, smallest_pad_um2=area)
    return Source(f"warn {placement.part}", limits, area)


def train_warnings(channel: Channel, output: Output) -> Iterator[Finding]:
    """Bounds of the warn column that a train passes; a train that is none is left to the refusal that it gets."""
    if well_typed(output.train):
        train = output.train
        yield from warn_source(channel.placement).findings(train, strength(train), channel.number)


def site_warnings(channel: Channel, now_us: int) -> Iterator[Finding]:
    """Whether the channel's site has had enough."""
    source = warn_source(channel.placement)
    spent_us, bound_us = channel.site.spent_at_us(now_us), source.limits.site_time_us
    if not spent_us <= bound_us:
        yield Finding(Rule.SITE_TIME, spent_us, bound_us, "µs", channel.number, source.name)


def plan_warnings(channel: Channel) -> Iterator[Finding]:
    """What the warn column says about a burst plan."""
    return plan_findings(channel.placement, warn_source(channel.placement))


def pad_warnings(pad: SharedPad, users: tuple[Channel, ...], command: Command) -> Iterator[Finding]:
    """Whether what channels add up to on a shared pad passes the warn column."""
    numbers = {user.number for user in users}
    trains = [output.train for output in command.outputs if output.channel in numbers and well_typed(output.train)]
    own = tuple(Pad(pad.name, area_um2) for area_um2 in {source.area_um2 for source in pad.sources})  # they agree
    warn = SharedPad(pad.name, tuple(warn_source(user.placement._replace(pads=own)) for user in users))
    loads = [strength(train) for train in trains]
    if not warn.allows(loads):
        yield warn.finding(loads)
