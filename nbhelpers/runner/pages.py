"""An executed notebook as one HTML file that needs no other file and no network."""

import copy
import html
import re
from collections.abc import Iterable
from pathlib import Path

from nbhelpers.runner import outputs, pictures
from nbhelpers.runner.notebooks import HOSTED, tags_of

FOLD = re.compile(r"<details>\s*<summary>Solution</summary>|</details>")
TO_NOTEBOOK = re.compile(r"\]\((\w+)\.ipynb((?:#[^)]*)?)\)")
TO_OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./[^)]*\)")
LEFT_OUT = {"papermill-error-cell-tag", HOSTED}  # pages show errors in their own way
TEMPLATE = """{% extends 'lab/index.html.j2' %}
{%- macro described(kind, output) -%}
<div class="jp-RenderedImage jp-OutputArea-output">
<img alt="{{ output.metadata.get('alt', '') | escape_html }}"
 src="data:{{ kind }};base64,{{ output.data[kind] | escape_html }}"></div>
{%- endmacro -%}
{%- block html_head_js -%}{%- endblock html_head_js -%}
{%- block jupyter_widgets -%}{%- endblock jupyter_widgets -%}
{%- block html_head_js_mathjax -%}{%- endblock html_head_js_mathjax -%}
{%- block html_head_js_mermaidjs -%}{%- endblock html_head_js_mermaidjs -%}
{%- block html_head_css -%}<style>{{ resources.series_css }}</style>{%- endblock html_head_css -%}
{%- block body_header -%}{{ super() }}{{ resources.series_head }}{%- endblock body_header -%}
{%- block data_jpg scoped -%}{{ described('image/jpeg', output) }}{%- endblock data_jpg -%}
{%- block data_png scoped -%}{{ described('image/png', output) }}{%- endblock data_png -%}
{%- block any_cell -%}
{%- if 'solution' in cell.metadata.get('tags', []) -%}
<details class="solution"><summary>Solution</summary>{{ super() }}</details>
{%- else -%}{{ super() }}{%- endif -%}
{%- endblock any_cell -%}
"""

# On a narrow page, code wraps and wide outputs scroll; nbconvert's own layout cuts both off, since
# overflow has no effect on the table rows that it turns them into.
# All text has a contrast of 4.5 or more with its background, in both schemes; nbconvert's own
# prompts and comments have less. Its variables are redefined, so that outputs follow as well.
STYLE = """
:root { color-scheme: light; --series-link: #0b57a4; --series-line: #ccc; --series-text: #333;
  --series-note: #5c4400; --series-note-back: #fff3cd; --series-note-line: #d39e00;
  --series-alarm: #7a1210; --series-alarm-back: #fde0dd; --series-alarm-line: #c62828;
  --jp-cell-prompt-not-active-opacity: 1; --jp-cell-prompt-not-active-font-color: #5f6368;
  --jp-mirror-editor-comment-color: #2b6767; --jp-mirror-editor-number-color: #006b00;
  --jp-mirror-editor-keyword-color: #006b00; --jp-mirror-editor-operator-color: #8408c8; }
@media screen and (prefers-color-scheme: dark) { :root { color-scheme: dark;
  --series-link: #8ab8f0; --series-line: #46505b; --series-text: #d3d8de;
  --series-note: #ffe08a; --series-note-back: #3a2f0b; --series-note-line: #d39e00;
  --series-alarm: #ffb9b3; --series-alarm-back: #431a18; --series-alarm-line: #e57373;
  --jp-layout-color0: #14181d; --jp-layout-color1: #14181d; --jp-layout-color2: #262d35;
  --jp-layout-color3: #38424d; --jp-layout-color4: #56616d; --jp-inverse-layout-color1: #fff;
  --jp-content-font-color0: #fff; --jp-content-font-color1: #e6e9ed;
  --jp-content-font-color2: #c3c9d0; --jp-content-font-color3: #a5adb6;
  --jp-ui-font-color0: #fff; --jp-ui-font-color1: #e6e9ed; --jp-ui-font-color2: #c3c9d0;
  --jp-ui-font-color3: #a5adb6; --jp-content-link-color: #8ab8f0;
  --jp-border-color0: #56616d; --jp-border-color1: #46505b; --jp-border-color2: #38424d;
  --jp-border-color3: #262d35; --jp-cell-editor-background: #1d232a;
  --jp-cell-editor-border-color: #38424d; --jp-cell-prompt-not-active-font-color: #a5adb6;
  --jp-rendermime-table-row-background: #1d232a; --jp-rendermime-error-background: #431a18;
  --jp-rendermime-table-row-hover-background: #2a3a4c; --jp-mirror-editor-variable-color: #e6e9ed;
  --jp-mirror-editor-comment-color: #93bcbc; --jp-mirror-editor-number-color: #7fd88a;
  --jp-mirror-editor-keyword-color: #7fd88a; --jp-mirror-editor-operator-color: #d8a6ff;
  --jp-mirror-editor-string-color: #ffa3a3; --jp-mirror-editor-punctuation-color: #9cc7f5;
  --jp-mirror-editor-error-color: #ff9b9b; }
  .jp-RenderedImage img, .js-plotly-plot { background: #fff; border-radius: 4px; } }
body.jp-Notebook { margin: 0; padding: 0 1rem 4rem; background: var(--jp-layout-color0);
  overflow: auto; }
main { max-width: 62rem; margin: 0 auto; }
.series-head { font: 15px/1.5 system-ui, sans-serif; padding: .9rem 0 .6rem;
  color: var(--series-text); }
.series-head a { color: var(--series-link); }
.series-head p { margin: .5rem 0 0; padding: .55rem .8rem; border-radius: 6px; font-weight: 600;
  background: var(--series-note-back); color: var(--series-note);
  border-left: 5px solid var(--series-note-line); }
.series-head p.alarm { background: var(--series-alarm-back); color: var(--series-alarm);
  border-left-color: var(--series-alarm-line); }
.jp-InputPrompt, .jp-OutputPrompt { flex: 0 0 56px; width: 56px; font-size: 11px; }
.jp-RenderedHTMLCommon { font-size: 16px; line-height: 1.55; }
.jp-RenderedImage img, .jp-RenderedHTMLCommon img, video { max-width: 100%; height: auto; }
.jp-OutputArea-output { overflow-x: auto; }
.jp-RenderedHTMLCommon.jp-RenderedMarkdown :is(p, li, td) a { text-decoration: underline; }
.highlight pre { white-space: pre-wrap; overflow-wrap: anywhere; }
.celltag_parameters .jp-InputArea-editor, .celltag_injected-parameters .jp-InputArea-editor {
  border-left: 4px solid var(--series-link); }
.celltag_parameters::before, .celltag_injected-parameters::before { display: block;
  margin-left: 64px; font: 600 12px system-ui, sans-serif; color: var(--series-link);
  padding: 4px 0; }
.celltag_parameters::before { content: "Parameters: what a run may change"; }
.celltag_injected-parameters::before { content: "What this run changed"; }
details.solution { margin: .5rem 0 .5rem 64px; border-radius: 6px;
  border: 1px solid var(--series-line); }
details.solution summary { cursor: pointer; padding: .4rem .8rem; font: 600 14px system-ui; }
@media (max-width: 760px) {
  .jp-InputPrompt, .jp-OutputPrompt { display: none; }
  body.jp-Notebook { padding: 0 .5rem 3rem; }
  .jp-InputArea, .jp-OutputArea-child, .jp-OutputArea-child .jp-OutputArea-output,
  .jp-InputArea-editor { display: block; width: auto; margin-left: 0; }
  .celltag_parameters::before, .celltag_injected-parameters::before, details.solution {
    margin-left: 0; }
}
"""


