"""One sentence on what a notebook showed, from its results file.

It depends on what the file contains, not on the notebook's number. A notebook that saves a string
under the key "finding" of ``extra`` supplies its own sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbhelpers.evaluation.metrics import Interval
from nbhelpers.evaluation.predictions import PRIOR
from nbhelpers.runner import scores, standings

TOO_FEW = "Too few groups of people for a finding."
BY_CENTRE = "minus_centre_prior"  # explanations: method -> measure -> difference


def finding(stem: str, result: dict) -> str:
    """Return what a notebook showed.

    Args:
        stem: its name.
        result: content of its results file.

    Returns:
        One sentence; "" if the file contains no finding.
    """
    extra = result.get("extra")
    extra = extra if isinstance(extra, dict) else {}
    if isinstance(extra.get("finding"), str):
        return extra["finding"]
    for rule in (_of_explanations, _of_leak, _of_recipes, _of_cues):
        if text := rule(extra):
            return text
    return _of_models(stem, result)


def intervals(value: Any) -> dict[str, Interval]:
    """Return the entries of a mapping that are scores; none if it is not a mapping.

    >>> intervals({"a": {"value": 0.5, "low": 0.4, "high": 0.6}, "b": 3})
    {'a': Interval(value=0.5, low=0.4, high=0.6, groups=None)}
    """
    if not isinstance(value, Mapping):
        return {}
    entries = {str(name): scores.interval_of(score) for name, score in value.items()}
    return {name: score for name, score in entries.items() if score is not None}


def better_than_centre(extra: Mapping[str, Any]) -> tuple[str, str, Interval] | None:
    """Return the explanation that beats the centre prior by the largest margin.

    Args:
        extra: of a results file.

    Returns:
        (method, measure, difference); None if no difference is above 0 beyond chance.
    """
    methods = extra.get(BY_CENTRE)
    above = [
        (method, measure, difference)
        for method, measures in (methods.items() if isinstance(methods, Mapping) else ())
        for measure, difference in intervals(measures).items()
        if difference.excludes(0) and difference.value > 0
    ]
    return max(above, key=lambda one: one[2].value, default=None)


def any_firm(extra: Mapping[str, Any]) -> bool:
    """Whether any comparison of an explanation with the centre covers enough people."""
    methods = extra.get(BY_CENTRE)
    return any(
        difference.is_firm
        for measures in (methods.values() if isinstance(methods, Mapping) else ())
        for difference in intervals(measures).values()
    )


def _of_explanations(extra: Mapping[str, Any]) -> str:
    if not extra.get(BY_CENTRE):
        return ""
    best = better_than_centre(extra)
    if best is None and not any_firm(extra):
        return TOO_FEW
    if best is None:
        return (
            "No explanation marks the forged region better than a map that always marks the centre."
        )
    method, measure, difference = best
    return (
        f"{method[:1].upper()}{method[1:]} marks the forged region better than a map that always "
        "marks the centre: "
        f"{measure} {difference:+.3f}."
    )


def _of_leak(extra: Mapping[str, Any]) -> str:
    leak = extra.get("leak")
    shares = {
        name: row.get("group")
        for name, row in (leak.items() if isinstance(leak, Mapping) else ())
        if isinstance(row, Mapping) and isinstance(row.get("group"), int | float)
    }
    if not {"random split", "group split"} <= shares.keys():
        return ""
    return (
        f"With a random split, the people in {shares['random split']:.0%} of the test fakes are "
        f"also in training; with a split by group, in {shares['group split']:.0%}."
    )


def _of_recipes(extra: Mapping[str, Any]) -> str:
    """Say which cross-validated recipe is best, and how far it is from the article's."""
    recipes = extra.get("comparisons") or extra.get("ablation")
    scored = {
        str(name): intervals(row)
        for name, row in (recipes.items() if isinstance(recipes, Mapping) else ())
    }
    firm = {
        name: row
        for name, row in scored.items()
        if name != PRIOR and "auc" in row and row["auc"].is_firm
    }
    if not firm:
        return ""
    name, best = max(firm.items(), key=lambda one: one[1]["auc"].value)
    text = f"The recipe with the highest AUC is {name}: {best['auc']:.3f}, cross-validated"
    article = extra.get("ablation_article", "article")
    if "minus" in best and name != article:
        text += f"; difference from the article's on the same clips {best['minus']:+.3f}"
    return f"{text}."


def _of_cues(extra: Mapping[str, Any]) -> str:
    cues = intervals(extra.get("cue_auc") or extra.get("cues_auc"))
    if not cues:
        return ""
    firm = {name: score for name, score in cues.items() if score.is_firm}
    if not firm:
        return TOO_FEW
    name, score = max(firm.items(), key=lambda one: abs(one[1].value - 0.5))
    name = name.replace("_", " ")
    if score.excludes(0.5):
        return f"The strongest cue besides the faces is {name}: AUC {score:.3f}."
    return f"No cue besides the faces separates the classes; the strongest is {name}: {score:.3f}."


def _of_models(stem: str, result: dict) -> str:
    models = sorted(standings.models_of({stem: result}), key=lambda model: -model.auc.value)
    if not models:
        return ""
    best, *others = models
    if not best.auc.is_firm:
        return f"{best.auc.groups} groups of people in the test split: too few for a finding."
    text = f"{best.name} reaches AUC {best.auc:.3f}"
    if best.auc.low <= 0.5:
        text += ", not above the prior beyond chance"
    return f"{text}; {others[0].name} {others[0].auc:.3f}." if others else f"{text}."
