"""`sweep`: a grid of runs, each with a folder of its own."""

import csv

import pytest
import tiny_notebooks as tiny

from nbhelpers.__main__ import main
from nbhelpers.commands import sweep as sweep_command
from nbhelpers.common.errors import UsageError
from nbhelpers.data import locate
from nbhelpers.runner import grid

CODE = (
    "from pathlib import Path\n"
    "with Path(OUTPUT_DIR, '..', 'calls').open('a') as file:\n"
    "    file.write(f'{RATE} {SIZES} {SEED}\\n')\n"
    "if RATE == 0.5 and not Path(OUTPUT_DIR, '..', 'mended').exists():\n"
    "    raise ValueError('too <fast>')"
)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of one notebook that the commands take for their own."""
    parameters = "RATE = 0.1  # step\nSIZES = (1, 2)  # pixels\n"
    saving = tiny.saving("03_net", model="<i>net</i>")
    tiny.write(tmp_path / "notebooks", "03_net", CODE, saving, parameters=parameters)
    tiny.write(tmp_path / "notebooks", "04_other", "1")
    (tmp_path / "grid.yaml").write_text("RATE: [0.5, 1e-5]\nSIZES: [[3, 4]]\n")
    monkeypatch.setattr(locate, "project_root", lambda: tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sweep(*words):
    return main(["sweep", "03", "--grid", "grid.yaml", *words])


def test_grid_runs_fail_alone_are_kept_and_told(project, capsys):
    assert sweep("-p", "SEED", "7", "--workers", "2") == 1
    out = project / "runs" / "sweep"
    calls = ["0.5 [3, 4] 7", "1e-05 [3, 4] 7"]
    assert sorted((out / "calls").read_text().splitlines()) == calls
    said = capsys.readouterr()
    assert "2 runs in" in said.err
    assert "ValueError: too <fast>" in said.err
    lines = said.out.splitlines()
    assert lines[0].split() == [
        "RATE",
        "SIZES",
        "notebook",
        "model",
        "AUC",
        "Accuracy",
        "Balanced",
        "accuracy",
        "Log",
        "loss",
        "status",
    ]
    assert sum("0.750 [0.650, 0.850]" in line for line in lines) == 1
    with (out / "sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["RATE"], row["status"], row["model"], row["auc_low"]) for row in rows] == [
        ("0.5", "failed", "", ""),
        ("1e-05", "done", "<i>net</i>", "0.65"),
        ("1e-05", "done", "prior", "0.4"),
    ]
    page = (out / "sweep.html").read_text()
    assert "too &lt;fast&gt;" in page
    assert "<i>net" not in page
    for row in rows:
        assert f'href="{row["run"]}/index.html"' in page
        assert (out / row["run"] / "index.html").is_file()
    # Once more: what is done is kept, what failed is done again.
    (out / "mended").touch()
    assert sweep("-p", "SEED", "7") == 0
    assert (out / "calls").read_text().splitlines()[2:] == calls[:1]
    assert "1 of them already finished" in capsys.readouterr().err


def laid_out(project, *points, **options):
    defaults = {"out": project / "out", "base": project, "notebooks_dir": project / "notebooks"}
    return grid.plan(["03"], points, **(defaults | options))


def test_finished_run_of_other_code_or_parameters_does_not_count(project):
    (run,) = laid_out(project, {"RATE": 1})
    assert run.parameters == {"03_net": {"RATE": 1.0}}
    run.folder.mkdir(parents=True)
    assert not grid.is_finished(run)
    (run.folder / "sweep.json").write_text('{"parameters": {}, "notebooks": {}}')
    (run.folder / "run.json").write_text('{"03_net": {"status": "done"}}')
    assert not grid.is_finished(run)
    grid.files.write_text(run.folder / "sweep.json", grid.json.dumps(run.plan))
    assert grid.is_finished(run)
    (run.folder / "run.json").write_text('{"03_net": {"status": "failed"}}')
    assert not grid.is_finished(run)
    (run.folder / "run.json").write_text('{"03_net": {"status": "done"}}')
    tiny.write(project / "notebooks", "03_net", "2", parameters="RATE = 0.1  # step\n")
    assert not grid.is_finished(laid_out(project, {"RATE": 1})[0])


def test_folders_tell_the_settings_and_never_meet(project):
    points = [{"RATE": 1.0}, {"RATE": 2.0}]
    runs = laid_out(project, *points) + laid_out(project, *points, pairs=[("SEED", "7")])
    names = [run.folder.name for run in runs]
    assert len(set(names)) == 4
    assert names[0].startswith("RATE=1.0_")
    assert len(laid_out(project, {"RATE": 1}, {"RATE": "1.0"}, {"RATE": 1.0})) == 1
    (project / ("deep/" * 60)).mkdir(parents=True)
    for name in ("a.csv", "deep/" * 60 + "a.csv"):
        (project / name).touch()
    (moved,) = laid_out(project, {"SPLIT_CSV": "a.csv"})
    assert moved.parameters["03_net"] == {"SPLIT_CSV": str(project / "a.csv")}
    assert "/" not in moved.folder.name
    long = laid_out(project, {"SPLIT_CSV": "deep/" * 60 + "a.csv"})[0]
    assert len(long.folder.name) < 80
    with pytest.raises(UsageError, match="at most 255 bytes"):
        laid_out(project, {"SPLIT_CSV": "x" * 300 + ".csv"})


def test_grid_is_a_product_and_grids_add_up(tmp_path):
    path = tmp_path / "g.yaml"
    path.write_text("A: [1, 2]\nB: [x, y]\nC: 3\n")
    points = grid.read_grid(path)
    assert points[1] == {"A": 1, "B": "y", "C": 3}
    assert len(points) == 4
    path.write_text("- {A: [1, 2]}\n- {A: [2, 3]}\n")
    assert grid.read_grid(path) == [{"A": 1}, {"A": 2}, {"A": 3}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A: []", "PARAMETER: "),
        ("[1]", "PARAMETER: "),
        ("", "PARAMETER: "),
        ("A: [1", "Correct it"),
        ("\n".join(f"P{i}: [1, 2, 3]" for i in range(40)), "at most 10000 runs"),
    ],
)
def test_other_grids_are_refused(tmp_path, text, said):
    (tmp_path / "g.yaml").write_text(text)
    with pytest.raises(UsageError, match=said):
        grid.read_grid(tmp_path / "g.yaml")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--grid", "nowhere.yaml"], "No such file"),
        (["--grid", "/dev/null"], "is a device"),
        (["--grid", "."], "is a folder"),
        (["--cpus", "nan"], "--cpus above 0"),
        (["-p", "RAT", "1"], "Did you mean 'RATE'"),
        (["--workers", "0"], "at least 1"),
        (["--data-dir", "nowhere"], "not a folder"),
    ],
)
def test_a_wrong_request_leaves_nothing_behind(project, capsys, words, said):
    assert sweep(*words) == 2
    assert said in capsys.readouterr().err
    assert not (project / "runs").exists()


def test_tables_replace_older_tables_only(project, capsys):
    out = project / "out"
    out.mkdir()
    (out / "sweep.csv").write_text("my,own\n")
    assert sweep("--out", "out") == 2
    assert "would be lost" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["sweep.csv"]
    (out / "sweep.csv").unlink()
    (out / "sweep.html").write_text("<html>mine</html>")
    assert sweep("--out", "out") == 2
    assert [path.name for path in out.iterdir()] == ["sweep.html"]


def test_the_grid_is_not_replaced_by_the_table(project, capsys):
    grid_file = project / "out" / "sweep.csv"
    grid_file.parent.mkdir()
    grid_file.write_text("RATE: [1]\n")
    assert main(["sweep", "03", "--grid", str(grid_file), "--out", "out"]) == 2
    assert "not an input" in capsys.readouterr().err
    assert grid_file.read_text() == "RATE: [1]\n"


def test_edited_results_are_a_message_in_the_table(project, capsys):
    (run,) = laid_out(project, {"RATE": 1})
    run.folder.mkdir(parents=True)
    (run.folder / "sweep.json").write_text(grid.json.dumps(run.plan))
    (run.folder / "run.json").write_text('{"03_net": {"status": "done", "seconds": 1}}')
    content = tiny.results("03_net")
    content["metrics"]["test"]["ours"]["auc"] = "0.9"
    (run.folder / "03_net.results.json").write_text(grid.json.dumps(content))
    (row,) = sweep_command.rows_of(run)
    assert row["model"] == ""
    assert (
        "03_net.results.json: expected an object in the key 'metrics.test.ours.auc'"
        in (row["message"])
    )
    assert "metrics.test.ours.auc" in sweep_command.as_html([row])
