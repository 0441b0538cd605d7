"""The door of ``stimctl boards``: which ports there are, and who answers at those that were named.

Ports that nobody has named are not even opened: opening raises the port's control lines, which reset some boards and fire
some stimulators, and what is a question to one kind of board may be an order to another (:mod:`stimctl.session.asking`).
The one exception is a pseudo-terminal, behind which a program of this computer stands and no plug: there the kinds
whose words are framed, counted and checked are tried in turn. Their bytes mean nothing to any other kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, final

from stimctl.boards import KINDS, BoardFacts, board_url
from stimctl.boards.plugs import may_be
from stimctl.control.clock import Clock, RealClock
from stimctl.errors import LinkLost, LinkTimeout, StimctlError, UsageError
from stimctl.records import profiles
from stimctl.records.reading import default_store
from stimctl.session import commissioning
from stimctl.session.asking import ask
from stimctl.session.link import is_simulated, kind_of
from stimctl.session.measuring import must_be_past
from stimctl.transport import address
from stimctl.transport.ports import SerialPort, is_pseudo, serial_ports
from stimctl.units import SECOND

FRAMED: Final = ("p24", "reference", "rehamove3", "rehastim2", "uecu")
"""Kinds whose words have a head, a length and a check sum, so that no other kind takes them for its own. Those that take
lines of text are not here: what one of them only prints, another may carry out.
"""

GUESS_US: Final = 1 * SECOND
"""How long a program behind a pseudo-terminal may take: there is no loader and no radio that has to start first."""

_GOOD: Final = 0
_FAULTS: Final = 1
_USAGE: Final = 2


@final
@dataclass(frozen=True, slots=True)
class Found:
    """One port. ``url`` is how it was asked, "" if it was not; ``facts`` who answered; ``problem`` why nobody did, or was asked.

    ``may_be``: kinds that its plug speaks for. ``bench``: what its commissioning says, ``bench_warns`` whether that is a
    warning. ``code``: what this port makes of the exit code.
    """

    port: str
    described: str = ""
    usb: str = ""
    url: str = ""
    facts: BoardFacts | None = None
    problem: str = ""
    may_be: tuple[str, ...] = ()
    bench: str = ""
    bench_warns: bool = False
    code: int = _GOOD

    @property
    def kind(self) -> str:
        """The scheme of its kind; "" while that is not known."""
        return "" if self.facts is None else kind_of(self.url)


def look(
    names: Sequence[str], store: str | None, told: Callable[[Found], None], clock: Clock | None = None
) -> tuple[Found, ...]:
    """Every port that was named, each told as soon as it is known; without names, all that there are, and none is asked.

    Raises :class:`UsageError` for a name that makes no sense, before any port is opened.
    """
    listed = serial_ports()
    if not names:
        found = tuple(_unasked(port) for port in listed)
        for each in found:
            told(each)
        return found
    for name in names:
        _check(name)
    plugs = {port.device: port for port in listed}
    where = profiles.folder(Path(store) if store else default_store())
    answers = []
    for name in names:
        answers.append(_named(name, plugs, where, clock or RealClock()))
        told(answers[-1])
    return tuple(answers)


def code(found: Sequence[Found]) -> int:
    """The exit code of them all: 2 where a port cannot be had as it was named, 1 where nobody fit answered, else 0."""
    return max((each.code for each in found), default=_GOOD)


def as_json(found: Found) -> dict[str, Any]:
    """One port for a program: currents in µA (``None``: nobody knows), times in µs or as named, rates in mHz."""
    head = {
        "port": found.port,
        "description": found.described,
        "usb": found.usb,
        "url": found.url,
        "answered": found.facts is not None,
        "problem": found.problem,
        "may_be": list(found.may_be),
    }
    facts = found.facts
    if facts is None:
        return head
    limits = facts.limits
    return head | {
        "board": found.kind,
        "name": facts.name,
        "serial": facts.serial,
        "firmware": facts.firmware,
        "simulated": facts.simulated,
        "outputs": facts.outputs,
        "amplitude_max_ua": limits.peak_ua if facts.knows_ma else None,
        "amplitude_step_ua": facts.amplitude_step_ua if facts.knows_ma else None,
        "phase_width_min_us": limits.phase_width_min_us,
        "phase_width_max_us": limits.phase_width_max_us,
        "width_step_us": facts.width_step_us,
        "rate_min_mhz": limits.rate_min_mhz,
        "rate_max_mhz": limits.rate_max_mhz,
        "rate_step_mhz": facts.rate_step_mhz,
        "period_step_us": facts.period_step_us,
        "senses_current": facts.senses_current,
        "senses_impedance": facts.senses_impedance,
        "analog_rate_hz": facts.analog_rate_hz,
        "confirms_zero": facts.confirms_zero,
        "dead_man_ms": facts.dead_man_ms,
        "stop_button": facts.stop_switch,
        "way_out": facts.way_out,
        "bench": found.bench,
        "bench_warns": found.bench_warns,
        "warnings": list(facts.cautions) + [found.bench] * found.bench_warns,
    }


# --- one port ----------------------------------------------------------------------------------------------------


def _check(name: str) -> None:
    """Raise :class:`UsageError` for a name that is neither a board's URL nor a port."""
    if is_simulated(name):
        return
    if _scheme(name) in KINDS:
        board_url(name)
    elif ":" in name and "://" not in name and not _exists(name):
        board_url(name)  # raises: a kind that there is not


