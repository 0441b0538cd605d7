"""Onsets of voluntary effort: how many are heard, how soon they are known, what is heard for nothing, and what it costs.

Our detector beside a plain threshold, a threshold over the Teager-Kaiser energy and NeuroKit2 (whole recordings at once), in
one run over the development recordings in `benchmarks/data/emg`; then our own over the same recordings played louder,
softer, off zero, at other rates and with mains in them, in other chunks, person by person, and over the simulated
patient. `python -m benchmarks.onset [PART...]` runs the parts that are named: peers, chunks, variants, people, patient.
"""

from __future__ import annotations

from benchmarks.onset.parts import PARTS

__all__ = ["PARTS", "main"]


def main() -> None:
    """Print every part."""
    for part in PARTS.values():
        part()
