"""`run`: the selected notebooks in order, with pages, an index and an exit code."""

import json
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from nbhelpers.common import files
from nbhelpers.common.errors import UsageError
from nbhelpers.data import locate
from nbhelpers.runner import execution, fingerprints, index, lock, overrides, pages, scores
from nbhelpers.runner.execution import Outcome
from nbhelpers.runner.notebooks import NEEDS, Notebook, find_notebooks, select_notebooks

STATE = "run.json"
EARLIER = "earlier"  # folder for what an earlier run made, until something new is there
INTERRUPTED = Outcome("failed", message="interrupted")


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

    def kept(self, name: str) -> None:
        """A notebook is not run again."""
        self._name = name
        self._line("kept, nothing changed")

    def again(self, name: str, changed: list[str]) -> None:
        """A finished notebook is run again, since what it depends on changed."""
        self._name = name
        self._line(f"run again; changed: {', '.join(changed)}")

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
    resume: bool = False,
    notebooks_dir: Path | None = None,
    stream: TextIO | None = None,
) -> int:
    """Executes notebooks and writes `.ipynb`, `.html` and `index.html` into one folder.

    `run.json` tells at every moment what may be relied on, so that `resume` can go on after
    whatever ended a run.

    Args:
        wanted: numbers or names; nothing means all.
        data_dir: a data set's folder, or the parent of several; "" leaves the search to them.
        out: the output folder; "" is `runs/latest` in the project.
        profile: `smoke`, `article` or a YAML file; "" keeps the notebooks' own values.
        pairs: parameters and YAML texts, for every selected notebook that has them.
        resume: keep what is done and unchanged; go on with trainings that were cut off.
        notebooks_dir: where the notebooks are; None is the project's own.
        stream: where progress goes; None is standard error.

    Returns:
        0 when every selected notebook is done, else 1.

    Raises:
        UsageError: unknown notebook, parameter, profile or folder, or a folder in which another
            run is at work. Nothing was run.
        OSError: a page or the state could not be written, as on a full disk.
    """
    stream = sys.stderr if stream is None else stream
    folder = notebooks_dir or locate.project_root() / "notebooks"
    notebooks = find_notebooks(folder)
    selected = select_notebooks(notebooks, wanted)
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
    for notebook in selected if resume else ():
        if "RESUME" in notebook.defaults:
            parameters[notebook.stem].setdefault("RESUME", True)
    with lock.claim(target) as share:
        series = _Series(notebooks, target, share, stream)
        for notebook in selected:
            series.take(notebook, selected, parameters[notebook.stem], resume=resume)
        series.write_index()
    stream.write(f"\nOpen {target / 'index.html'}\n")
    return int(any(series.outcomes[one.stem].status != "done" for one in selected))


