"""Notebooks without solutions."""

import nbformat

from nbhelpers.data import locate
from tools import class_set, command_line


def test_exercises_stay_and_solutions_go(tmp_path, capsys):
    assert command_line.run(class_set, [str(tmp_path / "class")]) == 0
    for path in (locate.project_root() / "notebooks").glob("0*.ipynb"):
        before, after = (
            nbformat.read(one, as_version=4) for one in (path, tmp_path / "class" / path.name)
        )
        solutions = [cell for cell in before.cells if "solution" in cell.metadata.get("tags", [])]
        assert len(solutions) >= 3  # of the exercises, and of the questions to check oneself
        assert len(before.cells) - len(after.cells) == len(solutions)
        text = "\n".join(cell.source for cell in after.cells)
        assert "Solution" not in text
        assert all(f"**{number}.**" in text for number in (1, 2, 3))
    assert command_line.run(class_set, [str(tmp_path / "class")]) == 2
    assert "Choose another" in capsys.readouterr().err
