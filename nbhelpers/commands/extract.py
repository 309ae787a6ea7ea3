"""`extract`: the features of a folder of clips, on this machine or on many."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from nbhelpers.features.extraction import Choice

EXAMPLES = """
examples:
  python -m nbhelpers extract                            the bundled sample, as notebook 06 does
  python -m nbhelpers extract ~/kaggle --csv report.csv  the clips of a data set; which were read
  python -m nbhelpers extract ~/dfdc --frames 20 --encoder runs/mine/03_xception_transfer.keras
                                                         all clips below a folder, another encoder
  python -m nbhelpers extract /shared/dfdc --store /shared/features --engine ray --address auto
                                                         on all machines of a Ray cluster

DIR is a data set (its metadata say which clips), or any folder of clips. The store holds one file a
clip, named by all that its content depends on: what is there is not made again, and a run that was
broken off goes on where it was. Defaults are those of notebook 06, which finds these features in
its own store, OUTPUT_DIR/features.

Engine ray (pip install -e '.[cluster]' on every machine): workers load the encoder once and take
one clip at a time. Clips and store must lie on a disk that all machines see under the same path;
that is checked first. A clip that raises an error, or takes its worker down, is tried three times,
then reported. The loss of a machine loses nothing but the clips in hand, which are made again.

Exit code: 0 the features of every clip are in the store; 1 some clips gave none, each with its
reason; 2 not carried out (no clips, no encoder, no cluster, machines that do not see the folders,
a store that cannot be written). What was made before is in the store whatever the code.
"""
SHOWN = 10  # unreadable clips that are told of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's grammar."""
    add = parser.add_argument
    add("folder", nargs="?", default="", metavar="DIR", help="data set or folder; none searches")
    add("--store", default="", metavar="DIR", help="folder of the features (runs/latest/features)")
    add("--csv", default="", metavar="FILE", help="write the report, one row a clip")
    what = parser.add_argument_group("what to extract")
    add = what.add_argument
    add(
        *("--encoder",),
        default="auto",
        metavar="E",
        help="auto, InceptionV3, Xception, detector (of runs/latest) or a .keras file (auto)",
    )
    add("--layer", default="", metavar="L", help="of a detector; its last")
    add("--weights", default="auto", choices=("auto", "imagenet", "none"), help="of ImageNet's")
    add("--image-size", type=int, default=128, metavar="N", help="pixels; a detector has its own")
    add("--frames", type=int, default=6, metavar="N", help="frames a clip (6)")
    add("--how", default="even", choices=("even", "first"), help="which frames (even)")
    add("--crop", default="face", choices=("face", "centre"), help="which part (face)")
    add("--margin", type=float, default=-0.1, metavar="M", help="around a face, share (-0.1)")
    where = parser.add_argument_group("where to")
    add = where.add_argument
    add("--engine", default="local", choices=("local", "ray"), help="this process, or Ray (local)")
    add("--address", default="", metavar="A", help="of a Ray cluster, host:port or auto")
    add("--workers", type=int, default=0, metavar="N", help="Ray workers (as many as have room)")
    add("--cpus", type=float, default=1, metavar="N", help="processors of a worker (1)")
    add("--gpus", type=float, default=0, metavar="N", help="GPUs of a worker, 0.25 for a quarter")


