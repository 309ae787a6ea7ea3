"""`make lab` as it is started: for this machine only, and with a token."""

import json
import os
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from nbhelpers.data import locate


def recipe():
    """The words of the Makefile's last command for `lab`."""
    makefile = (locate.project_root() / "Makefile").read_text()
    line = makefile.split("\nlab:")[1].split("\n\n")[0].splitlines()[-1].strip()
    return [word for word in shlex.split(line) if "=" not in word or word.startswith("--")]


@pytest.fixture
def server(tmp_path):
    """What the running server has written about itself."""
    python, *words = recipe()
    assert python == "$(PY)"
    folders = {name: str(tmp_path / name) for name in ("RUNTIME", "CONFIG", "DATA")}
    environment = os.environ | {f"JUPYTER_{name}_DIR": path for name, path in folders.items()}
    words = [sys.executable, *words[:-1], "--no-browser", "--port=0", "--allow-root", str(tmp_path)]
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
    try:
        for _ in range(600):
            for path in tmp_path.glob("RUNTIME/jpserver-*.json"):
                if text := path.read_text():
                    yield json.loads(text)
                    return
            assert running.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.1)
        pytest.fail((tmp_path / "log").read_text())
    finally:
        running.terminate()
        running.wait(20)


def test_lab_listens_on_loopback_and_asks_for_its_token(server):
    assert server["hostname"] == "127.0.0.1"
    assert len(server["token"]) >= 32
    if Path("/proc/net/tcp").exists():
        assert _listening(server["port"]) == {"0100007F"}  # 127.0.0.1, and nothing else
    address = f"http://127.0.0.1:{server['port']}/api/contents"
    for _ in range(100):
        try:
            with pytest.raises(urllib.error.HTTPError, match="403"):
                urllib.request.urlopen(address, timeout=10)
            break
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    request = urllib.request.Request(address, headers={"Authorization": f"token {server['token']}"})
    assert urllib.request.urlopen(request, timeout=10).status == 200


def _listening(port):
    """Addresses on which some process of this machine accepts at a port, as Linux writes them."""
    lines = [line for name in ("tcp", "tcp6") for line in _lines(Path("/proc/net", name))]
    sockets = [(line.split()[1].split(":"), line.split()[3]) for line in lines]
    return {at for (at, number), state in sockets if state == "0A" and int(number, 16) == port}


def _lines(path):
    return path.read_text().splitlines()[1:] if path.exists() else []
