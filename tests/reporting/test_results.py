"""results: what is written, what is refused, and that nothing is written by halves."""

import builtins
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tiny_notebooks
from tiny_sets import table_of

from nbhelpers.common.errors import UsageError
from nbhelpers.data import locate, splits
from nbhelpers.evaluation import metrics
from nbhelpers.evaluation.predictions import (
    PREDICTION_COLUMNS,
    ResultsError,
    predictions_of,
    score_models,
    scores_table,
)
from nbhelpers.reporting import environment, results

DATASET = locate.Dataset(locate.FACES, locate.project_root() / "data" / "sample" / "x", "argument")


@pytest.fixture
def table():
    return splits.group_split(table_of(40), seed=0)


def predict(table, model="net", split="test"):
    rows = table.loc[table["split"] == split, ["videoname", "split", "label"]]
    score = np.random.default_rng(0).random(len(rows)).astype("float32")
    return rows.assign(y_score=score, model=model)


def save(folder, table, predictions=None, **others):
    run = results.start({"SEED": 1, "OUTPUT_DIR": str(folder)}, notebook="02_try")
    others = {"resamples": 50} | others
    return run.save(dataset=DATASET, table=table, predictions=predictions, **others)


def test_results_hold_what_readers_rely_on(tmp_path, table):
    predictions = pd.concat(
        [predict(table), predict(table, "other"), predict(table, "net", "validation")]
    )
    path = save(tmp_path, table, predictions, extra={"leak": np.float64(0.25)})
    content = json.loads(path.read_text())
    assert path.name == "02_try.results.json"
    assert content["parameters"] == {"OUTPUT_DIR": str(tmp_path), "SEED": 1}
    data, counts = content["data"], splits.counts(table)
    assert (data["name"], data["root"], data["is_sample"]) == (locate.FACES, "data/sample/x", True)
    for split in splits.SPLITS:
        assert data["counts"][split] == counts.loc[split, ["REAL", "FAKE"]].to_dict()
        assert data["groups"][split] == counts.loc[split, "Groups"]
    assert set(content["metrics"]["test"]) == {"net", "other", "prior"}
    for score in content["metrics"]["test"].values():
        assert set(score) == {*metrics.METRICS, "n"}
        assert score["n"] == counts.loc["test", "Total"]
        assert score["auc"]["low"] <= score["auc"]["value"] <= score["auc"]["high"]
    assert content["extra"] == {"leak": 0.25}
    assert content["environment"]["tensorflow"]
    assert content["seconds"] >= 0
    assert content["peak_memory_mb"] is None or content["peak_memory_mb"] > 10


def test_prior_answers_with_the_training_prevalence(tmp_path, table):
    path = save(tmp_path, table, predict(table))
    written = pd.read_csv(tmp_path / "02_try.predictions.csv")
    prevalence = (table.loc[table["split"] == "train", "label"] == "FAKE").mean()
    prior = written[written["model"] == "prior"]
    assert prior["y_score"].to_numpy() == pytest.approx(prevalence)
    assert json.loads(path.read_text())["metrics"]["test"]["prior"]["auc"]["value"] == 0.5


def test_metrics_follow_from_the_written_predictions(tmp_path, table):
    path = save(tmp_path, table, predict(table))
    written = pd.read_csv(tmp_path / "02_try.predictions.csv")
    assert written.columns.tolist() == PREDICTION_COLUMNS
    rows = written[written["model"] == "net"]
    found = metrics.scores(rows["label"] == "FAKE", rows["y_score"])
    stored = json.loads(path.read_text())["metrics"]["test"]["net"]
    for name in metrics.METRICS:
        assert stored[name]["value"] == pytest.approx(found[name])


