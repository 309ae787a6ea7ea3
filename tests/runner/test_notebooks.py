"""Which notebooks there are and what their parameters cells say."""

import pytest
import tiny_notebooks as tiny

from nbhelpers.common.errors import UsageError
from nbhelpers.runner.notebooks import find_notebooks, select_notebooks


@pytest.fixture
def two(tmp_path):
    """Two notebooks with a profile folder, not to be executed."""
    folder = tmp_path / "notebooks"
    tiny.write(folder, "01_eda", parameters="BINS = 20  # bars\n")
    tiny.write(folder, "02_cnn", parameters="EPOCHS = 3  # passes\nRATE = 0.1  # step\n")
    (folder / "profiles").mkdir()
    return folder


def test_notebooks_are_chosen_by_number_name_or_path(two):
    notebooks = find_notebooks(two)
    for name in ("2", "02", "02_cnn", "02_cnn.ipynb", str(two / "02_cnn.ipynb")):
        assert [notebook.stem for notebook in select_notebooks(notebooks, [name])] == ["02_cnn"]
    stems = [notebook.stem for notebook in select_notebooks(notebooks, ["02", "01"])]
    assert stems == ["01_eda", "02_cnn"]
    with pytest.raises(UsageError, match="number or name"):
        select_notebooks(notebooks, ["9"])
    with pytest.raises(UsageError, match="found none"):
        find_notebooks(two / "profiles")
