"""`readme`: rewrite the README's results table."""

import argparse
from pathlib import Path

EXAMPLES = """
examples:
  python -m nbhelpers readme                             from runs/latest
  python -m nbhelpers readme --out runs/tall             from another run

Exit code: 0 done, 2 no results there.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's grammar."""
    parser.add_argument("--out", default="", metavar="O", help="the run (runs/latest)")


def main(chosen: argparse.Namespace) -> int:
    """Rewrites the table."""
    from nbhelpers.common.errors import UsageError
    from nbhelpers.data.locate import project_root
    from nbhelpers.runner import scores

    folder = Path(chosen.out).expanduser() if chosen.out else project_root() / "runs" / "latest"
    results = scores.read_results(folder)
    if not results:
        raise UsageError(
            f"Expected NN_name.results.json files in {folder}; found none. Run the notebooks first."
        )
    changed = scores.update_readme(project_root() / "README.md", results)
    print("README.md: results table", "rewritten" if changed else "was up to date")
    return 0
