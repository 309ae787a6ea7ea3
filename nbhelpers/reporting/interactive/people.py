"""What an alarm is worth where fakes are rare."""

from __future__ import annotations

import matplotlib.pyplot as plt

from nbhelpers.reporting.interactive import frame
from nbhelpers.reporting.plots import COLOURS

SHARES = (
    *(0.001, 0.002, 0.003, 0.004, 0.005, 0.007, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.07),
    *(0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5),
)  # nearly even steps on a logarithmic scale, then steps of five percentage points
FIRST = 0.01
MOST_PEOPLE = 3000
TITLE = "How many of those called fake are fake?"


def prevalence(*, sensitivity: float, specificity: float, people: int = 1000) -> None:
    """Show how many reals a detector accuses at a share of fakes that the reader picks.

    Args:
        sensitivity: share of the fakes that are called fake, 0 to 1.
        specificity: share of the reals that are called real, 0 to 1.
        people: pictures in all, one person each, 100 to 3000.

    Raises:
        ValueError: a number outside its range.
    """
    for name, value in (("sensitivity", sensitivity), ("specificity", specificity)):
        if not 0 <= value <= 1:
            raise ValueError(
                f"Expected {name} in [0, 1]; received {value}. Divide per cent by 100."
            )
    if people != int(people) or not 100 <= people <= MOST_PEOPLE:
        raise ValueError(
            f"Expected 100 to {MOST_PEOPLE} people; received {people}. Each is drawn as one dot."
        )
    states = [_state(share, sensitivity, specificity, int(people)) for share in SHARES]
    start = SHARES.index(FIRST)
    first = states[start]
    names = ("fakes caught", "fakes missed", "reals accused", "reals let pass")
    key = "".join(
        f'<span><i class="nbh-kind-{kind}"></i>{frame.bound(f"n{kind}", first)} {name}</span>'
        for kind, name in enumerate(names)
    )
    kinds = [kind for kind, count in enumerate(first["counts"]) for _ in range(count)]
    dots = "".join(f'<i class="nbh-kind-{kind}"></i>' for kind in kinds)
    body = (
        frame.slider("Share of fakes", states=states, start=start)
        + f'<div class="nbh-key">{key}</div>'
        + f'<div class="nbh-people" data-fill aria-hidden="true">{dots}</div>'
        + frame.status(first)
    )
    frame.show(
        body,
        title=TITLE,
        states=states,
        start=start,
        still=_still(states),
        sentence=first["sentence"],
    )


def _state(share: float, sensitivity: float, specificity: float, people: int) -> dict:
    fakes = round(people * share)
    caught = round(fakes * sensitivity)
    accused = round((people - fakes) * (1 - specificity))
    counts = [caught, fakes - caught, accused, people - fakes - accused]
    alarms = share * sensitivity + (1 - share) * (1 - specificity)
    if alarms:
        right = f"In the long run an alarm is right in {share * sensitivity / alarms:.1%} of cases."
    else:
        right = "This detector never raises an alarm."
    sentence = (
        f"Of {people} pictures {_count(fakes, 'is', 'are')} fake. The detector calls "
        f"{caught + accused} fake: {_count(caught, 'fake', 'fakes')} and "
        f"{_count(accused, 'real', 'reals')}. {right}"
    )
    texts = {f"n{kind}": str(count) for kind, count in enumerate(counts)}
    return {"value": f"{share:.1%}", "counts": counts, "sentence": sentence, **texts}


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _still(states: list[dict]):
    """Draw bars of the pictures called fake for a few shares, one row per share."""
    figure, ax = plt.subplots(figsize=(6.5, 2.9))
    rows = [SHARES.index(share) for share in (0.5, 0.2, 0.05, 0.01, 0.001)]
    for height, row in enumerate(reversed(rows)):
        caught, _, accused, _ = states[row]["counts"]
        ax.barh(height, caught, color=COLOURS["FAKE"], label="fakes caught" if not height else None)
        ax.barh(
            height,
            accused,
            left=caught,
            color=COLOURS["REAL"],
            label="reals accused" if not height else None,
        )
        ax.text(caught + accused, height, f"  {caught} fake, {accused} real", va="center")
    ax.set(
        yticks=range(len(rows)),
        yticklabels=[states[row]["value"] for row in reversed(rows)],
        ylabel="share of fakes",
        xlabel=f"called fake, of {sum(states[0]['counts'])} pictures",
        title=TITLE,
    )
    ax.margins(x=0.3)
    ax.legend(loc="lower right")
    return figure
