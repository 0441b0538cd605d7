"""NeuroStimDuino (Neuralaxy): two isolated current channels on I2C, behind the maker's Arduino sketch that talks in lines.

What is known of the serial side was read in the sketch's source (github.com/neuralaxy/NeuroStimDuino); of the board
itself only its documents speak, because its program is not published. None of it was tried on a board.
"""
