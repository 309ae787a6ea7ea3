"""The README's chart, drawn from the measured numbers in docs/real_faces.json."""

import argparse
import json
import sys
from pathlib import Path

from nbhelpers.common import files
from nbhelpers.common.errors import UsageError
from nbhelpers.data import locate
from nbhelpers.runner import scores
from tools import command_line

HELP = "draw the README's chart, light and dark"
EXAMPLES = """
examples:
  python -m tools.chart                      docs/real_faces.json -> both docs/real_faces-*.svg
  python -m tools.chart --out runs/faces     a run on real faces -> docs/real_faces.json, and both

Exit code: 0 drawn, 2 a run on the bundled sample, or without the models of notebooks 02 and 03.
"""
SOURCE = "docs/real_faces.json"
TITLE = "Fake or real? People the detector has never seen"
MODELS = {  # from the lowest row up
    "article_cnn": ("article's baseline CNN", "article"),
    "residual_cnn": ("our small residual network", "ours"),
    "article_xception": ("article's Xception", "article"),
    "our_xception": ("our Xception", "ours"),
}
THEMES = {
    "light": {"text": "#1c2127", "ours": "#0b7a57", "article": "#8a5a83"},
    "dark": {"text": "#e6e9ed", "ours": "#3fd0a0", "article": "#d9a3cf"},
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the program's arguments."""
    parser.add_argument("--out", default="", metavar="O", help="a run on real faces to read first")


def main(chosen: argparse.Namespace) -> int:
    """Draw both versions."""
    source = locate.project_root() / SOURCE
    if chosen.out:
        content = content_of(scores.read_results(Path(chosen.out).expanduser()))
        files.write_text(source, json.dumps(content, indent=1) + "\n")
    content = json.loads(source.read_text(encoding="utf-8"))
    for theme, colours in THEMES.items():
        draw(content, source.with_name(f"{source.stem}-{theme}.svg"), colours=colours)
    return 0


def content_of(results: dict[str, dict]) -> dict:
    """Return what the chart shows about a run.

    Args:
        results: notebook name -> content of its results file.

    Returns:
        The content for `draw`.

    Raises:
        UsageError: the run is on the sample, lacks a model, or shows too few people.
    """
    judged = {one.name: one for one in scores.models_of(results) if one.name in MODELS}
    aucs = {name: scores.interval_of(one.scores.get("auc")) for name, one in judged.items()}
    firm = [name for name in MODELS if aucs.get(name) is not None and aucs[name].is_firm]
    of_sample = [name for name, one in judged.items() if scores.on_sample(results[one.notebook])]
    sizes = {one.n for one in judged.values()}
    if firm != list(MODELS) or of_sample or len(sizes) != 1:
        raise UsageError(
            f"Expected {', '.join(MODELS)} on the same real faces, with intervals; received "
            f"{', '.join(firm) or 'none'}{' on the bundled sample' if of_sample else ''}. Run "
            "notebooks 02 and 03 with --data-dir."
        )
    prior = next(
        interval.value
        for one in scores.priors_of(results)
        if (interval := scores.interval_of(one.scores.get("auc")))
    )
    rows = [
        {"name": name, "whose": whose}
        | {key: round(getattr(aucs[model], key), 3) for key in ("value", "low", "high")}
        for model, (name, whose) in MODELS.items()
    ]
    axis = f"AUC on {sizes.pop():,} real-face pictures, 95 % interval"
    return {"title": TITLE, "axis": axis, "prior": prior, "rows": rows}


def draw(content: dict, target: Path, *, colours: dict[str, str]) -> None:
    """Draw values with their intervals, and the prior as a line.

    Args:
        content: ``title, axis, prior``, and ``rows`` with ``name, whose, value, low, high``.
        target: an SVG file.
        colours: of ``text``, and of each ``whose``.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    rows = content["rows"]
    # Text stays text, and the file does not depend on the time of drawing.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "nbhelpers", "font.size": 11}):
        figure = Figure(figsize=(7.6, 0.9 + 0.5 * len(rows)), layout="constrained")
        ax = figure.subplots()
        for height, row in enumerate(rows):
            colour = colours[row["whose"]]
            ax.plot([row["low"], row["high"]], [height, height], color=colour, linewidth=3)
            ax.plot(row["value"], height, "o", color=colour, markersize=9)
            label = f"{row['value']:.2f}"
            ax.annotate(label, (row["high"], height), (8, -4), textcoords="offset points")
        ax.axvline(content["prior"], color=colours["text"], linestyle="--", linewidth=1)
        ax.annotate(
            "guessing", (content["prior"], len(rows) - 0.6), (6, 0), textcoords="offset points"
        )
        ax.set_yticks(range(len(rows)), [row["name"] for row in rows])
        ax.set(xlim=(0.45, 1.0), ylim=(-0.6, len(rows) - 0.4), xlabel=content["axis"])
        ax.set_title(content["title"], loc="left", fontsize=13, fontweight="bold")
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.tick_params(axis="y", length=0)
        for text in figure.findobj(mpl.text.Text):
            text.set_color(colours["text"])
        ax.spines["bottom"].set_color(colours["text"])
        ax.tick_params(axis="x", color=colours["text"])
        with files.whole(target) as draft:
            figure.savefig(draft, transparent=True, metadata={"Date": None})


if __name__ == "__main__":
    command_line.run_as_program(sys.modules[__name__])
