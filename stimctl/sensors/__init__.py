"""What the patient's body says: samples, their quality, and the onset of an attempt.

``samples`` holds the words, ``onset`` the detector's interface, ``threshold`` the detector itself: over ``front``
(``filters``, ``quality``, ``doubts``), ``blanking``, ``rest`` and ``level``, ``evidence``, and ``trains`` for efforts between pulses, ``adapting`` moves its threshold, ``recording`` and ``replay`` bring a file in as if it were
live. ``angles``, ``signals`` and ``effort`` are what is measured of a joint or of the sound hand.
"""
