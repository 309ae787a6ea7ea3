"""Video files as people have them: several codecs, rates, sound, a rotation flag; broken ones.

Frames are uint8 (H, W, 3) BGR or (H, W) grey, 0-255.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
from scipy.io import wavfile

SOUND_RATE = 16000  # samples per second
# Per codec: encoder options, and its own quality number for x264's crf.
# One thread each, so that the same frames give the same file.
CODECS = {
    "h264": ("-c:v libx264 -preset medium -threads 1", lambda crf: crf),
    "hevc": (
        "-c:v libx265 -preset medium -tag:v hvc1 "
        "-x265-params pools=none:frame-threads=1:log-level=error",
        lambda crf: crf + 1,
    ),
    "vp9": (
        "-c:v libvpx-vp9 -b:v 0 -deadline good -cpu-used 3 -threads 1 -row-mt 0",
        lambda crf: round(1.3 * crf + 4),
    ),
}
EXACT = "-map_metadata -1 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact"


def ffmpeg(*options, **kwargs) -> None:
    """Run ffmpeg quietly."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error"]
    subprocess.run([*command, *map(str, options)], check=True, **kwargs)


def write_video(
    path: Path,
    frames: list,
    *,
    crf: int,
    fps: int,
    codec="h264",
    ticks=None,
    length=None,
    variable=False,
    sound=None,
    rotated=False,
) -> None:
    """Write frames to an .mp4.

    Args:
        path: of the file.
        frames: as they should be shown, all of the same size, in even numbers of pixels.
        crf: quality on x264's scale.
        fps: ticks per second.
        codec: one of CODECS.
        ticks: number of the tick from which each frame is shown; None for one frame per tick.
        length: of the clip in ticks; None to end with the last frame.
        variable: leave out the ticks at which nothing changes, instead of repeating a frame.
        sound: int16 (samples,) at SOUND_RATE, or None.
        rotated: store the picture turned by 90 degrees with a flag for the player to turn it back.
    """
    if rotated:
        frames = [np.rot90(frame, -1) for frame in frames]
    height, width = frames[0].shape[:2]
    ticks = np.arange(len(frames)) if ticks is None else np.asarray(ticks)
    length = ticks[-1] + 1 if length is None else length
    every = np.searchsorted(ticks, np.arange(length), "right") - 1  # the frame seen at each tick
    layout = "gray" if frames[0].ndim == 2 else "bgr24"
    source = f"-f rawvideo -pix_fmt {layout} -s {width}x{height} -r {fps} -i -".split()
    if rotated:
        source = ["-noautorotate", "-display_rotation", 90, *source]
    coding, quality = CODECS[codec]
    output = f"{coding} -crf {quality(crf)} -pix_fmt yuv420p {EXACT} -movflags +faststart".split()
    if variable:
        taken = "+".join(f"eq(n,{tick})" for tick in ticks)
        output += ["-vf", f"select='{taken}'", "-fps_mode", "passthrough"]
    raw = b"".join(np.ascontiguousarray(frames[i]).tobytes() for i in every)
    with tempfile.TemporaryDirectory() as folder:
        if sound is not None:
            wavfile.write(Path(folder) / "sound.wav", SOUND_RATE, sound)
            source += ["-i", Path(folder) / "sound.wav"]
            output += ["-c:a", "aac", "-b:a", "32k"]
        ffmpeg(*source, *output, path, input=raw)


def babble(jaw: np.ndarray, fps: float, rng) -> np.ndarray:
    """Voice-like sound, int16 (samples,): louder and brighter where the jaw (T,) is open."""
    samples = round(len(jaw) / fps * SOUND_RATE)
    time = np.arange(samples) / SOUND_RATE
    opening = np.interp(time, np.arange(len(jaw)) / fps, jaw)
    pitch = rng.uniform(95, 210) * (1 + 0.05 * np.sin(2 * np.pi * rng.uniform(0.4, 1) * time))
    phase = 2 * np.pi * np.cumsum(pitch) / SOUND_RATE
    voice = sum(np.sin(k * phase) * np.exp(-k / (2 + 6 * opening)) for k in range(1, 12))
    hiss = rng.standard_normal(samples) * (0.02 + 0.1 * opening)
    wave = opening * voice + 0.15 * hiss
    return (9000 * wave / max(np.abs(wave).max(), 1e-6)).astype(np.int16)


def enlarge(picture: np.ndarray, size: tuple) -> np.ndarray:
    """Picture at another size (width, height), as an app would enlarge it."""
    if picture.shape[1::-1] == tuple(size):
        return picture
    return cv2.resize(picture, tuple(size), interpolation=cv2.INTER_CUBIC)


def break_clip(clip: bytes, folder: Path, rng) -> None:
    """Write four files with the faults that folders of downloaded clips have."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "truncated.mp4").write_bytes(clip[: int(0.6 * len(clip))])
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mp4").write_text("404: the clip that you asked for has moved.\n")
    low, high = int(0.45 * len(clip)), int(0.75 * len(clip))
    (folder / "damaged.mp4").write_bytes(clip[:low] + rng.bytes(high - low) + clip[high:])
