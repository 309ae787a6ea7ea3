"""`extract`: extract the features of a folder of clips, on one machine or many."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from nbhelpers.common import files, paths
from nbhelpers.common.errors import UsageError
from nbhelpers.common.native_logs import no_chatter
from nbhelpers.common.paths import path_argument
from nbhelpers.common.tables import frame_csv
from nbhelpers.data import locate, manifest
from nbhelpers.features import cluster, encoders, extraction
from nbhelpers.features.extraction import REPORT, Choice
from nbhelpers.features.store import StoreError
from nbhelpers.media.kinds import CLIP_ENDINGS
from nbhelpers.networks import detector_files
from nbhelpers.networks.weights import WeightsError

EXAMPLES = """
examples:
  python -m nbhelpers extract                            the bundled sample, as notebook 06 does
  python -m nbhelpers extract ~/kaggle --csv report.csv  the clips of a data set, with a report
  python -m nbhelpers extract ~/dfdc --frames 20 --encoder runs/mine/03_xception_transfer.keras
                                                         all clips below a folder, another encoder
  python -m nbhelpers extract /shared/dfdc --store /shared/features --engine ray --address auto
                                                         on all machines of a Ray cluster

DIR is a data set (its metadata say which clips), or any folder of clips. The store holds one file
per clip, named after everything that its content depends on: features in the store are not computed
again, so an interrupted run continues where it stopped. Defaults are those of notebook 06, whose
own store is OUTPUT_DIR/features.

Engine ray (pip install -e '.[cluster]' on every machine): workers load the encoder once and take
one clip at a time. Clips and store must be on a disk that all machines see under the same path;
this is checked first. A clip that raises an error, or crashes its worker, is tried three times,
then reported. If a machine is lost, only the clips in progress are lost; they are computed again.

Exit code: 0 the features of every clip are in the store; 1 some clips have none, each with its
reason; 2 nothing done (no clips, no encoder, no cluster, machines that do not see the folders,
a store that cannot be written). Features computed earlier stay in the store in every case.
"""
MOST_LISTED = 10  # unreadable clips


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    path = {"type": path_argument}
    add("folder", nargs="?", **path, metavar="DIR", help="data set or folder (searched for)")
    add("--store", **path, metavar="DIR", help="folder of the features (runs/latest/features)")
    add("--csv", **path, metavar="FILE", help="write the report, one row per clip")
    add("--force", action="store_true", help=files.FORCE_HELP)
    what = parser.add_argument_group("what to extract")
    add = what.add_argument
    add(
        "--encoder",
        default="auto",
        metavar="E",
        help="auto, ImageNet, InceptionV3, Xception, bundled, detector (of runs/latest) or a "
        ".keras file (auto: bundled for clips of real people, ImageNet for the sample)",
    )
    add("--layer", default="", metavar="L", help="layer of a detector (its last)")
    add("--weights", default="auto", choices=("auto", "imagenet", "none"), help="ImageNet weights")
    add("--image-size", type=int, default=128, metavar="N", help="pixels; a detector has its own")
    add("--frames", type=int, default=6, metavar="N", help="frames per clip (6)")
    add("--how", default="even", choices=("even", "first"), help="which frames (even)")
    add("--crop", default="face", choices=("face", "centre"), help="which part of a frame (face)")
    add("--margin", type=float, default=-0.1, metavar="M", help="around a face, share (-0.1)")
    where = parser.add_argument_group("where to run")
    add = where.add_argument
    add("--engine", default="local", choices=("local", "ray"), help="this process, or Ray (local)")
    add("--address", default="", metavar="A", help="of a Ray cluster, host:port or auto")
    add("--workers", type=int, default=0, metavar="N", help="Ray workers (as many as have room)")
    add("--cpus", type=float, default=1, metavar="N", help="processors per worker (1)")
    add("--gpus", type=float, default=0, metavar="N", help="GPUs per worker, such as 0.25")


def main(chosen: argparse.Namespace) -> int:
    """Extract the features."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    _check_ranges(chosen)
    if chosen.csv:
        header = pd.DataFrame(columns=REPORT).to_csv(index=False)
        files.check_target(chosen.csv, kind=header, force=chosen.force)
    place, table, findings, is_sample = clips_of(chosen.folder)
    latest = locate.project_root() / "runs" / "latest"
    store = chosen.store or latest / "features"
    choice = _choice(chosen, detector_files.detector_file(run_folder=latest), is_sample)
    _log(f"{place}: {len(table) + len(findings)} clips")
    _log_encoder(choice)
    started = time.perf_counter()
    try:
        report = _collect(_rows(chosen, table, choice, store), findings, total=len(table))
    except (cluster.ClusterError, StoreError) as error:
        raise UsageError(str(error)) from None
    print(summary(report, store, seconds=time.perf_counter() - started))
    if chosen.csv:
        files.write_target(chosen.csv, frame_csv(report.sort_values("videoname")))
        print(f"report: {chosen.csv}")
    return int(not report["readable"].all())


