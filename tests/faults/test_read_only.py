"""A course folder that students may only read, and a container whose user nobody knows."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from nbhelpers.common import folders as common_folders
from nbhelpers.common import paths
from nbhelpers.common.errors import UsageError
from nbhelpers.data import locate

UNKNOWN = 54321  # a user id without an account, as OpenShift and `docker run -u` give

# The modules are loaded first: the checkout itself may be closed to the unknown user.
PROGRAM = """
import logging, os, sys, tempfile
from pathlib import Path
from nbhelpers.commands import doctor
from nbhelpers.common import folders as common_folders
from nbhelpers.common import paths
from nbhelpers.data import locate
from nbhelpers.networks import weights

logging.basicConfig(format="%(message)s", stream=sys.stdout)
shared, own = map(Path, sys.argv[1:3])
locate.project_root = lambda: shared
for name in ("HOME", "KERAS_HOME", "KAGGLEHUB_CACHE", "KAGGLE_CONFIG_DIR"):
    os.environ.pop(name, None)
if os.geteuid() == 0:
    os.chown(own, UNKNOWN, UNKNOWN)
    os.setgroups([])
    os.setgid(UNKNOWN)
    os.setuid(UNKNOWN)
os.chdir(sys.argv[3])
print(locate.kagglehub_cache(), weights._cache_dir(), len(list(doctor.kaggle_account())))
print("in", locate.results_folder())
""".replace("UNKNOWN", str(UNKNOWN))


@pytest.fixture
def folders():
    """A folder that can only be read, and one of one's own, both reachable for every user."""
    base = Path(tempfile.mkdtemp())
    for name in ("shared", "own"):
        (base / name).mkdir()
    (base / "shared").chmod(0o555)
    base.chmod(0o755)
    yield base
    shutil.rmtree(base)


@pytest.mark.skipif(os.name == "nt", reason="user ids")
@pytest.mark.parametrize("working", ["own", "shared"])
def test_an_unknown_user_without_a_home_gets_a_folder_outside_the_shared_one(folders, working):
    shared, own = folders / "shared", folders / "own"
    command = [sys.executable, "-c", PROGRAM, str(shared), str(own), str(folders / working)]
    environment = os.environ | {"TMPDIR": str(own), "PYTHONPATH": str(locate.project_root())}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "RuntimeError" not in done.stderr
    *_, last = done.stdout.splitlines()
    assert last == f"in {own / 'runs' / 'latest'}"  # the working directory, or else that of TMPDIR
    assert "read-only" in done.stdout and "OUTPUT_DIR" in done.stdout
    assert list(shared.iterdir()) == []


def test_the_project_itself_is_taken_where_it_can_be_written_and_nothing_is_said(
    monkeypatch, tmp_path, caplog
):
    monkeypatch.setattr(locate, "project_root", lambda: tmp_path)
    assert locate.results_folder() == tmp_path / "runs" / "latest"
    assert caplog.text == ""
    assert list((tmp_path / "runs" / "latest").iterdir()) == []


def test_where_nothing_can_be_written_one_is_told_what_to_set(monkeypatch):
    monkeypatch.setattr(locate, "can_write", lambda folder: False)
    with pytest.raises(PermissionError, match="Set OUTPUT_DIR"):
        locate.results_folder()


def test_a_tilde_without_a_home_is_refused_in_a_sentence(monkeypatch, tmp_path):
    def no_home(path):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", no_home)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="there is no HOME"):
        paths.user_path("~/a")


# An image whose user id has no account: docker gives it the home "/", OpenShift often none.
JUPYTER = """
import os, sys
from nbhelpers import __main__ as command
from jupyter_core import paths

os.environ.pop("HOME", None)
if sys.argv[1:]:
    os.environ["HOME"] = sys.argv[1]
os.setgroups([])
os.setgid(UNKNOWN)
os.setuid(UNKNOWN)
sys.argv = ["nbhelpers", "--version"]
command.main = lambda: 0
command.script()
print(paths.jupyter_data_dir())
""".replace("UNKNOWN", str(UNKNOWN))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="takes another user's id")
@pytest.mark.parametrize("home", [[], ["/"]])
def test_jupyter_finds_a_home_for_a_user_who_has_none(folders, home):
    own = folders / "own"
    os.chown(own, UNKNOWN, UNKNOWN)
    environment = os.environ | {"TMPDIR": str(own), "PYTHONPATH": str(locate.project_root())}
    command = [sys.executable, "-c", JUPYTER, *home]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(own)


def test_a_home_of_ones_own_stays(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    common_folders.provide_home()
    assert os.environ["HOME"] == str(tmp_path)
