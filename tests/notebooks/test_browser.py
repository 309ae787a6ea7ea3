"""The notebooks in JupyterLab and their pages, seen by headless Chromium.

The copies that JupyterLab runs have the solutions of the exercises at their end: so these are
executed in the state that the reader is in, and no notebook runs once more for them.

Skipped where Chromium or playwright is not installed. `NBHELPERS_CHROMIUM` names another browser of
the family than those that are looked for.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import nbformat
import pytest
from copies import FOLDER, bring_needs, smoke_copy
from seen import cut_off, faults, open_offline

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
PATIENCE = float(os.environ.get("NBHELPERS_PATIENCE", "600"))  # seconds for one notebook
pytestmark = [pytest.mark.browser, pytest.mark.notebooks]


# What can be seen. Each returns how many are whole, and what is wrong with the others.
PICTURES = """async () => {
  const all = [...document.querySelectorAll('.jp-OutputArea-output img, .jp-RenderedImage img')];
  await Promise.all(all.map(one => one.decode().catch(() => null)));
  return {whole: all.filter(one => one.naturalWidth > 1).length, all: all.length};
}"""
PLOTLY = """() => {
  const all = [...document.querySelectorAll('.js-plotly-plot')];
  const drawn = one => [...one.querySelectorAll('.main-svg .bars path, .main-svg .points path')]
    .filter(bar => bar.getBBox().width > 0 && bar.getBBox().height > 0).length > 0;
  return {whole: all.filter(drawn).length, all: all.length};
}"""
VIDEOS = """async () => {
  const all = [...document.querySelectorAll('video')];
  const plays = async one => {
    one.muted = true; one.loop = true; one.scrollIntoView();
    try { await one.play(); } catch (error) { return String(error); }
    for (let tries = 0; tries < 100 && !(one.currentTime > 0); tries++)
      await new Promise(done => setTimeout(done, 100));
    const good = one.currentTime > 0 && one.videoWidth > 0 && one.duration > 0;
    one.pause();
    return good;
  };
  const played = [];
  for (const one of all) played.push(await plays(one));
  return {whole: played.filter(one => one === true).length, all: all.length};
}"""


def see(page, *, figures, plotly, videos):
    """Asserts that everything is drawn; the numbers are the least that must be there."""
    if plotly:
        page.wait_for_selector(".js-plotly-plot .main-svg", state="attached", timeout=30_000)
    for name, script, least in (
        ("pictures", PICTURES, figures),
        ("plotly figures", PLOTLY, plotly),
        ("clips", VIDEOS, videos),
    ):
        found = page.evaluate(script)
        assert found["whole"] == found["all"] >= least, (name, found, least)


def count(notebook):
    """How many pictures, plotly figures and clips the outputs of a notebook hold."""
    bundles = [
        output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])
    ]
    pages = ["".join(bundle.get("text/html", "")) for bundle in bundles]
    return {
        "figures": sum(
            "text/html" not in bundle and any(kind.startswith("image/") for kind in bundle)
            for bundle in bundles
        ),
        "plotly": sum("Plotly.newPlot" in page for page in pages),
        "videos": sum("<video" in page for page in pages),
    }


# ---------------------------------------------------------------- JupyterLab


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """JupyterLab on a free port, with settings of its own: its address and its folder."""
    root = tmp_path_factory.mktemp("lab")
    settings = root / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    # All cells on the page at once, so that all of them can be looked at.
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (root / "work").mkdir()
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(root / "config"),
        "JUPYTER_RUNTIME_DIR": str(root / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(root / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(root / "workspaces"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    environment.pop("MPLBACKEND", None)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--ip=127.0.0.1"]
    command += ["--IdentityProvider.token=", "--expose-app-in-browser"]
    command += [f"--ServerApp.root_dir={root / 'work'}"]
    address = f"http://127.0.0.1:{port}"
    with (root / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_for(f"{address}/api/status", process, root / "log")
        yield address, root / "work"
    finally:
        process.send_signal(signal.SIGTERM)  # ends its kernels, too
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(url, process, log):
    """Waits until a server answers, or says what it wrote before it ended."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(errors="replace")
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise AssertionError(f"no answer from {url}: {log.read_text(errors='replace')}")


