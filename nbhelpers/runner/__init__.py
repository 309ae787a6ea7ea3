"""Executes the notebooks and tells what came out: strict papermill, HTML pages, an index page.

Knows the notebooks only by their paths. The rooms inside, in the order they build on each other:
`sources` (which notebooks, which parameters), `overrides` (profiles and `-p`), `lock` (one run at a
time), `execution` (one notebook in a process of its own), `inputs` (what `--resume` compares),
`scores` (tables from results files), `pages` and `index` (HTML), `series` (`run`), `grid`
(`sweep`: many runs), `stored` (`render`: outputs for the copy in git).
"""
