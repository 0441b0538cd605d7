"""What an author of protocol files is told about one: its figures, its picture, and how it differs from another.

Everything is worked out of the schedule, so that a new kind of protocol needs no word here. Nothing in this room permits
anything: the limiter judges, in the dry flight and at every moment after it.
"""
