"""A run that is killed, interrupted or not alone: nothing is lost or mixed, `--resume` goes on."""

import signal
import time

import pytest
import tiny_notebooks as tiny
from scenes import Project, line_with

WAIT = (
    "import time\nfrom pathlib import Path\n"
    "Path(OUTPUT_DIR, 'begun').touch()\n"
    "while not Path(OUTPUT_DIR, 'go').exists():\n    time.sleep(0.05)"
)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Two notebooks; the second one waits in its middle until it is allowed to go on."""
    made = Project(tmp_path_factory.mktemp("project"))
    tiny.write(made.notebooks, "01_eda", tiny.saving("01_eda"))
    tiny.write(
        made.notebooks, "02_cnn", WAIT, tiny.saving("02_cnn"), parameters="EPOCHS = 3  # n\n"
    )
    return made


@pytest.fixture(scope="module")
def killed(project):
    """What a second run said while the first was in notebook 02, which then was killed."""
    with project.start() as first:
        first.wait_for((project.out / "begun").exists)
        second = project.run()
        assert project.state() == {"01_eda": "done", "02_cnn": "failed"}
        first.kill()
        (project.out / "begun").unlink()
    return first.pid, second


def test_second_run_into_a_folder_is_refused(killed, told):
    pid, (code, said) = killed
    assert code == 2
    line = line_with(said, "error:")
    assert f"in use by process {pid}, since 20" in line
    told("second run into the same folder at once", "the first run continues, untouched", line)


def test_killed_run_goes_on_with_the_notebook_it_was_in(killed, project, told):
    before = (project.out / "01_eda.results.json").stat()
    (project.out / "go").touch()
    code, said = project.run("--resume")
    assert code == 0, said
    assert (project.out / "01_eda.results.json").stat().st_mtime_ns == before.st_mtime_ns
    assert project.state() == {"01_eda": "done", "02_cnn": "done"}
    assert not list(project.out.glob(".*"))
    line = line_with(said, "01_eda")
    assert "kept, nothing changed" in line
    assert "02_cnn" in line_with(said, "done")
    told("run killed (`kill -9`)", "notebooks that were done; `--resume` runs the others", line)


def test_nothing_changed_nothing_runs(killed, project):
    code, said = project.run("--resume")
    assert code == 0
    assert said.count("kept, nothing changed") == 2


def test_ctrl_c_keeps_what_the_run_before_had_made(killed, project, told):
    (project.out / "go").unlink()
    (project.out / "begun").unlink()
    with project.start("--resume", "-p", "EPOCHS", "4") as running:
        running.wait_for((project.out / "begun").exists)
        running.kill(signal.SIGINT, group=True)
        code, said = running.end()
    assert code == 130
    assert "kept, nothing changed" in line_with(said, "01_eda")
    assert "changed: parameters" in line_with(said, "run again")
    assert project.state() == {"01_eda": "done", "02_cnn": "failed"}
    assert not (project.out / "02_cnn.results.json").exists()  # nothing old passes for new
    assert (project.out / "earlier" / "02_cnn.results.json").is_file()
    assert "interrupted" in (project.out / "index.html").read_text()
    assert "Traceback" not in said
    told(
        "Ctrl-C in a notebook",
        "notebooks that were done; what an earlier run of this one wrote is in `earlier/`",
        line_with(said, "interrupted."),
    )


def test_after_ctrl_c_the_same_command_goes_on(killed, project):
    (project.out / "go").touch()
    code, said = project.run("--resume", "-p", "EPOCHS", "4")
    assert code == 0, said
    assert "kept, nothing changed" in line_with(said, "01_eda")
    assert project.state() == {"01_eda": "done", "02_cnn": "done"}
    assert not (project.out / "earlier").exists()


HUNGRY = (
    "import resource\n"
    "resource.setrlimit(resource.RLIMIT_AS, (2**31, resource.getrlimit(resource.RLIMIT_AS)[1]))\n"
    "much = bytearray(2**32)"
)


def test_lack_of_memory_fails_its_notebook_alone(killed, project, told):
    tiny.write(project.notebooks, "05_dead", "import os\nos.kill(os.getpid(), 9)")
    tiny.write(project.notebooks, "06_hungry", HUNGRY)
    code, said = project.run("--resume", "-p", "EPOCHS", "4")
    assert code == 1
    assert said.count("kept, nothing changed") == 2
    killed_line, refused_line = (line for line in said.splitlines() if "FAILED" in line)
    assert "kernel died" in killed_line
    assert "MemoryError" in refused_line
    kept = "the other notebooks, which continue"
    told("notebook's kernel killed, as the system does for lack of memory", kept, killed_line)
    told("memory refused to a notebook", kept, refused_line)


def test_changed_data_are_noticed(tmp_path):
    from nbhelpers.runner import fingerprints
    from nbhelpers.runner.notebooks import load_notebook

    notebook = load_notebook(tiny.write(tmp_path / "notebooks", "01_eda"))
    data = tmp_path / "deepfake-faces"
    data.mkdir()
    (data / "metadata.csv").write_text("videoname,label,original\n")
    split = tmp_path / "split.csv"
    split.write_text("a")
    options = {"DATA_DIR": str(data), "SPLIT_CSV": str(split)}

    def changed():
        fresh = fingerprints.Fingerprints([notebook], tmp_path).of(notebook, options)
        return {name for name in fresh if fresh[name] != before[name]}

    before = fingerprints.Fingerprints([notebook], tmp_path).of(notebook, options)
    assert changed() == set()
    (data / "a.jpg").write_bytes(b"1")
    assert changed() == {"data"}
    (data / "a.jpg").unlink()
    split.write_text("ab")
    assert changed() == {"files named in parameters"}
    split.unlink()
    options["SEED"] = 7
    options["OUTPUT_DIR"] = "elsewhere"
    assert changed() == {"files named in parameters", "parameters"}


def test_a_model_made_anew_is_a_changed_input(tmp_path):
    from nbhelpers.runner import fingerprints
    from nbhelpers.runner.notebooks import load_notebook

    notebooks = [
        load_notebook(tiny.write(tmp_path / "notebooks", stem)) for stem in ("03_x", "04_y")
    ]
    for suffix in (".keras", ".html"):
        (tmp_path / f"03_x{suffix}").write_text("old")
    before = fingerprints.Fingerprints(notebooks, tmp_path).of(notebooks[1], {})
    (tmp_path / "03_x.html").write_text("another page")
    assert fingerprints.Fingerprints(notebooks, tmp_path).of(notebooks[1], {}) == before
    (tmp_path / "03_x.keras").write_text("new")
    now = fingerprints.Fingerprints(notebooks, tmp_path).of(notebooks[1], {})
    assert [name for name in now if now[name] != before[name]] == ["notebooks it builds on"]


def test_lock_of_a_dead_process_does_not_block(tmp_path):
    from nbhelpers.runner import lock

    (tmp_path / lock.NAME).write_text('{"pid": 1, "host": "elsewhere", "since": "long ago"}')
    began = time.monotonic()
    with lock.claim(tmp_path), pytest.raises(lock.UsageError, match="in use by process"):
        lock.claim(tmp_path).__enter__()
    assert time.monotonic() - began < lock.PATIENCE / 2
    assert not (tmp_path / lock.NAME).exists()
