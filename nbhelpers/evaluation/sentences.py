"""Conclusions from the numbers of a run, with a sentence for every possible outcome.

Lessons print them. Prose that states in advance what a rerun will show becomes wrong sooner or
later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from nbhelpers.evaluation.metrics import Interval

SMALL_GAP = 0.05  # of accuracy: a difference not worth an explanation


def comparison(difference: Interval, *, first: str, second: str, metric: str = "AUC") -> str:
    """Say which of two is better.

    Args:
        difference: first minus second on the same pictures, from `metrics.paired_difference`; of a
            metric where higher is better.
        first: name of the first.
        second: name of the second.
        metric: its name.

    Returns:
        Two sentences, a line each.

    >>> print(comparison(Interval(0.1, -0.1, 0.3, 9), first="ours", second="theirs"))
    ours minus theirs: AUC +0.10 [-0.10, +0.30].
    The interval includes zero: this run cannot tell them apart.
    """
    text = f"{first} minus {second}: {metric} {difference:+.2f}.\n"
    if not difference.is_firm:
        return text + "Too few groups of people for a verdict."
    if not difference.excludes(0):
        return text + "The interval includes zero: this run cannot tell them apart."
    better, worse = (first, second) if difference.value > 0 else (second, first)
    return text + f"The interval excludes zero: here {better} is better than {worse}."


def gap(*, training: float, again: float, validation: float) -> str:
    """Say whether new people or batch normalisation cause a gap of training and validation.

    In training, batch normalisation depends on the other pictures of the batch; in inference, it
    uses moving averages. Scoring the training pictures again in inference separates the two
    causes, since they show no new people.

    Args:
        training: accuracy on the training pictures, measured while training.
        again: accuracy of the same network on the same pictures, in inference.
        validation: accuracy on the validation people.

    Returns:
        Two sentences.
    """
    text = (
        f"Training people {training:.2f} while training, {again:.2f} when scored again; "
        f"validation people {validation:.2f}.\n"
    )
    by_norm, by_people = training - again, again - validation
    if training - validation < SMALL_GAP:
        return text + "No gap to explain."
    if by_people < SMALL_GAP:
        return text + "The gap stays with people it knows: the moving averages make it."
    if by_norm < SMALL_GAP:
        return text + "The gap comes with new people: the network knows its own by heart."
    return text + "Both make it: the moving averages, and people it has not met."


def damage(curves: pd.DataFrame) -> str:
    """Say which damage costs a detector skill.

    Args:
        curves: from `robustness.curves`.

    Returns:
        Two sentences: the damages whose loss is beyond chance, and the largest loss.
    """
    damaged = curves[curves["corruption"] != "clean"]
    proven = damaged[[change.high < 0 and change.excludes(0) for change in damaged["change"]]]
    names = [f"{row.corruption} ({row.level})" for row in proven.itertuples()]
    worst = damaged.loc[damaged["value"].idxmin()]
    text = f"Largest loss: {worst['corruption']} ({worst['level']}), AUC {worst['change']:+.2f}.\n"
    if not all(change.is_firm for change in damaged["change"]):
        return text + "Too few groups of people to say which losses are more than chance."
    if not names:
        return text + "No loss is beyond what chance explains with so few pictures."
    return text + f"Beyond chance (interval below zero): {', '.join(names)}."


def against_blob(differences: Mapping[str, Mapping[str, Interval]], measure: str) -> str:
    """Say which explanation methods beat the blob in the middle in one measure, and which lose.

    Args:
        differences: method -> measure -> method minus the blob; higher is better.
        measure: its name, for example "insertion".

    Returns:
        One sentence.
    """
    won = [name for name, row in differences.items() if row[measure].low > 0]
    lost = [name for name, row in differences.items() if row[measure].high < 0]
    even = [name for name in differences if name not in (*won, *lost)]
    if not all(row[measure].is_firm for row in differences.values()):
        return f"{measure}: too few groups of people for a verdict against the blob."
    parts = [f"the blob loses to {_listed(won)}"] * bool(won)
    parts += [f"the blob beats {_listed(lost)}"] * bool(lost)
    parts += [f"no difference for {_listed(even)}"] * bool(even)
    return f"{measure}: {'; '.join(parts)}."


def method(name: str, *, centre: Mapping, noise: Mapping, stability: Mapping) -> str:
    """Put what was measured of one explanation method into a sentence.

    Args:
        name: of the method.
        centre: measure of the truth -> method minus the blob in the middle, an `Interval`.
        noise: measure -> method minus noise: `insertion` (higher is better), `deletion` (lower is).
        stability: `shift` and `random weights`, rank agreements as `Interval`.

    Returns:
        Lines: the name, and what was measured against the truth, the model, and itself.
    """
    steady = (
        f"  stability: agreement {stability['shift'].value:.2f} after a shift of one pixel, "
        f"{stability['random weights'].value:.2f} with a scrambled network"
    )
    compared = [*centre.values(), noise["insertion"], noise["deletion"]]
    if not all(interval.is_firm for interval in compared):
        return f"{name}\n  too few groups of people for a verdict\n{steady}"
    truth = [measure for measure, difference in centre.items() if difference.low > 0]
    faithful = ["insertion"] * (noise["insertion"].low > 0)
    faithful += ["deletion"] * (noise["deletion"].high < 0)
    return (
        f"{name}\n  truth: {_better(truth, than='the blob')}\n"
        f"  model: {_better(faithful, than='noise')}\n{steady}"
    )


def _better(measures: Sequence[str], *, than: str) -> str:
    return f"beats {than} in {_listed(measures)}" if measures else f"no better than {than}"


def domain_change(judged: Mapping[str, Interval | None], *, name: str, local: str) -> str:
    """Say what a change of data costs a detector.

    Args:
        judged: from `judging.abroad`: `auc`, `minus_kept`, `auc_on_its_own_data`; or empty.
        name: what to call the detector.
        local: what to call the one that was trained here.

    Returns:
        Two lines; one where nothing was judged.
    """
    if not judged:
        return f"Left out: {name} is missing, or has met nearly all of these people."
    auc, home = judged["auc"], judged["auc_on_its_own_data"]
    if not auc.is_firm:
        chance = "from too few groups of people for a verdict"
    elif not auc.excludes(0.5):
        chance = "not distinguishable from guessing"
    else:
        chance = "above chance" if auc.low > 0.5 else "below chance: it ranks these backwards"
    at_home = "unknown" if home is None else f"{home:.2f}"
    return (
        f"{name}: AUC {at_home} on the data that it was made for, {auc:.2f} here, {chance}.\n"
        + comparison(judged["minus_kept"], first=name, second=local)
    )


def answers(y_score: Sequence[float], *, name: str, threshold: float = 0.5) -> str:
    """Say how a model's answers are shared out: a model that says the same of all knows nothing.

    Args:
        y_score: P(fake) of each clip or picture, 0 to 1.
        name: of the model.
        threshold: score from which the answer is FAKE.

    Returns:
        One sentence.

    >>> answers([0.6, 0.9], name="the GRU")
    'the GRU gives all 2 the same answer, FAKE: as an answer, that is worth nothing.'
    >>> answers([0.6, 0.2, 0.1], name="the mean")
    'the mean answers FAKE for 1 of 3 and REAL for 2.'
    """
    called = sum(score >= threshold for score in y_score)
    if called in (0, len(y_score)):
        answer = "FAKE" if called else "REAL"
        return (
            f"{name} gives all {len(y_score)} the same answer, {answer}: as an answer, that is "
            "worth nothing."
        )
    return (
        f"{name} answers FAKE for {called} of {len(y_score)} and REAL for {len(y_score) - called}."
    )


def _listed(names: Sequence[str]) -> str:
    """Join names: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
