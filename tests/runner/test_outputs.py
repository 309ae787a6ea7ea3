"""Cell outputs are tidied: what a terminal would show in the end."""

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from nbhelpers.runner import outputs


def notebook_of(*cell_outputs):
    cells = [new_code_cell("f()", outputs=list(some)) for some in cell_outputs]
    return new_notebook(cells=cells)


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        ("a\rb\n", "b\n"),
        ("abc\b\bX\n", "aXc\n"),
        ("one\r\ntwo\r\n", "one\ntwo\n"),
        ("5/5 \u2501\u2501\u2501\u2501 1s 9ms/step - loss: 0.5\n", "5/5 1s 9ms/step - loss: 0.5\n"),
        ("Downloading:  12%|#2   | 1/8 [00:01<00:07]\n", ""),
        ("7it [00:01,  5.1it/s]", ""),
        ("2026-01-01 10:00:00.123456: I tensorflow/core/x.cc:1] hello\nkept\n", "kept\n"),
        ("\x1b[31mred\x1b[0m\n", "\x1b[31mred\x1b[0m\n"),
        ("90% of the fakes | found\n", "90% of the fakes | found\n"),
    ],
)
def test_streams_show_what_a_terminal_would_in_the_end(text, tidied):
    assert outputs.tidy_text(text) == tidied


def test_tidy_joins_streams_and_drops_widgets_and_remote_scripts():
    widget = {outputs.WIDGETS[0]: {"model_id": "x"}, "text/plain": "0%| |"}
    page = (
        "<p>kept</p><script src='https://cdn.example/x.js'></script>"
        '<script type="module">import "https://cdn.example/y"</script><script>local()</script>'
    )
    notebook = notebook_of(
        [
            new_output("stream", name="stdout", text="a\n"),
            new_output("stream", name="stdout", text="b\n"),
            new_output("display_data", data=widget),
            new_output("display_data", data={"text/html": page}),
        ]
    )
    outputs.tidy(notebook)
    assert [output.get("text") for output in notebook.cells[0].outputs] == ["a\nb\n", None]
    html = notebook.cells[0].outputs[1].data["text/html"]
    assert html == "<p>kept</p><script>local()</script>"
