"""Tiny clips for tests, written on the spot with the ffmpeg that imageio-ffmpeg brings."""

import subprocess

import imageio_ffmpeg
import numpy as np

STEP = 7  # grey levels between neighbouring frames, more than coding blurs


def grey_frames(count, *, height=48, width=64):
    """uint8 (T, H, W, 3): frame i is plain grey STEP * i, so that it can be told from any other."""
    levels = (STEP * np.arange(count)).astype(np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (count, height, width, 3))


def told_index(pixels):
    """int64 (T,): which of `grey_frames` each frame is."""
    return np.rint(pixels.mean(axis=(1, 2, 3)) / STEP).astype(np.int64)


def write_clip(path, frames, *, fps=25, options=()):
    """Encode frames uint8 (T, H, W, 3) RGB as H.264 yuv420p, or as `options` say."""
    height, width = frames.shape[1:3]
    ffmpeg(
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-s",
        f"{width}x{height}",
        "-r",
        str(fps),
        "-i",
        "-",
        "-pix_fmt",
        "yuv420p",
        "-crf",
        "10",
        *options,
        str(path),
        stdin=np.ascontiguousarray(frames).tobytes(),
    )
    return path


def ffmpeg(*arguments, stdin=None):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)]
    subprocess.run(command, input=stdin, check=True, capture_output=True)


def cut(path, *, keep, to):
    """Write the first share `keep` of a file to another, as a broken download does."""
    content = path.read_bytes()
    to.write_bytes(content[: int(keep * len(content))])
    return to
