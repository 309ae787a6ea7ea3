"""The outputs committed with the notebooks: small, and the same on every machine."""

import argparse
import base64
import copy
import io
import json
import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from nbhelpers.common import files
from nbhelpers.common.errors import UsageError
from nbhelpers.common.folders import home_folder
from nbhelpers.common.parameters import read_cell
from nbhelpers.data import locate
from nbhelpers.runner import outputs, pictures, scores, series
from nbhelpers.runner.notebooks import (
    HOSTED,
    NEEDS,
    USES,
    Notebook,
    find_notebooks,
    number_of,
    select_notebooks,
    source_digest,
    tags_of,
)
from tools import command_line, results_table

HELP = "store outputs in notebooks/ for readers of the repository"
EXAMPLES = """
examples:
  python -m tools.render                                 run the lessons with their defaults, store
  python -m tools.render 02                              one notebook
  python -m tools.render --from runs/latest              store the outputs of a finished run

A run given with --from must have used default parameters and the current notebooks.
Exit code: 0 stored, 1 a notebook failed and nothing was stored, 2 a run that does not match.
"""
LIMIT = 600_000  # bytes of a stored notebook
ENCODINGS = ((1200, 88), (1000, 80), (900, 70), (800, 60), (700, 50), (600, 40))  # px, quality
RASTER = ("image/jpeg", "image/png", "image/gif")
LIVE_KINDS = ("application/vnd.plotly.v1+json", "application/javascript")
LIVE_HTML = re.compile(r"<video|<audio|<script|<iframe|plotly", re.IGNORECASE)
SCRIPT = re.compile(r"<script\b.*?</script>", re.IGNORECASE | re.DOTALL)
EMBEDDED = re.compile(
    r"<img\b[^>]*\bsrc=[\"']data:image/(gif|png|jpe?g|webp);base64,([A-Za-z0-9+/=\s]+)",
    re.IGNORECASE,
)
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]{6,}")
VIDEO_NOTE = "A video is shown here when the notebook is run."
LIVE_NOTE = "An interactive figure is shown here when the notebook is run."
DIGEST_KEY = "source_sha256"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the program's arguments."""
    parser.add_argument(
        "notebooks", nargs="*", metavar="NN", help="01, 02, …, a1, … or names (the six lessons)"
    )
    parser.add_argument(
        "--from", dest="run_dir", default="", metavar="O", help="use a finished run, not a new one"
    )


def main(chosen: argparse.Namespace) -> int:
    """Render the notebooks."""
    return render(chosen.notebooks, run_dir=chosen.run_dir)


def render(
    wanted: Iterable[str] = (),
    *,
    run_dir: str = "",
    notebooks_dir: Path | None = None,
    results_page: Path | None = None,
    stream: TextIO | None = None,
) -> int:
    """Execute notebooks with their own parameters and store the outputs in them.

    If all lessons are rendered, the table in docs/results.md is rewritten from the same run.

    Args:
        wanted: numbers or names; nothing means all lessons, without the appendix.
        run_dir: a finished run with the outputs; "" makes a new one in a temporary folder.
        notebooks_dir: where the notebooks are; None is the project's own.
        results_page: the one with the results table; None is the project's own.
        stream: where progress goes; None is standard error.

    Returns:
        0 if all were stored; 1 if a notebook failed, in which case none is changed.

    Raises:
        UsageError: an unknown notebook, a run that does not match, or outputs that cannot be made
            small enough.
    """
    stream = sys.stderr if stream is None else stream
    folder = notebooks_dir or locate.project_root() / "notebooks"
    results_page = results_page or locate.project_root() / results_table.PAGE
    selected = select_notebooks(find_notebooks(folder), wanted := list(wanted))
    with tempfile.TemporaryDirectory(prefix="nbhelpers-render-") as temporary:
        run_folder = Path(run_dir).expanduser().resolve() if run_dir else Path(temporary).resolve()
        again = [] if run_dir else _with_needs(wanted)
        if not run_dir and series.run(
            again, out=str(run_folder), notebooks_dir=folder, stream=stream
        ):
            stream.write("Nothing stored: fix what failed, then render again.\n")
            return 1
        texts = {notebook.path: stored_text(notebook, run_folder) for notebook in selected}
        results = scores.read_results(run_folder)
    for path, text in texts.items():
        files.write_text(path, text)
        stream.write(f"{path.name}: outputs stored, {len(text.encode()) / 1000:.0f} kB\n")
    if not wanted and results_page.is_file():
        results_table.update(results_page, results)
    return 0


