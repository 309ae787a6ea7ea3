"""The machine and the versions of a run."""

import importlib.metadata
import os
import platform
import re
import sys
from pathlib import Path
from typing import Any

PACKAGES = ("tensorflow", "keras", "numpy", "pandas", "scikit-learn")


def environment() -> dict[str, Any]:
    """Return versions and machine: Python, the installed packages, platform, CPUs and GPUs.

    GPUs are listed only if TensorFlow is loaded already; otherwise the list is empty.
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
    """Return this process's peak memory in MiB; None where the system does not report it."""
    status = Path("/proc/self/status")  # Linux; its ru_maxrss starts at the parent's peak
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
