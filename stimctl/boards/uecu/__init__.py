"""UECU surface stimulation board (Case Western Reserve, Cleveland FES Center): four current channels, and limits of its own.

What is known of it was read in the guides and the host program of github.com/mahilab/mahi-fes (MIT); none of it was
tried on a board, and its own program is not published.
"""
