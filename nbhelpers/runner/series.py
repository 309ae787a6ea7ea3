"""`run`: the selected notebooks in order, with pages, an index and an exit code."""

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from nbhelpers import files, locate
from nbhelpers.runner import execution, index, overrides, pages, scores, sources
from nbhelpers.runner.execution import Outcome
from nbhelpers.runner.sources import Notebook, UsageError

STATE = "run.json"
MADE = (".ipynb", ".html", ".log", ".results.json", ".predictions.csv")


class Progress:
    """Tells how far a run is: one rewritten line on a terminal, else a line per start and end.

    Args:
        stream: where to write.
        width: letters of the longest notebook name.
    """

    def __init__(self, stream: TextIO, *, width: int) -> None:
        self._stream = stream
        self._width = width
        self._live = stream.isatty()
        self._name = self._place = ""
        self._started = 0.0

    def start(self, name: str) -> None:
        """A notebook begins."""
        self._name, self._place, self._started = name, "starting", time.monotonic()
        if not self._live:
            self._line("started")
        self.tick()

    def cell(self, number: int, cells: int) -> None:
        """A code cell begins; `number` counts from 1."""
        self._place = f"cell {number} of {cells}"
        self.tick()

    def tick(self) -> None:
        """Time goes by."""
        if self._live:
            seconds = time.monotonic() - self._started
            told = f"{self._name:<{self._width}}  {self._place:<14} {seconds:6.0f} s"
            self._stream.write(f"\r\x1b[2K{told}")
            self._stream.flush()

    def end(self, name: str, outcome: Outcome) -> None:
        """A notebook is done, failed or skipped."""
        self._name = name
        if self._live:
            self._stream.write("\r\x1b[2K")
        time_told = f"{outcome.seconds:.1f} s" if outcome.seconds else ""
        told = outcome.status.upper() if outcome.status == "failed" else outcome.status
        self._line("  ".join(part for part in (told, time_told, outcome.message) if part))

    def _line(self, text: str) -> None:
        self._stream.write(f"{self._name:<{self._width}}  {text}\n")
        self._stream.flush()


def run(
    wanted: Iterable[str] = (),
    *,
    data_dir: str = "",
    out: str = "",
    profile: str = "",
    pairs: Iterable[tuple[str, str]] = (),
    notebooks_dir: Path | None = None,
    stream: TextIO | None = None,
) -> int:
    """Executes notebooks and writes `.ipynb`, `.html` and `index.html` into one folder.

    Args:
        wanted: numbers or names; nothing means all.
        data_dir: a data set's folder, or the parent of several; "" leaves the search to them.
        out: the output folder; "" is `runs/latest` in the project.
        profile: `smoke`, `article` or a YAML file; "" keeps the notebooks' own values.
        pairs: parameters and YAML texts, for every selected notebook that has them.
        notebooks_dir: where the notebooks are; None is the project's own.
        stream: where progress goes; None is standard error.

    Returns:
        0 when every selected notebook is done, else 1.

    Raises:
        UsageError: unknown notebook, parameter, profile or folder. Nothing was run.
    """
    stream = sys.stderr if stream is None else stream
    folder = notebooks_dir or locate.project_root() / "notebooks"
    notebooks = sources.find(folder)
    selected = sources.select(notebooks, wanted)
    target = Path(out).expanduser().resolve() if out else locate.project_root() / "runs" / "latest"
    content, base = {}, Path.cwd()
    if profile:
        content, base = overrides.read_profile(profile, folder / "profiles")
    parameters = overrides.combine(
        notebooks,
        selected,
        profile=content,
        profile_base=base,
        pairs=overrides.parse_pairs(pairs),
        data_dir=existing(data_dir) if data_dir else None,
        output_dir=target,
    )
    try:
        target.mkdir(parents=True, exist_ok=True)
        outcomes = read_state(target)
    except OSError as error:
        raise UsageError(
            f"Expected a folder that can be written; {target}: {error.strerror}. Choose another "
            "with --out."
        ) from None
    progress = Progress(stream, width=max(len(notebook.stem) for notebook in selected))
    fresh: dict[str, Outcome] = {}
    try:
        for notebook in selected:
            blocked = _blocked(notebook, selected, fresh, parameters[notebook.stem])
            if blocked:
                _forget(target, notebook)
                outcome = Outcome("skipped", message=blocked)
            else:
                outcome = _run_one(notebook, target, parameters[notebook.stem], progress)
            fresh[notebook.stem] = outcome
            progress.end(notebook.stem, outcome)
    except BaseException:
        for notebook in selected[len(fresh) :]:
            begun = (target / f"{notebook.stem}.ipynb").exists()
            fresh[notebook.stem] = Outcome("failed" if begun else "skipped", message="interrupted")
        raise
    finally:
        outcomes |= fresh
        _write_index(target, notebooks, outcomes)
    stream.write(f"\nOpen {target / 'index.html'}\n")
    return int(any(outcome.status != "done" for outcome in fresh.values()))