def _rows(
    chosen: argparse.Namespace, table: pd.DataFrame, choice: Choice, store: Path
) -> Iterator[dict]:
    """Yield the rows of the report as clips are finished, by this process or by a cluster."""
    if chosen.engine == "local":
        return extraction.fill(table, choice, store=store, keep_going=True)
    return cluster.fill(
        table,
        choice,
        store=store,
        address=chosen.address,
        workers=chosen.workers,
        cpus=chosen.cpus,
        gpus=chosen.gpus,
    )


def _check_ranges(chosen: argparse.Namespace) -> None:
    limits = {"frames": (1, 300), "image_size": (75, 2048), "margin": (-0.4, 2)}
    limits |= {"workers": (0, 10**6), "cpus": (0.01, 10**4), "gpus": (0, 10**3)}
    for name, (low, high) in limits.items():
        if not low <= getattr(chosen, name) <= high:
            option = "--" + name.replace("_", "-")
            raise UsageError(
                f"Expected {option} from {low:g} to {high:g}; received {getattr(chosen, name):g}."
            )
    changed = [name for name in ("address", "workers", "gpus") if getattr(chosen, name)]
    if chosen.engine == "local" and changed:
        raise UsageError(
            f"Expected --{changed[0]} only with --engine ray; received it with the engine local, "
            "which is this process alone. Add --engine ray."
        )


def clips_of(folder: Path | None) -> tuple[str, pd.DataFrame, list[dict], bool]:
    """Return the clips to extract.

    Args:
        folder: a data set or its parent, any folder of clips, or None to search for a data set.

    Returns:
        The place, in words; columns ``videoname, path``; rows of the report for clips that are
        listed in the metadata but cannot be used; and whether the clips are the bundled sample's.

    Raises:
        UsageError: there are no clips.
    """
    if folder:
        paths.check_readable_folder(folder, what="a data set or a folder of clips")
    try:
        dataset = locate.find(locate.VIDEOS, folder or "")
        data = manifest.read(dataset)
    except (FileNotFoundError, manifest.DatasetError) as error:
        clips, findings = _walk(folder) if folder else ([], [])
        if not clips:
            raise UsageError(str(error)) from None
        return f"clips below {folder}", pd.DataFrame(clips), findings, False
    useless = data.findings[data.findings["problem"].isin(["missing", "unreadable"])]
    findings = [
        {"videoname": row.videoname, "readable": False, "reason": row.detail}
        for row in useless.itertuples()
    ]
    return str(dataset), data.table[["videoname", "path"]], findings, dataset.is_sample


