"""The runner: parameters are checked before, failures are told after, pages need no network."""

import base64
import io
import json
import re
from html import unescape

import nbformat
import pytest
import tiny_notebooks as tiny
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from nbhelpers.common.errors import UsageError
from nbhelpers.runner import index, outputs, overrides, pages, scores, series, stored
from nbhelpers.runner.execution import Outcome
from nbhelpers.runner.notebooks import (
    find_notebooks,
    load_notebook,
    read_parameters,
    select_notebooks,
)

REMOTE = re.compile(
    r"<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\bsrc\s*=\s*[\"']?(?:https?:)?//"
    r"|<link\b[^>]*\bhref\s*=\s*[\"']?(?:https?:)?//"
    r"|@import\s|\burl\(\s*[\"']?https?:|\bimport\s*\(\s*[\"']https?:|\bimport\s+[\"']https?:",
    re.IGNORECASE,
)


# ---------------------------------------------------------------- parameters


def test_parameters_are_read_and_not_executed():
    text = 'A = 1  # n\nB = -2.5\nC = "x"\nD = [1, 2]\nE = None\nF = True\nG = (1, 2)'
    read = read_parameters(text)
    assert read == {"A": 1, "B": -2.5, "C": "x", "D": [1, 2], "E": None, "F": True, "G": (1, 2)}


@pytest.mark.parametrize("text", ["A = int(3)", "A: int = 3", "A = B = 3", "import os", "A += 1"])
def test_a_parameters_cell_holds_literals_only(text):
    with pytest.raises(UsageError, match="NAME = literal"):
        read_parameters(text)


@pytest.mark.parametrize(
    ("text", "default", "value"),
    [
        ("7", 3, 7),
        ("7", 0.5, 7.0),
        ("1e-3", 0.5, 0.001),
        ("1.5", 0.5, 1.5),
        ("true", False, True),
        ("none", "auto", "none"),
        ("'7'", "auto", "7"),
        ("", "auto", ""),
        ("[1, 2]", (3, 4), [1, 2]),  # papermill knows no tuples
        ("[a]", [], ["a"]),
        ("null", None, None),
        ("3", None, 3),
    ],
)
def test_values_take_the_type_of_the_default(text, default, value):
    given = overrides.parse_pairs([("X", text)])["X"]
    checked = overrides.checked("X", given, default)
    assert checked == value
    assert type(checked) is type(value)


@pytest.mark.parametrize(
    ("text", "default"),
    [
        ("7.5", 3),
        ("true", 3),
        ("x", 3),
        ("null", 3),
        ("7", "auto"),
        ("no", "auto"),
        ("true", 0.5),
        ("x", 0.5),
        ("1", True),
        ("3", [1]),
    ],
)
def test_another_type_is_refused(text, default):
    given = overrides.parse_pairs([("X", text)])["X"]
    with pytest.raises(UsageError, match="for X; received"):
        overrides.checked("X", given, default)


def test_broken_yaml_is_refused():
    with pytest.raises(UsageError, match="YAML value for X"):
        overrides.parse_pairs([("X", "[1")])


@pytest.fixture
def two(tmp_path):
    """Two notebooks with a profile folder, not to be executed."""
    folder = tmp_path / "notebooks"
    tiny.write(folder, "01_eda", parameters="BINS = 20  # bars\n")
    tiny.write(folder, "02_cnn", parameters="EPOCHS = 3  # passes\nRATE = 0.1  # step\n")
    (folder / "profiles").mkdir()
    return folder


def combined(folder, *, wanted=(), profile=None, pairs=None, data_dir=None):
    notebooks = find_notebooks(folder)
    return overrides.combine(
        notebooks,
        select_notebooks(notebooks, wanted),
        profile=profile or {},
        profile_base=folder,
        pairs=pairs or {},
        data_dir=data_dir,
        output_dir=folder / "out",
    )


