"""Races planted in production code: each is there for one interleaving in thousands, and each must be found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.proving.planting import Plant


@dataclass(frozen=True)
class Race:
    """A planted race, and the operation in which it shows (none: where the control loop looks for its end)."""

    name: str
    plant: Plant
    shows_in: str = ""


LINE: Final = "stimctl.driver.line"
COURSE: Final = "stimctl.session.course"
STAGE: Final = "stimctl.session.stage"
STOPPING: Final = "stimctl.control.stopping"

RACES: Final = (
    Race(
        "latched behind the frame",
        Plant(
            LINE,
            "        self._latch.trip(reason)  # before the lock: from here on nothing approved earlier passes say_approved()\n"
            "        self.write_stop()\n",
            "        self.write_stop()\n        self._latch.trip(reason)\n",
            "an amplitude leaves behind the stop frame",
        ),
        "deliver",
    ),
    Race(
        "permit looked at before the lock",
        Plant(
            LINE,
            "        with self._lock:\n            if not approved.is_live():\n                return False\n"
            "            self._transport.write(frame)\n            return True\n",
            "        if not approved.is_live():\n            return False\n        with self._lock:\n"
            "            self._transport.write(frame)\n            return True\n",
            "an amplitude leaves behind the stop frame",
        ),
        "deliver",
    ),
    Race(
        "permit never looked at again",
        Plant(
            LINE,
            "            if not approved.is_live():\n                return False\n",
            "",
            "an amplitude leaves behind the stop frame",
        ),
        "deliver",
    ),
    Race(
        "arming looked at before the lock",
        Plant(
            LINE,
            "        with self._lock:\n            if self._latch.tripped or self._latch.epoch != epoch:\n"
            "                return False\n            self._transport.write(frame)\n            return True\n",
            "        if self._latch.tripped or self._latch.epoch != epoch:\n            return False\n"
            "        with self._lock:\n            self._transport.write(frame)\n            return True\n",
            "the board is armed behind the stop frame",
        ),
        "arm",
    ),
    Race(
        "stop without a lock",
        Plant(
            LINE,
            "        owned = self._lock.acquire(timeout=LOCK_WAIT_S)\n",
            "        owned = False\n",
            "the stop overtakes a permit that was looked at already",
        ),
        "deliver",
    ),
    Race(
        "stop waits for ever",
        Plant(
            LINE,
            "self._lock.acquire(timeout=LOCK_WAIT_S)",
            "self._lock.acquire()",
            "a control loop that hangs holds up the stop",
        ),
        "deliver",
    ),
    Race(
        "trip by a copy",
        Plant(
            "stimctl.envelope.latch",
            "        self._trips.append(reason)\n",
            "        trips = list(self._trips)\n        trips.append(reason)\n        self._trips = trips\n",
            "one of two trips at once is lost, and what was approved between them is live again",
        ),
        "deliver",
    ),
    Race(
        "stop left to the next pass",
        Plant(
            "stimctl.session.stage",
            "        self.driver.stop(reason)\n",
            "        self.latch.trip(reason)\n",
            "a stop takes as long as the control loop's pass",
        ),
        "deliver",
    ),
    Race(
        "reason behind the trip",
        Plant(
            COURSE,
            "        tripped = self.latch.tripped  # before the reasons: who trips it has put down why, and may do so right now\n",
            "        tripped = True\n",
            "a stop is told as a fault",
        ),
        "deliver",
    ),
    Race(
        "refused for a stop",
        Plant(
            "stimctl.session.core",
            "            if came_after_a_stop(refusal):\n                return  # nothing was judged; the next pass hears why it was stopped\n",
            "",
            "a stop is told as a fault of the limiter",
        ),
        "deliver",
    ),
    Race(
        "zero refused for a stop",
        Plant(
            STAGE,
            "            except Refusal as refusal:\n                if not came_after_a_stop(refusal):\n                    raise\n",
            "            except Refusal:\n                raise\n",
            "a stop at the end of a dose ends the session by an error",
        ),
        "dose-done",
    ),
    Race(
        "session looked up twice",
        Plant(
            "stimctl.driver.core",
            "        if session.is_sent:\n            return OutputState.ON\n",
            "        if self._session.is_sent:\n            return OutputState.ON\n",
            "the watch over the control loop dies of an error",
        ),
        "pause",
    ),
    Race(
        "armed in spite of a stop",
        Plant(
            COURSE,
            "            if not came_after_a_stop(error):\n                self.fault(str(error), now_us)\n                return\n",
            "            self.fault(str(error), now_us)\n            return\n",
            "a stop while the board arms is told as a fault",
        ),
        "arm",
    ),
)
"""Between a session and a stop."""

LOOP_RACES: Final = (
    Race(
        "ending behind the stop",
        Plant(
            STOPPING,
            "        self.ending = self.ending or Ending(reason, code)\n        self.stop_session(reason)\n",
            "        self.stop_session(reason)\n        self.ending = self.ending or Ending(reason, code)\n",
            "a signal passes for a mere stop",
        ),
    ),
    Race(
        "count before the reason",
        Plant(
            STOPPING,
            "        self.reason = self.reason or reason  # before the count, by which the control loop ends a run without a face\n"
            "        self.stops += 1\n",
            "        self.stops += 1\n        self.reason = self.reason or reason\n",
            "a run without a face ends for no reason at all",
        ),
    ),
    Race(
        "ending looked for before the stop",
        Plant(
            "stimctl.control.loop",
            'return Ending(f"stopped: {self._stop.reason}", 1) if stopped else None',
            'return Ending(f"stopped: {self._stop.reason}", 1) if self._stop.stops else None',
            "a signal passes for a mere stop",
        ),
    ),
    Race(
        "flag before the byte",
        Plant(
            "stimctl.control.loop",
            '            self._write.send(b"w")\n        self._called = True\n',
            '            self._called = True\n            self._write.send(b"w")\n',
            "the control loop never waits again",
        ),
    ),
)
"""Between the stop thread and a control loop that looks for its end."""