class _Series:
    """A run under way: what came of each notebook, now or earlier, on disk at every moment."""

    def __init__(
        self, notebooks: list[Notebook], target: Path, share: lock.Share | None, stream: TextIO
    ) -> None:
        self.outcomes = read_state(target)
        self._fresh: set[str] = set()
        self._notebooks, self._target, self._share = notebooks, target, share
        self._inputs = fingerprints.Fingerprints(notebooks, target)
        self._stream = stream
        self._progress = Progress(stream, width=max(len(notebook.stem) for notebook in notebooks))

    def take(
        self,
        notebook: Notebook,
        selected: list[Notebook],
        parameters: dict[str, object],
        *,
        resume: bool,
    ) -> None:
        """Runs a notebook, or keeps what an earlier run made, or says why neither is possible."""
        stem = notebook.stem
        given = self._inputs.of(notebook, parameters)
        if resume and self._is_as_it_was(notebook, parameters, given):
            self._progress.kept(stem)
            self._fresh.add(stem)
            return
        blocked = self._blocked(notebook, selected, parameters)
        _set_aside(self._target, stem, good=self._status(stem) == "done")
        self._record(stem, Outcome("skipped", message=blocked) if blocked else INTERRUPTED)
        if not blocked:
            try:
                outcome = self._execute(notebook, parameters)
            except KeyboardInterrupt:
                self.write_index()
                raise
            if outcome.status == "done":
                _drop_earlier(self._target, stem)
                outcome = replace(
                    outcome, inputs=given, made=fingerprints.sizes(self._target, stem)
                )
            self._record(stem, outcome)
        self._fresh.add(stem)
        self._progress.end(stem, self.outcomes[stem])
        self.write_index()

    def write_index(self) -> None:
        """Writes `index.html` for every notebook that ran here, now or earlier."""
        _write_index(self._target, self._notebooks, self.outcomes)

    def _status(self, stem: str) -> str:
        return self.outcomes[stem].status if stem in self.outcomes else ""

    def _record(self, stem: str, outcome: Outcome) -> None:
        self.outcomes[stem] = outcome
        state = {name: vars(one) for name, one in self.outcomes.items()}
        files.write_text(self._target / STATE, json.dumps(state, indent=1) + "\n")

    def _is_as_it_was(
        self, notebook: Notebook, parameters: dict[str, object], given: dict[str, str]
    ) -> bool:
        """Whether a notebook is done and nothing that its results depend on has changed."""
        earlier = self.outcomes.get(notebook.stem)
        if earlier is None or earlier.status != "done":
            return False
        changed = [name for name in given if earlier.inputs.get(name) != given[name]]
        if fingerprints.sizes(self._target, notebook.stem) != earlier.made:
            changed.append("its files")
        result = scores.read_results(self._target).get(notebook.stem, {})
        wanted = (notebook.defaults | parameters).get("WEIGHTS")
        if scores.has_random_weights(result) and wanted != "none":
            changed.append("pretrained weights, which were missing")
        if changed:
            self._progress.again(notebook.stem, changed)
        return not changed

    def _blocked(
        self, notebook: Notebook, selected: list[Notebook], parameters: dict[str, object]
    ) -> str:
        """Why a notebook cannot run after what happened before it; "" when it can."""
        if parameters.get("MODEL_FILE"):
            return ""
        for other in selected:
            status = self._status(other.stem) if other.stem in self._fresh else ""
            if other.number in NEEDS.get(notebook.number, ()) and status != "done":
                was = "failed" if status == "failed" else "was skipped"
                return f"needs what {other.stem} makes, which {was}"
        return ""

    def _execute(self, notebook: Notebook, parameters: dict[str, object]) -> Outcome:
        """Executes one notebook and writes its page."""
        self._progress.start(notebook.stem)
        outcome = execution.execute(
            notebook.path,
            self._target / f"{notebook.stem}.ipynb",
            parameters=parameters,
            work_dir=self._target,
            share=self._share,
            on_cell=self._progress.cell,
            on_wait=self._progress.tick,
        )
        _write_page(notebook, self._target, outcome)
        return outcome


def existing(data_dir: str) -> Path:
    """The data folder as an absolute path; raises UsageError when it is none."""
    path = Path(data_dir).expanduser().resolve()
    if not path.is_dir():
        raise UsageError(
            f"Expected a folder with {locate.FACES} and {locate.VIDEOS}, or one of the two; "
            f"received {data_dir!r}, which is no folder. Leave --data-dir out to use the sample."
        )
    return path


def _set_aside(target: Path, stem: str, *, good: bool) -> None:
    """Moves what an earlier run of a notebook made out of the way: nothing old passes for new.

    It stays in the folder `earlier` until the notebook is done again. Leftovers of a failure never
    replace there what a finished run made.

    Args:
        target: the output folder.
        stem: the notebook's name.
        good: whether the earlier run of it was done.
    """
    (target / f".{stem}.part.ipynb").unlink(missing_ok=True)
    old = fingerprints.made(target, stem)
    worth = good or any(path.suffix not in fingerprints.PAGES for path in old)
    if worth and (good or not fingerprints.made(target / EARLIER, stem)):
        _drop_earlier(target, stem)
        (target / EARLIER).mkdir(exist_ok=True)
        for path in old:
            os.replace(path, target / EARLIER / path.name)
    else:
        for path in old:
            path.unlink()


def _drop_earlier(target: Path, stem: str) -> None:
    """Removes what was set aside for a notebook."""
    folder = target / EARLIER
    for path in fingerprints.made(folder, stem):
        path.unlink()
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


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
    """Writes `index.html` for every notebook that ran here, now or earlier."""
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
    results = scores.read_results(target)
    page = index.index_html(
        outcomes,
        results={stem: results[stem] for stem in outcomes if stem in results},
        titles=titles,
        covers=covers,
        folder=target,
    )
    files.write_text(target / "index.html", page)
