"""`python -m nbhelpers` on the notebooks of another project: driver.py PROJECT WORDS..."""

import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    from nbhelpers import __main__ as command
    from nbhelpers.data import locate

    project = Path(sys.argv[1])
    locate.project_root = lambda: project
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells' `&` has it ignored
    sys.argv[1:] = sys.argv[2:]
    sys.exit(command.script())
