"""Executes every notebook in the smallest sizes and holds its results against the data."""

import json
import math
import re

import numpy as np
import pandas as pd
import pytest

from nbhelpers.data import locate, manifest
from nbhelpers.runner import scores
from nbhelpers.runner.notebooks import find_notebooks, load_notebook, place_of
from nbhelpers.runner.run_record import STATE
from tools import render

FOLDER = locate.project_root() / "notebooks"
NOTEBOOKS = [notebook.path for notebook in find_notebooks(FOLDER)]
WITH_MODELS = {"02", "03", "06"}  # train networks and judge them
KEYS = {
    "notebook",
    "parameters",
    "data",
    "metrics",
    "weights",
    "environment",
    "seconds",
    "peak_memory_mb",
}
ARTICLE_MODELS = {"02": "article_cnn", "03": "article_xception", "06": "article_gru"}
REMOTE = re.compile(
    r"<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\bsrc\s*=\s*[\"']?(?:https?:)?//"
    r"|<link\b[^>]*\bhref\s*=\s*[\"']?(?:https?:)?//|@import\s+url",
    re.IGNORECASE,
)
pytestmark = pytest.mark.notebooks


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path, out, smoke):
    smoke(path.stem)
    state = json.loads((out / STATE).read_text())
    assert state[path.stem]["status"] == "done", state[path.stem]["message"]
    page = (out / f"{path.stem}.html").read_text(encoding="utf-8")
    assert not REMOTE.search(page)
    assert f'href="{path.stem}.html"' in (out / "index.html").read_text(encoding="utf-8")
    results = out / f"{path.stem}.results.json"
    assert results.is_file() or path.stem[:2] not in WITH_MODELS
    if results.is_file():
        check_results(path.stem, json.loads(results.read_text(encoding="utf-8")), out)


def check_results(stem, content, out):
    """The results file: its form, its numbers, and its agreement with predictions and data."""
    assert content.keys() >= KEYS
    assert content["notebook"] == stem
    defaults = load_notebook(FOLDER / place_of(stem)).defaults
    assert content["parameters"].keys() >= defaults.keys()
    assert content["seconds"] > 0
    data = content["data"]
    assert data["is_sample"] is True
    assert data.keys() >= {"name", "root", "origin", "counts", "groups"}
    assert data["groups"].keys() == data["counts"].keys()
    models = content["metrics"].get("test", {})
    if stem[:2] in WITH_MODELS:
        assert models.keys() >= {"prior", ARTICLE_MODELS[stem[:2]]}
    if not models:
        return
    predictions = pd.read_csv(out / f"{stem}.predictions.csv", dtype={"videoname": str})
    assert list(predictions) == ["videoname", "split", "label", "y_score", "model"]
    assert np.isfinite(predictions["y_score"]).all()
    assert predictions["y_score"].between(0, 1).all()
    for name, model in models.items():
        check_scores(model)
        rows = predictions[(predictions["model"] == name) & (predictions["split"] == "test")]
        assert model["n"] == len(rows) > 0
        assert rows["videoname"].is_unique
        counted = rows["label"].value_counts().to_dict()
        assert counted == {key: count for key, count in data["counts"]["test"].items() if count}
    assert models["prior"]["auc"]["value"] == 0.5
    table = manifest.read(locate.find(data["name"])).table.set_index("videoname")
    truth = table["label"].reindex(predictions["videoname"])
    assert (truth.to_numpy() == predictions["label"].to_numpy()).all()
    for label in ("REAL", "FAKE"):
        used = sum(classes[label] for classes in data["counts"].values())
        assert used <= (table["label"] == label).sum()


def check_scores(model):
    """Every metric finite, in its range, inside its own interval."""
    for metric in scores.METRICS:
        score = model[metric]
        assert score.keys() >= {"value", "low", "high"}
        assert all(math.isfinite(score[key]) for key in ("value", "low", "high"))
        assert 0 <= score["low"] <= score["high"]
        assert metric == "log_loss" or score["high"] <= 1
        assert metric == "log_loss" or 0 <= score["value"] <= 1


def test_the_index_tells_the_sample_apart(out, smoke):
    for path in NOTEBOOKS:
        smoke(path.stem)
    page = (out / "index.html").read_text(encoding="utf-8")
    assert scores.SAMPLE_NOTE in page
    assert not REMOTE.search(page)
    assert page.count("base64,") == len(NOTEBOOKS)  # a cover each
    assert "article_gru" in page


def test_stored_copies_are_small(out, smoke):
    """What `render` would store fits into git, whatever the sizes of the figures."""
    for path in NOTEBOOKS:
        smoke(path.stem)
        notebook = load_notebook(path)
        text = render.stored_text(notebook, out, any_parameters=True)
        assert len(text.encode()) <= render.LIMIT


def test_nothing_was_left_beside_the_notebooks(out):
    kept = {path.name for path in FOLDER.iterdir()} - {".ipynb_checkpoints"}
    assert kept - {"appendix"} == {path.name for path in NOTEBOOKS if path.parent == FOLDER} | {
        "profiles"
    }