def test_later_layers_win_and_reach_only_notebooks_that_have_them(two):
    profile = {"all": {"SEED": 1, "EPOCHS": 9}, "02_cnn": {"EPOCHS": 2, "RATE": 1}}
    values = combined(two, profile=profile, pairs={"SEED": 5, "BINS": 3}, data_dir=two)
    common = {"SEED": 5, "DATA_DIR": str(two), "OUTPUT_DIR": str(two / "out")}
    assert values["01_eda"] == {**common, "BINS": 3}
    assert values["02_cnn"] == {**common, "EPOCHS": 2, "RATE": 1.0}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pairs": {"EPOCH": 1}}, "'EPOCH'.*Did you mean 'EPOCHS'"),
        ({"pairs": {"epochs": 1}}, "Did you mean 'EPOCHS'"),
        ({"pairs": {"EPOCHS": 1}, "wanted": ["01"]}, "which no selected notebook has"),
        ({"profile": {"all": {"SEEDS": 1}}}, "under 'all'.*Did you mean 'SEED'"),
        ({"profile": {"02_cnn": {"BINS": 1}}}, "for 02_cnn; received 'BINS'"),
        ({"profile": {"02_cnm": {}}}, "Did you mean '02_cnn'"),
        ({"profile": {"02_cnn": {"EPOCHS": "x"}}, "wanted": ["01"]}, "int for EPOCHS"),
        ({"pairs": {"OUTPUT_DIR": "x"}}, "--out"),
    ],
)
def test_what_fits_nowhere_is_refused(two, options, message):
    with pytest.raises(UsageError, match=message):
        combined(two, **options)


