"""Programs for maintainers; they are not installed with the package.

Each is run from a checkout, as `python -m tools.NAME`: `render` (outputs for the notebooks in git),
`results_table` (the sample's results in docs), `chart` (the README's chart), `hosted` (the first
cell and the links for Kaggle and Colab), `class_set` (notebooks without solutions), `book` (the
course site; `book_links` and `book_terms` are its Sphinx extensions), `lock` (both requirements
files). `hosted_setup` is what that cell executes there.
"""
