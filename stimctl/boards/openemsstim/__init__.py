"""openEMSstim: relays and a digital potentiometer between an external TENS/EMS unit and the pads. Percent, never mA.

What is known of it was read in the firmware's source (github.com/PedroLopes/openEMSstim; branches master, dev, UIST2016,
fabbing, multiplexer, simple-multiplexer); none of it was tried on a board.
"""