def title_of(notebook, fallback: str) -> str:
    """Return the first heading of a notebook.

    Args:
        notebook: an nbformat notebook.
        fallback: the title if it has none.

    Returns:
        The heading's text without Markdown marks.
    """
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for line in cell.source.splitlines():
                if line.startswith("# "):
                    return line[2:].strip().replace("`", "").replace("*", "")
    return fallback


def notebook_html(
    notebook, *, name: str, folder: Path, notes: Iterable[str] = (), alarms: Iterable[str] = ()
) -> str:
    """Turn an executed notebook into a page.

    Args:
        notebook: an nbformat notebook; not changed.
        name: its file name without suffix.
        folder: where pictures that its prose refers to are.
        notes: sentences that must not be missed.
        alarms: the same, in red.

    Returns:
        HTML with every picture, style and script inside.
    """
    from nbconvert import HTMLExporter

    notebook = copy.deepcopy(notebook)
    outputs.tidy(notebook)
    notebook.cells = [cell for cell in notebook.cells if not LEFT_OUT & set(tags_of(cell))]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _with_links_of_a_page(cell.source)
        if "solution" in tags_of(cell):  # the template folds the whole cell
            cell.source = FOLD.sub("", cell.source).strip()
    title = title_of(notebook, name)
    notebook.metadata["title"] = title
    head = '<a href="index.html">&larr; All notebooks of this run</a>'
    head += "".join(f"<p>{html.escape(text)}</p>" for text in notes)
    head += "".join(f'<p class="alarm">{html.escape(text)}</p>' for text in alarms)
    resources = {
        "metadata": {"name": name, "path": str(folder)},
        "series_css": STYLE,
        "series_head": f'<nav class="series-head">{head}</nav>',
    }
    _describe_figures(notebook)
    exporter = HTMLExporter(embed_images=True)
    exporter.raw_template = TEMPLATE
    body, _ = exporter.from_notebook_node(notebook, resources)
    return body


def _with_links_of_a_page(text: str) -> str:
    """Link to the pages of notebooks; unlink project files, which are not beside a page.

    >>> _with_links_of_a_page("[AUC](../GLOSSARY.md#judgement) of [02](02_cnn.ipynb)")
    'AUC of [02](02_cnn.html)'
    """
    return TO_OUTSIDE.sub(r"\1", TO_NOTEBOOK.sub(r"](\1.html\2)", text))


def _describe_figures(notebook) -> None:
    """Give every figure an alternative text: what it shows, else where it is."""
    heading, number = title_of(notebook, "this notebook"), 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heads = [line for line in cell.source.splitlines() if line.startswith("## ")]
            heading = heads[-1][3:].strip().replace("`", "").replace("*", "") if heads else heading
        for output in cell.get("outputs", []):
            if any(kind.startswith("image/") for kind in output.get("data", {})):
                number += 1
                output.metadata["alt"] = pictures.description(output) or (
                    f"Figure {number}, in the section \u201c{heading}\u201d; the text around it "
                    "says what to see."
                )
