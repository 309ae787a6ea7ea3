"""A notebook as a page: one file, no network, figures described."""

import base64
import re
from html import unescape

import nbformat
import pytest
import tiny_notebooks as tiny
from nbformat.v4 import new_markdown_cell, new_output

from nbhelpers.runner import pages

REMOTE = re.compile(
    r"<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\bsrc\s*=\s*[\"']?(?:https?:)?//"
    r"|<link\b[^>]*\bhref\s*=\s*[\"']?(?:https?:)?//"
    r"|@import\s|\burl\(\s*[\"']?https?:|\bimport\s*\(\s*[\"']https?:|\bimport\s+[\"']https?:",
    re.IGNORECASE,
)


def test_page_embeds_pictures_of_the_prose_and_hides_solutions(tmp_path):
    (tmp_path / "dot.png").write_bytes(base64.b64decode(tiny.PIXEL))
    cells = ("1 + 1", "install()", "went_wrong()")
    tags = {0: ["solution"], 1: ["hosted"], 2: ["papermill-error-cell-tag"]}
    notebook = nbformat.read(tiny.write(tmp_path, "01_x", *cells, tags=tags), as_version=4)
    notebook.cells[0].source += "\n\n![dot](dot.png)"
    page = pages.notebook_html(notebook, name="01_x", folder=tmp_path, alarms=["<b>no</b>"])
    assert re.search(r'<img[^>]*src="data:image/png;base64,', page)
    assert '<details class="solution">' in page
    assert "&lt;b&gt;no&lt;/b&gt;" in page
    assert "install" not in page and "went_wrong" not in page
    assert "<title>Lesson 01_x &lt;b&gt;&amp;</title>" in page
    assert not REMOTE.search(page)


def test_links_of_the_prose_lead_somewhere_on_a_page(tmp_path):
    notebook = nbformat.read(tiny.write(tmp_path, "01_x", "1"), as_version=4)
    text = "An [AUC](../GLOSSARY.md#judgement), [02](02_cnn.ipynb), [paper](https://doi.org/1)."
    notebook.cells.append(new_markdown_cell(text))
    page = pages.notebook_html(notebook, name="01_x", folder=tmp_path)
    assert "GLOSSARY.md" not in page and "An AUC," in page
    assert 'href="02_cnn.html"' in page
    assert 'href="https://doi.org/1"' in page


def test_a_solution_is_folded_whole(tmp_path):
    notebook = nbformat.read(tiny.write(tmp_path, "01_x", "1"), as_version=4)
    code = "```python\nanswer = 42\n```"
    text = f"<details><summary>Solution</summary>\n\n{code}\nBehind it.\n</details>"
    notebook.cells.append(new_markdown_cell(text, metadata={"tags": ["solution"]}))
    page = pages.notebook_html(notebook, name="01_x", folder=tmp_path)
    (folded,) = re.findall(r'<details class="solution">(.*?)</details>', page, re.DOTALL)
    assert "answer" in folded and "Behind it." in folded
    assert page.count("Behind it.") == 1
    assert page.count("<details") == page.count("</details>") == 1


def test_figures_say_where_they_stand(tmp_path):
    notebook = nbformat.read(tiny.write(tmp_path, "01_x", "1", "2"), as_version=4)
    notebook.cells.insert(3, new_markdown_cell('Words.\n\n## The `second` "part"'))
    for cell in (notebook.cells[2], notebook.cells[4]):
        cell.outputs = [new_output("display_data", data={"image/png": tiny.PIXEL})]
    page = pages.notebook_html(notebook, name="01_x", folder=tmp_path)
    described = [
        unescape(text) for _, text in re.findall(r"<img alt=([\"'])(Figure.*?)\1 src", page)
    ]
    assert [text.split(";")[0] for text in described] == [
        "Figure 1, in the section \u201cLesson 01_x <b>&\u201d",
        'Figure 2, in the section \u201cThe second "part"\u201d',
    ]
    assert notebook.cells[4].outputs[0].metadata == {}  # the notebook itself is not changed
    notebook.cells[4].outputs[0].metadata = {"image/png": {"alt": "ROC of a & b"}}
    page = pages.notebook_html(notebook, name="01_x", folder=tmp_path)
    assert 'alt="ROC of a &amp; b"' in page


def colours(css):
    """name -> colour of the variables in a piece of CSS."""
    return dict(re.findall(r"--([\w-]+): (#\w+)", css))


def contrast(one, other):
    """Contrast by WCAG 2: the ratio of relative luminances, 1 to 21."""
    lights = []
    for colour in (one, other):
        digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
        levels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in levels]
        lights.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(lights) + 0.05) / (min(lights) + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_prompts_code_and_notices_can_be_read_in_both_schemes(scheme):
    light, dark = pages.STYLE.split("prefers-color-scheme: dark")
    given = {"jp-layout-color0": "#fff", "jp-cell-editor-background": "#f5f5f5"} | colours(light)
    given |= colours(dark) if scheme == "dark" else {}
    below = {"jp-mirror-editor-": "jp-cell-editor-background", "jp-cell-prompt-": None}
    below |= {"series-note": "series-note-back", "series-alarm": "series-alarm-back"}
    below |= {"jp-content-": None, "series-link": None, "series-text": None}
    seen = set()
    for name, colour in given.items():
        for start, back in below.items():
            if name.startswith(start) and not name.endswith(("-back", "-line")):
                seen.add(start)
                assert contrast(colour, given[back or "jp-layout-color0"]) >= 4.5, name
    assert seen >= below.keys() - {"jp-content-"}
    assert "jp-cell-prompt-not-active-opacity: 1" in light
    assert round(contrast("#000", "#ffffff"), 2) == 21
