"""The open reference board: its words (``messages``, ``codes``), their bytes (``layout``), frames (``codec``), facts."""
