"""The course site: notebooks with stored outputs, docs and glossary as browsable pages."""

import argparse
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from nbhelpers.common import files
from nbhelpers.common.errors import UsageError
from nbhelpers.common.paths import path_argument
from nbhelpers.data import locate
from nbhelpers.runner import pictures
from nbhelpers.runner.notebooks import HOSTED, tags_of
from tools import command_line
from tools.hosted import owner_and_name

HELP = "build the course site from the notebooks' stored outputs, the docs and the glossary"
EXAMPLES = """
examples:
  python -m tools.book                                                   site/index.html
  python -m tools.book --repository https://github.com/OWNER/NAME        with links to the code

Nothing is executed or downloaded, and the pages need no network. Without --repository, the
address is the one that `python -m tools.hosted` has written into the notebooks, if any.
Exit code: 0 built, 1 Sphinx rejects a page, 2 no Sphinx, or a folder that contains something else.
"""
CONFIGURATION = "docs/book"
PAGES = (
    "README.md",
    "GLOSSARY.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/*.md",
    "data/README.md",
    "data/detector/README.md",
    "notebooks/*.ipynb",
    "notebooks/appendix/*.ipynb",
)
PICTURES = ("docs/*.svg", "docs/*.jpg", "data/*.jpg")
APPENDIX = re.compile(r"```\{toctree\}\n:hidden:\n:caption: Appendix\n[^`]*```\n")
SITE = ".buildinfo"  # Sphinx writes it into every folder of pages
COLAB_LINK = re.compile(r"colab\.research\.google\.com/github/([\w.-]+/[\w.-]+)/blob/")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the program's arguments."""
    parser.add_argument(
        "--out",
        type=path_argument,
        metavar="DIR",
        default=Path("site"),
        help="output folder (site)",
    )
    parser.add_argument(
        "--repository", metavar="URL", default="", help="where the project can be cloned from"
    )


def main(chosen: argparse.Namespace) -> int:
    """Build the site."""
    return build(chosen.out, repository=chosen.repository)


def build(out: Path, *, repository: str = "", root: Path | None = None) -> int:
    """Write the site into a folder, replacing an existing site.

    Args:
        out: the folder.
        repository: address of the project; "" takes the one in the notebooks, if any.
        root: the checkout; None is this one.

    Returns:
        0 if built; 1 if Sphinx prints warnings, which go to standard error.

    Raises:
        UsageError: no Sphinx, an unusable address, or a folder that is not a site.
    """
    root = root or locate.project_root()
    if out.exists() and any(out.iterdir()) and not (out / SITE).is_file():
        raise UsageError(f"Expected a new folder or a site; received {out}. Name another.")
    repository = repository or repository_in(root)
    if repository:
        repository = "https://github.com/{}/{}".format(*owner_and_name(repository))
    if importlib.util.find_spec("sphinx") is None:
        raise UsageError("Expected Sphinx; it is not installed. Use `make book`.")
    with tempfile.TemporaryDirectory(prefix="nbhelpers-book-") as folder:
        pages, site = Path(folder, "pages"), Path(folder, "site")
        lay_out(root, pages)
        # the configuration imports `tools`, which is not installed
        words = ["-W", "--keep-going", "-q", "-j", "auto", "-c", CONFIGURATION]
        words += ["-d", str(Path(folder, "trees")), str(pages), str(site)]
        done = subprocess.run(
            [sys.executable, "-m", "sphinx", *words],
            cwd=root,
            env=os.environ
            | {"BOOK_REPOSITORY": repository, "PYTHONPATH": str(locate.project_root())},
            check=False,
        )
        if done.returncode:
            return 1
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(site, out)
    print(f"{out / 'index.html'}")
    return 0


def repository_in(root: Path) -> str:
    """Return the address that `tools.hosted` has written into the notebooks; "" if none.

    Args:
        root: the checkout.
    """
    for path in sorted(root.glob("notebooks/*.ipynb")):
        link = COLAB_LINK.search(path.read_text(encoding="utf-8"))
        if link:
            return f"https://github.com/{link[1]}"
    return ""


def lay_out(root: Path, folder: Path) -> None:
    """Copy all sources of pages, and the pictures, into Sphinx's source folder.

    Paths are those in the checkout, so links between pages need no change; only the first page
    moves to the top.

    Args:
        root: the checkout.
        folder: the source folder; it is created.
    """
    import nbformat

    for pattern in (*PAGES, *PICTURES):
        for path in sorted(root.glob(pattern)):
            target = folder / path.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".ipynb":
                content = page_notebook(nbformat.read(path, as_version=4))
                files.write_text(target, nbformat.writes(content))
            else:
                shutil.copyfile(path, target)
    first = (root / CONFIGURATION / "index.md").read_text(encoding="utf-8")
    if not (folder / "notebooks" / "appendix").is_dir():  # Sphinx requires an entry in each list
        first = APPENDIX.sub("", first)
    files.write_text(folder / "index.md", first)


def page_notebook(notebook):
    """Set the appearance of a notebook's cells on the site by MyST-NB's tags and metadata.

    Plumbing and solutions in code are folded, and each figure gets an alternative text.

    Args:
        notebook: an nbformat notebook; it is changed.

    Returns:
        The same.
    """
    heading = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heads = re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE)
            heading = re.sub(r"[`*]", "", heads[-1]) if heads else heading
            continue
        tags = tags_of(cell)
        if HOSTED in tags:
            _fold(cell, "hide-input", "Set-up, needed on Kaggle and Colab")
        elif "solution" in tags:
            _fold(cell, "hide-cell", "Solution")
        figures = [one for one in cell.outputs if picture_only(one)]
        if figures:
            place = (
                f"Figure in the section \u201c{heading}\u201d; the text around it says what to see."
            )
            alt = " ".join(filter(None, map(pictures.description, figures))) or place
            cell.metadata.setdefault("mystnb", {})["image"] = {"alt": alt}
    return notebook


def picture_only(output) -> bool:
    """Whether an output is a picture; its HTML is removed, unless it is interactive.

    Stored outputs have lost their scripts, and a slider without one is worse than its picture.

    Args:
        output: of a code cell; it is changed.
    """
    data = output.get("data", {})
    if not any(kind.startswith("image/") for kind in data):
        return False
    if "<script" in data.get("text/html", ""):
        return False
    data.pop("text/html", None)
    return True


def _fold(cell, tag: str, words: str) -> None:
    """Fold a code cell, or its input, behind a label."""
    cell.metadata["tags"] = [*tags_of(cell), tag]
    cell.metadata["mystnb"] = {
        "code_prompt_show": words,
        "code_prompt_hide": words,
    }


if __name__ == "__main__":
    command_line.run_as_program(sys.modules[__name__])
