"""`run`: the selected notebooks in order, with pages, an index and an exit code."""

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from nbhelpers.common import files
from nbhelpers.common.errors import UsageError
from nbhelpers.common.paths import user_path
from nbhelpers.data import locate
from nbhelpers.runner import (
    covers,
    execution,
    fingerprints,
    index,
    lock,
    overrides,
    pages,
    run_record,
    scores,
)
from nbhelpers.runner.notebooks import NEEDS, Notebook, find_notebooks, select_notebooks
from nbhelpers.runner.progress import Progress
from nbhelpers.runner.run_record import Outcome

GO_ON = "Finished notebooks are kept; the same command with --resume continues from there."


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
    """Execute notebooks and write `.ipynb`, `.html` and `index.html` into one folder.

    `run.json` says at every moment what can be relied on, so that `resume` can continue however a
    run ended.

    Args:
        wanted: numbers or names; none means all lessons, without the appendix.
        data_dir: a data set's folder, or the parent of several; "" lets the notebooks search.
        out: the output folder; "" is `runs/latest` in the project.
        profile: `smoke`, `article` or a YAML file; "" keeps the notebooks' own values.
        pairs: parameters, and values as YAML, for every selected notebook that has them.
        resume: keep what is done and unchanged; continue interrupted trainings.
        notebooks_dir: where the notebooks are; None is the project's own.
        stream: where progress goes; None is standard error.

    Returns:
        0 if every selected notebook is done, else 1.

    Raises:
        UsageError: unknown notebook, parameter, profile or folder, or an output folder that
            another run is using, that contains the user's files under names that the run needs,
            or that is part of the project or the data. Nothing was run.
        OSError: a page or the state could not be written, as on a full disk. This error and the
            next have a note on how to continue, if a notebook had begun.
        KeyboardInterrupt: Ctrl-C or SIGTERM.
    """
    stream = sys.stderr if stream is None else stream
    folder = notebooks_dir or locate.project_root() / "notebooks"
    notebooks = find_notebooks(folder)
    selected = select_notebooks(notebooks, wanted)
    target = user_path(out).resolve() if out else locate.results_folder()
    data = existing(data_dir) if data_dir else None
    content, base = {}, Path.cwd()
    if profile:
        content, base = overrides.read_profile(profile, folder / "profiles")
    parameters = overrides.combine(
        notebooks,
        selected,
        profile=content,
        profile_base=base,
        pairs=overrides.parse_pairs(pairs),
        data_dir=data,
        output_dir=target,
    )
    run_record.refuse_folder(target, notebooks_dir=folder, data_dir=data)
    for notebook in selected if resume else ():
        if "RESUME" in notebook.defaults:
            parameters[notebook.stem].setdefault("RESUME", True)
    with lock.claim(target) as share:
        run_record.refuse_in_the_way(target, [notebook.stem for notebook in selected])
        series = _Series(notebooks, target, share, stream)
        try:
            for notebook in selected:
                series.take(notebook, selected, parameters[notebook.stem], resume=resume)
            series.write_index()
        except (KeyboardInterrupt, OSError) as error:
            if series.has_run:
                error.add_note(GO_ON)
            raise
    stream.write(f"\nOpen {target / 'index.html'}\n")
    return int(any(series.outcomes[one.stem].status != "done" for one in selected))


