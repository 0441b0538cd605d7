"""Shows that the closed loop bites: a fault that lets the stimulator be heard is planted, and the loop must go red.

``python -m tests.proving.loop_planted NAME`` plants one and runs what the everyday share has with nobody trying; exit 0 where it was caught.
"""

from __future__ import annotations

import sys
from typing import Final

from tests.proving.planting import Plant, plant

FAULTS: Final = {
    "none": (),
    "marks-dropped": (
        Plant("stimctl.sim.analog", "pulses=tuple(marks),", "pulses=(),",
              "the board does not say where pulses stand: every one is signal"),
    ),
    "times-lost": (
        Plant("stimctl.session.analog", "values_uv, at_us, samples.pulses)", "values_uv, at_us, ())",
              "the pulse times that the board tells never come to the ear"),
    ),
}  # fmt: skip


def main(argv: list[str]) -> int:
    """Plant what is named and run; what was heard that nobody tried is said."""
    [name] = argv
    plant({each.module: each.source() for each in FAULTS[name]})
    from tests.proving.closed_loop import EVERYDAY
    from tests.proving.loop_session import run

    found = [run(job) for job in EVERYDAY if not job.willing]
    caught = [words for each in found for words in (*each.own, *each.alarms)]
    print(*[words for each in found for words in each.faults], *caught, sep="\n")
    return 0 if bool(caught) is bool(FAULTS[name]) and not any(each.faults for each in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
