"""Stored outputs are small, plain, and of this source."""

import base64
import io

import nbformat
import pytest
import tiny_notebooks as tiny
from nbformat.v4 import new_code_cell, new_output
from PIL import Image
from tiny_figures import FIGURES, bundle_of

from nbhelpers.common.errors import UsageError
from nbhelpers.runner.notebooks import load_notebook
from tools import render, results_table


def test_render_stores_small_and_plain_outputs(tmp_path):
    folder = tmp_path / "notebooks"
    html = "<div>{}</div><script>{}</script>"
    path = tiny.write(
        folder,
        "01_eda",
        "from pathlib import Path\nprint(Path.cwd(), object())\nprint(SEED)",
        tiny.SHOW,
        f"display({{'text/html': {html.format('x', 'plotly()')!r},"
        f"'image/png': '{tiny.PIXEL}', 'text/plain': 'fig'}}, raw=True)",
        "display({'text/html': '<video src=\"data:video/mp4;base64,AAAA\"></video>',"
        "'text/plain': 'clip'}, raw=True)",
        "1 + 1",
    )
    page = tmp_path / "README.md"
    page.write_text(f"{results_table.BEGIN}\n{results_table.END}\n")
    arguments = {"notebooks_dir": folder, "results_page": page, "stream": io.StringIO()}
    before = load_notebook(path)
    assert render.render(**arguments) == 0
    text = path.read_text()
    assert load_notebook(path).digest == before.digest
    assert text.endswith("}\n")
    assert "/tmp" not in text
    assert str(tmp_path) not in text
    assert results_table.EMPTY in page.read_text()
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2, 3, 4, 5, 6]
    assert code[1].outputs[0].text == "runs/latest <object object>\n42\n"
    assert code[2].outputs[0].data.keys() == {"image/jpeg", "text/plain"}
    assert code[3].outputs[0].data.keys() == {"image/jpeg", "text/plain"}
    assert render.VIDEO_NOTE in code[4].outputs[0].data["text/markdown"]
    assert code[5].outputs[0].execution_count == 6
    assert set(notebook.metadata) == {"kernelspec", "language_info", "nbhelpers"}
    assert notebook.metadata.nbhelpers[render.DIGEST_KEY] == before.digest
    assert all(set(cell.metadata) <= {"tags"} for cell in notebook.cells)


@pytest.fixture
def finished(tmp_path):
    """A source notebook and the folder of a run of it, made without executing."""
    path = tiny.write(tmp_path / "notebooks", "01_eda", "f()")
    made = tmp_path / "made"
    made.mkdir()

    def finish(*cell_outputs, injected="OUTPUT_DIR = 'x'", source=None):
        notebook = nbformat.read(path, as_version=4)
        notebook.cells[2].outputs = list(cell_outputs)
        if source:
            notebook.cells[2].source = source
        cell = new_code_cell(injected, metadata={"tags": ["injected-parameters"]})
        notebook.cells.insert(2, cell)
        nbformat.write(notebook, made / "01_eda.ipynb")
        return load_notebook(path), made

    return finish


def outputs_of(text):
    notebook = nbformat.reads(text, as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == "code"][-1].outputs


def test_large_pictures_are_made_smaller_until_they_fit(finished, monkeypatch):
    monkeypatch.setattr(render, "LIMIT", 200_000)
    noise = Image.effect_noise((900, 600), 100).convert("RGB")
    file = io.BytesIO()
    noise.save(file, "PNG")
    data = {"image/png": base64.b64encode(file.getvalue()).decode()}
    one = render.stored_text(*finished(new_output("display_data", data=data)))
    assert 50_000 < len(one.encode()) <= render.LIMIT
    assert outputs_of(one)[0].data.keys() == {"image/jpeg"}
    too_many = [new_output("display_data", data=data)] * 4
    with pytest.raises(UsageError, match="code cell 2"):
        render.stored_text(*finished(*too_many))


def test_live_outputs_give_way_to_stills(finished):
    picture = f'<img alt="" src="data:image/png;base64,{tiny.PIXEL}">'
    script = "<script>plotly('data:image/png;base64,AAAA')</script>"
    kept = new_output("display_data", data={"text/html": "<table></table>", "text/plain": "t"})
    for html, expected in [
        (f"<div>{picture}</div>{script}", {"image/jpeg", "text/plain"}),
        (picture.replace("png", "gif"), {"image/jpeg", "text/plain"}),
        (f"<div></div>{script}", {"text/markdown", "text/plain"}),
        (picture, {"text/html"}),
    ]:
        text = render.stored_text(
            *finished(new_output("display_data", data={"text/html": html}), kept)
        )
        assert outputs_of(text)[0].data.keys() == expected
        assert outputs_of(text)[1].data["text/html"] == "<table></table>"
    plotly = {"application/vnd.plotly.v1+json": {"data": []}, "text/html": script}
    text = render.stored_text(*finished(new_output("display_data", data=plotly)))
    assert outputs_of(text) == []


def test_of_an_interactive_figure_the_still_is_stored(finished):
    bundle = bundle_of(FIGURES["threshold"])
    alt = bundle.pop("alt")
    output = new_output("display_data", data=bundle, metadata={"image/jpeg": {"alt": alt}})
    (stored,) = outputs_of(render.stored_text(*finished(output)))
    assert stored.data == {
        "image/jpeg": stored.data["image/jpeg"],
        "text/plain": bundle["text/plain"],
    }
    assert stored.metadata == {"image/jpeg": {"alt": alt}}


def test_stored_outputs_are_the_same_every_time(finished):
    arguments = finished(new_output("stream", name="stdout", text="hello\n"))
    assert render.stored_text(*arguments) == render.stored_text(*arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"injected": "OUTPUT_DIR = 'x'\nSEED = 7"}, "default parameters; received SEED"),
        ({"source": "g()"}, "a run of the current"),
    ],
)
def test_outputs_of_another_run_are_refused(finished, options, message):
    with pytest.raises(UsageError, match=message):
        render.stored_text(*finished(**options))


def test_outputs_of_a_failed_run_are_refused(finished):
    error = new_output("error", ename="E", evalue="", traceback=[])
    notebook, made = finished(error)
    with pytest.raises(UsageError, match="without errors"):
        render.stored_text(notebook, made)
    with pytest.raises(UsageError, match="does not exist"):
        render.stored_text(notebook, made / "none")


def test_a_failing_notebook_changes_no_file(tmp_path):
    path = tiny.write(tmp_path / "notebooks", "01_eda", "1 / 0")
    before = path.read_bytes()
    stream = io.StringIO()
    page = tmp_path / "README.md"
    assert render.render(notebooks_dir=path.parent, results_page=page, stream=stream) == 1
    assert path.read_bytes() == before
    assert "Nothing stored" in stream.getvalue()


def test_render_takes_along_what_a_notebook_builds_on():
    assert render._with_needs([]) == []
    assert set(render._with_needs(["04"])) == {"04", "03"}
    assert set(render._with_needs(["06_video"])) == {"06_video", "06", "03"}


def test_what_a_figure_shows_is_stored_with_it(finished):
    figure = new_output("display_data", data={"image/png": tiny.PIXEL})
    figure.metadata = {"image/png": {"alt": "ROC of a", "width": 3}, "needs_background": "light"}
    (stored,) = outputs_of(render.stored_text(*finished(figure)))
    assert stored.metadata == {"image/jpeg": {"alt": "ROC of a"}}
