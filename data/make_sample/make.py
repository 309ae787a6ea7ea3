"""Command line of the sample generator: assets -> render -> compose -> cards (see README.md)."""

from __future__ import annotations

import argparse
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=("assets", "render", "compose", "cards"))
    parser.add_argument(
        "--downloads", type=Path, default=Path("downloads"), help="folder with the two archives"
    )
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("work"),
        help="folder for everything that is not committed",
    )
    parser.add_argument(
        "--out", type=Path, default=HERE.parent / "sample", help="the finished sample"
    )
    parser.add_argument(
        "--settings",
        type=Path,
        default=HERE / "settings.yaml",
        help="strengths of the methods (compose)",
    )
    parser.add_argument("--what", choices=("all", "stills", "shared", "clips"), default="all")
    parser.add_argument(
        "--shard", default="0/1", help="i/n: do every n-th piece of work, starting with i (render)"
    )
    parser.add_argument(
        "--picture",
        type=Path,
        help="also draw the README's picture here, and that of the clips beside it (cards)",
    )
    args = parser.parse_args()

    from assets import AssetPaths, unpack

    assets = AssetPaths(args.work / "assets")
    if args.stage == "assets":
        unpack(args.downloads, assets.root)
    elif args.stage == "render":
        import render

        render.run(assets, args.work, args.what, tuple(int(x) for x in args.shard.split("/")))
    elif args.stage == "compose":
        import compose

        compose.run(assets, args.work, args.out, args.settings, args.what)
    else:
        import cards
        import clip_plan
        import people
        from facemodel import FaceModel

        planned = clip_plan.make_clips(people.make_identities(FaceModel(assets)))
        cards.run(args.out, args.work / "cards", args.picture, planned)


if __name__ == "__main__":
    main()
