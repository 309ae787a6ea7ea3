"""Which notebooks there are and what their parameters cells say."""

import pytest

from nbhelpers.common.errors import UsageError
from nbhelpers.runner.notebooks import find_notebooks, select_notebooks


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
