"""What the fields of a protocol file must be to each other, and to the limits: a list of rules, each a small generator.

A rule reads the attributes it needs and yields findings. The loader also runs the rules over a file whose fields are
partly wrong; a rule that meets a field that could not be read then falls silent (``AttributeError`` of a half-built
model), so that an author hears of everything that can be known at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from stimctl.protocols import tens_rules, time_rules, together_rules, trigger_rules
from stimctl.protocols.channel_rules import CHANNEL_RULES
from stimctl.protocols.findings import Finding
from stimctl.protocols.following_rules import FOLLOWING_RULES
from stimctl.protocols.models import Protocol
from stimctl.protocols.sequence_rules import SEQUENCE_RULES

__all__ = ["CHANNEL_RULES", "PROTOCOL_RULES"]

ProtocolRule = Callable[[Protocol], Iterator[Finding]]

PROTOCOL_RULES: Final[tuple[ProtocolRule, ...]] = (
    together_rules.channels_differ,
    together_rules.pads_are_used,
    together_rules.channels_can_be_told_apart,
    together_rules.antagonists_do_not_meet,
    together_rules.shared_pads_are_within_limits,
    time_rules.burst_is_within_limits,
    time_rules.session_is_not_too_long,
    time_rules.set_rest_is_stated,
    trigger_rules.trigger_hears_a_channel,
    trigger_rules.trigger_has_one_threshold,
    trigger_rules.cue_and_window_agree,
    trigger_rules.adapting_is_whole,
    trigger_rules.script_leads_to_a_window,
    trigger_rules.glove_leads,
    *SEQUENCE_RULES,
    *FOLLOWING_RULES,
    tens_rules.duration_is_the_modes_own,
    tens_rules.sweep_goes_somewhere,
    tens_rules.sweep_stays_in_its_mode,
    tens_rules.low_rate_is_low,
)
