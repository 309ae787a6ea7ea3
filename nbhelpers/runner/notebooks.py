"""The notebooks of the series, and what their parameters cells say."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nbhelpers.common.errors import UsageError, did_you_mean
from nbhelpers.common.parameters import Parameter, read_cell

NEEDS = {"04": ("03",)}  # does not run when one of these failed
USES = {"06": ("03",), "a2": ("03",)}  # uses what these wrote, but can do without
APPENDIX = "appendix"  # folder of the long studies, a1, a2, …: they run only when named
FILES = ("[0-9][0-9]_*", "a[0-9]_*")  # of lessons, of the appendix
HOSTED = "hosted"  # tag of the cell that only Kaggle and Colab need


@dataclass(frozen=True)
class Notebook:
    """One notebook of the series.

    Attributes:
        path: the .ipynb file.
        parameters: name -> parameter, as in the cell tagged `parameters`.
        code_cells: number of code cells.
        digest: sha256 of the code cells (`source_digest`).
    """

    path: Path
    parameters: dict[str, Parameter]
    code_cells: int
    digest: str

    @property
    def defaults(self) -> dict[str, object]:
        """Parameter name -> the value in the notebook's own text."""
        return {name: parameter.default for name, parameter in self.parameters.items()}

    @property
    def stem(self) -> str:
        """File name without suffix, for example `03_xception_transfer`."""
        return self.path.stem

    @property
    def number(self) -> str:
        """The part before the first underscore, for example `03`, or `a1` in the appendix."""
        return number_of(self.stem)

    @property
    def is_lesson(self) -> bool:
        """Whether it is one of the lessons, which run if no notebook is named."""
        return self.number.isdigit()


def number_of(stem: str) -> str:
    """Return the part of a notebook's name before the first underscore.

    >>> number_of("03_xception_transfer"), number_of("a1_recipe_studies")
    ('03', 'a1')
    """
    return stem.partition("_")[0]


def place_of(stem: str) -> str:
    """Return the path of a notebook below `notebooks/`, with slashes.

    >>> place_of("01_eda"), place_of("a1_recipe_studies")
    ('01_eda.ipynb', 'appendix/a1_recipe_studies.ipynb')
    """
    return f"{stem}.ipynb" if number_of(stem).isdigit() else f"{APPENDIX}/{stem}.ipynb"


def source_digest(cells: Iterable[dict]) -> str:
    """Return a fingerprint of what a notebook executes: the code cells' text, in order.

    Args:
        cells: notebook cells; prose is ignored, so that correcting it requires no new run.

    Returns:
        sha256 in hexadecimal.
    """
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return hashlib.sha256(json.dumps(code).encode()).hexdigest()


def tags_of(cell: dict) -> list[str]:
    """Return the tags of a notebook cell."""
    return cell.get("metadata", {}).get("tags", [])


def load_notebook(path: Path) -> Notebook:
    """Read one notebook's parameters and digest.

    Args:
        path: an .ipynb file, format 4.

    Returns:
        The notebook, not executed.

    Raises:
        UsageError: not a notebook, or a parameters cell that cannot be read.
    """
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"Expected a notebook in format 4; could not read {path}: {error!r}. Restore the file."
        ) from None
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    parameters = {}
    for cell in code:
        if "parameters" in tags_of(cell):
            try:
                parameters |= read_cell("".join(cell["source"]))
            except (UsageError, SyntaxError) as error:
                raise UsageError(f"{path.name}: {error}") from None
    return Notebook(path, parameters, len(code), source_digest(cells))


def find_notebooks(folder: Path) -> list[Notebook]:
    """Return all notebooks of the series: the lessons in order, then the appendix.

    Args:
        folder: contains `NN_name.ipynb` files, and those of the appendix, `aN_name.ipynb`, in its
            folder `appendix`.

    Returns:
        At least one lesson.

    Raises:
        UsageError: there is none, or one cannot be read.
    """
    lessons, studies = (f"{start}.ipynb" for start in FILES)
    paths = sorted(folder.glob(lessons))
    if not paths:
        raise UsageError(
            f"Expected notebooks named NN_name.ipynb in {folder}; found none. "
            "Run this inside a checkout of the project."
        )
    paths += sorted((folder / APPENDIX).glob(studies))
    return [load_notebook(path) for path in paths]


def select_notebooks(notebooks: list[Notebook], wanted: Iterable[str]) -> list[Notebook]:
    """Return the notebooks asked for.

    Args:
        notebooks: all of them.
        wanted: numbers (`3`, `03`, `a1`), names or paths; none means all lessons.

    Returns:
        Some of `notebooks`, in their order.

    Raises:
        UsageError: a name that matches none.
    """
    names = {notebook.number: notebook for notebook in notebooks}
    names |= {notebook.stem: notebook for notebook in notebooks}
    chosen = set()
    for name in wanted:
        key = Path(name).name.removesuffix(".ipynb")
        key = key.zfill(2) if key.isdigit() else key
        if key not in names:
            raise UsageError(
                f"Expected a notebook's number or name; received {name!r}. "
                + did_you_mean(key, [notebook.stem for notebook in notebooks])
            )
        chosen.add(names[key].stem)
    if not chosen:
        return [notebook for notebook in notebooks if notebook.is_lesson]
    return [notebook for notebook in notebooks if notebook.stem in chosen]
