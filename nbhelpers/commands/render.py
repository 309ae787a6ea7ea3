"""`render`: store outputs in notebooks/ for readers of the repository."""

import argparse

EXAMPLES = """
examples:
  python -m nbhelpers render                             execute with default parameters, store all
  python -m nbhelpers render 02                          one notebook
  python -m nbhelpers render --from runs/latest          store the outputs of a finished run

A run taken with --from must have used default parameters and the notebooks as they are now.
Exit code: 0 stored, 1 a notebook failed and nothing was stored, 2 a run that does not fit.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's grammar."""
    parser.add_argument(
        "notebooks", nargs="*", metavar="NN", help="01, 02, … or names; all if none"
    )
    parser.add_argument(
        "--from", dest="run_dir", default="", metavar="O", help="a finished run, instead of a new"
    )


def main(chosen: argparse.Namespace) -> int:
    """Renders the notebooks."""
    from nbhelpers.runner.stored import render

    return render(chosen.notebooks, run_dir=chosen.run_dir)
