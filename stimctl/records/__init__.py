"""The session record: an append-only, hash-chained journal, its read side, and raw EMG beside it.

``journal`` writes, ``reading`` lists and verifies (and is all that a face may import), ``raw`` keeps samples.
"""
