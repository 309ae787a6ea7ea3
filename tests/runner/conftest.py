"""What the runner's tests share."""

import pytest
import tiny_notebooks as tiny


@pytest.fixture
def two(tmp_path):
    """Two notebooks with a profile folder, not to be executed."""
    folder = tmp_path / "notebooks"
    tiny.write(folder, "01_eda", parameters="BINS = 20  # bars\n")
    tiny.write(folder, "02_cnn", parameters="EPOCHS = 3  # passes\nRATE = 0.1  # step\n")
    (folder / "profiles").mkdir()
    return folder
