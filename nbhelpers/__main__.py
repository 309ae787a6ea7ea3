"""The command line: `nbhelpers COMMAND`, or `python -m nbhelpers COMMAND`."""

import argparse
import importlib
import signal
import sys
from collections.abc import Sequence
from types import ModuleType

from nbhelpers.commands import installed
from nbhelpers.common import paths, streams
from nbhelpers.common.errors import UsageError, did_you_mean
from nbhelpers.common.files import displayable

#: Each is a module of `nbhelpers.commands`, imported only when it is needed.
COMMANDS = {
    "run": "execute notebooks and write pages with their scores",
    "predict": "score your own pictures and videos with a detector",
    "app": "open a page on this machine where photos and clips can be dropped and judged",
    "check": "check a data set: every row of its description against its file",
    "compare": "compare runs: parameters that differ, scores, paired differences",
    "download": "download one of the two data sets from Kaggle (needs an account there)",
    "doctor": "check this machine: versions, GPU, ffmpeg, weights, data, detectors",
    "extract": "extract the features of clips into a store, on this machine or on a cluster",
    "sweep": "run notebooks with every combination of parameters, and tabulate the scores",
}
INTERRUPTED = 128 + signal.SIGINT  # as shells report it


def command_module(name: str) -> ModuleType:
    """Import a command.

    Args:
        name: of `COMMANDS`.

    Returns:
        The module, with `EXAMPLES`, `add_arguments` and `main`.
    """
    return importlib.import_module(f"nbhelpers.commands.{name}")


def parser(command: str = "") -> argparse.ArgumentParser:
    """Build the grammar of the command line; import only the one command.

    Args:
        command: the one whose arguments are to be parsed; "" for none.

    Returns:
        A parser that lists all commands for students.
    """
    top = argparse.ArgumentParser(
        prog="python -m nbhelpers",
        description="Run the deepfake detection notebooks, and use what they produce on your own "
        "files.",
        epilog="`python -m nbhelpers COMMAND --help` has examples.",
    )
    subparsers = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        _add(subparsers, name, summary, in_full=name == command, help=summary)
    return top


def _add(subparsers, name: str, summary: str, *, in_full: bool, **listed: str) -> None:
    """Add a command; its own arguments only where they are needed."""
    module = command_module(name) if in_full else None
    subparser = subparsers.add_parser(
        name,
        **listed,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=module.EXAMPLES if module else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if module:
        module.add_arguments(subparser)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse a command and its arguments.

    Args:
        arguments: the words after `nbhelpers`.

    Returns:
        What was chosen, `command` among it.

    Raises:
        SystemExit: with 0 after `--help`, with 2 for words that are not a command.
    """
    command = next((word for word in arguments if not word.startswith("-")), "")
    if command and command not in COMMANDS:
        parser().error(f"there is no command {command!r}. {did_you_mean(command, COMMANDS)}")
    return parser(command).parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command.

    Args:
        arguments: the words after `nbhelpers`; None takes the process's own.

    Returns:
        The exit code: 0 done, 1 done but something is wrong with the input, 2 a request that
        cannot be carried out, 130 interrupted.

    Raises:
        BrokenPipeError: the reader of the output has gone; see `script`.
    """
    try:
        chosen = parse(sys.argv[1:] if arguments is None else arguments)
        paths.check_working_directory()
        return command_module(chosen.command).main(chosen)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        if not installed.has_project():
            print(installed.NO_PROJECT, file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if not error.name or error.name.split(".")[0] == "nbhelpers":
            raise
        print(
            f"error: Expected the package {error.name!r}; it is not installed. Use `pip install -r "
            "requirements.txt`; `python -m nbhelpers doctor` lists what is missing.",
            file=sys.stderr,
        )
        return 2
    except BrokenPipeError:
        raise  # the reader of the output has gone: nothing can be printed
    except OSError as error:
        if error.filename is None and not streams.is_full(error):
            raise
        where = displayable(str(error.filename or "output"))
        print(f"error: {where}: {error.strerror}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return INTERRUPTED


def script() -> int:
    """Carry out the command of this process; the entry point of the script `nbhelpers`."""
    for name in ("SIGTERM", "SIGHUP"):  # the latter is unknown on Windows, and ignored under nohup
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _interrupt)
    streams.make_robust()
    return streams.until_reader_leaves(main)


def _interrupt(signum: int, frame: object) -> None:
    """End after SIGTERM or a closed terminal as after Ctrl-C: results so far are written."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(script())