READY = """() => {
  const panel = window.jupyterapp?.shell?.currentWidget;
  return !!panel?.content?.model && panel.content.model.cells.length > 0
    && panel.sessionContext?.session?.kernel?.status === 'idle';
}"""
RUN_ALL = "() => { window.ran = null; window.jupyterapp.commands.execute('notebook:run-all-cells')"
RUN_ALL += ".then(() => { window.ran = 'all'; }, error => { window.ran = String(error); }); }"
CONTENT = "() => JSON.stringify(window.jupyterapp.shell.currentWidget.content.model.toJSON())"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_in_jupyterlab(path, lab, browser, out, smoke):
    address, work = lab
    bring_needs(path.stem, out=out, smoke=smoke, to=work)
    smoke_copy(path, work / path.name, out=work)
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    try:
        page = context.new_page()
        page.goto(f"{address}/lab/tree/{path.name}?reset", timeout=PATIENCE * 1000)
        page.wait_for_function(READY, timeout=PATIENCE * 1000)
        page.evaluate(RUN_ALL)
        page.wait_for_function("() => window.ran !== null", timeout=PATIENCE * 1000)
        notebook = nbformat.from_dict(json.loads(page.evaluate(CONTENT)))
        problems = [
            output
            for cell in notebook.cells
            for output in cell.get("outputs", [])
            if output["output_type"] == "error"
        ]
        assert not problems
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
        expected = count(notebook)
        assert expected["figures"] > 0
        see(page, **expected)
        page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    finally:
        context.close()


def test_solutions_are_folded_in_jupyterlab(lab, browser):
    address, work = lab
    lesson = next(path for path in NOTEBOOKS if path.stem.startswith("01"))
    shutil.copy(lesson, work / "folded.ipynb")
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    try:
        page = context.new_page()
        page.goto(f"{address}/lab/tree/folded.ipynb?reset", timeout=PATIENCE * 1000)
        solution = page.locator(".jp-MarkdownOutput details").last
        solution.wait_for(state="attached", timeout=PATIENCE * 1000)
        assert page.locator(".jp-MarkdownOutput details").count() >= 6
        assert page.locator(".jp-MarkdownOutput details[open]").count() == 0
        solution.locator("summary").click()
        assert page.locator(".jp-MarkdownOutput details[open]").count() == 1
        page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    finally:
        context.close()


def test_the_series_shows_clips(out, smoke):
    """The tests above would pass if no notebook had any: some must."""
    found = []
    for path in NOTEBOOKS:
        smoke(path.stem)
        found.append(count(nbformat.read(out / path.name, as_version=4)))
    assert sum(one["videos"] for one in found) > 0


# ---------------------------------------------------------------- pages without a network


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_page_offline(path, browser, out, smoke, axe):
    smoke(path.stem)
    context, page, asked, problems = open_offline(browser, out / f"{path.stem}.html")
    try:
        see(page, **count(nbformat.read(out / path.name, as_version=4)))
        assert page.evaluate("() => [...document.images].filter(one => !one.alt).length") == 0
        page.set_viewport_size({"width": 390, "height": 844})
        assert cut_off(page) == []
        assert faults(page, axe, contrast=False) == []  # test_pages_in_browser.py looks at that
        assert asked == []
        assert problems == []
    finally:
        context.close()


def test_index_offline(browser, out, smoke):
    smoke(NOTEBOOKS[0].stem)
    context, page, asked, problems = open_offline(browser, out / "index.html")
    try:
        link = page.locator(f'h3 a[href="{NOTEBOOKS[0].stem}.html"]')
        assert link.is_visible()
        assert page.evaluate("() => [...document.images].every(one => one.alt)")
        widths = page.evaluate("() => [...document.images].map(one => one.naturalWidth)")
        assert widths
        assert min(widths) > 1
        link.click()
        page.wait_for_load_state()
        assert page.url.endswith(f"{NOTEBOOKS[0].stem}.html")
        assert asked == []
        assert problems == []
    finally:
        context.close()


def test_a_page_that_lacks_things_is_found(browser, tmp_path):
    path = tmp_path / "x.html"
    path.write_text(
        "<div class='jp-RenderedImage'><img src='data:image/png;base64,AAAA'></div>"
        "<img src='https://example.org/x.png'><video src='data:video/mp4;base64,AAAA'></video>"
        "<div class='js-plotly-plot'><svg class='main-svg'></svg></div><script>nowhere()</script>"
    )
    context, page, asked, problems = open_offline(browser, path)
    try:
        for script in (PICTURES, PLOTLY, VIDEOS):
            assert page.evaluate(script) == {"whole": 0, "all": 1}
        assert asked == ["https://example.org/x.png"]
        assert len(problems) == 1
    finally:
        context.close()