class _Series:
    """A run in progress; the outcome of each notebook, now or earlier, is always on disk."""

    def __init__(
        self, notebooks: list[Notebook], target: Path, share: lock.Share | None, stream: TextIO
    ) -> None:
        self.outcomes = run_record.read(target)
        self._fresh: set[str] = set()  # settled by this run
        self._begun: set[str] = set()  # settled by this run, or interrupted
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
        """Run a notebook, keep what an earlier run wrote, or say why neither is possible."""
        stem, target = notebook.stem, self._target
        self._begun.add(stem)
        inputs = self._inputs.of(notebook, parameters)
        if resume and self._is_as_it_was(notebook, parameters, inputs):
            self._progress.kept(stem)
            self._fresh.add(stem)
            return
        blocked = self._blocked(notebook, selected, parameters)
        earlier = run_record.set_aside(target, stem, outcome=self.outcomes.get(stem))
        if blocked:
            self._record(stem, Outcome("skipped", message=blocked, earlier=earlier))
        else:
            users = run_record.named_after(target, stem)
            claimed = {name: 0 for name in run_record.expected(stem) if name not in users}
            interrupted = Outcome("failed", message="interrupted", written=claimed, earlier=earlier)
            self._record(stem, interrupted)
            try:
                outcome = self._execute(notebook, parameters)
            except KeyboardInterrupt:
                self.write_index()
                raise
            if outcome.status == "done":
                run_record.drop_earlier(target, earlier)
                outcome = replace(outcome, inputs=inputs)
            else:
                outcome = replace(outcome, earlier=earlier)
            sizes = run_record.named_after(target, stem)
            written = {name: size for name, size in sizes.items() if name not in users}
            self._record(stem, replace(outcome, written=written))
        self._fresh.add(stem)
        self._progress.end(stem, self.outcomes[stem])
        self.write_index()

    @property
    def has_run(self) -> bool:
        """Whether any notebook of this run was begun, or kept from an earlier one."""
        return bool(self._begun)

    def write_index(self) -> None:
        """Write `index.html` for every notebook that ran here, now or earlier."""
        _write_index(self._target, self._notebooks, self.outcomes)

    def _status(self, stem: str) -> str:
        return self.outcomes[stem].status if stem in self.outcomes else ""

    def _record(self, stem: str, outcome: Outcome) -> None:
        self.outcomes[stem] = outcome
        run_record.write(self._target, self.outcomes)

    def _is_as_it_was(
        self, notebook: Notebook, parameters: dict[str, object], given: dict[str, str]
    ) -> bool:
        """Whether a notebook is done and nothing that its results depend on has changed."""
        earlier = self.outcomes.get(notebook.stem)
        if earlier is None or earlier.status != "done":
            return False
        changed = [name for name in given if earlier.inputs.get(name) != given[name]]
        sizes = run_record.named_after(self._target, notebook.stem)
        if {name: sizes.get(name) for name in earlier.written} != earlier.written:
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
        """Return why a notebook cannot run after what happened before it; "" if it can."""
        if parameters.get("MODEL_FILE"):
            return ""
        for other in selected:
            status = self._status(other.stem) if other.stem in self._fresh else ""
            if other.number in NEEDS.get(notebook.number, ()) and status != "done":
                was = "failed" if status == "failed" else "was skipped"
                return f"needs the output of {other.stem}, which {was}"
        return ""

    def _execute(self, notebook: Notebook, parameters: dict[str, object]) -> Outcome:
        """Execute one notebook and write its page."""
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
    """Return the data folder as an absolute path; raises UsageError if it is not a folder."""
    path = user_path(data_dir).resolve()
    if not path.is_dir():
        raise UsageError(
            f"Expected a folder with {locate.FACES} and {locate.VIDEOS}, or one of the two; "
            f"received {data_dir!r}, which is not a folder. Leave --data-dir out to use the sample."
        )
    return path


def _write_page(notebook: Notebook, target: Path, outcome: Outcome) -> None:
    """Write `NN_name.html` with the banners that its results require."""
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


def _write_index(target: Path, notebooks: list[Notebook], outcomes: dict[str, Outcome]) -> None:
    """Write `index.html` for every notebook that ran here, now or earlier."""
    import nbformat

    outcomes = {
        notebook.stem: outcomes[notebook.stem]
        for notebook in notebooks
        if notebook.stem in outcomes
    }
    titles, pictures = {}, {}
    for notebook in notebooks:
        executed = target / f"{notebook.stem}.ipynb"
        source = nbformat.read(notebook.path, as_version=4)
        titles[notebook.stem] = pages.title_of(source, notebook.stem)
        if executed.exists() and notebook.stem in outcomes:
            pictures[notebook.stem] = covers.cover(
                nbformat.read(executed, as_version=4), title=titles[notebook.stem]
            )
    results = scores.read_results(target)
    page = index.index_html(
        outcomes,
        results={stem: results[stem] for stem in outcomes if stem in results},
        titles=titles,
        covers=pictures,
        folder=target,
    )
    files.write_text(target / "index.html", page)
