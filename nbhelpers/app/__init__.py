"""A local web page for people who do not use a terminal: drop a file, see the answer.

`jobs` (one file after the other), `uploads` (incoming files: names, limits, disk space), `server`
(addresses and access), `page` (what the browser receives). Nothing leaves the machine and nothing
stays: a file is deleted once it is scored, its answer once it is delivered.
"""
