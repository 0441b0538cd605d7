"""The limiter's parts: what a rule is, what a bound judges, what is remembered. ``safety`` puts them in order.

``words`` names the rules and measures a train, ``rules`` judges what needs no memory, ``placing`` judges placements and
plans, ``accounts`` keep what has been (ramps, bursts, sites), ``latch`` holds the stop and the permit, ``review`` is the
warn column. Nobody but ``safety`` imports from here.
"""
