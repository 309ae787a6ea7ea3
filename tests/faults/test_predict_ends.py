"""`predict` is ended from outside: what was answered by then is written."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys

import pytest
import tiny_faces
from tiny_models import colour_detector

COPIES = 300


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A folder with a detector and many pictures."""
    folder = tmp_path_factory.mktemp("ended")
    colour_detector(folder / "colour.keras")
    (folder / "in").mkdir()
    first = tiny_faces.save(folder / "in" / "0000.png", tiny_faces.crops(1)[0])
    for number in range(1, COPIES):
        shutil.copy(first, first.with_name(f"{number:04}.png"))
    return folder


@pytest.fixture
def heard():
    """Let programs of a test hear SIGHUP, which `nohup` in front of the tests would keep away."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize(("end", "code"), [("SIGTERM", 130), ("SIGHUP", 130), ("reader", 141)])
def test_answers_page_and_table_are_written(work, end, code):
    report, table = work / f"{end}.html", work / f"{end}.csv"
    words = ["predict", "in", "--crops", "--model", "colour.keras", "--jsonl"]
    words += ["--report", str(report), "--csv", str(table)]
    process = subprocess.Popen(
        [sys.executable, "-m", "nbhelpers", *words],
        cwd=work,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    first = json.loads(process.stdout.readline())
    if end == "reader":
        process.stdout.close()
        told = process.stderr.read()
        process.stderr.close()
        process.wait(120)
        printed = 1
    else:
        process.send_signal(getattr(signal, end))
        out, told = process.communicate(timeout=120)
        printed = 1 + len([json.loads(line) for line in out.splitlines()])
    assert process.returncode == code, told
    assert b"Traceback" not in told
    assert first["path"] == os.path.join("in", "0000.png")
    assert printed < COPIES
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert printed <= len(rows) < COPIES
    assert report.read_text(encoding="utf-8").count("<h2>") in (len(rows), len(rows) - 1)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_behind_the_output_costs_neither_page_nor_table(work):
    report, table = work / "full.html", work / "full.csv"
    words = ["predict", "in/0000.png", "--crops", "--model", "colour.keras", "--jsonl"]
    words += ["--report", str(report), "--csv", str(table)]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "nbhelpers", *words],
            cwd=work,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "error: output: No space left on device."
    assert report.read_text(encoding="utf-8").count("<h2>") == 1
    assert len(table.read_text(encoding="utf-8").splitlines()) == 2
