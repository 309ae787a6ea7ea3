"""The frame of the HTML pages: nothing from elsewhere, nothing that a name could break."""

import base64
import re
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from nbhelpers.common.html import figure_tag, page, picture_tag
from tests import tiny_faces


def carried(told):
    """The bytes that an `<img>` carries."""
    return base64.b64decode(re.search(r"base64,([^\"]+)", told)[1])


def test_a_page_has_its_title_twice_its_body_and_its_style():
    told = page("a < b", "<p>body</p>", style="p { color: red; }")
    assert told.count("a &lt; b") == 2 and "a < b" not in told
    assert "<p>body</p>" in told and "p { color: red; }</style>" in told
    assert not re.search(r"https?://|@import|url\(", told)


def test_a_picture_in_a_page_is_small_and_described():
    told = picture_tag(tiny_faces.noise(600, 1200), 'a "wall" <b>')
    assert 'alt="a &quot;wall&quot; &lt;b&gt;"' in told
    pixels = cv2.imdecode(np.frombuffer(carried(told), np.uint8), cv2.IMREAD_COLOR)
    assert pixels.shape == (240, 480, 3)
    assert pixels.mean() == pytest.approx(110, abs=5)


def test_a_picture_keeps_its_colours():
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 255
    pixels = cv2.imdecode(np.frombuffer(carried(picture_tag(red, "red")), np.uint8), 1)
    assert pixels[4, 4] == pytest.approx([0, 0, 255], abs=4)  # OpenCV's order is BGR


def test_a_drawing_is_vectors_and_its_figure_is_closed():
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([0, 1])
    told = figure_tag(figure, "a line & more")
    assert 'alt="a line &amp; more"' in told
    assert ElementTree.fromstring(carried(told)).tag.endswith("}svg")
    assert not plt.fignum_exists(figure.number)
