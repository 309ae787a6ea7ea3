"""Programs for those who maintain the project; not installed, and of no use to those who run it.

Each is run from a checkout: `python -m tools.render` (outputs for the notebooks in git),
`python -m tools.results_table` (the sample's results in docs), `python -m tools.chart` (the
README's chart), `python -m tools.hosted` (the first cell and the links for Kaggle and Colab),
`python -m tools.lock` (both requirements files). `hosted_setup` is what that cell carries out
there.
"""
