"""Notebooks of a few lines, for the runner's tests."""

import json
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

COMMON = 'DATA_DIR = ""  # a\nOUTPUT_DIR = ""  # b\nSEED = 42  # c\nSPLIT_CSV = ""  # d\n'
PIXEL = (  # a red PNG, 2 x 2
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJ"
    "RU5ErkJggg=="
)
SHOW = (
    "from IPython.display import display\n"
    f"display({{'image/png': '{PIXEL}', 'text/plain': 'a picture'}}, raw=True)"
)


def write(folder: Path, stem: str, *code: str, parameters: str = "", tags=None) -> Path:
    """Writes a notebook: a title, the parameters cell, and code cells (`tags`: index -> tags)."""
    cells = [new_markdown_cell(f"# Lesson {stem} <b>&"), new_code_cell(COMMON + parameters)]
    cells[1].metadata.tags = ["parameters"]
    cells += [new_code_cell(text) for text in code]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    for index, names in (tags or {}).items():
        cells[2 + index].metadata.tags = list(names)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = folder / f"{stem}.ipynb"
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


def results(stem: str, *, model: str = "ours", sample: bool = True, random: bool = False) -> dict:
    """Content of a results file."""

    def score(value: float) -> dict:
        return {"value": value, "low": value - 0.1, "high": value + 0.1}

    names = ["auc", "average_precision", "accuracy", "balanced_accuracy", "log_loss", "eer"]
    return {
        "notebook": stem,
        "parameters": {},
        "data": {
            "name": "deepfake-faces",
            "root": "some/where",
            "origin": "bundled sample" if sample else "argument",
            "is_sample": sample,
            "counts": {"train": {"REAL": 7, "FAKE": 9}, "test": {"REAL": 4, "FAKE": 6}},
            "groups": {"train": 5, "test": 3},
        },
        "metrics": {
            "test": {
                "prior": {**{name: score(0.5) for name in names}, "n": 10},
                model: {**{name: score(0.75) for name in names}, "n": 10},
            }
        },
        "weights": {"encoder": {"origin": "x", "digest": "", "is_random": random}},
        "environment": {},
        "seconds": 1.5,
        "peak_memory_mb": 2048.0,
    }


def saving(stem: str, **options) -> str:
    """A cell that writes a results file."""
    return (
        "import json\nfrom pathlib import Path\n"
        f"content = json.loads({json.dumps(results(stem, **options))!r})\n"
        f"Path(OUTPUT_DIR, '{stem}.results.json').write_text(json.dumps(content))\n"
        "print('saved in', Path(OUTPUT_DIR).resolve())"
    )
