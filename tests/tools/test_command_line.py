"""The maintainers' programs: help, exit codes, errors in one line."""

import subprocess
import sys

import pytest

from nbhelpers import __main__ as students
from tools import book, command_line, hosted, render, results_table

PROGRAMS = {"book": book, "hosted": hosted, "results_table": results_table, "render": render}


@pytest.mark.parametrize("name", PROGRAMS)
def test_help_has_examples_and_exit_codes(name, capsys):
    with pytest.raises(SystemExit) as stop:
        command_line.run(PROGRAMS[name], ["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert f"python -m tools.{name}" in text.split("examples:")[1]
    assert "Exit code: 0" in text


def test_students_do_not_meet_them():
    assert not students.COMMANDS.keys() & PROGRAMS.keys()
    assert set(students.COMMANDS) >= {"run", "predict", "check", "compare", "doctor"}


def test_render_passes_everything_on(monkeypatch):
    received = {}
    monkeypatch.setattr(
        render, "render", lambda wanted, **rest: received.update(rest, wanted=wanted) or 0
    )
    assert command_line.run(render, ["02", "--from", "o"]) == 0
    assert received == {"wanted": ["02"], "run_dir": "o"}


def test_an_interrupt_ends_with_130(monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(render, "render", interrupted)
    assert command_line.run(render, []) == 130


def test_as_a_module(tmp_path):
    command = [sys.executable, "-m", "tools.results_table", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "found none" in done.stderr
    assert "Traceback" not in done.stderr
