"""Executes the notebooks and tells what came out: strict papermill, HTML pages, an index page.

Knows the notebooks only by their paths. The files, in the order they build on each other:
`notebooks` (which there are, which parameters they have), `overrides` (profiles and `-p`), `lock`
(one run at a time), `execution` (one notebook in a process of its own), `fingerprints` (what
`--resume` compares), `scores` (tables from results files), `outputs`, `pages` and `index` (HTML),
`series` (`run`), `grid` (`sweep`: many runs).
"""
