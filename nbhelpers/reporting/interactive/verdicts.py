"""One threshold, four numbers."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import ArrayLike

from nbhelpers.reporting import plots
from nbhelpers.reporting.interactive import axes, checks, frame

STEPS = 100
BINS = 25
TITLE = "Where to draw the line: verdicts at a threshold"


def threshold(y_true: ArrayLike, y_score: ArrayLike, *, threshold: float = 0.5) -> None:
    """Show both classes' scores with a threshold that the reader moves, and the verdicts.

    Args:
        y_true: (N,) of 0 (real) and 1 (fake), both present.
        y_score: (N,) P(fake), 0 to 1; rows at or above the threshold are called FAKE.
        threshold: the initial one, 0 to 1; rounded to a hundredth.

    Raises:
        ValueError: shapes differ, one class only, or numbers outside [0, 1].
    """
    y = np.asarray(y_true)
    score = checks.unit(y_score, name="y_score", shape=(y.size,))
    if y.ndim != 1 or set(np.unique(y)) != {0, 1}:
        raise ValueError(
            f"Expected y_true (N,) with both 0 (real) and 1 (fake); received shape "
            f"{y.shape} with {np.unique(y)[:5].tolist()}. Pass labels of both classes."
        )
    if not 0 <= threshold <= 1:
        raise ValueError(f"Expected threshold in [0, 1]; received {threshold}. Pass a P(fake).")
    states = [_state(y == 1, score, step / STEPS) for step in range(STEPS + 1)]
    start = round(threshold * STEPS)
    first = states[start]
    body = (
        frame.slider("Threshold", states=states, start=start)
        + f'<div class="nbh-columns"><div>{_histogram(y, score)}</div>'
        + f"<div>{_matrix(first)}</div></div>{frame.status(first)}"
    )
    frame.show(
        body,
        title=TITLE,
        states=states,
        start=start,
        still=_still(y, score, start / STEPS),
        sentence=first["sentence"],
    )


def _state(fake: np.ndarray, score: np.ndarray, at: float) -> dict:
    """Return the counts and rates at one threshold, as texts; `--…` are shares of a row."""
    called = score >= at
    fakes, reals = int(fake.sum()), int((~fake).sum())
    caught, accused = int((called & fake).sum()), int((called & ~fake).sum())
    false_alarms, recall = accused / reals, caught / fakes
    right = (caught + reals - accused) / len(fake)
    return {
        "--x": round(at, 4),
        "--real-real": f"{22 * (1 - false_alarms):.1f}%",
        "--real-fake": f"{22 * false_alarms:.1f}%",
        "--fake-real": f"{22 * (1 - recall):.1f}%",
        "--fake-fake": f"{22 * recall:.1f}%",
        "value": f"{at:.2f}",
        "real-real": str(reals - accused),
        "real-fake": str(accused),
        "fake-real": str(fakes - caught),
        "fake-fake": str(caught),
        "accuracy": f"{right:.1%}",
        "balanced": f"{(recall + 1 - false_alarms) / 2:.1%}",
        "alarms": f"{false_alarms:.1%}",
        "sentence": f"At {at:.2f}, {caught} of {fakes} fakes are caught and {accused} of {reals} "
        "reals are accused.",
    }


def _histogram(y: np.ndarray, score: np.ndarray) -> str:
    """Draw fakes upwards and reals downwards, each as shares of its class."""
    shares = {
        label: np.histogram(score[y == label], BINS, (0, 1))[0] / (y == label).sum()
        for label in (0, 1)
    }
    top = max(values.max() for values in shares.values())
    marks = ""
    for label, tag, edge in ((1, "b", "bottom"), (0, "i", "top")):
        for number, share in enumerate(shares[label]):
            if share:
                marks += (
                    f'<{tag} style="left:{100 * (number + 0.06) / BINS:.2f}%;'
                    f'width:{88 / BINS:.2f}%;{edge}:50%;height:{48 * share / top:.2f}%"></{tag}>'
                )
    marks += '<span class="nbh-rule" style="top:50%"></span><span class="nbh-line"></span>'
    heights = [(0.5 + side * 0.48, f"{top:.0%}") for side in (-1, 1)] + [(0.5, "0")]
    key = (
        '<div class="nbh-key"><span><i class="nbh-fake"></i>fakes, upwards</span>'
        '<span><i class="nbh-real"></i>reals, downwards</span></div>'
    )
    return key + axes.plot(
        marks,
        x_label="P(fake)",
        y_label="share of the class",
        x_ticks=axes.labelled((0, 1)),
        y_ticks=heights,
    )


def _matrix(first: dict) -> str:
    rows = ""
    for truth in ("real", "fake"):
        cells = ""
        for verdict in ("real", "fake"):
            name = f"{truth}-{verdict}"
            shade = f"color-mix(in srgb, currentColor var(--{name}), transparent)"
            cells += (
                f'<td style="background-color:{shade}">{frame.bound(name, first, tag="b")}</td>'
            )
        rows += f'<tr><th scope="row">{truth.upper()}</th>{cells}</tr>'
    facts = "".join(
        f"<div>{frame.bound(name, first, tag='b')}{text}</div>"
        for name, text in (
            ("accuracy", "accuracy"),
            ("balanced", "balanced accuracy"),
            ("alarms", "reals accused"),
        )
    )
    return (
        '<table><thead><tr><th scope="col">truth</th><th scope="col">called REAL</th>'
        f'<th scope="col">called FAKE</th></tr></thead><tbody>{rows}</tbody></table>'
        f'<div class="nbh-facts">{facts}</div>'
    )


def _still(y: np.ndarray, score: np.ndarray, at: float):
    from nbhelpers.evaluation import calibration

    figure, (left, right) = plt.subplots(1, 2, figsize=(7.5, 3.2))
    plots.plot_score_histogram(np.where(y == 1, "FAKE", "REAL"), score, ax=left)
    left.axvline(at, color="black", linewidth=1.5)
    left.set(ylabel="pictures", title=f"threshold {at:.2f}")
    plots.plot_confusion(calibration.confusion(y, score, threshold=at), ax=right)
    return figure
