"""What goes beyond a test: seeded sessions, mutants, planted faults, proofs, stop keys on every screen.

``python3 dev.py test`` runs a small share of each; ``python3 dev.py prove`` runs all of it and prints one table. Each
prover is a module here with ``prove(*, long: bool) -> Outcome`` (see :mod:`tests.proving.table`).
"""
