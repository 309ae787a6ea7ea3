"""`app`: the page as a program, by itself and in a browser."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import tiny_faces
import tiny_models

from nbhelpers import __main__ as command

PATIENCE = float(os.environ.get("NBHELPERS_PATIENCE", "240"))  # seconds
needs_tornado = pytest.mark.skipif(
    importlib.util.find_spec("tornado") is None, reason="tornado is not installed"
)


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """The program with a tiny detector: its address, its process, its folder for passing files."""
    root = tmp_path_factory.mktemp("app")
    model, temporary = tiny_models.colour_detector(root / "colour.keras"), root / "temporary"
    temporary.mkdir()
    words = ["app", "--port", "0", "--no-browser", "--model", str(model)]
    process = subprocess.Popen(
        [sys.executable, "-m", "nbhelpers", *words],
        env=os.environ | {"TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    line = process.stdout.readline()
    assert line.startswith("Open http://127.0.0.1:"), process.communicate()[1]
    yield SimpleNamespace(address=line.split()[1], process=process, temporary=temporary)
    if process.poll() is None:
        process.kill()
        process.communicate()


def test_without_the_extra_the_install_line_is_given(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert command.main(["app", "--no-browser"]) == 2
    assert "pip install -e '.[app]'" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["-1", "65536", "x"])
def test_odd_ports_are_refused(port, capsys):
    with pytest.raises(SystemExit):
        command.main(["app", f"--port={port}"])
    assert "from 0 to 65535" in capsys.readouterr().err


@needs_tornado
def test_a_port_that_is_taken_is_said(tmp_path, capsys):
    model = tiny_models.colour_detector(tmp_path / "colour.keras")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        words = ["app", "--no-browser", "--model", str(model), "--port", port]
        with ThreadPoolExecutor(1) as own_thread:  # the browser's event loop may run in this one
            asked = own_thread.submit(command.main, words)
            assert asked.result() == 2
    assert f"cannot be served on port {port}" in capsys.readouterr().err


def drop(page, **files):
    """Choose files on the page and wait until each has its answer; returns their texts."""
    page.set_input_files("#choose", [str(path) for path in files.values()])
    page.locator(".job progress").last.wait_for(state="attached")
    while page.locator(".job progress").count():
        page.wait_for_timeout(100)
    return page.locator("#answers > *").all_inner_texts()


@pytest.fixture
def open_page(app, browser):
    """Open the page in a window of its own; what it asks other machines for, and its errors."""
    contexts = []

    def open_page(**window):
        context = browser.new_context(**window)
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.set_default_timeout(PATIENCE * 1000)
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("console", lambda line: page.problems.append(line.text))
        home = ("data:", app.address)
        page.on(
            "request",
            lambda asked: asked.url.startswith(home) or page.problems.append(asked.url),
        )
        page.goto(app.address)
        return page

    yield open_page
    for context in contexts:
        context.close()


@needs_tornado
@pytest.mark.browser
def test_files_are_judged_in_a_browser(app, open_page, tmp_path, clip_path):
    photo = tiny_faces.save(tmp_path / "<b>us.png", tiny_faces.group_photo(2))
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0" + bytes(40))
    large = shutil.copy(clip_path, tmp_path / "large.mp4")
    os.truncate(large, 300_000_000)  # players do not mind zeros behind a clip
    page = open_page(viewport={"width": 390, "height": 800})
    first, second, third = drop(page, photo=photo, broken=broken, large=large)
    assert first.startswith("<b>us.png")
    assert "the most suspicious of 2" in first
    assert "broken.jpg" in second
    assert "no answer" in second.lower()
    assert third.startswith("large.mp4")
    assert "score" in third
    page.locator("summary", has_text="us.png").click()
    face = page.locator("img[alt^='The face that was scored']").first
    face.wait_for(state="visible")
    assert face.evaluate("one => one.naturalWidth") > 1
    width = page.locator("html")
    assert width.evaluate("one => one.scrollWidth - one.clientWidth") == 0
    (folder,) = app.temporary.glob("nbhelpers-app-*")
    assert list(folder.iterdir()) == []
    assert page.problems == []


@needs_tornado
@pytest.mark.browser
def test_a_file_is_dropped_on_the_page_and_one_over_the_limit_refused(open_page):
    page = open_page()
    transfer = page.evaluate_handle(
        "() => { const all = new DataTransfer();"
        " all.items.add(new File(['Dear diary'], 'notes.txt')); return all; }"
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})
    page.locator("#answers", has_text="neither a picture nor a video").wait_for()
    huge = page.evaluate_handle(
        "() => { const file = new File(['x'], 'huge.mp4');"
        " Object.defineProperty(file, 'size', {value: 2e9});"
        " return {files: [file], preventDefault() {}}; }"
    )
    huge.evaluate("given => { judgeAll(given.files); }")
    page.locator(".refused", has_text="at most 1,000 MB").wait_for()


@needs_tornado
@pytest.mark.browser
def test_two_people_get_their_own_answers(open_page, tmp_path, clip_path):
    pages = [open_page(), open_page()]
    photo = tiny_faces.save(tmp_path / "other.png", tiny_faces.group_photo(1))
    for page, path in zip(pages, (clip_path, photo), strict=True):
        page.set_input_files("#choose", str(path))
    for page, path in zip(pages, (clip_path, photo), strict=True):
        page.locator("#answers details", has_text=path.name).wait_for()
        assert page.locator("#answers > *").count() == 1


INTERRUPTED_ELSEWHERE = """
import signal, sys, threading
from nbhelpers import __main__ as command
from nbhelpers.app import server

serving = server.serving
def soon(*words, **options):
    threading.Timer(0.5, signal.raise_signal, [signal.SIGINT]).start()
    return serving(*words, **options)

server.serving = soon
sys.exit(command.main(["app", "--no-browser", "--model", sys.argv[1]]))
"""


@needs_tornado
@pytest.mark.skipif(sys.platform == "win32", reason="signals of threads are a matter of POSIX")
def test_an_interrupt_that_does_not_wake_the_loop_ends_it(tmp_path):
    """As one that arrives just before the loop waits: the program hung until the next request."""
    model = tiny_models.colour_detector(tmp_path / "colour.keras")
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_ELSEWHERE, str(model)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 0
    assert "nothing was kept" in ended.stderr


@needs_tornado
def test_ctrl_c_ends_it_and_leaves_nothing(app):
    assert urllib.request.urlopen(app.address).status == 200
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(app.address.rstrip("/") + "x/")
    app.process.send_signal(signal.SIGINT)
    _, told = app.process.communicate(timeout=PATIENCE)
    assert app.process.returncode == 0
    assert told == "\nThe page is closed; nothing was kept.\n"
    assert list(app.temporary.glob("nbhelpers*")) == []
