"""Records what the runs into a folder have written, so that they touch nothing else there.

`run.json` names, for every notebook, how it ended and which files it wrote. Anything else
belongs to the user: it is left alone, and nothing runs that would overwrite it.
"""

import itertools
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from nbhelpers.common import files
from nbhelpers.common.errors import UsageError
from nbhelpers.data import locate

STATE = "run.json"
INDEX = "index.html"
EARLIER = "earlier"  # folder for what an earlier run wrote, until there is something new
BY_HAND = "saved_by_hand"  # folder for what a notebook saved in Jupyter; never removed
STATUSES = ("done", "failed", "skipped")
PAGES = (".ipynb", ".html", ".log")  # what the runner writes for each notebook, for people
RESULTS = ".results.json"
PRODUCTS = (RESULTS, ".predictions.csv", ".keras", ".card.json", ".split.csv")  # by the notebooks
SOURCES = ("data", "docs", "nbhelpers", "notebooks", "tests", "tools", ".git")  # of the project


@dataclass(frozen=True)
class Outcome:
    """The outcome of one notebook.

    Attributes:
        status: `done`, `failed` or `skipped`.
        seconds: wall time, kernel start included.
        message: if `failed`, which cell and its error; if `skipped`, the reason.
        inputs: if `done`, the digests of everything it used, see `fingerprints.Fingerprints.of`.
        written: name -> bytes of the files in the folder that it wrote; 0 bytes if it was
            interrupted and may or may not have written them.
        earlier: names in the folder `earlier` that the previous run wrote.
    """

    status: str
    seconds: float = 0.0
    message: str = ""
    inputs: dict[str, str] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    earlier: list[str] = field(default_factory=list)


