"""The command line: `python -m nbhelpers run`, `readme`, `render`."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

RUN_HELP = """
examples:
  python -m nbhelpers run                                the six notebooks on the bundled sample
  python -m nbhelpers run 02 03 --out runs/tall          two of them, into a folder of your own
  python -m nbhelpers run 03 -p EPOCHS 5 -p SEED 7       with other parameters
  python -m nbhelpers run --profile smoke                the smallest sizes: does everything work?
  python -m nbhelpers run --data-dir ~/kaggle --profile article
                                                         real data, the original article's settings

Each notebook becomes OUT/NN_name.ipynb and .html; OUT/index.html shows them with their scores.
Exit code: 0 all done, 1 a notebook failed or was skipped, 2 nothing run (unknown name or value).
"""
RENDER_HELP = """
examples:
  python -m nbhelpers render                             execute with default parameters, store all
  python -m nbhelpers render 02                          one notebook
  python -m nbhelpers render --from runs/latest          store the outputs of a finished run

A run taken with --from must have used default parameters and the notebooks as they are now.
"""


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = argparse.ArgumentParser(
        prog="python -m nbhelpers", description="Runs the deepfake detection notebooks."
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str, epilog: str = "") -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    run = add("run", "execute notebooks and write pages with their scores", RUN_HELP)
    run.add_argument("notebooks", nargs="*", metavar="NN", help="01, 02, … or names; all if none")
    run.add_argument(
        "--data-dir",
        default="",
        metavar="D",
        help="folder that holds deepfake-faces and deepfake-detection-challenge, or one of them",
    )
    run.add_argument("--out", default="", metavar="O", help="output folder (runs/latest)")
    run.add_argument(
        "--profile", default="", metavar="P", help="smoke, article, or a YAML file of parameters"
    )
    run.add_argument(
        "-p",
        dest="pairs",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="a parameter for every notebook that has it; may be repeated",
    )

    readme = add("readme", "rewrite the README's results table from the results of a run")
    readme.add_argument("--out", default="", metavar="O", help="the run (runs/latest)")

    render = add("render", "store outputs in notebooks/ for readers of the repository", RENDER_HELP)
    render.add_argument(
        "notebooks", nargs="*", metavar="NN", help="01, 02, … or names; all if none"
    )
    render.add_argument(
        "--from", dest="run_dir", default="", metavar="O", help="a finished run, instead of a new"
    )
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Carries out one command.

    Args:
        arguments: the words after `python -m nbhelpers`; None takes the process's own.

    Returns:
        The exit code: 0 done, 1 something failed, 2 a request that cannot be carried out.
    """
    chosen = parser().parse_args(arguments)
    from nbhelpers.runner.sources import UsageError

    try:
        return _COMMANDS[chosen.command](chosen)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130


def _run(chosen: argparse.Namespace) -> int:
    from nbhelpers.runner.series import run

    return run(
        chosen.notebooks,
        data_dir=chosen.data_dir,
        out=chosen.out,
        profile=chosen.profile,
        pairs=[tuple(pair) for pair in chosen.pairs],
    )


def _readme(chosen: argparse.Namespace) -> int:
    from nbhelpers.locate import project_root
    from nbhelpers.runner import scores
    from nbhelpers.runner.sources import UsageError

    folder = Path(chosen.out).expanduser() if chosen.out else project_root() / "runs" / "latest"
    results = scores.read_results(folder)
    if not results:
        raise UsageError(
            f"Expected NN_name.results.json files in {folder}; found none. Run the notebooks first."
        )
    changed = scores.update_readme(project_root() / "README.md", results)
    print("README.md: results table", "rewritten" if changed else "was up to date")
    return 0


def _render(chosen: argparse.Namespace) -> int:
    from nbhelpers.runner.stored import render

    return render(chosen.notebooks, run_dir=chosen.run_dir)


_COMMANDS = {"run": _run, "readme": _readme, "render": _render}


def _stop(signum: int, frame: object) -> None:
    """SIGTERM ends a run the way Ctrl-C does: kernels stopped, index written."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop)
    sys.exit(main())
