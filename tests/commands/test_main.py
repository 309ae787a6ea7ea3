"""The command line: its grammar, exit codes and messages."""

import os
import re
import subprocess
import sys

import pytest
import tiny_notebooks as tiny

from nbhelpers import __main__ as command
from nbhelpers.data import locate
from nbhelpers.runner import execution, lock, series


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of one notebook that the commands take for their own."""
    tiny.write(tmp_path / "notebooks", "01_eda", "1", parameters="BINS = 20  # bars\n")
    monkeypatch.setattr(locate, "project_root", lambda: tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", command.COMMANDS)
def test_help_has_examples_and_exit_codes(name, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main([name, "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert f"python -m nbhelpers {name}" in text.split("examples:")[1]
    assert "Exit code: 0" in text


def test_students_see_their_commands_only(capsys):
    with pytest.raises(SystemExit):
        command.main(["--help"])
    listed = re.findall(r"^    (\w+)  +", capsys.readouterr().out, re.MULTILINE)
    assert listed == [
        "run",
        "predict",
        "app",
        "check",
        "compare",
        "download",
        "doctor",
        "extract",
        "sweep",
    ]


def test_only_the_command_asked_for_is_loaded():
    code = (
        "import sys; from nbhelpers import __main__ as command; command.parse(['download', "
        "'deepfake-faces']); print([name for name in command.COMMANDS "
        "if f'nbhelpers.commands.{name}' in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['download']"


def test_a_misspelt_command_is_named_with_the_nearest(capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(["comparre", "a", "b"])
    assert stop.value.code == 2
    assert "no command 'comparre'. Did you mean 'compare'?" in capsys.readouterr().err


def test_a_package_that_is_missing_is_named():
    code = (
        "import sys; sys.modules['yaml'] = None; from nbhelpers import __main__ as command; "
        "sys.exit(command.main(['sweep', '03', '--grid', 'x']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: Expected the package 'yaml'; it is not installed.")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["01", "02", "--data-dir", "d", "--out", "o", "--profile", "smoke", "-p", "A", "-1"],
        ["--data-dir", "d", "--out", "o", "--profile", "smoke", "-p", "A", "-1", "01", "02"],
    ],
)
def test_run_passes_everything_on(monkeypatch, words):
    seen = {}
    monkeypatch.setattr(series, "run", lambda wanted, **rest: seen.update(rest, wanted=wanted) or 0)
    assert command.main(["run", *words]) == 0
    assert seen == {
        "wanted": ["01", "02"],
        "data_dir": "d",
        "out": "o",
        "resume": False,
        "profile": "smoke",
        "pairs": [("A", "-1")],
    }


def test_an_unknown_parameter_ends_with_2_and_the_nearest_name(project, capsys):
    assert command.main(["run", "-p", "BIN", "3"]) == 2
    assert "Did you mean 'BINS'?" in capsys.readouterr().err
    assert not any(path.is_file() for path in (project / "runs").rglob("*"))


@pytest.mark.parametrize(
    ("stop", "code", "line"),
    [
        (KeyboardInterrupt(), 130, "interrupted."),
        (OSError(28, "No space left", "x"), 1, "error: No space left (x)."),
    ],
)
@pytest.mark.parametrize("begun", [False, True])
def test_what_is_kept_is_said_only_where_something_ran(
    project, monkeypatch, capsys, stop, code, line, begun
):
    def stopped(*_, **__):
        raise stop.with_traceback(None)

    stop.__dict__.pop("__notes__", None)
    monkeypatch.setattr(execution if begun else lock, "execute" if begun else "claim", stopped)
    assert command.main(["run"]) == code
    expected = f"{line} {series.GO_ON}" if begun else line
    assert capsys.readouterr().err.splitlines()[-1] == expected


@pytest.mark.parametrize(
    "words", [["--out"], ["--data-dir"], ["--profile"], ["-p", "SPLIT_CSV"]], ids=lambda w: w[-1]
)
def test_unknown_users_in_paths_are_one_line(project, capsys, words):
    assert command.main(["run", *words, "~no.such.user/x.yaml"]) == 2
    said = capsys.readouterr().err
    assert "no user on this machine is called 'no.such.user'" in said
    assert len(said.splitlines()) == 1


def test_no_command_is_an_error(capsys):
    with pytest.raises(SystemExit) as stop:
        command.main([])
    assert stop.value.code == 2


def test_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "nbhelpers", "run", "no_such_notebook"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "no_such_notebook" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_working_directory_that_is_gone_is_named(tmp_path):
    words = [sys.executable, "-m", "nbhelpers", "check"]
    done = subprocess.run(
        ["sh", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', "sh", *words],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(locate.project_root())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Change to another folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_of_the_system_is_one_line(monkeypatch, capsys):
    def denied(*_, **__):
        raise PermissionError(13, "Permission denied", "/a/\x1b[31mfolder")

    monkeypatch.setattr("nbhelpers.commands.doctor.main", denied)
    assert command.main(["doctor"]) == 2
    assert capsys.readouterr().err == "error: /a/\\x1b[31mfolder: Permission denied.\n"


def test_a_command_ends_quietly_when_its_reader_leaves():
    words = [sys.executable, "-m", "nbhelpers", "doctor", "--licences"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 141
    process.stderr.close()
