"""The index page: its pictures and its banners."""

import base64
import io
import re

import tiny_notebooks as tiny
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

from nbhelpers.runner import covers, index, score_table, scores, standings
from nbhelpers.runner.run_record import Outcome


def notebook_of(*cell_outputs):
    cells = [new_code_cell("f()", outputs=list(some)) for some in cell_outputs]
    return new_notebook(cells=cells)


def test_the_cover_is_the_tagged_picture_else_the_last():
    def picture(width):
        file = io.BytesIO()
        Image.new("RGB", (width, 10), "blue").save(file, "PNG")
        data = {"image/png": base64.b64encode(file.getvalue()).decode()}
        return new_output("display_data", data=data)

    def width_of(tag):
        data = base64.b64decode(re.search(r"base64,([^\"]*)", tag)[1])
        return Image.open(io.BytesIO(data)).width

    notebook = notebook_of([picture(100)], [picture(2000)], [picture(300)])
    assert width_of(covers.cover(notebook, title="T")) == 300
    notebook.cells[1].metadata.tags = ["cover"]
    assert width_of(covers.cover(notebook, title="T")) == covers.COVER_WIDTH
    assert covers.cover(notebook_of([]), title="T") == ""
    assert covers.cover(None, title="T") == ""


def test_real_data_and_the_sample_are_told_apart():
    sample, real = tiny.results("02_a"), tiny.results("03_b", sample=False)
    assert index.data_banner({"02_a": sample}) == scores.SAMPLE_NOTE
    assert index.data_banner({"03_b": real}) is None
    assert "03" not in index.data_banner({"02_a": sample, "03_b": real})
    assert "02_a" in index.data_banner({"02_a": sample, "03_b": real})


def whole_index(results, tmp_path):
    outcomes = {stem: Outcome("done", 1.0) for stem in results}
    return index.index_html(outcomes, results=results, titles={}, covers={}, folder=tmp_path)


def test_the_answer_comes_first_and_the_table_is_folded(tmp_path):
    page = whole_index({"02_a": tiny.results("02_a"), "05_c": tiny.results("05_c")}, tmp_path)
    answer, _, table = page.partition("<h2>Notebooks</h2>")
    assert "On the computer-generated test pictures, " in answer
    assert answer.count('<li class="tile ') == 4
    assert answer.count('<figure class="forest">') == 1  # the same model, judged twice
    assert "<details><summary>All scores</summary>" in table
    assert "ours reaches AUC 0.750" in table
    assert standings.NOTHING_JUDGED in whole_index({}, tmp_path)


def test_the_table_has_the_prior_once_and_a_calibrated_model_once():
    first, second = tiny.results("02_a"), tiny.results("03_b", model="net")
    test = second["metrics"]["test"]
    test["net_raw"] = test["net"] | {"log_loss": {"value": 0.9, "low": 0.8, "high": 1.0}}
    test["net"]["auc"] |= {"groups": 7}
    table = score_table.table_html({"02_a": first, "03_b": second})
    assert table.count("<td>prior</td>") == 1
    assert "net_raw" not in table
    assert table.count("uncalibrated 0.900") == table.count("uncalibrated") == 1
    assert "0.750<small>7 groups</small>" in table
    third = tiny.results("04_c", model="03_b")  # judges the model that 03 saved once more
    assert "<td>03_b</td>" in score_table.table_html({"04_c": third})
    assert "03_b" not in score_table.table_html({"03_b": second, "04_c": third})
    test["prior"]["auc"]["value"] = 0.4
    assert score_table.table_html({"02_a": first, "03_b": second}).count("<td>prior</td>") == 2


def test_the_cover_says_what_it_shows():
    output = new_output("display_data", data={"image/png": tiny.PIXEL})
    notebook = notebook_of([output])
    assert 'alt="A &lt;b&gt;: a figure"' in covers.cover(notebook, title="A <b>")
    notebook.cells[0].outputs[0].metadata = {"image/png": {"alt": "ROC of one\nand another"}}
    assert 'alt="T: ROC of one and another"' in covers.cover(notebook, title="T")
    assert 'alt="Why? ROC' in covers.cover(notebook, title="Why?")
