"""The command ``emg`` for the parser: its options, help and examples."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

from stimctl.cli import hearing
from stimctl.cli.drafting_parser import Add


def emg(add: Add) -> None:
    """``emg FILE``."""
    parser = add(
        "emg",
        hearing.emg,
        "the streaming detector over a recording, as it would have fired live",
        "stimctl emg attempt.csv --rate 1000 --column emg_uv",
        "stimctl emg attempt.npz --explain",
        "stimctl emg attempt.csv --rate 1000 --plot -o attempt.svg",
        "stimctl emg attempt.csv --rate 1000 --tune",
        more="One onset a line: the sample with which it is known, which is the last of its chunk. The recording has to "
        "begin with rest. Exit code 1 when the file cannot be used, or nothing could be heard.",
    )
    parser.add_argument("file", metavar="FILE", help="a recording: CSV with or without a line of names, or NPZ (x, fs)")
    parser.add_argument(
        "--rate", metavar="HZ", type=_number(1.0, 1e6, "Hz"), help="samples a second; NPZ and a column time_s say it"
    )
    parser.add_argument("--column", metavar="NAME", help="the EMG's column, by name or by number from 1")
    parser.add_argument("--labels", metavar="NAME", help="a column that is not zero during efforts, to judge by")
    parser.add_argument("--pulses", metavar="NAME", help="a column that is not zero where a stimulation pulse begins")
    parser.add_argument(
        "--chunk-ms", metavar="N", type=_number(0.5, 200.0, "ms"), default=10.0,
        help="how much comes at a time, in ms (default: 10)",
    )  # fmt: skip
    parser.add_argument(
        "--threshold-sd", metavar="X", type=_number(1.0, 100.0, "SD"), help="threshold above rest, in SD"
    )
    parser.add_argument(
        "--threshold-uv", metavar="X", type=_number(1e-3, 1e6, "µV"), help="threshold in the file's unit"
    )
    parser.add_argument("--dwell-ms", metavar="N", type=_number(5.0, 500.0, "ms"), help="how long it must be passed")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--explain", action="store_true", help="baseline, threshold, envelope and time of each onset")
    what.add_argument("--plot", action="store_true", help="envelope, threshold and onsets as a picture")
    what.add_argument("--tune", action="store_true", help="propose settings, with the hits and false alarms to expect")
    parser.add_argument("-o", "--output", metavar="FILE", help="with --plot: write it here, a name in .svg or .png")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")


def _number(least: float, most: float, unit: str) -> Callable[[str], float]:
    """A number from ``least`` to ``most``."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if least <= value <= most:
            return value
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least:g} to {most:g} {unit}")

    return read
