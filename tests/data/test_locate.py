"""locate: each place Kaggle's data may be in, and what is said when it is in none."""

from pathlib import Path

import pytest

from nbhelpers.data import locate


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """No data anywhere: empty Kaggle mount, empty cache, empty project."""
    monkeypatch.setenv("KAGGLE_CACHE_MOUNT_FOLDER", str(tmp_path / "input"))
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(locate, "project_root", lambda: tmp_path / "project")
    return tmp_path


def put(folder: Path, name: str) -> Path:
    """Make a folder look like the data set."""
    marker = folder / locate.MARKERS[name][0]
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.touch()
    return folder


@pytest.mark.parametrize("name", [locate.FACES, locate.VIDEOS])
@pytest.mark.parametrize("shape", ["{name}", "datasets/someone/{name}", "competitions/{name}"])
def test_kaggles_three_mounts(nowhere, name, shape):
    folder = put(nowhere / "input" / shape.format(name=name), name)
    found = locate.find(name)
    assert (found.root, found.origin) == (folder, "Kaggle mount")


def test_cache_takes_the_newest_complete_version(nowhere):
    base = nowhere / "cache" / "datasets" / "someone" / locate.FACES
    for version in (2, 9, 10, 11):
        put(base / "versions" / str(version), locate.FACES)
    (base / ".complete").mkdir()
    for version in (2, 9, 10):  # 11 is a download that broke off
        (base / ".complete" / f"{version}.complete").touch()
    found = locate.find(locate.FACES)
    assert (found.root.name, found.origin) == ("10", "kagglehub cache")


def test_cached_competition_needs_its_marker(nowhere):
    folder = put(nowhere / "cache" / "competitions" / locate.VIDEOS, locate.VIDEOS)
    with pytest.raises(FileNotFoundError):
        locate.find(locate.VIDEOS)
    marker = nowhere / "cache" / "competitions" / ".complete" / f"{locate.VIDEOS}.complete"
    marker.parent.mkdir()
    marker.touch()
    assert locate.find(locate.VIDEOS).root == folder


def test_order_of_the_places(nowhere):
    data = nowhere / "project" / "data"
    places = [
        (data / "sample" / locate.FACES, "bundled sample"),
        (data / locate.FACES, "data folder"),
        (nowhere / "input" / locate.FACES, "Kaggle mount"),
    ]
    for folder, origin in places:  # each beats those before it
        put(folder, locate.FACES)
        assert locate.find(locate.FACES).origin == origin


@pytest.mark.parametrize("below", ["", locate.FACES])
def test_explicit_folder_or_its_parent(nowhere, below):
    put(nowhere / "input" / locate.FACES, locate.FACES)  # must not be taken
    put(nowhere / "mine" / below, locate.FACES)
    found = locate.find(locate.FACES, nowhere / "mine")
    assert (found.root, found.origin) == (nowhere / "mine" / below, "argument")


def test_explicit_folder_is_never_replaced_by_another(nowhere):
    put(nowhere / "input" / locate.FACES, locate.FACES)
    (nowhere / "mine" / "holiday").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match="holiday"):
        locate.find(locate.FACES, nowhere / "mine")
    with pytest.raises(FileNotFoundError, match="no such folder"):
        locate.find(locate.FACES, nowhere / "absent")


def test_error_points_to_the_sibling(nowhere):
    put(nowhere / "mine" / locate.FACES, locate.FACES)
    put(nowhere / "mine" / locate.VIDEOS, locate.VIDEOS)
    with pytest.raises(FileNotFoundError, match="in the parent folder"):
        locate.find(locate.VIDEOS, nowhere / "mine" / locate.FACES)


def test_nothing_anywhere_says_how_to_get_it(nowhere):
    with pytest.raises(FileNotFoundError, match="kaggle datasets download"):
        locate.find(locate.FACES)


def test_unknown_name():
    with pytest.raises(ValueError, match="deepfake-faces"):
        locate.find("deepfakes")


def test_sample_is_told_apart_and_shown_without_its_way(nowhere):
    put(nowhere / "project" / "data" / "sample" / locate.FACES, locate.FACES)
    sample = locate.find(locate.FACES)
    assert sample.is_sample
    assert sample.shown_root == "data/sample/deepfake-faces"
    assert "not real deepfakes" in str(sample)
    named = locate.find(locate.FACES, sample.root)
    assert named.is_sample
    other = locate.find(locate.FACES, put(nowhere / "mine", locate.FACES))
    assert not other.is_sample
    assert "argument" in str(other)


def test_project_root_has_the_notebooks():
    assert (locate.project_root() / "notebooks").is_dir()