def _exists(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):
        return False


def _scheme(url: str) -> str:
    return url.partition(":")[0]


def _unasked(port: SerialPort) -> Found:
    kinds = may_be(port.usb)
    return Found(port.device, _described(port), port.usb_text, problem=_how_to_ask(port.device, kinds), may_be=kinds)


def _described(port: SerialPort) -> str:
    return f"{port.description} {port.serial}".strip()


def _how_to_ask(port: str, kinds: Sequence[str]) -> str:
    some = " or ".join(f"{kind}:{port}" for kind in kinds)
    known = ", ".join(f"{kind}:" for kind in KINDS)
    hint = f"it may be {some}" if some else f"KIND is one of {known}"
    return f"not asked: nothing is sent to what is not named; stimctl boards KIND:{port} asks ({hint})"


def _named(name: str, plugs: dict[str, SerialPort], where: Path, clock: Clock) -> Found:
    """Ask at one name, and turn what goes wrong into its line."""
    port = name if is_simulated(name) or _scheme(name) not in KINDS else board_url(name)[1]
    plug = plugs.get(port, SerialPort(port))
    head = Found(port, _described(plug), plug.usb_text, may_be=may_be(plug.usb))
    try:
        if port == name and not is_simulated(name):
            url, facts = _guessed(name, head, clock)
        else:
            must_be_past(name, datetime.now(UTC).date().isoformat())
            url, facts = name, ask(name, clock.now_us, clock.sleep_until)
    except StimctlError as error:
        return replace(head, problem=str(error), code=_USAGE if isinstance(error, UsageError) else _FAULTS)
    known = commissioning.known(where, facts, url)
    bench, warns = known if known is not None else ("", False)
    return replace(head, url=url, facts=facts, bench=bench, bench_warns=warns)


def _guessed(port: str, head: Found, clock: Clock) -> tuple[str, BoardFacts]:
    """Who answers at a pseudo-terminal, and by what URL; raises :class:`UsageError` for any other port without its kind."""
    address.check(port)
    if not is_pseudo(port):
        raise UsageError(_how_to_ask(port, head.may_be))
    for url in (f"{kind}:{port}" for kind in FRAMED if kind in KINDS):
        try:
            return url, ask(url, clock.now_us, clock.sleep_until, GUESS_US)
        except LinkTimeout:
            continue
        except LinkLost as error:
            if "speaks ScienceMode" not in str(error):  # another of the family, by its own word
                raise
    others = ", ".join(f"{kind}:{port}" for kind in KINDS if kind not in FRAMED)
    raise LinkTimeout(f"nobody that stimctl knows answers at {port}" + (f"; not tried: {others}" if others else ""))