def test_without_a_model_and_without_a_split(tmp_path, table):
    content = json.loads(save(tmp_path, table).read_text())
    assert set(content["metrics"]["test"]) == {"prior"}
    content = json.loads(save(tmp_path, table.drop(columns="split")).read_text())
    assert content["metrics"] == {"test": {}}
    assert set(content["data"]["counts"]) == {"all"}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: p.assign(y_score=p["y_score"] * 9), "not logits"),
        (lambda p: p.assign(y_score=np.nan), "NaN"),
        (lambda p: p.iloc[1:], "without 1 of"),
        (lambda p: pd.concat([p, p.iloc[:1]]), "given twice"),
        (lambda p: p.assign(videoname="x" + p["videoname"]), "not in the table"),
        (lambda p: p.assign(label="REAL"), "not in the table"),
        (lambda p: p.assign(split="train"), "not in the table"),
        (lambda p: p.assign(model="prior"), "'prior' left to this"),
        (lambda p: p.drop(columns="model"), "without .'model'"),
    ],
)
def test_predictions_that_do_not_fit_are_refused(tmp_path, table, spoil, message):
    with pytest.raises(ResultsError, match=message):
        save(tmp_path, table, spoil(predict(table)))
    assert not list(tmp_path.iterdir())


def test_what_is_no_json_is_refused_before_anything_is_written(tmp_path, table):
    with pytest.raises(TypeError, match="plain values"):
        save(tmp_path, table, extra={"model": object()})
    with pytest.raises(ValueError, match="JSON"):
        save(tmp_path, table, extra={"loss": float("nan")})
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file_and_no_debris(tmp_path, table, monkeypatch):
    old = save(tmp_path, table).read_text()

    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="space"):
        save(tmp_path, table, extra={"new": 1})
    monkeypatch.undo()
    assert (tmp_path / "02_try.results.json").read_text() == old
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["02_try.predictions.csv", "02_try.results.json"]


def test_weights_are_described(tmp_path, table):
    given = SimpleNamespace(values=[1], origin="wheel", digest="ab", is_random=False)
    content = json.loads(save(tmp_path, table, weights={"xception": given}).read_text())
    assert content["weights"]["xception"] == {"origin": "wheel", "digest": "ab", "is_random": False}


def test_a_run_knows_the_parameters_as_they_were_when_it_started(tmp_path, table):
    namespace = {"SEED": 7, "RESUME": True, "OUTPUT_DIR": str(tmp_path), "cv2": os, "x": 3}
    run = results.start(namespace, notebook="02_try")
    assert (run.notebook, run.seed, run.resume, run.precision) == ("02_try", 7, True, None)
    assert run.folder == tmp_path
    namespace |= {"MEASURES": ["iou"], "SEED": 8}  # a constant of a later cell
    path = run.save(dataset=DATASET, table=table, resamples=20)
    parameters = json.loads(path.read_text())["parameters"]
    assert parameters == {"OUTPUT_DIR": str(tmp_path), "RESUME": True, "SEED": 7}


def test_saving_removes_the_backups_of_trainings(tmp_path, table):
    run = results.start({"SEED": 7, "OUTPUT_DIR": str(tmp_path)}, notebook="02_try")
    assert run.backups_folder == tmp_path / "02_training"
    for folder in (run.backups_folder / "net-1", tmp_path / "03_training"):
        folder.mkdir(parents=True)
        (folder / "state.json").touch()
    with pytest.raises(TypeError):
        run.save(dataset=DATASET, table=table, extra={"model": object()})
    assert (run.backups_folder / "net-1" / "state.json").is_file()  # nothing is saved yet
    run.save(dataset=DATASET, table=table, resamples=20)
    assert not run.backups_folder.exists()
    assert (tmp_path / "03_training" / "state.json").is_file()


