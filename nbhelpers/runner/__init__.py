"""Execute the notebooks and show the results: strict papermill, HTML pages, an index page.

This room uses only the notebooks' paths. Its files, in the order in which they build on each other:
`notebooks` (which there are, which parameters they have), `plain_yaml` and `overrides` (profiles
and `-p`), `lock` (one run at a time), `execution` (one notebook in its own process),
`run_record` (which files a run wrote, and so may replace), `fingerprints` (what `--resume`
compares), `result_files`, `scores` and `comparison` (what runs left behind), `outputs`, `pages` and
`index` (HTML), `progress` and `series` (`run`), `grid` and `grid_run` (`sweep`: many runs).
"""
