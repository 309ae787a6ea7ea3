"""The command line: `python -m nbhelpers COMMAND`."""

import argparse
import signal
import sys
from collections.abc import Sequence

from nbhelpers.commands import (
    check,
    compare,
    doctor,
    download,
    extract,
    predict,
    run,
    sweep,
)

COMMANDS = {
    "run": run,
    "predict": predict,
    "extract": extract,
    "sweep": sweep,
    "compare": compare,
    "check": check,
    "download": download,
    "doctor": doctor,
}


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = argparse.ArgumentParser(
        prog="python -m nbhelpers",
        description="Runs the deepfake detection notebooks, and what they made on your own files.",
        epilog="`python -m nbhelpers COMMAND --help` has examples.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        command.add_arguments(
            commands.add_parser(
                name,
                help=command.HELP,
                description=command.HELP[0].upper() + command.HELP[1:] + ".",
                epilog=command.EXAMPLES,
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        )
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Carries out one command.

    Args:
        arguments: the words after `python -m nbhelpers`; None takes the process's own.

    Returns:
        The exit code: 0 done, 1 something is wrong with what was asked about, 2 a request that
        cannot be carried out, 130 interrupted.
    """
    chosen = parser().parse_args(arguments)
    from nbhelpers.common.errors import UsageError

    try:
        return COMMANDS[chosen.command].main(chosen)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130


def _stop(signum: int, frame: object) -> None:
    """SIGTERM ends a run the way Ctrl-C does: kernels stopped, index written."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop)
    sys.exit(main())
