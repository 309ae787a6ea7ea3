"""`doctor`: does this machine have what the notebooks need?

Each check does its own imports: a missing or broken package is a finding of that check and must not
stop the others.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from nbhelpers.commands import installed
from nbhelpers.common.errors import UsageError
from nbhelpers.common.folders import home_folder
from nbhelpers.common.native_logs import no_chatter
from nbhelpers.data import locate

EXAMPLES = """
examples:
  python -m nbhelpers doctor                             all checks
  python -m nbhelpers doctor --offline                   contact no servers
  python -m nbhelpers doctor --licences                  only list the licences of all packages

`ok` is fine, `--` is optional, `!!` needs fixing.
Exit code: 0 nothing needs fixing, 1 something does.
"""
GOOD, NOTE, BAD = "ok", "--", "!!"
Finding = tuple[str, str]
PYTHONS = ((3, 11), (3, 14))  # from the first to below the second: TensorFlow has wheels
# Builds of the same library: any of them will do.
OPENCV = ("opencv-python-headless", "opencv-python", "opencv-contrib-python-headless")
OPENCV += ("opencv-contrib-python",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--offline", action="store_true", help="contact no servers about weights")
    parser.add_argument("--licences", action="store_true", help="only list licences")


def main(chosen: argparse.Namespace) -> int:
    """Check everything and print the findings."""
    if chosen.licences:
        print("\n".join(licences()))
        return 0
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    checks: dict[str, Callable[[], Iterator[Finding]]] = {
        "Python": python,
        "project": project,
        "packages": packages,
        "GPU": gpu,
        "ffmpeg": ffmpeg,
        "face finder": face_finder,
        "ImageNet weights": lambda: imagenet_weights(offline=chosen.offline),
        "data": data,
        "Kaggle account": kaggle_account,
        "detectors": detectors,
    }
    bad = 0
    for name, check in checks.items():
        try:
            findings = list(check())
        except Exception as error:  # no finding may stop the other checks
            findings = [(BAD, f"{type(error).__name__}: {error}")]
        for mark, text in findings:
            print(f"{mark}  {name:<17} {text}")
            bad += mark == BAD
    print("\nNothing needs fixing." if not bad else f"\n{bad} of these need fixing.")
    return int(bad > 0)


def python() -> Iterator[Finding]:
    """Name the interpreter and the machine."""
    machine = (
        f"{platform.python_version()} on {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} CPUs"
    )
    lowest, above = PYTHONS
    if lowest <= sys.version_info[:2] < above:
        yield GOOD, machine
    else:
        yield (
            BAD,
            f"{machine}: TensorFlow has wheels for {lowest[0]}.{lowest[1]} to "
            f"{above[0]}.{above[1] - 1}; recreate the environment with one of these",
        )


def project() -> Iterator[Finding]:
    """Check that the notebooks and the sample are there."""
    if installed.has_project():
        yield GOOD, str(locate.project_root())
    else:
        yield BAD, installed.NO_PROJECT


def packages() -> Iterator[Finding]:
    """Compare each requirement of nbhelpers with the installed version."""
    from packaging.requirements import Requirement

    versions = []
    try:
        wanted = importlib.metadata.requires("nbhelpers") or []
    except importlib.metadata.PackageNotFoundError:
        yield NOTE, "nbhelpers itself is not installed (pip install -e .): versions not compared"
        return
    for text in wanted:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = _installed_version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            yield BAD, f"{requirement.name} is missing: pip install -r requirements.txt"
            continue
        if requirement.specifier.contains(version, prereleases=True):
            versions.append(f"{requirement.name} {version}")
        else:
            yield BAD, f"{requirement.name} {version} does not fit {requirement.specifier}"
    yield GOOD, f"{len(versions)} fit: " + ", ".join(versions)


def _installed_version(name: str) -> str:
    """Return the version of a distribution, or of another build of the same library."""
    for build in OPENCV if name in OPENCV else [name]:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.version(build)
    raise importlib.metadata.PackageNotFoundError(name)


def licences() -> list[str]:
    """List name, version and licence of every installed package, from its metadata."""
    lines = []
    for package in importlib.metadata.distributions():
        facts = package.metadata
        kinds = [
            line.rpartition(" :: ")[2]
            for line in facts.get_all("Classifier", [])
            if line.startswith("License ::")
        ]
        text = facts.get("License-Expression") or ", ".join(kinds) or facts.get("License") or ""
        first = (text.strip().splitlines() or ["not stated"])[0][:80]  # some contain the whole text
        lines.append(f"{facts['Name']:<34} {package.version:<16} {first}")
    return sorted(set(lines), key=str.lower)


def gpu() -> Iterator[Finding]:
    """Name the GPUs that TensorFlow sees."""
    from nbhelpers.networks import training

    with no_chatter():
        names = training.gpus()
    if names:
        yield GOOD, ", ".join(names)
    else:
        yield NOTE, "none that TensorFlow sees: fine for the sample, slow for real data"


def ffmpeg() -> Iterator[Finding]:
    """Check that the program runs and writes video that browsers play."""
    from nbhelpers.media.ffmpeg import program as find_program

    program = find_program()
    run = subprocess.run(
        [program, "-hide_banner", "-encoders"], capture_output=True, text=True, timeout=60
    )
    known = "libx264" in run.stdout
    version = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=60)
    first = re.match(r"ffmpeg version (\S+)", version.stdout)
    yield (
        GOOD if known else BAD,
        f"{first[1] if first else 'unknown version'}, "
        + ("writes H.264" if known else "writes no H.264: previews of clips will fail"),
    )


def face_finder() -> Iterator[Finding]:
    """Find the face in a picture of the bundled sample."""
    from nbhelpers.media import faces, images

    folder = locate.project_root() / "data" / "sample" / locate.FACES / "faces_224"
    picture = next(iter(sorted(folder.glob("*.jpg"))), None)
    if picture is None:
        yield NOTE, "not tried: the bundled sample is missing"
    else:
        count = len(faces.detect_faces(images.read_image(picture)))
        yield GOOD if count else BAD, f"{count} face found in a picture of the sample"


def imagenet_weights(*, offline: bool = False) -> Iterator[Finding]:
    """Say where weights of each architecture are available; nothing is downloaded."""
    from nbhelpers.networks import weights

    for architecture in weights.KERAS_FILES:
        places = weights.reachable(architecture, offline=offline)
        if places:
            yield GOOD, f"{architecture}: {'; '.join(places)}"
        else:
            yield (
                NOTE,
                f"{architecture}: nowhere"
                + (" in caches" if offline else "")
                + "; notebooks continue "
                "with random weights and say so",
            )


def data() -> Iterator[Finding]:
    """Name the data that the notebooks would use."""
    for name in locate.MARKERS:
        try:
            yield GOOD, str(locate.find(name))
        except FileNotFoundError as error:
            yield BAD, str(error)


def kaggle_account() -> Iterator[Finding]:
    """Check for a token without reading it."""
    settings = Path(os.environ.get("KAGGLE_CONFIG_DIR", home_folder() / ".kaggle"))
    names = {"KAGGLE_USERNAME", "KAGGLE_API_TOKEN"} & set(os.environ)
    files = [settings / "kaggle.json", settings / "access_token"]
    if names or any(file.is_file() for file in files):
        yield GOOD, "token present; `python -m nbhelpers download` can use it"
    else:
        yield NOTE, "no token; needed only to download real data (`download --help` explains how)"


def detectors() -> Iterator[Finding]:
    """Name the detector that `predict` would use."""
    from nbhelpers.networks import detector_files

    try:
        yield GOOD, f"predict uses {detector_files.detector_file()}"
    except UsageError as error:
        yield NOTE, str(error)