def test_keras_is_seeded_and_set_to_the_precision_where_it_is_imported(tmp_path):
    import keras

    namespace = {"SEED": 7, "OUTPUT_DIR": str(tmp_path), "PRECISION": "mixed_bfloat16"}
    before = keras.config.dtype_policy()
    try:
        draws = []
        for _ in range(2):
            run = results.start({**namespace, "keras": keras}, notebook="02_try")
            draws.append(float(keras.random.uniform(())))
        assert run.precision == keras.config.dtype_policy().name == "mixed_bfloat16"
        assert draws[0] == draws[1]
        del namespace["PRECISION"]
        keras.config.set_dtype_policy("float32")
        assert (
            results.start({**namespace, "keras": keras}, notebook="02_try").precision == "float32"
        )
    finally:
        keras.config.set_dtype_policy(before)


def test_parameters_are_capital_literals():
    space = {"SEED": 1, "SIZES": (1, 2), "NOTE": "", "_PRIVATE": 1, "Path": os, "TABLE": object()}
    assert results.parameters_of(space) == {"SEED": 1, "SIZES": (1, 2), "NOTE": ""}


def test_output_dir(tmp_path):
    assert results.output_dir(tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    for taken in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(FileExistsError, match="in the way"):
            results.output_dir(taken)


def test_default_output_dir_is_in_the_project(tmp_path, monkeypatch):
    monkeypatch.setattr(locate, "project_root", lambda: tmp_path)
    assert results.output_dir() == tmp_path / "runs" / "latest"


def test_output_dir_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "can_write", lambda folder: False)
    with pytest.raises(PermissionError, match="OUTPUT_DIR"):
        results.output_dir(tmp_path)


def no_status(monkeypatch):
    monkeypatch.setattr(Path, "is_file", lambda path: False)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process cannot tell its own peak")
def test_peak_memory_is_not_that_of_the_parent_process():
    much = np.ones(2**26)  # 512 MiB
    code = "from nbhelpers.reporting.environment import peak_memory_mb; print(peak_memory_mb())"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 10 < float(child.stdout) < 500
    assert environment.peak_memory_mb() > much.nbytes / 2**20


def test_peak_memory_knows_its_units(monkeypatch):
    usage = SimpleNamespace(getrusage=lambda _: SimpleNamespace(ru_maxrss=2**20), RUSAGE_SELF=0)
    no_status(monkeypatch)
    monkeypatch.setitem(sys.modules, "resource", usage)
    monkeypatch.setattr(sys, "platform", "freebsd")
    assert environment.peak_memory_mb() == 1024
    monkeypatch.setattr(sys, "platform", "darwin")
    assert environment.peak_memory_mb() == 1


def test_peak_memory_on_windows(monkeypatch):
    real = builtins.__import__

    def no_resource(name, *others, **more):
        if name == "resource":
            raise ImportError(name)
        return real(name, *others, **more)

    no_status(monkeypatch)
    monkeypatch.setattr(builtins, "__import__", no_resource)
    assert environment.peak_memory_mb() is None


def test_judging_by_hand():
    table = splits.group_split(table_of(80), seed=0)  # groups enough for intervals
    predictions = predictions_of("oracle", table, y_score=table["label"] == "FAKE")
    judged = score_models(predictions, table, resamples=20)
    assert list(judged) == ["oracle", "prior"]
    assert judged["oracle"]["auc"][:3] == (1, 1, 1)
    laid_out = scores_table(judged)
    assert laid_out.loc["oracle", "auc"] == "1.00 [1.00, 1.00]".replace(" ", "\xa0")
    assert laid_out.loc["prior", "n"] == str((table["split"] == "test").sum())


def test_a_study_of_the_appendix_is_held_to_its_own_parameters_cell(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "project_root", lambda: tmp_path)
    tiny_notebooks.write(
        tmp_path / "notebooks" / "appendix", "a1_try", parameters="STEPS = 3  # 1 or more\n"
    )
    wrong = {"SEED": 1, "STEPS": 0, "OUTPUT_DIR": str(tmp_path / "out")}
    with pytest.raises(UsageError, match="for STEPS; received 0"):
        results.start(wrong, notebook="a1_try")
