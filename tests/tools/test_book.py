"""What the course site's program lays out, folds, links and refuses; the pages: tests/book/."""

import json
import re
import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from nbhelpers.common.errors import UsageError
from nbhelpers.data import locate
from tools import book, book_links, book_terms, command_line

ROOT = locate.project_root()
GLOSSARY = """# Glossary

## Judgement

| term | here | meaning |
|---|---|---|
| equal error rate | `eer` | error where misses and false alarms are equally frequent |
| real, pristine | `REAL`; y = 0 | nobody manipulated it |
"""
INDEX = """# First

[the licence](LICENSE), [its tests](tests), [the other page](docs/other.md), [top](README.md#first)

```{toctree}
docs/other
GLOSSARY
```
"""
OTHER = """# Other

The EER is small, the EER stays small. `EER` in code. Of [pristine](../GLOSSARY.md) pictures.
"""


@pytest.fixture
def checkout(tmp_path):
    """A project of two pages: its folder."""
    folder = tmp_path / "checkout"
    shutil.copytree(ROOT / "docs" / "book", folder / "docs" / "book")
    texts = {"README.md": "# First\n", "GLOSSARY.md": GLOSSARY, "LICENSE": "MIT", "tests/a.py": ""}
    for name, text in (texts | {"docs/other.md": OTHER, "docs/book/index.md": INDEX}).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_links_to_other_files_lead_to_the_repository(checkout, tmp_path):
    pytest.importorskip("sphinx_book_theme", reason="the course site's packages are not installed")
    out = tmp_path / "site"
    address = "https://github.com/someone/deepfakes"
    assert book.build(out, repository=f"{address}.git", root=checkout) == 0
    first = (out / "index.html").read_text(encoding="utf-8")
    assert f'href="{address}/blob/main/LICENSE"' in first
    assert f'href="{address}/tree/main/tests"' in first
    assert 'href="docs/other.html"' in first
    other = (out / "docs" / "other.html").read_text(encoding="utf-8")
    explained = 'href="../GLOSSARY.html#term-equal-error-rate" title="equal error rate: error where'
    assert other.count(explained) == 1
    assert 'href="../GLOSSARY.html#term-real" title="real: nobody manipulated it"' in other


def test_without_one_they_are_text_and_broken_links_stop_the_build(checkout, tmp_path, capfd):
    pytest.importorskip("sphinx_book_theme", reason="the course site's packages are not installed")
    out = tmp_path / "site"
    assert book.build(out, root=checkout) == 0
    first = (out / "index.html").read_text(encoding="utf-8")
    sentence = re.search(r"<p>(.*the licence.*)</p>", first)[1]
    assert re.findall(r"<a .*?>", sentence)[0].count("docs/other.html")
    assert re.sub(r"<.*?>", "", sentence) == "the licence, its tests, the other page, top"
    (checkout / "LICENSE").unlink()
    assert book.build(out, root=checkout) == 1
    assert "LICENSE" in capfd.readouterr().err
    assert (out / "index.html").read_text(encoding="utf-8") == first, "the site before stays"


