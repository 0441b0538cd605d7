"""Figures, side by side with a floor or a peer in the same run; never a test, because a busy machine is not a fault."""
