"""An executed notebook as one HTML file that needs no other file and no network."""

import copy
import html
import re
from collections.abc import Iterable
from pathlib import Path

from nbhelpers.runner import outputs
from nbhelpers.runner.notebooks import HOSTED, tags_of

FOLD = re.compile(r"<details>\s*<summary>Solution</summary>|</details>")
LEFT_OUT = {"papermill-error-cell-tag", HOSTED}  # of errors a page has a notice of its own
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

STYLE = """
body.jp-Notebook { margin: 0; padding: 0 1rem 4rem; background: #fff; overflow: auto; }
main { max-width: 62rem; margin: 0 auto; }
.series-head { font: 15px/1.5 system-ui, sans-serif; padding: .9rem 0 .6rem; color: #333; }
.series-head a { color: #0b57a4; }
.series-head p { margin: .5rem 0 0; padding: .55rem .8rem; border-radius: 6px; font-weight: 600;
  background: #fff3cd; color: #5c4400; border-left: 5px solid #d39e00; }
.series-head p.alarm { background: #fde0dd; color: #7a1210; border-left-color: #c62828; }
.jp-InputPrompt, .jp-OutputPrompt { flex: 0 0 56px; width: 56px; font-size: 11px; }
.jp-RenderedHTMLCommon { font-size: 16px; line-height: 1.55; }
.jp-RenderedImage img, .jp-RenderedHTMLCommon img, video { max-width: 100%; height: auto; }
.jp-OutputArea-output { overflow-x: auto; }
.celltag_parameters .jp-InputArea-editor, .celltag_injected-parameters .jp-InputArea-editor {
  border-left: 4px solid #0b57a4; }
.celltag_parameters::before, .celltag_injected-parameters::before { display: block;
  margin-left: 64px; font: 600 12px system-ui, sans-serif; color: #0b57a4; padding: 4px 0; }
.celltag_parameters::before { content: "Parameters: what a run may change"; }
.celltag_injected-parameters::before { content: "What this run changed"; }
details.solution { margin: .5rem 0 .5rem 64px; border: 1px solid #ccc; border-radius: 6px; }
details.solution summary { cursor: pointer; padding: .4rem .8rem; font: 600 14px system-ui; }
@media (max-width: 640px) {
  .jp-InputPrompt, .jp-OutputPrompt { display: none; }
  body.jp-Notebook { padding: 0 .5rem 3rem; }
  .celltag_parameters::before, .celltag_injected-parameters::before, details.solution {
    margin-left: 0; }
}
"""


def title_of(notebook, fallback: str) -> str:
    """Return the first heading of a notebook.

    Args:
        notebook: an nbformat notebook.
        fallback: what to say when it has none.

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


def _describe_figures(notebook) -> None:
    """Give every figure an alternative text that says where it stands and what tells of it."""
    heading, number = title_of(notebook, "this notebook"), 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heads = [line for line in cell.source.splitlines() if line.startswith("## ")]
            heading = heads[-1][3:].strip().replace("`", "").replace("*", "") if heads else heading
        for output in cell.get("outputs", []):
            if any(kind.startswith("image/") for kind in output.get("data", {})):
                number += 1
                output.metadata["alt"] = (
                    f"Figure {number}, in the part \u201c{heading}\u201d; the text around it says "
                    "what to see."
                )
