"""The smoke run that the execution and the browser tests share, and axe-core."""

import io
import json

import pytest
from copies import FOLDER
from seen import axe_source

from nbhelpers.runner import run_record, series
from nbhelpers.runner.notebooks import NEEDS, USES


@pytest.fixture(scope="session")
def out(tmp_path_factory):
    """One output folder for all: 04 and 06 take up what 03 made."""
    return tmp_path_factory.mktemp("smoke")


def run(stem, out):
    """Runs a notebook once; 03 before the ones that need its model."""
    number = stem[:2]
    done = json.loads(state.read_text()) if (state := out / run_record.STATE).is_file() else {}
    for other in NEEDS.get(number, ()) + USES.get(number, ()):
        path = next(FOLDER.glob(f"{other}_*.ipynb"))
        if path.stem not in done:
            run(path.stem, out)
    if stem in done:
        return
    said = io.StringIO()
    code = series.run([number], out=str(out), profile="smoke", stream=said)
    assert code == 0, said.getvalue()


@pytest.fixture(scope="session")
def smoke(out):
    """Call it with a notebook's name to have it executed in `out`, once."""
    return lambda stem: run(stem, out)


@pytest.fixture(scope="session")
def axe():
    """The text of axe-core; "" where it is not installed, then `seen.faults` looks for nothing."""
    return axe_source()
