"""Programs for those who maintain the project; not installed, and of no use to those who run it.

Each is run from a checkout: `python -m tools.render` (outputs for the notebooks in git),
`python -m tools.readme` (the README's results table), `python -m tools.hosted` (the first cell and
the links for Kaggle and Colab), `python -m tools.lock` (requirements). `hosted_setup` is what that
first cell carries out there.
"""
