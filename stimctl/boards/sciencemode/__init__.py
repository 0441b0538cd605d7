"""What all versions of HASOMED's ScienceMode share: stuffing (``framing``), frames out of a stream (``decoder``), refusals (``fit``)."""
