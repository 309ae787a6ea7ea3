"""The README's chart, drawn from the measured numbers in docs/real_faces.json."""

import argparse
import json
import sys
from pathlib import Path

from nbhelpers.common import files
from nbhelpers.data import locate
from tools import command_line

HELP = "draw the README's chart, light and dark"
EXAMPLES = """
examples:
  python -m tools.chart            docs/real_faces.json -> docs/real_faces-light.svg and -dark.svg

Exit code: 0 drawn.
"""
SOURCE = "docs/real_faces.json"
THEMES = {
    "light": {"text": "#1c2127", "ours": "#0b7a57", "article": "#8a5a83"},
    "dark": {"text": "#e6e9ed", "ours": "#3fd0a0", "article": "#d9a3cf"},
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: there is nothing to choose."""


def main(chosen: argparse.Namespace) -> int:
    """Draw both versions."""
    source = locate.project_root() / SOURCE
    content = json.loads(source.read_text(encoding="utf-8"))
    for theme, colours in THEMES.items():
        draw(content, source.with_name(f"{source.stem}-{theme}.svg"), colours=colours)
    return 0


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
