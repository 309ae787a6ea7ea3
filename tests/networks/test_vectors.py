"""vectors: one scale, from training clips, padding left out."""

import numpy as np
import pytest

from nbhelpers.networks.vectors import Scale


def test_padding_does_not_count():
    values = np.array([[[2.0, 10], [4, 10], [99, 99]]], np.float32)
    scale = Scale.of(values, np.array([[True, True, False]]))
    assert scale.centre.tolist() == [3, 10]
    assert scale.spread == pytest.approx(np.sqrt(0.5))  # deviations -1, 0, 1, 0
    np.testing.assert_allclose(scale(values)[0, :2, 0], [-np.sqrt(2), np.sqrt(2)], rtol=1e-6)
    assert scale(values).dtype == np.float32


def test_equal_vectors_stay_finite():
    values = np.ones((2, 3, 4), np.float32)
    assert (Scale.of(values, np.ones((2, 3), bool))(values) == 0).all()
