"""The open reference board: its words (``messages``, ``codes``), their bytes (``layout``, ``reading``), frames (``codec``), facts."""