def main(chosen: argparse.Namespace) -> int:
    """Extracts the features."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from nbhelpers.common.errors import UsageError
    from nbhelpers.data import locate
    from nbhelpers.features import cluster, extraction
    from nbhelpers.features.store import StoreError

    _refuse_nonsense(chosen)
    place, table, findings = clips_of(chosen.folder)
    latest = locate.project_root() / "runs" / "latest"
    store = Path(chosen.store).expanduser() if chosen.store else latest / "features"
    choice = _choice(chosen, latest / "03_xception_transfer.keras")
    _tell(f"{place}: {len(table) + len(findings)} clips")
    _tell_encoder(choice)
    if chosen.engine == "local":
        rows = extraction.fill(table, choice, store=store, keep_going=True)
    else:
        rows = cluster.fill(
            table,
            choice,
            store=store,
            address=chosen.address,
            workers=chosen.workers,
            cpus=chosen.cpus,
            gpus=chosen.gpus,
        )
    started = time.perf_counter()
    try:
        report = _collect(rows, findings, total=len(table))
    except (cluster.ClusterError, StoreError) as error:
        raise UsageError(str(error)) from None
    print(summary(report, store, seconds=time.perf_counter() - started))
    if chosen.csv:
        _write(report, Path(chosen.csv).expanduser())
    return int(not report["readable"].all())


def _refuse_nonsense(chosen: argparse.Namespace) -> None:
    from nbhelpers.common.errors import UsageError

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
            f"Expected --{changed[0]} with --engine ray; received it for the engine local, which "
            "is this process alone. Add --engine ray."
        )


def clips_of(folder: str) -> tuple[str, pd.DataFrame, list[dict]]:
    """The clips to extract.

    Args:
        folder: a data set or its parent, any folder of clips, or "" to search for a data set.

    Returns:
        What was found, in words; columns ``videoname, path``; and rows of the report for clips
        that the metadata name and that cannot be used.

    Raises:
        UsageError: no clips there.
    """
    import pandas as pd

    from nbhelpers.common.errors import UsageError
    from nbhelpers.data import locate, manifest

    try:
        dataset = locate.find(locate.VIDEOS, folder)
        found = manifest.read(dataset)
    except (FileNotFoundError, manifest.DatasetError) as error:
        rows = list(_walk(Path(folder).expanduser())) if folder else []
        if not rows:
            raise UsageError(str(error)) from None
        return f"clips below {folder}", pd.DataFrame(rows), []
    useless = found.findings[found.findings["problem"].isin(["missing", "unreadable"])]
    findings = [
        {"videoname": row.videoname, "readable": False, "reason": row.detail}
        for row in useless.itertuples()
    ]
    return str(dataset), found.table[["videoname", "path"]], findings


def _walk(folder: Path) -> Iterator[dict]:
    """Every clip below a folder, named by the way to it; hidden ones left out."""
    from nbhelpers.media.formats import CLIPS

    for at, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(CLIPS) and not name.startswith("."):
                path = Path(at) / name
                yield {"videoname": path.relative_to(folder).as_posix(), "path": str(path)}


def _choice(chosen: argparse.Namespace, detector: Path) -> Choice:
    from nbhelpers.common.errors import UsageError
    from nbhelpers.common.native_logs import no_chatter
    from nbhelpers.features import encoders, extraction
    from nbhelpers.networks import weights

    try:
        with no_chatter():
            encoder = encoders.load_encoder(
                chosen.encoder,
                image_size=chosen.image_size,
                weights_mode=chosen.weights,
                model_path=detector,
                layer=chosen.layer,
            )
    except (ValueError, FileNotFoundError, weights.WeightsError) as error:
        raise UsageError(str(error)) from None
    return extraction.Choice(encoder, chosen.frames, chosen.how, chosen.crop, chosen.margin)


def _tell_encoder(choice: Choice) -> None:
    encoder = choice.encoder
    _tell(f"{encoder.name}, {encoder.image_size} px -> {encoder.dim} numbers; {encoder.origin}")
    if encoder.is_random:
        _tell("Random weights: the encoder has never seen a picture, its features mean nothing.")


def _tell(text: str) -> None:
    print(text, file=sys.stderr)


def _collect(rows: Iterator[dict], findings: list[dict], *, total: int) -> pd.DataFrame:
    """The report, with a bar meanwhile: often on a terminal, every half minute in a log."""
    import pandas as pd
    from tqdm import tqdm

    from nbhelpers.features.extraction import REPORT

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
    """What came out, in words.

    Args:
        report: columns `features.REPORT`.
        store: where the features are.
        seconds: it took.

    Returns:
        A few lines; unreadable clips with their reasons, the first ten of them.
    """
    good = report[report["readable"]]
    bad = report[~report["readable"]].sort_values("videoname")
    made = len(good) - int(good["from_store"].sum())
    faceless = int(((good["crop"] == "centre") & good["faces_found"].notna()).sum())
    lines = [
        f"{len(report)} clips: {made} made, {len(good) - made} from the store, "
        f"{len(bad)} unreadable; {seconds:.1f} s, {len(report) / seconds:.1f} clips a second",
        f"store: {store}",
    ]
    if faceless:
        lines.append(f"{faceless} clips without a face: their middle squares were taken")
    for row in bad.head(SHOWN).itertuples():
        named = row.reason.startswith(row.videoname)
        lines.append(f"  {row.reason}" if named else f"  {row.videoname}: {row.reason}")
    if len(bad) > SHOWN:
        lines.append(f"  and {len(bad) - SHOWN} more; --csv FILE lists all")
    return "\n".join(lines)


def _write(report: pd.DataFrame, target: Path) -> None:
    from nbhelpers.common import files
    from nbhelpers.common.errors import UsageError

    try:
        files.write_text(target, report.sort_values("videoname").to_csv(index=False))
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}.") from None
    print(f"report: {target}")
