"""A board that burns nobody and a patient who cannot be hurt: every protocol meets them before it meets a person.

Two halves that meet at the electrodes. The *virtual patient* (``patient`` over ``tissue``, ``hand``, ``volition``
and ``emg``) turns what flows into sensation, movement and surface EMG. The *board twin* (``board`` over ``guard``,
``electrodes``, ``ledger`` and ``faults``) turns bytes into what flows. Both are seeded, take the time as an argument and
hold no clock; ``link`` puts the twin behind a transport in memory and ``terminal`` behind a real pseudo-terminal.

What the models rest on and what they leave out stands in ``docs/simulator.md``.
"""
