"""Which model of a run is best on each data set, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from nbhelpers.common.errors import UsageError
from nbhelpers.data import locate
from nbhelpers.evaluation.metrics import FEWEST_GROUPS, Interval
from nbhelpers.runner import comparison, result_files, scores
from nbhelpers.runner.notebooks import number_of

NOTHING_JUDGED = "No notebook has judged a model yet; 02, 03 and 06 do."


@dataclass(frozen=True)
class Model:
    """A model and how well it ranks the test rows.

    Attributes:
        name: as in the results file.
        notebook: the notebook that judged it.
        auc: with its interval.
    """

    name: str
    notebook: str
    auc: Interval

    @property
    def label(self) -> str:
        """Name and notebook, for people."""
        return f"{self.name} ({number_of(self.notebook)})"


@dataclass(frozen=True)
class Gap:
    """The AUC of the best model minus that of another, on the rows that both judged.

    Attributes:
        other: the other model.
        difference: with its paired interval; None if it is not known.
        note: the numbers of rows and groups, or why the difference is not known.
    """

    other: Model
    difference: Interval | None
    note: str

    @property
    def is_known(self) -> bool:
        """Whether the difference has an interval over enough groups."""
        known = self.difference is not None and self.difference.groups is not None
        return known and self.difference.is_firm

    @property
    def is_tie(self) -> bool:
        """Whether the difference is known and may be chance."""
        return self.is_known and not self.difference.excludes(0)


@dataclass(frozen=True)
class Standing:
    """The models judged on one data set.

    Attributes:
        data: name of the data set.
        on_sample: whether it is the bundled sample.
        random_weights: whether the best model's network started from random weights.
        models: the highest AUC first, without the prior.
        gaps: one per model but the first.
    """

    data: str
    on_sample: bool
    random_weights: bool
    models: list[Model]
    gaps: list[Gap]

    @property
    def things(self) -> str:
        """What the rows of the data set are."""
        return "pictures" if self.data == locate.FACES else "clips"


def of_run(results: Mapping[str, dict], folder: Path) -> list[Standing]:
    """Rank the models of a run.

    Args:
        results: notebook name -> content of its results file.
        folder: the output folder, with the predictions.

    Returns:
        One standing per data set on which a model was judged.
    """
    by_data: dict[str, list[Model]] = {}
    for model in models_of(results):
        by_data.setdefault(scores.data_name(results[model.notebook]), []).append(model)
    standings = []
    for data, models in by_data.items():
        best, *others = sorted(models, key=lambda model: -model.auc.value)
        result = results[best.notebook]
        standings.append(
            Standing(
                data,
                scores.on_sample(result),
                scores.has_random_weights(result),
                [best, *others],
                list(_gaps(best, others, result, folder)),
            )
        )
    return standings


def models_of(results: Mapping[str, dict]) -> list[Model]:
    """List every model once: only after calibration, only where it was first judged.

    Args:
        results: notebook name -> content of its results file.

    Returns:
        The models, in the notebooks' order, without the prior.
    """
    models: dict[tuple[str, str], Model] = {}
    for one in scores.models_of(results):
        auc = scores.interval_of(one.scores.get("auc"))
        if auc is not None:
            models.setdefault((one.data, one.name), Model(one.name, one.notebook, auc))
    return list(models.values())


def _gaps(best: Model, others: list[Model], result: dict, folder: Path) -> Iterator[Gap]:
    """Subtract each other model from the best one, by group."""
    if not others:
        return
    groups = comparison.group_of(result)
    if groups is None:
        reason = "the data set is not available, so its people cannot be resampled"
        yield from (Gap(other, None, reason) for other in others)
        return
    of_best = _test_rows(best, folder)
    for other in others:
        difference, note = comparison.paired(
            _test_rows(other, folder), of_best, groups=groups, metric="auc"
        )
        yield Gap(other, difference, note)


def _test_rows(model: Model, folder: Path) -> pd.DataFrame:
    """Return a model's predictions on test rows; no rows if they cannot be read."""
    try:
        table = result_files.read_predictions(
            folder / f"{model.notebook}{result_files.PREDICTIONS}"
        )
    except UsageError:
        table = result_files.read_predictions(folder / "no such file")
    return table[(table["split"] == "test") & (table["model"] == model.name)]


def sentence(standing: Standing) -> str:
    """Say which model is best, from the numbers.

    Args:
        standing: from `of_run`.

    Returns:
        One sentence, or two if random weights qualify it.
    """
    best = standing.models[0]
    origin = "computer-generated " if standing.on_sample else ""
    start = f"On the {origin}test {standing.things}"
    tail = ""
    if standing.random_weights:
        tail = (
            f" The network of {best.name} started from random weights: this says nothing about "
            "transfer learning."
        )
    return f"{start}, {_verdict(standing)}.{tail}"


def _verdict(standing: Standing) -> str:
    """Return the part of the sentence that the numbers decide."""
    best, *others = standing.models
    auc = f"AUC {best.auc:.3f}"
    if not best.auc.is_firm:
        return (
            f"no best model can be named: they show {best.auc.groups} groups of people, and an "
            f"interval needs at least {FEWEST_GROUPS}"
        )
    if best.auc.low <= 0.5:
        return f"no model beats the prior beyond chance; the highest is {best.name}, {auc}"
    if not others:
        return f"{best.name} is the only model judged: {auc}, above the prior's 0.500"
    ties = [gap for gap in standing.gaps if gap.is_tie]
    if ties:
        names = _listed([gap.other.name for gap in ties])
        apart = f"{ties[0].difference:+.3f}"
        which = f" to {ties[0].other.name}" if len(ties) > 1 else ""
        return (
            f"{best.name} has the highest {auc}, but cannot be told apart from {names} "
            f"(paired difference{which} {apart})"
        )
    second = standing.gaps[0]
    if not second.is_known:
        return (
            f"{best.name} has the highest {auc}; whether it is better than {second.other.name} is "
            f"not known: {_reason(second)}"
        )
    return (
        f"{best.name} is best: {auc}, better than {second.other.name} by {second.difference:.3f} "
        f"on the same {standing.things}"
    )


def _reason(gap: Gap) -> str:
    """Say why a difference is not known."""
    if gap.difference is None or gap.difference.groups is None:
        return gap.note
    return f"both were judged on only {gap.difference.groups} groups of people"


def _listed(names: list[str]) -> str:
    """Join names as in a sentence.

    >>> _listed(["a"]), _listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
