"""Every path by which something unchecked comes in, and what must hold whatever it is.

One input is one seed: a probe draws it from a seeded generator, so that the same seed is the same input everywhere.
The everyday tests try a few hundred of each path, ``dev.py prove fuzz`` many thousands.
"""
