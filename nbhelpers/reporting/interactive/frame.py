"""What all interactive figures share: frame, style, script and output.

A figure has one control and a list of states, one for each position of the control. The names in a
state decide what the script changes:

- ``--name``: a CSS variable of the figure (positions, shares);
- ``picture``: which child of every ``data-pick`` element is visible;
- ``counts``: how many children of every ``data-fill`` element are of each kind, in order;
- any other name: the text of every ``data-text`` element of that name.

Nothing has an id and nothing is global, so any number of figures fit on one page. Text and
background inherit the page's colours, and so follow its colour scheme.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nbhelpers.reporting import display
from nbhelpers.reporting.interactive.assets import SCRIPT, STYLE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LIMIT = 300_000  # bytes of a figure's HTML
OWN_KEYS = 'data-lm-suppress-shortcuts="true"'  # or JupyterLab would catch the arrow keys

State = Mapping[str, Any]


def show(
    body: str, *, title: str, states: Sequence[State], start: int, still: Figure, sentence: str
) -> None:
    """Show a figure in all three forms.

    Args:
        body: HTML with one `slider` or `choice` in it, every text escaped.
        title: plain text; names the figure.
        states: one for each position of the control, in order.
        start: the position that is shown first.
        still: an equivalent Matplotlib figure; it is closed.
        sentence: plain text that summarises the figure.

    Raises:
        ValueError: the HTML is larger than ``LIMIT``.
    """
    page = figure_html(body, title=title, states=states, start=start)
    if len(page.encode()) > LIMIT:
        raise ValueError(
            f"Expected at most {LIMIT // 1000} kB for an interactive figure; received "
            f"{len(page.encode()) // 1000} kB. Pass fewer points or pictures."
        )
    bundle = {"text/html": page, "image/jpeg": display.jpeg_of(still), "text/plain": sentence}
    display.publish(bundle, description=f"{title.rstrip('?.')}: {sentence}")


def figure_html(body: str, *, title: str, states: Sequence[State], start: int) -> str:
    """Put a body into the frame.

    Args:
        body: HTML, every text escaped.
        title: plain text.
        states: one for each position of the control, in order.
        start: the position that is shown first.

    Returns:
        HTML of this figure alone, with its style and script.
    """
    data = json.dumps(list(states), ensure_ascii=False, separators=(",", ":"))
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), ("'", "&#39;")):
        data = data.replace(char, entity)
    variables = "".join(
        f"{name}:{value};" for name, value in states[start].items() if name.startswith("--")
    )
    return (
        f'<div class="nbh-figure" role="group" aria-label="{html.escape(title)}" '
        f"style=\"{variables}\" data-states='{data}'>"
        f'<style>{STYLE}</style><p class="nbh-title">{html.escape(title)}</p>'
        f"{body}</div><script>{SCRIPT}</script>"
    )


def bound(name: str, state: State, *, tag: str = "span") -> str:
    """Return an element whose text the control changes.

    Args:
        name: key of the text in the states.
        state: the one that is shown first.
        tag: HTML tag of the element.
    """
    return f'<{tag} data-text="{name}">{html.escape(str(state[name]))}</{tag}>'


def status(state: State) -> str:
    """Return the sentence of a state, which screen readers read out when it changes."""
    text = html.escape(state["sentence"])
    return f'<p class="nbh-status" role="status" data-text="sentence">{text}</p>'


def slider(label: str, *, states: Sequence[State], start: int) -> str:
    """Return a slider with its label and its value.

    Args:
        label: plain text.
        states: one for each position; their ``value`` names the position.
        start: the first position.
    """
    value = html.escape(str(states[start]["value"]))
    return (
        f'<div class="nbh-slider"><label><span>{html.escape(label)}</span>'
        f'<input type="range" data-control {OWN_KEYS} min="0" max="{len(states) - 1}" step="1" '
        f'value="{start}" aria-valuetext="{value}"></label>'
        f'<strong data-text="value" aria-hidden="true">{value}</strong></div>'
    )


def choice(label: str, *, names: Sequence[str]) -> str:
    """Return a list to pick from; the first name is picked.

    Args:
        label: plain text.
        names: plain texts, one for each state.
    """
    options = "".join(
        f'<option value="{number}">{html.escape(name)}</option>'
        for number, name in enumerate(names)
    )
    return (
        f'<div class="nbh-choice"><label><span>{html.escape(label)}</span>'
        f"<select data-control {OWN_KEYS}>{options}</select></label></div>"
    )