def existing(data_dir: str) -> Path:
    """The data folder as an absolute path; raises UsageError when it is none."""
    path = Path(data_dir).expanduser().resolve()
    if not path.is_dir():
        raise UsageError(
            f"Expected a folder with {locate.FACES} and {locate.VIDEOS}, or one of the two; "
            f"received {data_dir!r}, which is no folder. Leave --data-dir out to use the sample."
        )
    return path


def _blocked(
    notebook: Notebook,
    selected: list[Notebook],
    fresh: dict[str, Outcome],
    parameters: dict[str, object],
) -> str:
    """Why a notebook cannot run after what happened before it; "" when it can."""
    if parameters.get("MODEL_FILE"):
        return ""
    for other in selected:
        outcome = fresh.get(other.stem)
        if other.number in sources.NEEDS.get(notebook.number, ()) and outcome.status != "done":
            was = "failed" if outcome.status == "failed" else "was skipped"
            return f"needs what {other.stem} makes, which {was}"
    return ""


def _forget(target: Path, notebook: Notebook) -> None:
    """Removes what an earlier run of a notebook left, so that nothing old passes for new."""
    for suffix in MADE:
        (target / (notebook.stem + suffix)).unlink(missing_ok=True)
    (target / f".{notebook.stem}.part.ipynb").unlink(missing_ok=True)


def _run_one(
    notebook: Notebook, target: Path, parameters: dict[str, object], progress: Progress
) -> Outcome:
    """Executes one notebook and writes its page."""
    _forget(target, notebook)
    progress.start(notebook.stem)
    executed = target / f"{notebook.stem}.ipynb"
    outcome = execution.execute(
        notebook.path,
        executed,
        parameters=parameters,
        work_dir=target,
        on_cell=progress.cell,
        on_wait=progress.tick,
    )
    if not executed.exists():  # the process ended before papermill stored anything
        files.write_text(executed, notebook.path.read_text(encoding="utf-8"))
    _write_page(notebook, target, outcome)
    return outcome


def _write_page(notebook: Notebook, target: Path, outcome: Outcome) -> None:
    """Writes `NN_name.html` with the banners that its results ask for."""
    import nbformat

    result = scores.read_results(target).get(notebook.stem, {})
    notes = [scores.SAMPLE_NOTE] if scores.on_sample(result) else []
    alarms = [scores.RANDOM_NOTE] if scores.has_random_weights(result) else []
    if outcome.status == "failed":
        alarms.append(f"This notebook failed in {outcome.message}")
    page = pages.notebook_html(
        nbformat.read(target / f"{notebook.stem}.ipynb", as_version=4),
        name=notebook.stem,
        folder=notebook.path.parent,
        notes=notes,
        alarms=alarms,
    )
    files.write_text(target / f"{notebook.stem}.html", page)


def read_state(target: Path) -> dict[str, Outcome]:
    """Outcomes of earlier runs in the same folder; none when they cannot be read."""
    try:
        content = json.loads((target / STATE).read_text(encoding="utf-8"))
        return {stem: Outcome(**outcome) for stem, outcome in content.items()}
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return {}


def _write_index(target: Path, notebooks: list[Notebook], outcomes: dict[str, Outcome]) -> None:
    """Writes `run.json` and `index.html` for every notebook that ran here, now or earlier."""
    import nbformat

    outcomes = {
        notebook.stem: outcomes[notebook.stem]
        for notebook in notebooks
        if notebook.stem in outcomes
    }
    titles, covers = {}, {}
    for notebook in notebooks:
        executed = target / f"{notebook.stem}.ipynb"
        source = nbformat.read(notebook.path, as_version=4)
        titles[notebook.stem] = pages.title_of(source, notebook.stem)
        if executed.exists() and notebook.stem in outcomes:
            covers[notebook.stem] = index.cover(nbformat.read(executed, as_version=4))
    state = {stem: vars(outcome) for stem, outcome in outcomes.items()}
    files.write_text(target / STATE, json.dumps(state, indent=1) + "\n")
    results = scores.read_results(target)
    page = index.index_html(
        outcomes,
        results={stem: results[stem] for stem in outcomes if stem in results},
        titles=titles,
        covers=covers,
        folder=target,
    )
    files.write_text(target / "index.html", page)
