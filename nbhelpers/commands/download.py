"""`download`: fetch one of Kaggle's two data sets through kagglehub."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from nbhelpers.common.errors import UsageError
from nbhelpers.data import locate
from nbhelpers.data.locate import FACES, VIDEOS

EXAMPLES = """
examples:
  python -m nbhelpers download deepfake-faces                   faces, for notebooks 01 to 04
  python -m nbhelpers download deepfake-detection-challenge     clips, for 05 and 06

The files go into kagglehub's cache, where the notebooks find them; set KAGGLEHUB_CACHE to move it.
Repeating the command resumes an interrupted download.
You need a Kaggle account and a token (Kaggle > Settings > API > Create new token): save it as
~/.kaggle/kaggle.json. For the challenge, also accept its rules once, on its page.
Exit code: 0 downloaded, 1 Kaggle refused or the connection broke, 2 not enough disk space.
"""
HANDLES = {FACES: "dagnelies/deepfake-faces", VIDEOS: "deepfake-detection-challenge"}
PAGES = {
    FACES: "https://www.kaggle.com/datasets/dagnelies/deepfake-faces",
    VIDEOS: "https://www.kaggle.com/c/deepfake-detection-challenge",
}
#: Bytes that must be free for the archive and its unpacked content, with a margin.
ROOM = {FACES: 3_000_000_000, VIDEOS: 12_000_000_000}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("name", choices=sorted(HANDLES), metavar="NAME", help=" or ".join(HANDLES))


def main(chosen: argparse.Namespace) -> int:
    """Download the data set."""
    name = chosen.name
    check_room(locate.kagglehub_cache(), name)
    try:
        folder = _fetch(name)
    except Exception as error:  # kagglehub raises many kinds; all are explained
        print(f"error: {explain(error, name)}", file=sys.stderr)
        return 1
    print(f"{name} is in {folder}")
    print("The notebooks find it there. `python -m nbhelpers check` checks every file.")
    return 0


def check_room(cache: Path, name: str) -> None:
    """Refuse to start a download that cannot finish.

    Args:
        cache: where the files will go; need not exist yet.
        name: of the data set.

    Raises:
        UsageError: less than `ROOM` is free.
    """
    place = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    if free < ROOM[name]:
        raise UsageError(
            f"Expected {ROOM[name] / 1e9:.0f} GB free for {name}, archive and files; {place} has "
            f"{free / 1e9:.1f} GB. Make room, or set KAGGLEHUB_CACHE to a folder on a larger disk."
        )


def _fetch(name: str) -> str:
    """Download through kagglehub, which shows its progress and resumes."""
    import kagglehub

    if name == FACES:
        return kagglehub.dataset_download(HANDLES[name])
    return kagglehub.competition_download(HANDLES[name])


def explain(error: BaseException, name: str) -> str:
    """Say what went wrong and what to do.

    Args:
        error: what kagglehub raised.
        name: of the data set.

    Returns:
        Plain text; unknown errors keep their own words.
    """
    kind = type(error).__name__
    code = getattr(getattr(error, "response", None), "status_code", None)
    account = (
        "Create an account at kaggle.com, then Settings > API > Create new token, and save the "
        "file as ~/.kaggle/kaggle.json (or set KAGGLE_USERNAME and KAGGLE_KEY)."
    )
    if code == 401 or kind in ("UnauthenticatedError", "CredentialError"):
        return f"Kaggle did not accept your token ({kind}). {account}"
    if code == 403 and name == VIDEOS:
        return (
            f"Kaggle refuses (403). Open {PAGES[name]}/rules while signed in, accept the rules of "
            f"the competition, and try again. If you have no account yet: {account}"
        )
    if code == 403:
        return f"Kaggle refuses (403). Open {PAGES[name]} while signed in. {account}"
    if code == 404:
        return f"Kaggle no longer has this data set (404). Look at {PAGES[name]}."
    message = " ".join(str(error).split()) or "no message"
    if isinstance(error, OSError) or "onnection" in kind:  # requests' errors are OSErrors
        return (
            f"Kaggle could not be reached, or the connection broke ({kind}: {message}). Try again: "
            f"the download resumes where it stopped. By hand: {PAGES[name]}"
        )
    return f"The download failed ({kind}: {message}). By hand: {PAGES[name]}"