def test_a_folder_that_is_no_site_stays(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert command_line.run(book, ["--out", str(tmp_path)]) == 2
    assert "Expected a new folder or a site" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_address_is_known_from_the_notebooks(tmp_path):
    (tmp_path / "notebooks").mkdir()
    cell = (
        "[Open in Colab](https://colab.research.google.com/github/someone/fakes/blob/main/n.ipynb)"
    )
    notebook = tmp_path / "notebooks" / "01_eda.ipynb"
    notebook.write_text(json.dumps({"cells": [cell]}))
    assert book.repository_in(tmp_path) == "https://github.com/someone/fakes"
    notebook.write_text("{}")
    assert book.repository_in(tmp_path) == ""


def test_an_address_that_opens_no_notebooks_is_refused(checkout, tmp_path):
    with pytest.raises(UsageError, match="Expected an address like"):
        book.build(tmp_path / "site", repository="https://example.org/x", root=checkout)


def test_cells_are_folded_and_figures_have_a_text():
    figure = new_output("display_data", data={"image/jpeg": "AAAA"})
    alt = {"image/jpeg": {"alt": "ROC of two networks"}}
    named = new_output("display_data", data=figure.data, metadata=alt)
    cells = [
        new_markdown_cell("# Title\n\n## The `leak`, measured"),
        new_code_cell("plot()", outputs=[figure]),
        new_code_cell("x", metadata={"tags": ["hosted"]}),
        new_code_cell("y", metadata={"tags": ["solution"]}, outputs=[named]),
        new_code_cell("z", metadata={"tags": ["exercise"]}),
    ]
    _, shown, hosted, solution, exercise = book.page_notebook(new_notebook(cells=cells)).cells
    alt = shown.metadata["mystnb"]["image"]["alt"]
    assert alt.startswith("Figure in the section \u201cThe leak, measured\u201d")
    assert "hide-input" in hosted.metadata["tags"]
    assert "hide-cell" in solution.metadata["tags"]
    assert solution.metadata["mystnb"]["image"]["alt"] == "ROC of two networks"
    assert exercise.metadata == {"tags": ["exercise"]}


def test_a_picture_stands_for_a_figure_that_has_lost_its_script():
    def output(page):
        return new_output("display_data", data={"text/html": page, "image/jpeg": "AAAA"})

    dead, alive = output("<input>"), output("<input><script>x</script>")
    assert book.picture_only(dead)
    assert set(dead.data) == {"image/jpeg"}
    assert not book.picture_only(alive)
    assert set(alive.data) == {"image/jpeg", "text/html"}
    assert not book.picture_only(new_output("display_data", data={"text/html": "<table>"}))


def test_everything_that_is_a_page_is_laid_out(tmp_path):
    book.lay_out(ROOT, tmp_path)
    laid = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    notebooks = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("notebooks/**/*.ipynb")}
    documents = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/*.md")}
    assert laid > notebooks | documents | {"index.md", "GLOSSARY.md", "data/detector/README.md"}
    index = (tmp_path / "index.md").read_text(encoding="utf-8")
    assert not [page for page in documents if page.removesuffix(".md") not in index]
    assert ("Appendix" in index) == (tmp_path / "notebooks" / "appendix").is_dir()
    for name in notebooks:  # valid, with the outputs that are stored
        ours, theirs = (nbformat.read(folder / name, as_version=4) for folder in (tmp_path, ROOT))
        nbformat.validate(ours)
        assert [cell.get("outputs") for cell in ours.cells] == [
            cell.get("outputs") for cell in theirs.cells
        ]


def test_the_glossary_names_each_term_once():
    text = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8")
    terms = book_terms.read_terms(text)
    rows = [line for line in text.splitlines() if line.startswith("| ") and "| here |" not in line]
    assert len(terms) == len(rows) > 40
    with pytest.raises(ValueError, match="log loss"):
        book_terms.read_terms("| log loss | `a` | b |\n| cost, log loss | `c` | d |")


def test_a_glossary_of_sphinx():
    page = book_terms.with_directives(GLOSSARY)
    assert "|" not in page
    assert "real\npristine\n  nobody manipulated it. Here: `REAL`; y = 0" in page


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("| area under the ROC curve | `auc` | x |", ["area under the ROC curve", "AUC"]),
        ("| majority class, chance | `prior` | x |", ["majority class", "prior"]),
        ("| real, fake | `group` | x |", []),
    ],
)
def test_everyday_words_are_not_explained(row, words):
    assert book_terms.read_terms(row)[0].words == words


def test_links_that_lead_nowhere_in_the_project():
    assert book_links.path_in_project("docs/speed", "../../elsewhere") is None
    assert book_links.path_in_project("notebooks/01_eda", "../docs/speed.md#x") == "docs/speed.md"
