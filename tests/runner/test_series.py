"""A run: failures are told after, pages are written, nothing old passes for new."""

import io
import json
import re

import nbformat
import pytest
import tiny_notebooks as tiny

from nbhelpers.common.errors import UsageError
from nbhelpers.runner import outputs, scores, series
from nbhelpers.runner.run_record import Outcome

REMOTE = re.compile(
    r"<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\bsrc\s*=\s*[\"']?(?:https?:)?//"
    r"|<link\b[^>]*\bhref\s*=\s*[\"']?(?:https?:)?//"
    r"|@import\s|\burl\(\s*[\"']?https?:|\bimport\s*\(\s*[\"']https?:|\bimport\s+[\"']https?:",
    re.IGNORECASE,
)


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
    earlier = {"status": "failed", "written": {"03_net.results.json": 19}}
    (out / "run.json").write_text(json.dumps({"03_net": earlier}))
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
    assert re.search(r"04_explain +skipped +needs the output of 03_net, which failed", said)
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
    assert "up to 2.0 GB of memory" in page
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
        pairs=[("MODEL_FILE", __file__)],
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


def test_a_study_of_the_appendix_leaves_what_a_lesson_leaves(with_appendix, tmp_path):
    out = tmp_path / "out"
    (with_appendix / "profiles" / "tiny.yaml").write_text("a1_recipes: {STUDY_EPOCHS: 1}\n")
    options = {"out": str(out), "notebooks_dir": with_appendix, "profile": "tiny"}
    assert series.run(["a1"], **options, stream=io.StringIO()) == 0
    assert json.loads((out / "run.json").read_text()).keys() == {"a1_recipes"}
    assert scores.read_results(out).keys() == {"a1_recipes"}
    index = (out / "index.html").read_text()
    assert "Lesson a1_recipes" in index
    assert "0.750" in index
    assert scores.SAMPLE_NOTE in (out / "a1_recipes.html").read_text()
    executed = nbformat.read(out / "a1_recipes.ipynb", as_version=4)
    assert any("STUDY_EPOCHS = 1" in cell.source for cell in executed.cells)
    stream = io.StringIO()
    assert series.run(["a1"], **options, stream=stream, resume=True) == 0
    assert "nothing changed" in stream.getvalue()
