"""The ffmpeg program: where it is, how to pass file names, and what it reports about a clip."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ENOUGH = 0.9  # least share of the stated length that must exist; headers are often slightly off
_UNKNOWN = -(2**63)  # ffmpeg's value for a missing packet time
TIMEOUT = 60  # seconds to read a file's headers or packets


class VideoError(ValueError):
    """A clip that cannot be read, with the reason."""


class FfmpegMissing(VideoError):
    """No ffmpeg program is available to inspect clips."""


@dataclass(frozen=True)
class Streams:
    """What ffmpeg reports about the streams of a clip.

    Attributes:
        lines: its lines about streams and rotation.
        seconds: the duration stated in the header, None if there is none.
    """

    lines: str
    seconds: float | None

    @property
    def has_sound(self) -> bool:
        """Whether there is a sound track."""
        return "Audio:" in self.lines

    @property
    def has_video(self) -> bool:
        """Whether there is a moving picture; the cover picture of a song does not count."""
        videos = [line for line in self.lines.splitlines() if "Video:" in line]
        return any("(attached pic)" not in line for line in videos)


@dataclass(frozen=True)
class Packets:
    """The presentation times of a clip's compressed frames, without decoding them.

    Attributes:
        streams: what ffmpeg reports about the clip.
        starts: float64 (N,), seconds, ascending; without parts that an editor has trimmed off.
        end: seconds at which the last frame ends; 0.0 if there are none.
        sound_end: seconds at which the sound ends; 0.0 if there is none.
    """

    streams: Streams
    starts: np.ndarray
    end: float
    sound_end: float

    @property
    def are_all(self) -> bool:
        """Whether they reach the end stated in the header, if it states one."""
        last = max(self.end, self.sound_end)
        return self.streams.seconds is None or last >= ENOUGH * self.streams.seconds


def program() -> str:
    """Return the path of the ffmpeg program bundled with ``imageio-ffmpeg``.

    Raises:
        FfmpegMissing: there is none.
    """
    import imageio_ffmpeg

    try:
        path = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise _missing() from error
    # An environment variable or a half-removed package may name a file that does not exist.
    if Path(path).name != path and not Path(path).is_file():
        raise _missing(path)
    return path


def _missing(path: str | None = None) -> FfmpegMissing:
    received = "found none" if path is None else f"nothing is at {path}"
    return FfmpegMissing(
        f"Expected the ffmpeg program, to inspect clips; {received}. Install imageio-ffmpeg "
        "again (pip install --force-reinstall imageio-ffmpeg), or set IMAGEIO_FFMPEG_EXE."
    )


def source(path: Path) -> str:
    """Return a file's name for ffmpeg, safe against colons, dashes and percent signs."""
    return f"file:{path.absolute()}"


def streams(path: Path) -> Streams:
    """Read the headers of a clip.

    Args:
        path: the clip.

    Returns:
        What ffmpeg reports; without lines if it finds no streams or takes longer than `TIMEOUT`.

    Raises:
        FfmpegMissing: there is no ffmpeg.
    """
    return _streams(_run("-hide_banner", "-i", source(path)).stderr)


def packets(path: Path) -> Packets:
    """Read the times of all compressed frames, which requires reading the whole file.

    Args:
        path: the clip.

    Returns:
        Times relative to the beginning of the clip; none if ffmpeg does not know them.

    Raises:
        FfmpegMissing: there is no ffmpeg.
    """
    chosen = ("-map", "0:v:0", "-map", "0:a?", "-c", "copy", "-f", "framecrc", "-")
    run = _run("-hide_banner", "-i", source(path), *chosen)
    units: dict[str, float] = {}
    kinds: dict[str, str] = {}
    starts, ends = [], {"video": 0.0, "audio": 0.0}
    for line in run.stdout.splitlines():
        if unit := re.match(r"#tb (\d+): (\d+)/(\d+)", line):
            units[unit[1]] = int(unit[2]) / int(unit[3])
        elif kind := re.match(r"#media_type (\d+): (\w+)", line):
            kinds[kind[1]] = kind[2]
        elif packet := re.match(r"(\d+), +(-?\d+), +(-?\d+), +(\d+),", line):
            kind, unit = kinds[packet[1]], units[packet[1]]
            decoded, start, length = (int(number) for number in packet.groups()[1:])
            start = decoded if start == _UNKNOWN else start
            if start < 0:  # trimmed off, needed only to decode what follows
                continue
            ends[kind] = max(ends[kind], (start + length) * unit)
            if kind == "video":
                starts.append(start * unit)
    starts = np.sort(np.array(starts, dtype=np.float64))
    return Packets(_streams(run.stderr), starts, ends["video"], ends["audio"])


def _streams(said: str) -> Streams:
    lines = said.partition("Output #0")[0].splitlines()
    durations = [line for line in lines if re.match(r"  Duration: \d", line)]
    lines = [line for line in lines if "Stream #" in line or "rotation of" in line]
    return Streams("\n".join(lines), _in_seconds(durations[0]) if durations else None)


def _in_seconds(line: str) -> float:
    """Return the seconds in a line such as "  Duration: 00:01:02.50, start: …"."""
    hours, minutes, seconds = line.partition(",")[0].split()[-1].split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def _run(*arguments: str) -> subprocess.CompletedProcess:
    command = [program(), "-nostdin", *arguments]
    try:
        return subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, stdout="", stderr="")
    except OSError as error:  # it exists, but does not run on this machine
        raise _missing(command[0]) from error
