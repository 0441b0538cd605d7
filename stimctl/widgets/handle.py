"""What a face is given: the handle to its control process, as a protocol, so that tests can hand it a fake."""

from __future__ import annotations

from typing import Protocol

from stimctl.orders import Order, Status


class FaceHandle(Protocol):
    """What the control process gives its face."""

    def send(self, order: Order) -> None:
        """Pass an order on."""

    def stop(self) -> None:
        """Stop, by the short way."""

    def beat(self) -> None:
        """Tell that this face is alive."""

    def poll(self) -> Status | None:
        """The newest status since the last call."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the operator should know about this platform's ways to stop."""

    @property
    def closed(self) -> bool:
        """Whether the control process has gone."""
