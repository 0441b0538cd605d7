"""The stairwell: one session from a protocol to its record. Import the modules; nothing heavy is loaded here."""
