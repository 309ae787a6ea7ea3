"""What the runner's tests share."""

import pytest
import tiny_notebooks as tiny

STUDY = "STUDY_EPOCHS = 3  # passes\n"


@pytest.fixture
def two(tmp_path):
    """Two notebooks with a profile folder, not to be executed."""
    folder = tmp_path / "notebooks"
    tiny.write(folder, "01_eda", parameters="BINS = 20  # bars\n")
    tiny.write(folder, "02_cnn", parameters="EPOCHS = 3  # passes\nRATE = 0.1  # step\n")
    (folder / "profiles").mkdir()
    return folder


@pytest.fixture
def with_appendix(two):
    """The same two, and two long studies beside them."""
    tiny.write(two / "appendix", "a1_recipes", tiny.saving("a1_recipes"), parameters=STUDY)
    tiny.write(two / "appendix", "a2_clips", "print(SEED)")
    return two
