"""Which notebooks there are and what their parameters cells say."""

import pytest

from nbhelpers.common.errors import UsageError
from nbhelpers.runner.notebooks import find_notebooks, place_of, select_notebooks


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


def test_the_appendix_runs_only_when_it_is_named(with_appendix):
    notebooks = find_notebooks(with_appendix)
    stems = [notebook.stem for notebook in notebooks]
    assert stems == ["01_eda", "02_cnn", "a1_recipes", "a2_clips"]
    assert [one.stem for one in select_notebooks(notebooks, [])] == stems[:2]
    for name in ("a1", "a1_recipes", str(with_appendix / "appendix" / "a1_recipes.ipynb")):
        assert [one.stem for one in select_notebooks(notebooks, [name])] == ["a1_recipes"]
    assert [one.stem for one in select_notebooks(notebooks, ["a2", "1"])] == ["01_eda", "a2_clips"]
    with pytest.raises(UsageError, match=r"Did you mean.*a1_recipes"):
        select_notebooks(notebooks, ["a1_recipe"])


def test_places_are_where_the_notebooks_lie(with_appendix):
    for notebook in find_notebooks(with_appendix):
        assert with_appendix / place_of(notebook.stem) == notebook.path
