"""Many runs of the same notebooks with different parameters, each in its own process."""

import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nbhelpers.common import files
from nbhelpers.common.errors import UsageError
from nbhelpers.runner import overrides, plain_yaml, run_record
from nbhelpers.runner.notebooks import find_notebooks, select_notebooks
from nbhelpers.runner.run_record import Outcome

PLAN, PROFILE, LOG = "sweep.json", "parameters.yaml", "run.log"  # the second is also JSON
MOST_RUNS = 10_000
_NAME = 60  # letters of a folder's readable part


@dataclass(frozen=True)
class Run:
    """One point of a grid.

    Attributes:
        settings: grid parameter -> value.
        folder: its output folder.
        parameters: notebook name -> the values that override its own, without OUTPUT_DIR.
        digests: notebook name -> its source digest.
        notebooks: the folder of the notebooks.
        threads: for each of TensorFlow's two pools; 0 leaves it the whole machine.
    """

    settings: dict[str, object]
    folder: Path
    parameters: dict[str, dict[str, object]]
    digests: dict[str, str]
    notebooks: Path
    threads: int = 0

    @property
    def plan(self) -> dict:
        """What a finished run in the folder must match to count as this one."""
        plain = json.loads(json.dumps(self.parameters))  # tuples become lists
        return {"parameters": plain, "notebooks": self.digests}


def read_grid(path: Path) -> list[dict[str, object]]:
    """Read a grid: a YAML mapping of parameters to lists of values, or a list of such mappings.

    Args:
        path: the file.

    Returns:
        Parameter -> value for every point: the product of the lists, mapping by mapping; no point
        twice. A value that is not a list is its parameter's only one.

    Raises:
        UsageError: no such file, a wrong form, an empty list, or more than 10,000 points.
    """
    content = plain_yaml.read_file(path, what="a grid")
    grids = content if isinstance(content, list) and content else [content]
    points = {}
    for grid in grids:
        if not isinstance(grid, dict) or not grid or any(value == [] for value in grid.values()):
            raise UsageError(
                f"Expected `PARAMETER: [value, value]` lines in {path}; received "
                f"{str(grid)[:80]!r}. Write values that are lists themselves as [[1, 2], [3, 4]]."
            )
        lists = [value if isinstance(value, list) else [value] for value in grid.values()]
        for values in itertools.islice(itertools.product(*lists), MOST_RUNS + 1):
            point = dict(zip(map(str, grid), values, strict=True))
            points[json.dumps(point, sort_keys=True, default=str)] = point
    if len(points) > MOST_RUNS:
        raise UsageError(f"Expected at most {MOST_RUNS} runs; the product of {path} has more.")
    return list(points.values())


def plan(
    wanted: Iterable[str],
    points: Iterable[Mapping[str, object]],
    *,
    out: Path,
    base: Path,
    profile: str = "",
    pairs: Iterable[tuple[str, str]] = (),
    data_dir: Path | None = None,
    notebooks_dir: Path,
    threads: int = 0,
) -> list[Run]:
    """Plan the runs; nothing is written.

    Args:
        wanted: numbers or names of the notebooks.
        points: from `read_grid`.
        out: folder of the run folders.
        base: the folder that relative paths in the grid start from.
        profile: as in `series.run`; pairs and the grid override it.
        pairs: as in `series.run`; the grid overrides them.
        data_dir: value for DATA_DIR, or None to leave it.
        notebooks_dir: where the notebooks are.
        threads: see `Run`.

    Returns:
        One run per point, in a folder named after its settings and a digest.

    Raises:
        UsageError: an unknown notebook, parameter or profile, or a value of the wrong type.
    """
    run_record.refuse_folder(out.resolve(), notebooks_dir=notebooks_dir, data_dir=data_dir)
    notebooks = find_notebooks(notebooks_dir)
    selected = select_notebooks(notebooks, wanted)
    content, profile_base = {}, Path.cwd()
    if profile:
        content, profile_base = overrides.read_profile(profile, notebooks_dir / "profiles")
    fixed = overrides.parse_pairs(pairs)
    digests = {notebook.stem: notebook.digest for notebook in selected}
    runs: dict[Path, Run] = {}
    for point in points:
        resolved = {
            name: overrides.resolved(name, value, base=base) for name, value in point.items()
        }
        parameters = overrides.combine(
            notebooks,
            selected,
            profile=content,
            profile_base=profile_base,
            pairs=fixed | resolved,
            data_dir=data_dir,
            output_dir=out,
        )
        for values in parameters.values():
            values.pop("OUTPUT_DIR", None)
        settings = {
            name: next(values[name] for values in parameters.values() if name in values)
            for name in point
        }
        folder = out / folder_name(settings, parameters)
        run = Run(settings, folder, parameters, digests, notebooks_dir, threads)
        runs[folder] = run  # points that are equal once checked, such as 1 and 1.0, are one run
    return list(runs.values())


