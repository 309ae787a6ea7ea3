"""readiness: what the notebooks would stumble on is said before they are run."""

import ast
import json

import numpy as np
import pandas as pd
import pytest
from tiny_sets import table_of

from nbhelpers.data import locate, readiness


def parameters_of(stem):
    """The parameters cell of a notebook, as a dictionary."""
    path = locate.project_root() / "notebooks" / f"{stem}.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    [cell] = [one for one in cells if "parameters" in one["metadata"].get("tags", [])]
    tree = ast.parse("".join(cell["source"]))
    return {node.targets[0].id: ast.literal_eval(node.value) for node in tree.body}


@pytest.mark.parametrize("stem", ["01_eda", "02_baseline_cnn", "03_xception_transfer"])
def test_its_constants_are_the_notebooks_own(stem):
    chosen = parameters_of(stem)
    shares = chosen["VALIDATION_SHARE"], chosen["TEST_SHARE"]
    assert pytest.approx((1 - sum(shares), *shares)) == readiness.FACE_FRACTIONS
    assert chosen["SAMPLE_PER_CLASS"] == readiness.PER_CLASS
    assert chosen["SEED"] == readiness.SEED


def test_those_of_the_clips_too():
    for stem in ("05_video_eda", "06_video_gru"):
        assert parameters_of(stem)["FRACTIONS"] == readiness.CLIP_FRACTIONS
    for stem in ("04_explainability", "05_video_eda", "06_video_gru"):
        assert parameters_of(stem)["SEED"] == readiness.SEED


def lacking(table, name=locate.FACES):
    return {one.notebooks: one.detail for one in readiness.stumbles(table, name)}


def test_a_good_set_lacks_nothing():
    assert lacking(table_of(60)) == {}
    assert lacking(table_of(20), locate.VIDEOS) == {}


@pytest.mark.parametrize("label", ["REAL", "FAKE"])
def test_one_class_only(label):
    table = table_of(30)
    table = table[table["label"] == label]
    absent = {"REAL": "FAKE", "FAKE": "REAL"}[label]
    [(notebooks, detail)] = lacking(table).items()
    assert notebooks == ("01", "02", "03", "04")
    assert f"no {absent}" in detail
    assert list(lacking(table, locate.VIDEOS)) == [("05", "06")]


def test_no_originals():
    table = table_of(60).assign(original="")
    table["group"] = table["videoname"]
    found = lacking(table)
    assert "name no original" in found["01", "02", "03", "04"]
    assert "at random" in found["02", "03"]
    assert list(lacking(table, locate.VIDEOS)) == [("05", "06")]


def test_originals_that_are_not_there_make_no_pairs():
    """As on Kaggle, where originals may lie in another part: families are known, pairs are not."""
    table = table_of(60)
    table = table[(table["label"] == "FAKE") | ~table["videoname"].isin(set(table["original"]))]
    extra = pd.DataFrame({"videoname": [f"r{n}.mp4" for n in range(40)], "label": "REAL"})
    extra = extra.assign(original="", group=extra["videoname"])
    found = lacking(pd.concat([table, extra], ignore_index=True))
    assert list(found) == [("02", "03")]


def test_too_few_groups():
    rows = {"videoname": [f"{n}.mp4" for n in range(9)], "label": ["REAL"] + ["FAKE"] * 8}
    table = pd.DataFrame(rows).assign(original=["", *["0.mp4"] * 8], group="0.mp4")
    found = lacking(table)
    numbers = {number for notebooks in found for number in notebooks}
    assert numbers == {"01", "02", "03", "04"}
    assert all("1 groups" in detail for detail in found.values())


def test_too_few_pictures_for_a_figure():
    real = [f"r{n}.mp4" for n in range(8)]
    table = pd.DataFrame({"videoname": real + [f"f{n}.mp4" for n in range(8)]})
    table["label"] = np.repeat(["REAL", "FAKE"], 8)
    table["original"] = [""] * 8 + real
    table["group"] = real * 2
    assert lacking(table) == {("02",): "only 5 training pictures of a class; they stop at a figure"}
