"""The index page of a run: every notebook, its picture, its scores."""

import html
from pathlib import Path

from nbhelpers.common.html import page
from nbhelpers.runner import findings, forest, score_table, scores, standings, trust
from nbhelpers.runner.notebooks import number_of
from nbhelpers.runner.run_record import Outcome
from nbhelpers.runner.standings import Standing

TITLE = "Deepfake detection: a run of the notebooks"
STYLE = """
.verdict { font-size: 1.2rem; line-height: 1.4; margin: .8rem 0; font-weight: 600; }
.tiles { display: grid; gap: .7rem; margin: 1rem 0; padding: 0; list-style: none;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); }
.tile { background: var(--card); border: 1px solid var(--line); border-left: 6px solid var(--mark);
  border-radius: 8px; padding: .6rem .9rem; font-size: .92rem; overflow-wrap: anywhere; }
.tile b { display: block; color: var(--mark); font-size: 1rem; }
.tile.good { --mark: var(--good); } .tile.warning { --mark: var(--bad); }
.tile.unknown { --mark: var(--faint); }
.panels { margin: 1rem 0; align-items: start; }
.cards { align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 27rem), 1fr)); }
.cover { border-bottom: 1px solid var(--line); }
.cover img { aspect-ratio: auto; max-height: 24rem; }
details summary { cursor: pointer; font-weight: 600; padding: .4rem 0; }
"""


def data_banner(results: dict[str, dict]) -> str | None:
    """Return the note that the numbers come from the bundled sample, not from real data.

    Args:
        results: notebook name -> content of its results file.

    Returns:
        None if no notebook ran on the sample.
    """
    sampled = [stem for stem, result in results.items() if scores.on_sample(result)]
    if not sampled:
        return None
    whole = "" if len(sampled) == len(results) else f" (This applies to {', '.join(sampled)}.)"
    return scores.SAMPLE_NOTE + whole


def index_html(
    outcomes: dict[str, Outcome],
    *,
    results: dict[str, dict],
    titles: dict[str, str],
    covers: dict[str, str],
    folder: Path,
) -> str:
    """Write the index page.

    Args:
        outcomes: notebook name -> its outcome, in the order to show.
        results: notebook name -> content of its results file, if there is one.
        titles: notebook name -> its first heading.
        covers: notebook name -> `<img>`, from `covers.cover`.
        folder: the output folder; only files that exist there are linked.

    Returns:
        An HTML page that needs no other file.
    """
    banners = ""
    if note := data_banner(results):
        banners += f'<p class="banner">{html.escape(note)}</p>'
    if randoms := [stem for stem, result in results.items() if scores.has_random_weights(result)]:
        text = f"{scores.RANDOM_NOTE} (In: {', '.join(randoms)}.)"
        banners += f'<p class="banner alarm">{html.escape(text)}</p>'
    cards = "\n".join(
        _card(stem, outcome, results.get(stem, {}), titles.get(stem, stem), covers, folder)
        for stem, outcome in outcomes.items()
    )
    body = f"""{banners}
{_answer(results, folder)}
<h2>Notebooks</h2>
<p class="facts">{_counts_of(outcomes)}</p>
<div class="cards">
{cards}
</div>
<h2>Numbers</h2>
<details><summary>All scores</summary>{score_table.table_html(results)}</details>
<ul class="facts">{_facts(results)}</ul>"""
    return page(TITLE, body, style=STYLE + forest.STYLE)


def _answer(results: dict[str, dict], folder: Path) -> str:
    """Write which model is best, whether that can be trusted, and the plots that show it."""
    ranked = standings.of_run(results, folder)
    if not ranked:
        return f'<p class="verdict">{html.escape(standings.NOTHING_JUDGED)}</p>'
    verdicts = "".join(
        f'<p class="verdict">{html.escape(standings.sentence(one))}</p>' for one in ranked
    )
    cells = "".join(
        f'<li class="tile {tile.state}"><b>'
        f'<span aria-hidden="true">{trust.MARKS[tile.state]}</span>'
        f" {html.escape(tile.title)}</b> <span>{html.escape(tile.text)}</span></li>"
        for tile in trust.tiles(results, ranked, folder=folder)
    )
    plots = "".join(_plots(one) for one in ranked)
    return f'{verdicts}<ul class="tiles">{cells}</ul>{plots}'