def test_relative_paths_start_where_they_were_written(two, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    values = combined(two, wanted=["01"], pairs={"SPLIT_CSV": "mine.csv"})
    assert values["01_eda"]["SPLIT_CSV"] == str(tmp_path / "mine.csv")
    values = combined(two, wanted=["01"], profile={"all": {"SPLIT_CSV": "mine.csv"}})
    assert values["01_eda"]["SPLIT_CSV"] == str(two / "mine.csv")
    assert overrides.resolved("ENCODER", "own.keras", tmp_path) == str(tmp_path / "own.keras")
    assert overrides.resolved("ENCODER", "Xception", tmp_path) == "Xception"
    assert overrides.resolved("SPLIT_CSV", "", tmp_path) == ""


def test_profiles_by_name_and_by_path(two, tmp_path):
    (two / "profiles" / "smoke.yaml").write_text("all: {SEED: 1}\n02_cnn:\n")
    assert overrides.read_profile("smoke", two / "profiles")[0] == {
        "all": {"SEED": 1},
        "02_cnn": {},
    }
    own = tmp_path / "own.yaml"
    own.write_text("all: {SEED: 2}\n")
    content, base = overrides.read_profile(str(own), two / "profiles")
    assert content == {"all": {"SEED": 2}}
    assert base == tmp_path
    with pytest.raises(UsageError, match="Did you mean 'smoke'"):
        overrides.read_profile("smok", two / "profiles")
    for wrong in ("[1]", "all: 3", "a: [b", "x"):
        own.write_text(wrong)
        with pytest.raises(UsageError):
            overrides.read_profile(str(own), two / "profiles")


def test_notebooks_are_chosen_by_number_name_or_path(two):
    notebooks = find_notebooks(two)
    for name in ("2", "02", "02_cnn", "02_cnn.ipynb", str(two / "02_cnn.ipynb")):
        assert [notebook.stem for notebook in select_notebooks(notebooks, [name])] == ["02_cnn"]
    stems = [notebook.stem for notebook in select_notebooks(notebooks, ["02", "01"])]
    assert stems == ["01_eda", "02_cnn"]
    with pytest.raises(UsageError, match="number or name"):
        select_notebooks(notebooks, ["9"])
    with pytest.raises(UsageError, match="found none"):
        find_notebooks(two / "profiles")


@pytest.mark.parametrize(
    "options",
    [
        {"pairs": [("NO_SUCH", "1")]},
        {"profile": "nope"},
        {"wanted": ["07"]},
        {"data_dir": "nowhere"},
    ],
)
def test_a_wrong_request_leaves_nothing_behind(two, tmp_path, options):
    with pytest.raises(UsageError):
        series.run(out=str(tmp_path / "out"), notebooks_dir=two, stream=io.StringIO(), **options)
    assert not (tmp_path / "out").exists()


# ---------------------------------------------------------------- a run


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A run in which one cell fails and one kernel dies; its folder, exit code and messages."""
    folder = tmp_path_factory.mktemp("series")
    notebooks = folder / "notebooks"
    tiny.write(
        notebooks,
        "01_eda",
        tiny.SHOW,
        "print(DATA_DIR, BINS, SPLIT_CSV)\nopen('stray.txt', 'w').close()",
        tiny.SHOW,
        parameters="BINS = 20  # bars\n",
        tags={0: ["cover"]},
    )
    tiny.write(notebooks, "02_cnn", tiny.saving("02_cnn", random=True, model="<i>cnn</i>"))
    tiny.write(notebooks, "03_net", "x = 1", "# divide\n1 / 0 if x else 2", tiny.saving("03_net"))
    tiny.write(notebooks, "04_explain", "print('never')", parameters='MODEL_FILE = ""  # e\n')
    tiny.write(notebooks, "05_dead", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    tiny.write(notebooks, "06_video", "import sys\nsys.exit(0)", "print('not reached')")
    before = {path: path.read_bytes() for path in notebooks.iterdir()}
    stream = io.StringIO()
    out = folder / "out"
    out.mkdir()
    (out / "03_net.results.json").write_text("from an earlier run")
    code = series.run(
        out=str(out),
        data_dir=str(folder),
        pairs=[("BINS", "7")],
        notebooks_dir=notebooks,
        stream=stream,
    )
    assert before == {path: path.read_bytes() for path in notebooks.iterdir()}
    return out, code, stream.getvalue()


def test_exit_code_and_messages_tell_what_failed(ran):
    out, code, said = ran
    assert code == 1
    assert re.search(r"01_eda +done +\d+\.\d s", said)
    assert re.search(r"03_net +FAILED .*code cell 3 of 4 \(`# divide`\): ZeroDivisionError", said)
    assert re.search(r"04_explain +skipped +needs what 03_net makes, which failed", said)
    assert re.search(r"05_dead +FAILED .*kernel died", said)
    assert re.search(r"06_video +FAILED .*code cell 2 of 3.*SystemExit", said)
    assert str(out / "index.html") in said
    assert "\r" not in said


def test_executed_notebook_and_page_are_written_also_after_a_failure(ran):
    out, _, _ = ran
    for stem in ("01_eda", "02_cnn", "03_net", "05_dead", "06_video"):
        assert (out / f"{stem}.ipynb").is_file()
        assert (out / f"{stem}.html").is_file()
    assert not (out / "04_explain.html").exists()
    assert "ZeroDivisionError" in (out / "03_net.html").read_text()
    assert "failed in code cell 3 of 4" in (out / "03_net.html").read_text()
    assert not list(out.glob(".*"))
    assert [path.name for path in out.glob("*.log")] == ["05_dead.log"]


def test_results_of_an_earlier_run_do_not_pass_for_new(ran):
    out, _, _ = ran
    assert not (out / "03_net.results.json").exists()


def test_parameters_reach_the_notebook(ran):
    out, _, _ = ran
    notebook = nbformat.read(out / "01_eda.ipynb", as_version=4)
    texts = [
        output.text
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "stream"
    ]
    assert texts == [f"{out.parent} 7 \n"]
    page = (out / "01_eda.html").read_text()
    assert "celltag_parameters" in page
    assert "celltag_injected-parameters" in page


def test_kernels_work_in_the_output_folder(ran):
    out, _, _ = ran
    assert (out / "stray.txt").is_file()


def test_pages_need_no_other_file(ran):
    out, _, _ = ran
    for page in out.glob("*.html"):
        assert not REMOTE.search(page.read_text()), page.name
    assert 'src="data:image/png;base64,' in (out / "01_eda.html").read_text()


def test_index_shows_everything_escaped(ran):
    out, _, _ = ran
    page = (out / "index.html").read_text()
    assert "Lesson 01_eda &lt;b&gt;&amp;" in page
    assert "&lt;i&gt;cnn&lt;/i&gt;" in page
    assert "<i>cnn" not in page
    for text in ("3 failed", "2 done", "1 skipped", scores.SAMPLE_NOTE, scores.RANDOM_NOTE):
        assert text in page
    for link in ("01_eda.html", "01_eda.ipynb", "02_cnn.results.json", "05_dead.log"):
        assert f'href="{link}"' in page
    assert page.count('src="data:image/jpeg;base64,') == 1
    assert "0.750<small>0.650–0.850" in page
    assert page.index("&lt;i&gt;cnn&lt;/i&gt;") < page.index("<td>prior</td>")
    assert "2.0 GB at most" in page
    assert "train 7 REAL + 9 FAKE; test 4 REAL + 6 FAKE" in page


def test_the_page_carries_the_banners_of_its_results(ran):
    out, _, _ = ran
    page = (out / "02_cnn.html").read_text()
    assert scores.SAMPLE_NOTE in page
    assert scores.RANDOM_NOTE in page
    assert scores.RANDOM_NOTE not in (out / "01_eda.html").read_text()


def test_a_later_run_keeps_what_it_does_not_touch(ran):
    out, _, _ = ran
    stream = io.StringIO()
    code = series.run(
        ["04"],
        out=str(out),
        notebooks_dir=out.parent / "notebooks",
        stream=stream,
        pairs=[("MODEL_FILE", "own.keras")],
    )
    assert code == 0
    state = json.loads((out / "run.json").read_text())
    assert [state[stem]["status"] for stem in sorted(state)] == [
        "done",
        "done",
        "failed",
        "done",
        "failed",
        "failed",
    ]
    assert 'href="02_cnn.html"' in (out / "index.html").read_text()


def test_progress_on_a_terminal_is_one_rewritten_line():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    progress = series.Progress(stream, width=8)
    progress.start("01_eda")
    progress.cell(2, 9)
    progress.tick()
    progress.end("01_eda", Outcome("done", 1.25))
    assert "cell 2 of 9" in stream.getvalue()
    assert stream.getvalue().count("\n") == 1
    assert outputs.settle(stream.getvalue()).strip().endswith("01_eda    done  1.2 s")


# ---------------------------------------------------------------- tidy outputs, pages, tables


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        ("a\rb\n", "b\n"),
        ("abc\b\bX\n", "aXc\n"),
        ("one\r\ntwo\r\n", "one\ntwo\n"),
        ("5/5 \u2501\u2501\u2501\u2501 1s 9ms/step - loss: 0.5\n", "5/5 1s 9ms/step - loss: 0.5\n"),
        ("Downloading:  12%|#2   | 1/8 [00:01<00:07]\n", ""),
        ("7it [00:01,  5.1it/s]", ""),
        ("2026-01-01 10:00:00.123456: I tensorflow/core/x.cc:1] hello\nkept\n", "kept\n"),
        ("\x1b[31mred\x1b[0m\n", "\x1b[31mred\x1b[0m\n"),
        ("90% of the fakes | found\n", "90% of the fakes | found\n"),
    ],
)
def test_streams_show_what_a_terminal_would_in_the_end(text, tidied):
    assert outputs.tidy_text(text) == tidied


def notebook_of(*cell_outputs):
    cells = [new_code_cell("f()", outputs=list(some)) for some in cell_outputs]
    return new_notebook(cells=cells)


def test_tidy_joins_streams_and_drops_widgets_and_remote_scripts():
    widget = {outputs.WIDGETS[0]: {"model_id": "x"}, "text/plain": "0%| |"}
    page = (
        "<p>kept</p><script src='https://cdn.example/x.js'></script>"
        '<script type="module">import "https://cdn.example/y"</script><script>local()</script>'
    )
    notebook = notebook_of(
        [
            new_output("stream", name="stdout", text="a\n"),
            new_output("stream", name="stdout", text="b\n"),
            new_output("display_data", data=widget),
            new_output("display_data", data={"text/html": page}),
        ]
    )
    outputs.tidy(notebook)
    assert [output.get("text") for output in notebook.cells[0].outputs] == ["a\nb\n", None]
    html = notebook.cells[0].outputs[1].data["text/html"]
    assert html == "<p>kept</p><script>local()</script>"


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
        "Figure 1, in the part \u201cLesson 01_x <b>&\u201d",
        'Figure 2, in the part \u201cThe second "part"\u201d',
    ]
    assert notebook.cells[4].outputs[0].metadata == {}  # the notebook itself is not changed


def test_the_cover_is_the_tagged_picture_else_the_last():
    def picture(width):
        file = io.BytesIO()
        Image.new("RGB", (width, 10), "blue").save(file, "PNG")
        data = {"image/png": base64.b64encode(file.getvalue()).decode()}
        return new_output("display_data", data=data)

    def width_of(tag):
        data = base64.b64decode(re.search(r"base64,([^\"]*)", tag)[1])
        return Image.open(io.BytesIO(data)).width

    notebook = notebook_of([picture(100)], [picture(2000)], [picture(300)])
    assert width_of(index.cover(notebook)) == 300
    notebook.cells[1].metadata.tags = ["cover"]
    assert width_of(index.cover(notebook)) == index.COVER_WIDTH
    assert index.cover(notebook_of([])) == ""
    assert index.cover(None) == ""


def test_real_data_and_the_sample_are_told_apart():
    sample, real = tiny.results("02_a"), tiny.results("03_b", sample=False)
    assert index.data_banner({"02_a": sample}) == scores.SAMPLE_NOTE
    assert index.data_banner({"03_b": real}) is None
    assert "03" not in index.data_banner({"02_a": sample, "03_b": real})
    assert "02_a" in index.data_banner({"02_a": sample, "03_b": real})


def test_results_that_cannot_be_read_are_left_out_aloud(tmp_path, caplog):
    (tmp_path / "02_a.results.json").write_text(json.dumps(tiny.results("02_a")))
    (tmp_path / "03_b.results.json").write_text("{")
    (tmp_path / "04_c.results.json").write_text("[]")
    assert list(scores.read_results(tmp_path)) == ["02_a"]
    assert len(caplog.records) == 2


def test_readme_table_is_rewritten_between_its_markers(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{scores.BEGIN}\nold\n{scores.END}\nafter\n")
    results = {"02_a": tiny.results("02_a", model="a|b"), "05_c": tiny.results("05_c")}
    del results["05_c"]["metrics"]["test"]["ours"]  # the prior alone tells nothing
    assert scores.update_readme(readme, results)
    text = readme.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "| [02_a](notebooks/02_a.ipynb) | `a\\|b` | 0.750 [0.650, 0.850] |" in text
    assert "|  | `prior` | 0.500" in text
    assert scores.README_SAMPLE in text
    assert scores.RANDOM_NOTE not in text
    assert "05_c" not in text
    assert not scores.update_readme(readme, results)
    assert scores.EMPTY in scores.readme_block({})
    results["03_b"] = tiny.results("03_b", sample=False, random=True)
    assert scores.README_MIXED in scores.readme_block(results)
    del results["02_a"]
    assert scores.README_REAL in scores.readme_block({"03_b": results["03_b"]})
    assert scores.RANDOM_NOTE in scores.readme_block({"03_b": results["03_b"]})


@pytest.mark.parametrize("text", ["", "{B}", "{E}{B}", "{B}{E}{E}", "{B}{B}{E}"])
def test_readme_without_its_markers_is_refused(tmp_path, text):
    readme = tmp_path / "README.md"
    readme.write_text(text.format(B=scores.BEGIN, E=scores.END))
    with pytest.raises(UsageError, match="results:begin"):
        scores.update_readme(readme, {})
    with pytest.raises(UsageError, match="does not exist"):
        scores.update_readme(tmp_path / "NONE.md", {})


# ---------------------------------------------------------------- stored outputs


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
    readme = tmp_path / "README.md"
    readme.write_text(f"{scores.BEGIN}\n{scores.END}\n")
    arguments = {"notebooks_dir": folder, "readme": readme, "stream": io.StringIO()}
    before = load_notebook(path)
    assert stored.render(**arguments) == 0
    text = path.read_text()
    assert load_notebook(path).digest == before.digest
    assert text.endswith("}\n")
    assert "/tmp" not in text
    assert str(tmp_path) not in text
    assert scores.EMPTY in readme.read_text()
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2, 3, 4, 5, 6]
    assert code[1].outputs[0].text == "runs/latest <object object>\n42\n"
    assert code[2].outputs[0].data.keys() == {"image/jpeg", "text/plain"}
    assert code[3].outputs[0].data.keys() == {"image/jpeg", "text/plain"}
    assert stored.VIDEO_NOTE in code[4].outputs[0].data["text/markdown"]
    assert code[5].outputs[0].execution_count == 6
    assert set(notebook.metadata) == {"kernelspec", "language_info", "nbhelpers"}
    assert notebook.metadata.nbhelpers[stored.DIGEST_KEY] == before.digest
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
    monkeypatch.setattr(stored, "LIMIT", 200_000)
    noise = Image.effect_noise((900, 600), 100).convert("RGB")
    file = io.BytesIO()
    noise.save(file, "PNG")
    data = {"image/png": base64.b64encode(file.getvalue()).decode()}
    one = stored.stored_text(*finished(new_output("display_data", data=data)))
    assert 50_000 < len(one.encode()) <= stored.LIMIT
    assert outputs_of(one)[0].data.keys() == {"image/jpeg"}
    too_many = [new_output("display_data", data=data)] * 4
    with pytest.raises(UsageError, match="code cell 2"):
        stored.stored_text(*finished(*too_many))


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
        text = stored.stored_text(
            *finished(new_output("display_data", data={"text/html": html}), kept)
        )
        assert outputs_of(text)[0].data.keys() == expected
        assert outputs_of(text)[1].data["text/html"] == "<table></table>"
    plotly = {"application/vnd.plotly.v1+json": {"data": []}, "text/html": script}
    text = stored.stored_text(*finished(new_output("display_data", data=plotly)))
    assert outputs_of(text) == []


def test_stored_outputs_are_the_same_every_time(finished):
    arguments = finished(new_output("stream", name="stdout", text="hello\n"))
    assert stored.stored_text(*arguments) == stored.stored_text(*arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"injected": "OUTPUT_DIR = 'x'\nSEED = 7"}, "default parameters; received SEED"),
        ({"source": "g()"}, "as it is now"),
    ],
)
def test_outputs_of_another_run_are_refused(finished, options, message):
    with pytest.raises(UsageError, match=message):
        stored.stored_text(*finished(**options))


def test_outputs_of_a_failed_run_are_refused(finished):
    error = new_output("error", ename="E", evalue="", traceback=[])
    notebook, made = finished(error)
    with pytest.raises(UsageError, match="without errors"):
        stored.stored_text(notebook, made)
    with pytest.raises(UsageError, match="does not exist"):
        stored.stored_text(notebook, made / "none")


def test_a_failing_notebook_changes_no_file(tmp_path):
    path = tiny.write(tmp_path / "notebooks", "01_eda", "1 / 0")
    before = path.read_bytes()
    stream = io.StringIO()
    readme = tmp_path / "README.md"
    assert stored.render(notebooks_dir=path.parent, readme=readme, stream=stream) == 1
    assert path.read_bytes() == before
    assert "Nothing stored" in stream.getvalue()


def test_render_takes_along_what_a_notebook_builds_on():
    assert stored._with_needs([]) == []
    assert set(stored._with_needs(["04"])) == {"04", "03"}
    assert set(stored._with_needs(["06_video"])) == {"06_video", "06", "03"}
