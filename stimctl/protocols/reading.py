"""From the tables of a TOML document to a model, or to every finding that can be known.

When a field is wrong, the model cannot be built, but an author still wants to hear of the rest. So a half-built model
is made of the fields that are right, for the rules to run over; it never leaves this file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from stimctl.limits import Effect
from stimctl.protocols.checks import closest, nearest
from stimctl.protocols.findings import Finding, Path, field_name, shown
from stimctl.protocols.guided import Activity, Biofeedback
from stimctl.protocols.guided_rules import GUIDED_RULES
from stimctl.protocols.models import KINDS, AnyProtocol
from stimctl.protocols.plan import Plan
from stimctl.protocols.plan_rules import PLAN_RULES
from stimctl.protocols.rules import CHANNEL_RULES, PROTOCOL_RULES

MEANT: Final[Mapping[str, str]] = {
    "pulse_width_us": "write phase_width_us: the width of ONE phase, half of a symmetric pulse without its gap",
    "width_us": "write phase_width_us: the width of ONE phase",
    "frequency_hz": "write rate_hz",
    "current_ma": "write amplitude_ma and max_amplitude_ma",
    "on_s": "write ramp_up_s, hold_s and ramp_down_s",
    "off_s": "write rest_s",
    "period_s": "write ramp_up_s, hold_s, ramp_down_s and rest_s; the period follows from them",
    "area_cm2": "the area follows from the pad's model and cannot be stated",
    "side": "the session asks for the side; a file never holds it",
    "channels": "write each channel under its own [[channel]]",
}
"""What is said beside an unknown field whose meaning is clear."""


_PARTS: Final[Mapping[str, str]] = {
    "phase": "fes-sequence",
    "sequence": "fes-sequence",
    "control": "fes-contralateral",
    "cycle": "fes-contralateral",
    "trigger": "fes-emg-triggered",
    "switch": "fes-switch-triggered",
    "burst": "fes-cyclic",
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
        findings += [_from_pydantic(each, model) for each in errors]
        findings += _broken_rules(_build(model, {**data, "kind": kind}, {_path(each) for each in errors}), whole=False)
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
    guess = next((likely for part, likely in _PARTS.items() if part in data), "tens-conventional")
    if "kind" not in data:
        return guess, [Finding(("kind",), "is missing", allowed=allowed)]
    message = f"is not a kind of protocol{nearest(value, KINDS)}"
    return (closest(value, KINDS) or [guess])[0], [Finding(("kind",), message, shown(value), allowed)]


# --- Pydantic's errors in our words ------------------------------------------------------------------------------


def _path(error: ErrorDetails) -> Path:
    return tuple(part for part in error["loc"] if part != "[key]")


def _is_echo(error: ErrorDetails) -> bool:
    """Pydantic counts only the entries that are right, and calls a list too short for the wrong ones in it."""
    return error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]


def _from_pydantic(error: ErrorDetails, model: type[BaseModel]) -> Finding:
    path, kind = _path(error), error["type"]
    if kind == "stimctl":
        ctx = error["ctx"]
        at_key = "[key]" in error["loc"]
        value = shown(path[-1] if at_key else error["input"])
        return Finding(path, ctx["message"], value, ctx["allowed"], ctx["source"], at_key)
    if kind == "missing":
        return Finding(path, "is missing")
    if kind == "extra_forbidden":
        return _unknown(path, model)
    if kind in ("too_short", "too_long"):
        ctx = error["ctx"]
        allowed = f"at least {ctx['min_length']}" if kind == "too_short" else f"at most {ctx['max_length']}"
        return Finding(path, f"has too {'few' if kind == 'too_short' else 'many'} entries", "", allowed)
    return Finding(path, f"must be {_shape(path)}", shown(error["input"]))


def _shape(path: Path) -> str:
    """What a part of the file has to look like, for one that looks otherwise."""
    if path == ("channel",):
        return "written as [[channel]], once for each channel"
    if path == ("phase",):
        return "written as [[phase]], once for each phase"
    if path == ("step",):
        return "written as [[step]], once for each step"
    if path == ("block",):
        return "written as [[block]], once for each block"
    if path == ("pads",):
        return "tables such as [pads.proximal]"
    return f"a table [{field_name(path)}]" if len(path) == 1 else "a table"


def _unknown(path: Path, model: type[BaseModel]) -> Finding:
    """An unknown field, with the known one that was probably meant."""
    word = str(path[-1])
    owner = _model_at(path[:-1], model)
    known = [info.alias or name for name, info in owner.model_fields.items()] if owner else []
    hint = f" ({MEANT[word]})" if word in MEANT else nearest(word, known)
    return Finding(path, f"unknown field{hint}", at_key=True, allowed="" if hint else ", ".join(known))


def _model_at(path: Path, model: type[BaseModel]) -> type[BaseModel] | None:
    """The model class that stands at ``path``."""
    here: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, int):
            continue
        fields = {info.alias or name: info for name, info in here.model_fields.items()} if here else {}
        if part in fields:
            here = _inner(fields[part])
    return here


# --- half-built models -------------------------------------------------------------------------------------------


def _inner(info: FieldInfo) -> type[BaseModel] | None:
    """The model class that a field holds: itself, in a tuple, or in a mapping."""
    for candidate in (info.annotation, *get_args(info.annotation)):
        if isinstance(candidate, type) and get_origin(candidate) is None and issubclass(candidate, BaseModel):
            return candidate
    return None


def _build(model: type[Any], raw: Any, bad: set[Path], at: Path = ()) -> Any:
    """``model`` from the fields of ``raw`` that are not at a path in ``bad``; the others are not set at all."""
    values: dict[str, Any] = {}
    wrong = []
    for name, info in model.model_fields.items():
        key = info.alias or name
        if not isinstance(raw, dict) or key not in raw:
            continue
        path = (*at, key)
        inner = _inner(info)
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