def folder_name(point: Mapping[str, object], parameters: Mapping[str, object]) -> str:
    """Return a readable name that no other set of parameters has.

    >>> folder_name({"RATE": 0.1, "WHERE": "a b/c"}, {"03_x": {"RATE": 0.1, "WHERE": "/a b/c"}})
    'RATE=0.1_WHERE=a-b-c_ba1d47b0'
    """
    readable = "_".join(f"{name}={value}" for name, value in point.items())
    readable = re.sub(r"[^\w.=+-]+", "-", readable)[:_NAME].strip("-._")
    text = json.dumps(parameters, sort_keys=True, default=str)
    return f"{readable}_{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def outcomes(run: Run) -> dict[str, Outcome] | None:
    """Return how the run in a folder ended: notebook name -> outcome; None if it did not end.

    A run with other parameters, or of a notebook whose code has changed since, does not count.
    """
    try:
        plan_there = json.loads((run.folder / PLAN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    ended = run_record.read(run.folder)
    if plan_there != run.plan or not set(run.digests) <= set(ended):
        return None
    return {stem: ended[stem] for stem in run.digests}


def is_finished(run: Run) -> bool:
    """Whether the run is in its folder and every notebook is done."""
    ended = outcomes(run)
    return ended is not None and all(one.status == "done" for one in ended.values())


def execute(run: Run) -> None:
    """Carry out one run and wait for it; how it ended is in its folder (`outcomes`)."""
    _start(run).wait()


def execute_all(runs: list[Run], *, workers: int) -> Iterator[int]:
    """Carry out runs in separate processes.

    Args:
        runs: from `plan`.
        workers: how many at a time, >= 1.

    Yields:
        The number of each run as it ends. If the caller stops, so do the runs.
    """
    waiting, going = list(enumerate(runs)), {}
    try:
        while waiting or going:
            while waiting and len(going) < workers:
                number, run = waiting.pop(0)
                going[number] = _start(run)
            for number in [one for one, process in going.items() if process.poll() is not None]:
                del going[number]
                yield number
            time.sleep(0.1)
    finally:
        for process in going.values():
            process.terminate()  # its notebook's process ends with it
            process.wait()


def _start(run: Run) -> subprocess.Popen:
    """Start a run in its folder; whatever says there how an earlier one ended is removed first."""
    run.folder.mkdir(parents=True, exist_ok=True)
    run_record.forget_success(run.folder)
    files.write_text(run.folder / PLAN, json.dumps(run.plan, indent=1) + "\n")
    plain = run.plan["parameters"]
    files.write_text(run.folder / PROFILE, json.dumps(plain, indent=1) + "\n")
    job = {"stems": list(run.digests), "out": str(run.folder), "notebooks": str(run.notebooks)}
    job["profile"] = str(run.folder / PROFILE)
    environment = dict(os.environ)
    if run.threads:
        for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
            environment[name] = str(run.threads)
    with (run.folder / LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "nbhelpers.runner.grid_run"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
        )
    with process.stdin as pipe:
        pipe.write(json.dumps(job).encode())
    return process
