"""``boards`` and ``bench``: who answers at which port, what to know of a board, and trying it before it is used."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Final

from stimctl.cli import say
from stimctl.units import ma_text

if TYPE_CHECKING:
    from stimctl.control.boards import Found

_COLUMN: Final = 13
_IN_PERCENT: Final = "in per cent: how many mA that is nobody knows without a calibration"


def boards(arguments: argparse.Namespace) -> int:
    """List ports, or ask at those that were named."""
    from stimctl.control import boards as door

    as_json = arguments.format == "json"
    found = door.look(arguments.ports, arguments.store, _ignore if as_json else tell)
    if as_json:
        say.whole(json.dumps([door.as_json(each) for each in found], indent=2, ensure_ascii=False))
    elif not found:
        say.line("no serial port was found; is the board plugged in? Other ports are asked by name: see --help")
    return door.code(found)


def bench(arguments: argparse.Namespace) -> int:
    """Commission one board."""
    from stimctl.control import bench as door

    request = door.BenchRequest(
        arguments.board,
        output=arguments.output,
        speed=arguments.speed,
        store=arguments.store,
        remote_terminal=arguments.remote_terminal,
    )
    return door.run_bench(request, say.line)


def _ignore(_found: Found) -> None:
    """JSON is one whole."""


def tell(found: Found) -> None:
    """One port in lines."""
    if found.facts is None:
        plug = " ".join(filter(None, (found.described, found.usb and f"({found.usb})")))
        say.line(": ".join(filter(None, (found.port, plug, found.problem))))
        return
    for text in lines(found):
        say.line(text)


def lines(found: Found) -> list[str]:
    """Who answered, what it can do, and what to be warned of."""
    facts = found.facts
    assert facts is not None
    who = " ".join(filter(None, (facts.name, facts.serial)))
    firmware = f", firmware {facts.firmware}" if facts.firmware else ""
    simulated = " - SIMULATED, no current flows anywhere" if facts.simulated else ""
    rows = [
        ("outputs", _outputs(found)),
        ("measures", _measures(found)),
        ("dead-man", _dead_man(facts.dead_man_ms)),
        ("stop button", "yes" if facts.stop_switch else f"none: {facts.way_out}"),
    ]
    if found.bench and not found.bench_warns:
        rows.append(("bench", found.bench))
    warnings = [*facts.cautions, *([found.bench] if found.bench_warns else [])]
    return [
        f"{found.url.removesuffix(':')}: {who}{firmware}{simulated}",
        *(f"  {name:<{_COLUMN}}{words}" for name, words in rows),
        *(f"  warning: {each}" for each in warnings),
    ]


def _outputs(found: Found) -> str:
    assert found.facts is not None
    facts, limits = found.facts, found.facts.limits
    steps = f"up to {ma_text(limits.peak_ua)} mA in steps of {ma_text(facts.amplitude_step_ua)} mA"
    return (
        f"{facts.outputs}, {steps if facts.knows_ma else _IN_PERCENT}; phases of "
        f"{limits.phase_width_min_us} to {limits.phase_width_max_us} µs; "
        f"{limits.rate_min_mhz / 1_000:g} to {limits.rate_max_mhz / 1_000:g} Hz"
    )


def _measures(found: Found) -> str:
    facts = found.facts
    assert facts is not None
    senses = [
        word
        for word, has in (("its current", facts.senses_current), ("the pads' contact", facts.senses_impedance))
        if has
    ]
    heard = f"; has an analog input of {facts.analog_rate_hz} Hz" if facts.analog_rate_hz else ""
    return (" and ".join(senses) or "neither its current nor the pads' contact") + heard


def _dead_man(dead_man_ms: int) -> str:
    if dead_man_ms <= 0:
        return "none: if this computer dies, output goes on until somebody ends it"
    return f"output ends by itself {dead_man_ms / 1_000:g} s after this computer falls silent"
