"""`run`: execute notebooks and write pages with their scores."""

import argparse
import sys

EXAMPLES = """
examples:
  python -m nbhelpers run                                the six notebooks on the bundled sample
  python -m nbhelpers run 02 03 --out runs/tall          two of them, into your own folder
  python -m nbhelpers run a1                             a long study from notebooks/appendix
  python -m nbhelpers run 03 -p EPOCHS 5 -p SEED 7       with other parameters
  python -m nbhelpers run --profile smoke                the smallest sizes, as a check
  python -m nbhelpers run --data-dir ~/kaggle --profile article
                                                         real data, the original article's settings
  python -m nbhelpers run --resume                       continue after an interruption

Each notebook becomes OUT/NN_name.ipynb and .html; OUT/index.html shows them with their scores.
--resume keeps finished notebooks whose code, parameters and data are unchanged, and continues
training from the last finished epoch.
Exit code: 0 all done, 1 a notebook failed or was skipped, 2 nothing run (unknown name or value).
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "notebooks", nargs="*", metavar="NN", help="01, 02, …, a1, … or names (the six lessons)"
    )
    parser.add_argument(
        "--data-dir",
        default="",
        metavar="D",
        help="folder that holds deepfake-faces and deepfake-detection-challenge, or one of them",
    )
    parser.add_argument("--out", default="", metavar="O", help="output folder (runs/latest)")
    parser.add_argument(
        "--profile", default="", metavar="P", help="smoke, article, or a YAML file of parameters"
    )
    parser.add_argument(
        "-p",
        dest="pairs",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="a parameter for every notebook that has it; may be repeated",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="keep what is finished and unchanged, continue with the rest",
    )


def main(chosen: argparse.Namespace) -> int:
    """Run the notebooks; say how to continue after an interruption or a full disk."""
    from nbhelpers.runner.series import run

    try:
        return run(
            chosen.notebooks,
            data_dir=chosen.data_dir,
            out=chosen.out,
            profile=chosen.profile,
            pairs=[tuple(pair) for pair in chosen.pairs],
            resume=chosen.resume,
        )
    except KeyboardInterrupt as interrupt:
        print("\n" + " ".join(["interrupted.", *_notes(interrupt)]), file=sys.stderr)
        return 130
    except BrokenPipeError:
        raise  # the reader of the output is gone: the entry point exits quietly
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        reason = f"error: {error.strerror or error}{where}."
        print("\n" + " ".join([reason, *_notes(error)]), file=sys.stderr)
        return 1


def _notes(error: BaseException) -> list[str]:
    """Return the notes added to an error: how to continue, if something had run."""
    return getattr(error, "__notes__", [])
