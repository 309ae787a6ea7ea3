"""The page that a run is read from: every notebook, its picture, its scores."""

import base64
import html
import io
from pathlib import Path

from nbhelpers.common.html import page
from nbhelpers.runner import outputs, scores
from nbhelpers.runner.run_record import Outcome

COVER_WIDTH = 720  # px; pictures are made smaller for the index
TITLE = "Deepfake detection: a run of the notebooks"


def data_banner(results: dict[str, dict]) -> str | None:
    """Return the sentence that tells the bundled sample apart from real data.

    Args:
        results: notebook name -> content of its results file.

    Returns:
        None when no notebook ran on the sample.
    """
    sampled = [stem for stem, result in results.items() if scores.on_sample(result)]
    if not sampled:
        return None
    whole = "" if len(sampled) == len(results) else f" (this holds for {', '.join(sampled)})"
    return scores.SAMPLE_NOTE + whole


def cover(notebook) -> str:
    """Return the one picture that stands for a notebook.

    Args:
        notebook: executed, or None when there is none.

    Returns:
        An `<img>` with the last picture of the cell tagged `cover`, else of the notebook;
        "" without any.
    """
    pictures = []
    for cell in notebook.cells if notebook is not None else ():
        own = outputs.images(cell)
        pictures.extend(own)
        if own and "cover" in cell.metadata.get("tags", []):
            pictures = own
            break
    if not pictures:
        return ""
    kind, data = pictures[-1]
    if kind == "image/svg+xml":
        data = base64.b64encode(data.encode()).decode()
    else:
        kind, data = _smaller(kind, data.replace("\n", ""))
    return f'<img alt="" src="data:{html.escape(kind)};base64,{html.escape(data)}">'


def _smaller(kind: str, data: str) -> tuple[str, str]:
    """Return a picture no wider than COVER_WIDTH, as JPEG; left as it is when it cannot be read."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
            layers = picture.convert("RGBA")
    except (UnidentifiedImageError, ValueError, OSError):
        return kind, data
    flat = Image.new("RGB", layers.size, "white")
    flat.paste(layers, mask=layers.getchannel("A"))
    flat.thumbnail((COVER_WIDTH, 4 * COVER_WIDTH))
    buffer = io.BytesIO()
    flat.save(buffer, "JPEG", quality=82, optimize=True)
    return "image/jpeg", base64.b64encode(buffer.getvalue()).decode()


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
        outcomes: notebook name -> what came of it, in the order to show.
        results: notebook name -> content of its results file, where there is one.
        titles: notebook name -> its first heading.
        covers: notebook name -> `<img>`, from `cover`.
        folder: the output folder; links are made to files that exist there.

    Returns:
        One HTML page that needs no other file to be shown.
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
    body = f"""<ul class="facts">{_facts(outcomes, results)}</ul>
{banners}
<h2>Notebooks</h2>
<div class="cards">
{cards}
</div>
<h2>Scores</h2>
{_table(results)}"""
    return page(TITLE, body)


def _facts(outcomes: dict[str, Outcome], results: dict[str, dict]) -> str:
    """List items: how many ran, how long, on which data."""
    counts = {
        status: sum(outcome.status == status for outcome in outcomes.values())
        for status in ("done", "failed", "skipped")
    }
    statuses = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    seconds = sum(outcome.seconds for outcome in outcomes.values())
    items = [f"{statuses or 'nothing run'}; {duration(seconds)} in all"]
    places: dict[str, list[str]] = {}
    for stem, result in results.items():
        places.setdefault(_data_text(result), []).append(stem.partition("_")[0])
    items += [
        f"{text} (notebook{'s' * (len(numbers) > 1)} {', '.join(numbers)})"
        for text, numbers in places.items()
    ]
    if not results:
        items.append("No notebook has reported yet which data it used.")
    return "".join(f"<li>{html.escape(item)}</li>" for item in items)


def _data_text(result: dict) -> str:
    """Which data a notebook used, and from where."""
    data = result.get("data", {})
    origin = data.get("origin", "place unknown")
    root = "" if scores.on_sample(result) else f", {data.get('root', 'folder unknown')}"
    return f"Data: {data.get('name', 'unknown')}, {origin}{root}"


def _counts_text(result: dict) -> str:
    """Class counts of each split in one line."""
    counts = result.get("data", {}).get("counts", {})
    return "; ".join(
        f"{split} " + " + ".join(f"{count} {label}" for label, count in classes.items())
        for split, classes in counts.items()
        if isinstance(classes, dict)
    )


def _card(
    stem: str, outcome: Outcome, result: dict, title: str, covers: dict[str, str], folder: Path
) -> str:
    """One notebook: picture, title, status, links."""
    text = html.escape
    page = folder / f"{stem}.html"
    picture = covers.get(stem, "")
    if page.is_file():
        inner = picture.replace('alt=""', f'alt="{text(title)}: a figure"', 1) or "no picture"
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
        status += f", {memory / 1024:.1f} GB at most"
    lines = [f"<p>{status}</p>"]
    if outcome.message:
        lines.append(f'<p class="small">{text(outcome.message)}</p>')
    if counts := _counts_text(result):
        lines.append(f'<p class="small">{text(counts)}</p>')
    lines.append(f"<p>{' · '.join(links)}</p>" if links else "")
    return (
        f'<article class="card">{picture}<div><h3>{title_html}</h3>'
        f'<p class="small">{text(stem)}</p>{"".join(lines)}</div></article>'
    )


def _table(results: dict[str, dict]) -> str:
    """Return the score table: model by metric with intervals, the prior below its models."""
    text = html.escape
    bodies = []
    for stem, result in results.items():
        rows = []
        for name, metrics, n in scores.model_rows(result):
            cells = "".join(
                f"<td>{scores.number(score.get('value'))}<small>{scores.number(score.get('low'))}"
                f"–{scores.number(score.get('high'))}</small></td>"
                for score in (metrics.get(key, {}) for key in scores.METRICS)
            )
            style = ' class="prior"' if name == "prior" else ""
            rows.append(f"<tr{style}><td>{text(name)}</td>{cells}<td>{text(str(n))}</td></tr>")
        if rows:
            head = f'<tr><th colspan="{len(scores.METRICS) + 2}">{text(stem)}</th></tr>'
            bodies.append(f"<tbody>{head}{''.join(rows)}</tbody>")
    if not bodies:
        return "<p>No notebook has written scores yet.</p>"
    heads = "".join(f"<th>{text(label)}</th>" for label in scores.METRICS.values())
    return (
        '<p class="small">Test split. Below each value its 95 % interval (bootstrap by group). '
        "<em>prior</em> always answers the share of fakes in the training split: what a "
        "model must beat. Lower is better for log loss and EER.</p>"
        f'<div class="wide"><table><thead><tr><th>Model</th>{heads}<th>n</th></tr></thead>'
        f"{''.join(bodies)}</table></div>"
    )


def duration(seconds: float) -> str:
    """Return a time for people.

    >>> duration(9.84), duration(754)
    ('9.8 s', '12 min 34 s')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