def _plots(standing: Standing) -> str:
    """Draw the AUC of each model, and how far the best one is from the others."""
    rows = [forest.Row(model.label, model.auc, f"{model.auc:.3f}") for model in standing.models]
    panels = forest.figure(
        f"AUC on the test {standing.things}",
        rows,
        reference=0.5,
        reference_name="the prior (0.5)",
        ends=(forest.limits(rows, reference=0.5)[0], 1.0),
    )
    gaps = [
        forest.Row(
            f"minus {gap.other.label}",
            gap.difference,
            "not known" if gap.difference is None else f"{gap.difference:+.3f}",
        )
        for gap in standing.gaps
    ]
    best = standing.models[0].label
    panels += forest.differences(
        f"AUC of {best} minus the others, on the same {standing.things}", gaps
    )
    return f'<div class="panels">{panels}</div>'


def _counts_of(outcomes: dict[str, Outcome]) -> str:
    """Say how many notebooks ran, and for how long."""
    counts = {
        status: sum(outcome.status == status for outcome in outcomes.values())
        for status in ("done", "failed", "skipped")
    }
    statuses = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    seconds = sum(outcome.seconds for outcome in outcomes.values())
    return f"{statuses or 'nothing run'}; {duration(seconds)} in all"


def _facts(results: dict[str, dict]) -> str:
    """Return list items: which notebooks used which data."""
    places: dict[str, list[str]] = {}
    for stem, result in results.items():
        places.setdefault(_data_text(result), []).append(number_of(stem))
    items = [
        f"{text} (notebook{'s' * (len(numbers) > 1)} {', '.join(numbers)})"
        for text, numbers in places.items()
    ]
    if not results:
        items.append("No notebook has reported the data it used yet.")
    return "".join(f"<li>{html.escape(item)}</li>" for item in items)


def _data_text(result: dict) -> str:
    """Return which data a notebook used, and from where."""
    data = result.get("data", {})
    origin = data.get("origin", "place unknown")
    root = "" if scores.on_sample(result) else f", {data.get('root', 'folder unknown')}"
    return f"Data: {data.get('name', 'unknown')}, {origin}{root}"


def _counts_text(result: dict) -> str:
    """Return the class counts of each split on one line."""
    counts = result.get("data", {}).get("counts", {})
    return "; ".join(
        f"{split} " + " + ".join(f"{count} {label}" for label, count in classes.items())
        for split, classes in counts.items()
        if isinstance(classes, dict)
    )


def _card(
    stem: str, outcome: Outcome, result: dict, title: str, covers: dict[str, str], folder: Path
) -> str:
    """Write the card of one notebook: picture, title, status, links."""
    text = html.escape
    page = folder / f"{stem}.html"
    picture = covers.get(stem, "")
    if page.is_file():
        inner = picture or "no picture"
        style = "cover" if picture else "cover none"
        picture = f'<a class="{style}" href="{text(page.name)}">{inner}</a>'
        title_html = f'<a href="{text(page.name)}">{text(title)}</a>'
    else:
        picture = f'<span class="cover none">{text(outcome.status)}</span>'
        title_html = text(title)
    links = [
        f'<a href="{text(stem + suffix)}">{label}</a>'
        for suffix, label in (
            (".html", "page"),
            (".ipynb", "notebook"),
            (".results.json", "results"),
            (".predictions.csv", "predictions"),
            (".log", "log"),
        )
        if (folder / (stem + suffix)).is_file()
    ]
    status = f'<span class="{text(outcome.status)}">{text(outcome.status)}</span>'
    if outcome.seconds:
        status += f" in {duration(outcome.seconds)}"
    if isinstance(memory := result.get("peak_memory_mb"), int | float):
        status += f", up to {memory / 1024:.1f} GB of memory"
    lines = []
    if sentence := findings.finding(stem, result):
        lines.append(f"<p>{text(sentence)}</p>")
    lines.append(f'<p class="small">{status}</p>')
    if outcome.message:
        lines.append(f'<p class="small">{text(outcome.message)}</p>')
    if counts := _counts_text(result):
        lines.append(f'<p class="small">{text(counts)}</p>')
    lines.append(f"<p>{' · '.join(links)}</p>" if links else "")
    return (
        f'<article class="card">{picture}<div><h3>{title_html}</h3>'
        f'<p class="small">{text(stem)}</p>{"".join(lines)}</div></article>'
    )


def duration(seconds: float) -> str:
    """Return a duration as people write it.

    >>> duration(9.84), duration(754)
    ('9.8 s', '12 min 34 s')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