def read(folder: Path) -> dict[str, Outcome]:
    """Read which notebooks ran in a folder.

    Args:
        folder: an output folder.

    Returns:
        notebook name -> outcome; {} if no run has written `run.json`.
    """
    try:
        content = json.loads((folder / STATE).read_text(encoding="utf-8"))
        return {str(stem): _outcome(entry) for stem, entry in content.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _outcome(entry: dict) -> Outcome:
    """Return an entry of `run.json`; raise ValueError, TypeError or AttributeError if malformed."""
    entry = dict(entry)
    entry.setdefault("written", entry.pop("made", {}))  # its name until version 0.1
    outcome = Outcome(**entry)
    if outcome.status not in STATUSES or isinstance(outcome.seconds, str | bool):
        raise ValueError(f"not an outcome: {entry!r}")
    if any(Path(name).name != name for name in [*outcome.written, *outcome.earlier]):
        raise ValueError("a name in another folder")
    return replace(outcome, seconds=float(outcome.seconds))


def write(folder: Path, outcomes: dict[str, Outcome]) -> None:
    """Write `run.json`."""
    content = {stem: vars(outcome) for stem, outcome in outcomes.items()}
    files.write_text(folder / STATE, json.dumps(content, indent=1) + "\n")


def forget_success(folder: Path) -> None:
    """Mark every notebook as not done, but keep the names of the files that runs wrote."""
    outcomes = read(folder)
    if outcomes:
        failed = Outcome("failed", message="to be run again")
        keep = {
            stem: replace(failed, written=one.written, earlier=one.earlier)
            for stem, one in outcomes.items()
        }
        write(folder, keep)


def refuse_folder(folder: Path, *, notebooks_dir: Path, data_dir: Path | None) -> None:
    """Refuse an output folder that contains, or is part of, what a run reads.

    Args:
        folder: the output folder, absolute.
        notebooks_dir: where the notebooks are.
        data_dir: where the data sets are; None searches.

    Raises:
        UsageError: it contains the project or a data set, or is in a data set or among the
            project's sources.
    """
    root = locate.project_root()
    precious = {
        "the project": (root, False),
        "the notebooks": (notebooks_dir.resolve(), True),
        **{f"the project's {name}/": (root / name, True) for name in SOURCES},
    }
    for name in (locate.FACES, locate.VIDEOS):
        try:
            precious[f"the data set {name}"] = (locate.find(name, data_dir or "").root, True)
        except FileNotFoundError:
            continue
    for what, (place, with_inside) in precious.items():
        inside = with_inside and folder.is_relative_to(place)
        if inside or place.is_relative_to(folder):
            raise UsageError(
                f"Expected an output folder separate from what a run reads; received {folder}, "
                f"which {'is in' if inside and folder != place else 'contains'} {what}. Choose "
                "another with --out, for example runs/mine."
            )


def refuse_in_the_way(folder: Path, stems: Iterable[str]) -> None:
    """Refuse to overwrite files that no run has written.

    Files that a notebook saved when it was run by hand, as its results file shows, are not refused:
    they are set aside.

    Args:
        folder: the output folder.
        stems: names of the notebooks that are to run.

    Raises:
        UsageError: one of the user's files has a name that the run needs.
    """
    outcomes = read(folder)
    in_the_way = [] if outcomes else [name for name in (STATE, INDEX) if (folder / name).exists()]
    for stem in stems:
        outcome = outcomes.get(stem, Outcome("failed"))
        suffixes = PAGES if _ran_by_hand(folder, stem) else PAGES + PRODUCTS
        names = {stem + suffix for suffix in suffixes} - outcome.written.keys()
        in_the_way += [name for name in names if (folder / name).exists()]
        in_the_way += [
            f"{EARLIER}/{name}"
            for name in outcome.written.keys() - {*outcome.earlier}
            if (folder / name).exists() and (folder / EARLIER / name).exists()
        ]
    if in_the_way:
        raise UsageError(
            f"Expected an output folder in which no file has a name that the run needs; received "
            f"{folder}, with {', '.join(sorted(in_the_way))}, which no run wrote. Move what is in "
            "the way, or choose another folder with --out."
        )


def _ran_by_hand(folder: Path, stem: str) -> bool:
    """Whether a notebook that somebody ran in Jupyter has saved its results here."""
    try:
        content = json.loads((folder / f"{stem}{RESULTS}").read_text(encoding="utf-8"))
        return content["notebook"] == stem
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return False


def set_aside(folder: Path, stem: str, *, outcome: Outcome | None) -> list[str]:
    """Move what an earlier run of a notebook wrote out of the way: nothing old passes for new.

    It stays in the folder `earlier` until the notebook is done again. There, leftovers of a failed
    run never replace what a finished run wrote. What was saved by hand goes to `saved_by_hand` and
    stays there.

    Args:
        folder: the output folder, after `refuse_in_the_way`.
        stem: the notebook's name.
        outcome: of its earlier run; None if there was none.

    Returns:
        The names in `earlier` that a run has written.
    """
    outcome = outcome or Outcome("failed")
    (folder / f".{stem}.part.ipynb").unlink(missing_ok=True)
    old = [name for name in outcome.written if (folder / name).is_file()]
    by_hand = []
    if _ran_by_hand(folder, stem):
        products = {stem + suffix for suffix in PRODUCTS} - outcome.written.keys()
        by_hand = [name for name in products if (folder / name).is_file()]
    done = outcome.status == "done"
    worth = done or any(not name.endswith(PAGES) for name in old)
    earlier = [name for name in outcome.earlier if (folder / EARLIER / name).is_file()]
    if old and worth and (done or not earlier):
        drop_earlier(folder, earlier)
        (folder / EARLIER).mkdir(exist_ok=True)
        for name in old:
            os.replace(folder / name, folder / EARLIER / name)
        earlier = old
    else:
        for name in old:
            (folder / name).unlink()
    for name in by_hand:
        (folder / BY_HAND).mkdir(exist_ok=True)
        os.rename(folder / name, _free(folder / BY_HAND / name))
    return earlier


def _free(path: Path) -> Path:
    """Return the path or, if it is taken, the first numbered one that is free."""
    numbered = (path.with_name(f"{number}_{path.name}") for number in itertools.count(2))
    return next(one for one in itertools.chain([path], numbered) if not one.exists())


def drop_earlier(folder: Path, names: Iterable[str]) -> None:
    """Remove what was set aside from a run, and the folder if nothing else is in it."""
    for name in names:
        (folder / EARLIER / name).unlink(missing_ok=True)
    if (folder / EARLIER).is_dir() and not any((folder / EARLIER).iterdir()):
        (folder / EARLIER).rmdir()


def named_after(folder: Path, stem: str) -> dict[str, int]:
    """Return name -> bytes of all files in a folder that are named after a notebook."""
    paths = sorted(path for path in folder.glob(f"{stem}.*") if path.is_file())
    return {path.name: path.stat().st_size for path in paths}


def expected(stem: str) -> dict[str, int]:
    """Return the names that a run of a notebook will write, with 0 bytes: not yet written."""
    return dict.fromkeys((stem + suffix for suffix in (*PAGES, *PRODUCTS)), 0)
