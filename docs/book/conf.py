"""Configuration of the course site for Sphinx; `tools.book` lays out the pages and calls it."""

import os
from pathlib import Path

here = Path(__file__).parent

project = "Deepfake detection"
author = "The contributors of nbhelpers"
copyright = author
language = "en"

extensions = ["myst_nb", "tools.book_links", "tools.book_terms"]
checkout = str(here.parents[1])
repository = os.environ.get("BOOK_REPOSITORY", "")
# Parts of the README are included in the first page, which stands for it.
exclude_patterns = ["README.md"]

# Outputs are those stored in git; dollar signs are money, and formulas need no script.
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["colon_fence", "attrs_block", "attrs_inline", "html_image"]
myst_heading_anchors = 4

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = [str(here / "static")]
html_css_files = ["book.css"]
html_js_files = ["book.js"]
html_favicon = str(here / "static" / "favicon.svg")
html_show_sphinx = False
html_copy_source = bool(repository)
html_context = {"default_mode": "auto"}  # light or dark as the reader's system; a button changes it
html_theme_options = {
    "navbar_persistent": [],  # the search is in the side bar
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "repository_url": repository,
    "repository_branch": "main",
    "use_repository_button": bool(repository),
    "use_issues_button": bool(repository),
    "launch_buttons": {"colab_url": "https://colab.research.google.com"} if repository else {},
}
