"""The machine and the versions that a run was made with."""

import importlib.metadata
import os
import platform
import re
import sys
from pathlib import Path
from typing import Any

PACKAGES = ("tensorflow", "keras", "numpy", "pandas", "scikit-learn")


def environment() -> dict[str, Any]:
    """Versions and machine: python, the packages that are installed, platform, CPUs and GPUs.

    GPUs are asked for only where TensorFlow is loaded already; else the list is empty.
    """
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    gpus = []
    if "tensorflow" in sys.modules:
        gpus = [gpu.name for gpu in sys.modules["tensorflow"].config.list_physical_devices("GPU")]
    return {
        "python": platform.python_version(),
        **versions,
        "platform": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "gpus": gpus,
    }


def peak_memory_mb() -> float | None:
    """Return the most memory this process has held, in MiB; None where the system does not say."""
    status = Path("/proc/self/status")  # Linux; its ru_maxrss begins at that of the parent process
    if status.is_file():
        peak = re.search(r"VmHWM:\s*(\d+) kB", status.read_text())
        return round(int(peak[1]) / 2**10, 1) if peak else None
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    per_mb = 2**20 if sys.platform == "darwin" else 2**10  # macOS counts bytes, BSD KiB
    return round(peak / per_mb, 1)
