"""A page on this machine for people without a terminal: drop a file, see the answer.

`jobs` (one file after the other), `uploads` (files on their way in: names, limits, room on the
disk), `server` (addresses, and who may ask), `page` (what the browser is given). Nothing leaves the
machine and nothing stays: a file is deleted once it is judged, its answer once it is delivered.
"""
