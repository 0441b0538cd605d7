"""From the tables of a TOML document to a model, or to every finding that can be known.

When a field is wrong, the model cannot be built, but an author still wants to hear of the rest. So a half-built model
is made of the fields that are right, for the rules to run over; it never leaves this file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stimctl.limits import Effect
from stimctl.protocols.checks import UNLISTED, closest, nearest
from stimctl.protocols.findings import Finding, Path, field_name, shown
from stimctl.protocols.guided import Activity, Biofeedback
from stimctl.protocols.guided_rules import GUIDED_RULES
from stimctl.protocols.meant import value_meant
from stimctl.protocols.models import KINDS, AnyProtocol
from stimctl.protocols.plan import Plan
from stimctl.protocols.plan_rules import PLAN_RULES
from stimctl.protocols.rules import CHANNEL_RULES, PROTOCOL_RULES
from stimctl.protocols.syntax import REPEATED
from stimctl.protocols.unknown import Slip, inner_model, slip

MISSING: Final = "is missing"

_PARTS: Final[Mapping[str, str]] = {
    "phase": "fes-sequence",
    "sequence": "fes-sequence",
    "control": "fes-contralateral",
    "cycle": "fes-contralateral",
    "trigger": "fes-emg-triggered",
    "switch": "fes-switch-triggered",
    "burst": "fes-cyclic",
    "packet": "tens-burst",
    "modulation": "tens-modulated",
    "alternation": "tens-alternating",
    "activity": "activity",
    "feedback": "biofeedback",
    "block": "plan",
    "week": "plan",
}
"""The part that gives a kind away, where its name cannot be read."""


def read(data: dict[str, Any]) -> AnyProtocol | tuple[Finding, ...]:
    """The protocol that ``data`` states, or every finding, in no particular order and never empty."""
    kind, findings = _kind(data)
    model = KINDS[kind]
    try:
        protocol = model.model_validate({**data, "kind": kind})
    except ValidationError as error:
        errors = [each for each in error.errors(include_url=False) if not _is_echo(each)]
        slips = {_path(each): slip(_path(each), model, data) for each in errors if each["type"] == "extra_forbidden"}
        meant = {path for each in slips.values() for path in each.explains}
        findings += [_from_pydantic(each, slips) for each in errors]
        findings = [each for each in findings if not (each.path in meant and each.message == MISSING)]
        bad = meant.union(map(_path, errors))  # nor may a default stand in for what was misspelt
        findings += _broken_rules(_build(model, {**data, "kind": kind}, bad), whole=False)
        return tuple(findings)
    findings += _broken_rules(protocol, whole=True)
    return tuple(findings) if findings else protocol


def effect_of(data: dict[str, Any]) -> Effect:
    """What a file of this kind, or of the likeliest one, is for; what has no output moves no muscle either."""
    effect: Effect = getattr(KINDS[_kind(data)[0]], "effect", Effect.SENSORY)
    return effect


def _kind(data: dict[str, Any]) -> tuple[str, list[Finding]]:
    """The kind to read the file as, and what is wrong about it.

    A guess only serves to find more mistakes: with one finding already, the file cannot be accepted.
    """
    value, allowed = data.get("kind"), ", ".join(KINDS)
    if isinstance(value, str) and value in KINDS:
        return value, []
    part, guess = next(((part, kind) for part, kind in _PARTS.items() if part in data), ("", "tens-conventional"))
    if "kind" not in data:
        return guess, [Finding(("kind",), MISSING, allowed=allowed)]
    near = closest(value, KINDS)
    if near or not part:
        hint = nearest(value, KINDS) or value_meant(("kind",), value, tuple(KINDS))
    else:
        hint = f" (did you mean `{guess}`? It is the kind with a part `{part}`)"
    return (near or [guess])[0], [Finding(("kind",), f"is not a kind of protocol{hint}", shown(value), allowed)]


# --- Pydantic's errors in our words ------------------------------------------------------------------------------


def _path(error: ErrorDetails) -> Path:
    return tuple(part for part in error["loc"] if part != "[key]")


def _is_echo(error: ErrorDetails) -> bool:
    """Pydantic counts only the entries that are right, and calls a list too short for the wrong ones in it."""
    return error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]


def _from_pydantic(error: ErrorDetails, slips: Mapping[Path, Slip]) -> Finding:
    path, kind = _path(error), error["type"]
    if kind == "stimctl":
        return _from_checks(error, path)
    if kind == "missing":
        return Finding(path, MISSING)
    if kind == "extra_forbidden":
        return slips[path].finding
    if kind in ("too_short", "too_long"):
        ctx = error["ctx"]
        allowed = f"at least {ctx['min_length']}" if kind == "too_short" else f"at most {ctx['max_length']}"
        return Finding(path, f"has too {'few' if kind == 'too_short' else 'many'} entries", "", allowed)
    return Finding(path, f"must be {_shape(path)}", shown(error["input"]))


def _shape(path: Path) -> str:
    """What a part of the file has to look like, for one that looks otherwise."""
    if len(path) == 1 and (one := REPEATED.get(str(path[0]))):
        return f"written as [[{path[0]}]], once for each {one}"
    if path == ("pads",):
        return "tables such as [pads.proximal]"
    return f"a table [{field_name(path)}]" if len(path) == 1 else "a table"


def _from_checks(error: ErrorDetails, path: Path) -> Finding:
    """What a check of ours says; of a list, with what was meant by another word for the same."""
    ctx, at_key = error["ctx"], "[key]" in error["loc"]
    message, value = ctx["message"], path[-1] if at_key else error["input"]
    if message.startswith(UNLISTED):
        meant = value_meant(path, value, ctx["allowed"].split(", "))
        message = f"{UNLISTED}{meant}" if meant else message
    return Finding(path, message, shown(value), ctx["allowed"], ctx["source"], at_key)


# --- half-built models -------------------------------------------------------------------------------------------


def _build(model: type[Any], raw: Any, bad: set[Path], at: Path = ()) -> Any:
    """``model`` from the fields of ``raw`` that are not at a path in ``bad``; the others are not set at all."""
    values: dict[str, Any] = {}
    wrong = []
    for name, info in model.model_fields.items():
        key = info.alias or name
        path = (*at, key)
        if path not in bad and not (isinstance(raw, dict) and key in raw):
            continue
        inner = inner_model(info)
        if path in bad or (inner is None and any(each[: len(path)] == path for each in bad)):
            wrong.append(name)
        else:
            values[name] = _value(inner, raw[key], bad, path)
    built = model.model_construct(_fields_set=set(values), **values)
    for name in wrong:  # a default must not stand in for what the author wrote
        built.__dict__.pop(name, None)
    return built


def _value(inner: type[Any] | None, raw: Any, bad: set[Path], path: Path) -> Any:
    if inner is None:
        return tuple(raw) if isinstance(raw, list) else raw
    if isinstance(raw, list):
        return tuple(_build(inner, item, bad, (*path, index)) for index, item in enumerate(raw))
    if path == ("pads",) or (path[0] == "phase" and path[-1] == "channel"):
        return {name: _build(inner, item, bad, (*path, name)) for name, item in raw.items()}
    return _build(inner, raw, bad, path)


def _broken_rules(protocol: Any, *, whole: bool) -> list[Finding]:
    """What every rule finds. In a half-built model a rule stops at the first field that is not there."""
    found: list[Finding] = []
    channels = getattr(protocol, "channels", ())
    rules: tuple[Any, ...] = PROTOCOL_RULES
    if isinstance(protocol, (Activity, Biofeedback)):
        rules = GUIDED_RULES
    elif isinstance(protocol, Plan):
        rules = PLAN_RULES
    runs = [rule(protocol) for rule in rules]
    runs += [rule(protocol, index, channel) for index, channel in enumerate(channels) for rule in CHANNEL_RULES]
    for run in runs:
        found += run if whole else _as_far_as_known(run)
    return found


def _as_far_as_known(run: Iterator[Finding]) -> Iterator[Finding]:
    try:
        yield from run
    except AttributeError:
        return
