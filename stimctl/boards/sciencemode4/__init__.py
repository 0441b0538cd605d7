"""ScienceMode 4 (HASOMED P24) and its dialect ScienceMode 3 (RehaMove3): words (``messages``, ``codes``), bytes, frames.

``layout`` and ``points`` write payloads, ``reading`` reads them, ``codec`` has the frames. Amplitudes leave through
``output`` alone. Sans-IO, and for host and board alike. Facts: C library of ScienceMode 4 at 0cb1201, P24 instructions
for use 1.1, ScienceMode 3 protocol 3.2.4.
"""