def _with_needs(wanted: list[str]) -> list[str]:
    """Return the requested notebooks and those they build on; an empty list stays empty."""
    numbers = {number_of(Path(name).name).zfill(2) for name in wanted}
    for number in list(numbers):
        numbers.update(NEEDS.get(number, ()), USES.get(number, ()))
    known = {name for name in numbers if name.isdigit()}
    return wanted and [*wanted, *sorted(known)]


def stored_text(notebook: Notebook, run_folder: Path, *, any_parameters: bool = False) -> str:
    """Return the notebook file's new content: its own source with the outputs of a run.

    Args:
        notebook: the source.
        run_folder: with the executed `NN_name.ipynb` in it.
        any_parameters: whether to accept a run with other than default parameters, for trials.

    Returns:
        JSON with indent 1 and a newline at the end.

    Raises:
        UsageError: the notebook was not executed, has another source, other parameters or a failed
            cell, or is too large.
    """
    import nbformat

    executed = _executed(notebook, run_folder, any_parameters=any_parameters)
    source = nbformat.read(notebook.path, as_version=4)
    outputs.tidy(executed)
    ran = [
        cell
        for cell in executed.cells
        if cell.cell_type == "code" and "injected-parameters" not in tags_of(cell)
    ]
    roots = _replacements(run_folder)
    for width, quality in ENCODINGS:
        stored = copy.deepcopy(source)
        code = [cell for cell in stored.cells if cell.cell_type == "code"]
        for count, (cell, from_run) in enumerate(zip(code, ran, strict=True), start=1):
            cell.execution_count = count if cell.source.strip() else None
            cell.outputs = _stored_outputs(from_run, width=width, quality=quality, roots=roots)
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = count
        _plain_metadata(stored, notebook.digest)
        text = nbformat.writes(stored) + "\n"
        if len(text.encode()) <= LIMIT:
            return text
    sizes = [len(json.dumps(cell.outputs)) // 1000 for cell in code]
    largest = max(range(len(sizes)), key=sizes.__getitem__)
    raise UsageError(
        f"Expected at most {LIMIT // 1000} kB for {notebook.path.name}; received "
        f"{len(text.encode()) // 1000} kB, {sizes[largest]} kB of it in code cell {largest + 1}. "
        "Show fewer or smaller pictures there."
    )


def _executed(notebook: Notebook, run_folder: Path, *, any_parameters: bool):
    """Return the executed notebook; check that it is this source, with default parameters."""
    import nbformat

    path = run_folder / f"{notebook.stem}.ipynb"
    if not path.is_file():
        raise UsageError(f"Expected {path}; it does not exist. Run {notebook.stem} first.")
    executed = nbformat.read(path, as_version=4)
    cells = [cell for cell in executed.cells if "injected-parameters" not in tags_of(cell)]
    if source_digest(cells) != notebook.digest:
        raise UsageError(
            f"Expected a run of the current {notebook.stem}; the code in {path} differs. "
            "Run it again."
        )
    for cell in executed.cells:
        if "injected-parameters" in tags_of(cell):
            changed = read_cell(cell.source)
            del changed["OUTPUT_DIR"]
            if changed and not any_parameters:
                raise UsageError(
                    f"Expected a run of {notebook.stem} with default parameters; received "
                    f"{', '.join(changed)} in {path}. Run it without -p, --profile, --data-dir."
                )
        if any(output.output_type == "error" for output in cell.get("outputs", [])):
            raise UsageError(
                f"Expected a run without errors; {notebook.stem} failed. Run it again."
            )
    return executed


def _replacements(run_folder: Path) -> list[tuple[str, str]]:
    """Return absolute folders and their replacements in stored outputs, the longest first."""
    root = locate.project_root()
    pairs = [
        (str(run_folder), "runs/latest"),
        (f"{root}/", ""),
        (str(root), "."),
        (str(home_folder()), "~"),
        (tempfile.gettempdir(), "tmp"),
    ]
    return [(old, new) for old, new in pairs if len(old) > 1]


def _plain(text: str, roots: list[tuple[str, str]]) -> str:
    """Return text without colours, memory addresses and this machine's folders."""
    text = ADDRESS.sub("", outputs.ANSI.sub("", text))
    for old, new in roots:
        text = text.replace(old, new)
    return text


def _stored_outputs(cell, *, width: int, quality: int, roots: list[tuple[str, str]]) -> list:
    """Return a cell's outputs for git: JPEG pictures, tables, text; stills of live things."""
    stored = []
    has_still = any(kind in output.get("data", {}) for output in cell.outputs for kind in RASTER)
    for output in copy.deepcopy(cell.outputs):
        if output.output_type == "stream":
            output.text = _plain(output.text, roots)
        elif output.output_type in ("display_data", "execute_result"):
            alt = pictures.description(output)
            output.metadata = {}
            output.data = _stored_data(output.data, has_still, width=width, quality=quality)
            for kind, value in output.data.items():
                if kind.startswith("text/"):
                    output.data[kind] = _plain(value, roots)
            if not output.data:
                continue
            if alt and "image/jpeg" in output.data:
                output.metadata = {"image/jpeg": {"alt": _plain(alt, roots)}}
        stored.append(output)
    return stored


def _stored_data(data: dict, has_still: bool, *, width: int, quality: int) -> dict:
    """Return an output's representations for git; none if a still shows the same."""
    data = dict(data)
    live = any(data.pop(kind, None) is not None for kind in LIVE_KINDS)
    page = data.get("text/html", "")
    for kind in RASTER:
        if kind in data:
            still = _jpeg(data.pop(kind), width=width, quality=quality)
            rest = {"text/plain": data["text/plain"]} if "text/plain" in data else {}
            return {"image/jpeg": still, **rest}
    live = live or LIVE_HTML.search(page)
    picture = EMBEDDED.search(SCRIPT.sub("", page))
    if picture and (live or picture[1].lower() == "gif"):
        still = _jpeg(picture[2], width=width, quality=quality)
        return {"image/jpeg": still, "text/plain": "<still picture>"}
    if live:
        if has_still or not SCRIPT.sub("", page).strip():
            return {}
        note = VIDEO_NOTE if "<video" in page.lower() else LIVE_NOTE
        return {"text/markdown": f"*{note}*", "text/plain": note}
    return data


def _jpeg(data: str, *, width: int, quality: int) -> str:
    """Return a base64 picture as base64 JPEG: the first frame, on white, no wider than `width`."""
    from PIL import Image

    with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
        layers = picture.convert("RGBA")
    flat = Image.new("RGB", layers.size, "white")
    flat.paste(layers, mask=layers.getchannel("A"))
    flat.thumbnail((width, 4 * width))
    buffer = io.BytesIO()
    flat.save(buffer, "JPEG", quality=quality, optimize=True, progressive=True)
    return base64.b64encode(buffer.getvalue()).decode()


def _plain_metadata(notebook, digest: str) -> None:
    """Keep only metadata that is the same on every machine, and the digest."""
    for cell in notebook.cells:
        tags = tags_of(cell)
        if HOSTED not in tags:  # the hosted cell's metadata fold it
            cell.metadata = {"tags": list(tags)} if tags else {}
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python", "pygments_lexer": "ipython3"},
        "nbhelpers": {DIGEST_KEY: digest},
    }


if __name__ == "__main__":
    command_line.run_as_program(sys.modules[__name__])
