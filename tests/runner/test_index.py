"""The index page: its pictures and its banners."""

import base64
import io
import re

import tiny_notebooks as tiny
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

from nbhelpers.runner import index, scores


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
    assert width_of(index.cover(notebook)) == 300
    notebook.cells[1].metadata.tags = ["cover"]
    assert width_of(index.cover(notebook)) == index.COVER_WIDTH
    assert index.cover(notebook_of([])) == ""
    assert index.cover(None) == ""


def test_real_data_and_the_sample_are_told_apart():
    sample, real = tiny.results("02_a"), tiny.results("03_b", sample=False)
    assert index.data_banner({"02_a": sample}) == scores.SAMPLE_NOTE
    assert index.data_banner({"03_b": real}) is None
    assert "03" not in index.data_banner({"02_a": sample, "03_b": real})
    assert "02_a" in index.data_banner({"02_a": sample, "03_b": real})
