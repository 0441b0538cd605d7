"""The one door through which amplitudes leave for a reference board."""

from __future__ import annotations

from stimctl.boards.reference import codec, layout
from stimctl.errors import OurBug
from stimctl.safety import Approved


def encode_update(approved: Approved, *, sequence: int, token: int, loop_counter: int, host_ms: int) -> bytes:
    """The frame that sets every output's train, with the very integers that the limiter judged.

    ``sequence`` is 0 to 65535; ``token`` is the session's; ``loop_counter`` and ``host_ms`` count modulo 2^32.
    Raises :class:`OurBug` for anything but an ``Approved``, and for an output that is named twice.
    """
    if type(approved) is not Approved:
        raise OurBug(f"{type(approved).__name__} is not what the limiter approved")
    outputs = sorted(approved.command.outputs, key=lambda output: output.channel)
    numbers = [output.channel for output in outputs]
    if len(set(numbers)) != len(numbers):
        raise OurBug(f"one update names an output twice: {numbers}")
    entries = tuple((output.channel, output.train) for output in outputs)
    payload = layout.pack_update(loop_counter, host_ms, entries)
    return codec.build(layout.UPDATE_TYPE, payload, sequence=sequence, token=token)
