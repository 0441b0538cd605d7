"""Which stream and which channel of it are meant, what its unit is, and what an open one has to be able to do."""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol, final

from stimctl.errors import UsageError
from stimctl.sensors.samples import Samples

_TO_UV: Final = {
    "uv": 1.0, "µv": 1.0, "μv": 1.0, "microvolt": 1.0, "microvolts": 1.0,
    "mv": 1e3, "millivolt": 1e3, "millivolts": 1e3,
    "v": 1e6, "volt": 1e6, "volts": 1e6,
    "nv": 1e-3, "nanovolt": 1e-3, "nanovolts": 1e-3,
}  # fmt: skip
"""Units as senders write them, in µV."""

SCHEME: Final = "lsl:"


class Pulled(Protocol):
    """Samples of one channel, oldest first, and the age in µs of each when they were pulled."""

    @property
    def values(self) -> Samples:
        """In the stream's own unit."""

    @property
    def ages_us(self) -> Samples:
        """From the sender's stamps."""


class Facts(Protocol):
    """What a stream says of itself."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def rate_hz(self) -> float:
        """Its nominal rate."""

    @property
    def labels(self) -> tuple[str, ...]:
        """One for each channel, "" where it has none."""

    @property
    def units(self) -> tuple[str, ...]:
        """One for each channel, "" where it has none."""


class Inlet(Protocol):
    """An open stream; :class:`stimctl.transport.lsl_in.Stream` is one."""

    @property
    def facts(self) -> Facts:
        """What it says of itself."""

    def pull(self, channel: int) -> Pulled | None:
        """What has come, never waiting; raises :class:`LinkLost` while its sender is gone."""

    def close(self) -> None:
        """Let go of it."""


@final
class Address(NamedTuple):
    """A stream by what it says of itself, and the channel in it: by its label, or its number from 1; "" for the only one."""

    key: str
    value: str
    channel: str


def address(url: str) -> Address:
    """``lsl:NAME``, ``lsl:type=EMG`` or ``lsl:source_id=...``, each with ``#CHANNEL`` behind it where wanted."""
    text, _, channel = url.removeprefix(SCHEME).partition("#")
    key, mark, value = text.partition("=")
    if not mark or key not in ("name", "type", "source_id"):
        key, value = "name", text
    if not value.strip():
        raise UsageError(
            f"{url!r} names no LSL stream; write lsl:NAME, lsl:type=EMG or lsl:source_id=ID, with #CHANNEL"
        )
    return Address(key, value, channel)


def channel_of(facts: Facts, wanted: str) -> int:
    """The channel that is meant, from 0; raises :class:`UsageError` where none or several are."""
    labels = facts.labels
    shown = ", ".join(f"{number} {label}".strip() for number, label in enumerate(labels[:16], start=1))
    if not wanted:
        if len(labels) == 1:
            return 0
        raise UsageError(f"the LSL stream {facts.name} has {len(labels)} channels; add #CHANNEL, one of: {shown}")
    if labels.count(wanted) == 1:
        return labels.index(wanted)
    if wanted.isdecimal() and 1 <= int(wanted) <= len(labels):
        return int(wanted) - 1
    raise UsageError(f"the LSL stream {facts.name} has no one channel {wanted!r}; there are: {shown}")


def microvolts(unit: str) -> float | None:
    """How many µV one of ``unit`` is; ``None`` where a stream does not say, or it is no voltage."""
    return _TO_UV.get(unit.strip().lower())
