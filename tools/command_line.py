"""The command line of a maintainer's program: its arguments, errors and exit codes."""

import argparse
import signal
import sys
from collections.abc import Sequence
from types import ModuleType

from nbhelpers.common.errors import UsageError


def run(program: ModuleType, arguments: Sequence[str] | None = None) -> int:
    """Run a program of this folder.

    Args:
        program: a module with ``HELP``, ``EXAMPLES``, ``add_arguments(parser)`` and
            ``main(chosen)``, as the modules of `nbhelpers.commands`.
        arguments: of the command line; None takes those of the process.

    Returns:
        The exit code: that of ``main``, 2 for a request that cannot be carried out, 130 when
        interrupted.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m {program.__spec__.name}",
        description=program.HELP[0].upper() + program.HELP[1:] + ".",
        epilog=program.EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    program.add_arguments(parser)
    try:
        return program.main(parser.parse_args(arguments))
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130


def run_as_program(program: ModuleType) -> None:
    """Run a program as a process of its own; SIGTERM ends it like Ctrl-C."""
    signal.signal(signal.SIGTERM, _stop)
    sys.exit(run(program))


def _stop(signum: int, frame: object) -> None:
    """Turn a signal into an interrupt, so that kernels are stopped."""
    raise KeyboardInterrupt