def _walk(folder: Path) -> tuple[list[dict], list[dict]]:
    """Return every clip below a folder, named by its relative path, and rows for unreadable ones.

    Hidden clips and folders are left out; links are followed, but no folder is entered twice.
    """
    clips, findings, entered = [], [], set()

    def unreadable(path: str | Path, reason: str) -> None:
        name = Path(path).relative_to(folder).as_posix()
        findings.append({"videoname": name, "readable": False, "reason": reason})

    walk = os.walk(
        folder,
        followlinks=True,
        onerror=lambda error: unreadable(error.filename, f"cannot be entered: {error.strerror}"),
    )
    for at, folders, names in walk:
        if os.path.realpath(at) in entered:
            folders[:] = []
            continue
        entered.add(os.path.realpath(at))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(at) / name
            if name.startswith(".") or not name.lower().endswith(CLIP_ENDINGS):
                continue
            if path.is_file():
                clips.append({"videoname": path.relative_to(folder).as_posix(), "path": str(path)})
            else:
                unreadable(path, "not a file (a pipe, a device, or a link to nothing)")
    return clips, findings


def _choice(chosen: argparse.Namespace, detector: Path, is_sample: bool) -> Choice:
    name = chosen.encoder
    if name.lower().endswith(".keras"):
        name = str(paths.user_path(name))
        if os.path.lexists(name):
            paths.check_readable_file(Path(name), what="a detector file")
    try:
        with no_chatter():
            encoder = encoders.load_encoder(
                name,
                image_size=chosen.image_size,
                weights_mode=chosen.weights,
                model_path=detector,
                layer=chosen.layer,
                is_sample=is_sample,
            )
    except (ValueError, FileNotFoundError, WeightsError) as error:
        raise UsageError(str(error)) from None
    return extraction.Choice(encoder, chosen.frames, chosen.how, chosen.crop, chosen.margin)


def _log_encoder(choice: Choice) -> None:
    encoder = choice.encoder
    _log(f"{encoder.name}, {encoder.image_size} px -> {encoder.dim} numbers; {encoder.origin}")
    if encoder.is_random:
        _log("Random weights: the encoder is untrained, and its features mean nothing.")


def _log(text: str) -> None:
    print(text, file=sys.stderr)


def _collect(rows: Iterator[dict], findings: list[dict], *, total: int) -> pd.DataFrame:
    """Return the report; show progress, often on a terminal, every half minute in a log."""
    often = 0.1 if sys.stderr.isatty() else 30
    done = list(findings)
    unreadable = len(done)
    with tqdm(total=total, desc="clips", unit="clip", mininterval=often) as bar:
        for row in rows:
            done.append(row)
            if not row["readable"]:
                unreadable += 1
                bar.set_postfix(unreadable=unreadable, refresh=False)
            bar.update()
    report = pd.DataFrame(done, columns=REPORT)
    return report.astype({"frames": "Int64", "faces_found": "Int64", "from_store": "boolean"})


def summary(report: pd.DataFrame, store: Path, *, seconds: float) -> str:
    """Summarise what was extracted.

    Args:
        report: columns `features.REPORT`.
        store: where the features are.
        seconds: the time it took.

    Returns:
        A few lines; the first ten unreadable clips with their reasons.
    """
    good = report[report["readable"]]
    bad = report[~report["readable"]].sort_values("videoname")
    new = len(good) - int(good["from_store"].sum())
    faceless = int(((good["crop"] == "centre") & good["faces_found"].notna()).sum())
    lines = [
        f"{len(report)} clips: {new} computed, {len(good) - new} from the store, "
        f"{len(bad)} unreadable; {seconds:.1f} s, {len(report) / seconds:.1f} clips per second",
        f"store: {store}",
    ]
    if faceless:
        lines.append(f"{faceless} clips without a face: their centre squares were used")
    for row in bad.head(MOST_LISTED).itertuples():
        named = row.reason.startswith(row.videoname)
        lines.append(f"  {row.reason}" if named else f"  {row.videoname}: {row.reason}")
    if len(bad) > MOST_LISTED:
        lines.append(f"  and {len(bad) - MOST_LISTED} more; --csv FILE lists all")
    return "\n".join(lines)
