"""A run touches only what its manifest says that runs have written."""

import io
import json

import pytest
import tiny_notebooks as tiny

from nbhelpers.common.errors import UsageError
from nbhelpers.data import locate
from nbhelpers.runner import execution, run_record, series
from nbhelpers.runner.run_record import Outcome


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of one notebook, executed by a stand-in that writes what a notebook does."""
    root = tmp_path / "project"
    tiny.write(root / "notebooks", "01_eda", "1")
    for name in ("data/sample/deepfake-faces", "nbhelpers", "docs"):
        (root / name).mkdir(parents=True)
    (root / "data/sample/deepfake-faces/metadata.csv").touch()
    monkeypatch.setattr(locate, "project_root", lambda: root)
    return root


@pytest.fixture
def run(project, monkeypatch):
    """Call it with an output folder and how the notebook ends; returns exit code and messages."""

    def started(out, status="done", *, wrote=(".results.json", ".keras"), resume=False):
        def execute(source, target, **_):
            target.write_text(source.read_text())
            for suffix in wrote:
                target.with_suffix(suffix).write_text(json.dumps({"new": suffix}))
            if status == "killed":
                raise RuntimeError
            return Outcome(status, 1.0, "" if status == "done" else "cell 1")

        monkeypatch.setattr(execution, "execute", execute)
        said = io.StringIO()
        try:
            return series.run(out=str(out), resume=resume, stream=said), said.getvalue()
        except RuntimeError:
            return None, said.getvalue()

    return started


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize(
    "out",
    ["", "..", "notebooks", "notebooks/mine", "data", "data/sample/deepfake-faces/new", "docs"],
)
def test_a_folder_that_holds_sources_or_data_is_refused(project, run, out):
    before = contents(project.parent)
    with pytest.raises(UsageError, match="separate from what a run reads"):
        run(project / out)
    assert contents(project.parent) == before


def test_a_data_folder_elsewhere_is_refused(project, tmp_path):
    data = tmp_path / "kaggle" / "deepfake-faces"
    data.mkdir(parents=True)
    (data / "metadata.csv").touch()
    for out in (tmp_path / "kaggle", data, data / "runs"):
        with pytest.raises(UsageError, match="data set deepfake-faces"):
            series.run(out=str(out), data_dir=str(tmp_path / "kaggle"), stream=io.StringIO())


@pytest.mark.parametrize("name", ["01_eda.ipynb", "01_eda.html", "01_eda.keras", "index.html"])
def test_a_file_of_the_users_in_the_way_stops_the_run(project, run, name):
    out = project / "runs" / "mine"
    out.mkdir(parents=True)
    (out / name).write_text("mine")
    before = contents(out)
    with pytest.raises(UsageError, match=f"{name}, which no run wrote"):
        run(out)
    assert contents(out) == before


def test_another_programs_run_json_stops_the_run(project, run):
    out = project / "runs" / "mine"
    out.mkdir(parents=True)
    for text in ("[1]", '{"steps": 3}', '{"01_eda": {"status": "ok"}}', "x"):
        (out / "run.json").write_text(text)
        with pytest.raises(UsageError, match=r"run\.json"):
            run(out)
        assert (out / "run.json").read_text() == text


@pytest.mark.parametrize("status", ["done", "failed", "killed"])
def test_the_users_notes_beside_a_run_survive_every_run(project, run, status):
    out = project / "runs" / "mine"
    for before, after in ((status, "done"), ("done", status)):
        run(out, before)
        (out / "01_eda.notes.md").write_text("mine")
        (out / "01_eda.csv").write_text("mine, too")
        run(out, after)
        assert (out / "01_eda.notes.md").read_text() == "mine"
        assert (out / "01_eda.csv").read_text() == "mine, too"
    written = run_record.read(out)["01_eda"].written
    assert not {"01_eda.notes.md", "01_eda.csv"} & written.keys()


def test_notes_change_nothing_for_resume(project, run):
    out = project / "runs" / "mine"
    run(out)
    (out / "01_eda.notes.md").write_text("mine")
    assert "kept, nothing changed" in run(out, resume=True)[1]
    (out / "01_eda.keras").write_text("another model")
    assert "changed: its files" in run(out, resume=True)[1]


@pytest.mark.parametrize("status", ["done", "failed", "killed"])
def test_nothing_old_passes_for_new(project, run, status):
    out = project / "runs" / "mine"
    run(out, status)
    run(out, "failed", wrote=())
    assert not (out / "01_eda.results.json").exists()
    assert not (out / "01_eda.keras").exists()
    assert (out / "earlier" / "01_eda.keras").is_file()
    run(out, "failed", wrote=(".results.json",))
    run(out, "failed", wrote=())
    assert (out / "earlier" / "01_eda.keras").is_file()  # a failure replaces nothing there
    run(out)
    assert not (out / "earlier").exists()


def test_the_users_own_folder_earlier_survives(project, run):
    out = project / "runs" / "mine"
    run(out, "failed", wrote=())
    (out / "earlier").mkdir()
    (out / "earlier" / "01_eda.notes.md").write_text("mine")
    run(out)
    run(out)
    assert contents(out / "earlier") == {"01_eda.notes.md": b"mine"}
    (out / "earlier" / "01_eda.keras").write_text("mine")
    with pytest.raises(UsageError, match=r"earlier/01_eda\.keras"):
        run(out)
    assert (out / "earlier" / "01_eda.keras").read_text() == "mine"


def test_what_a_notebook_saved_by_hand_is_kept(project, run):
    out = project / "runs" / "mine"
    out.mkdir(parents=True)
    for model in ("first", "second"):
        (out / "01_eda.results.json").write_text('{"notebook": "01_eda"}')
        (out / "01_eda.keras").write_text(model)
        run(out)
        run(out)
        (out / "run.json").unlink()
        for path in out.glob("*.*"):
            path.unlink()
    names = {"01_eda.keras", "01_eda.results.json", "2_01_eda.keras", "2_01_eda.results.json"}
    assert contents(out / "saved_by_hand").keys() == names
    assert (out / "saved_by_hand" / "2_01_eda.keras").read_text() == "second"


def test_the_manifest_of_the_version_before_is_read(tmp_path):
    entry = {"status": "done", "seconds": 2, "made": {"01_eda.html": 3}}
    (tmp_path / "run.json").write_text(json.dumps({"01_eda": entry}))
    assert run_record.read(tmp_path) == {"01_eda": Outcome("done", 2.0, written={"01_eda.html": 3})}


@pytest.mark.parametrize(
    "entry",
    [{"status": "done", "seconds": "x"}, {"status": "done", "written": {"../../x": 1}}, [], 3],
)
def test_a_manifest_that_was_edited_is_none(tmp_path, entry):
    (tmp_path / "run.json").write_text(json.dumps({"01_eda": entry}))
    assert run_record.read(tmp_path) == {}


def test_success_is_forgotten_and_names_are_not(tmp_path):
    run_record.write(tmp_path, {"01_eda": Outcome("done", 2.0, written={"01_eda.html": 3})})
    run_record.forget_success(tmp_path)
    (outcome,) = run_record.read(tmp_path).values()
    assert (outcome.status, outcome.written) == ("failed", {"01_eda.html": 3})
