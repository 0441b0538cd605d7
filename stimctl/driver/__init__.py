"""Talks to a board: acknowledgements, heartbeats, read-back, and a stop that any thread can give at any instant.

``words`` holds states and events, ``core`` the :class:`Driver` that a session orders about, ``hearing`` and
``conversation`` what the board's words and the passing time do to it, ``armed`` one armed session, ``health`` the
read-back, ``exchange`` the open questions, ``line`` the lock between the control loop and the stop. That is the reference
board's; what a session may rely on with any board is ``contract``, and ``kinds`` has a driver for each. ``plain`` and
``worn`` are what those with a language of their own have in common, ``openloop`` what those that confirm nothing have.
"""

from stimctl.boards import BoardFacts
from stimctl.boards.reference.codes import Cause, Reason, Trouble
from stimctl.boards.reference.messages import OutputReport, Samples
from stimctl.driver.contract import BoardDriver, Cautious, Paced
from stimctl.driver.core import Driver
from stimctl.driver.health import is_given
from stimctl.driver.kinds import driver_for
from stimctl.driver.words import (
    Analog,
    Armed,
    BoardEvent,
    Connected,
    Disarmed,
    DriverState,
    Faulted,
    Lost,
    OutputState,
    Refused,
    Reported,
    Setup,
    Stopped,
    Told,
    Unconfirmed,
)

__all__ = [
    "Analog",
    "Armed",
    "BoardDriver",
    "BoardEvent",
    "BoardFacts",
    "Cause",
    "Cautious",
    "Connected",
    "Disarmed",
    "Driver",
    "DriverState",
    "Faulted",
    "Lost",
    "OutputReport",
    "OutputState",
    "Paced",
    "Reason",
    "Refused",
    "Reported",
    "Samples",
    "Setup",
    "Stopped",
    "Told",
    "Trouble",
    "Unconfirmed",
    "driver_for",
    "is_given",
]
