"""ScienceMode 2 (HASOMED RehaStim 2): words (``messages``, ``codes``), payloads (``layout``, ``reading``), frames (``codec``).

Amplitudes leave through ``output`` alone. What a MOTOmed beside the board says is read and not used; nothing is ever
said to it. Facts: ScienceMode 2 protocol 1.24, and two peers that agree where it does not (high byte first).
"""
