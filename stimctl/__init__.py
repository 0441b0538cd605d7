"""stimctl: a session controller for electrical stimulation in hand rehabilitation after stroke.

Research software. It is not a certified medical device.
"""

__version__ = "0.1.0"
