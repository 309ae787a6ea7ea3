"""Broken and odd files as people have them: pictures, clips and whole data sets."""

import json
import struct
import zlib

import cv2
import numpy as np
import tiny_clips
import tiny_faces
from PIL import Image
from tiny_clips import STEP, cut, ffmpeg

# ---------------------------------------------------------------- pictures

#: EXIF orientation -> what a camera has done to the upright picture before it wrote it.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
#: Bad picture -> what its reason must say.
BAD_PICTURES = {
    "truncated.jpg": "truncated",
    "stump.jpg": "no readable header",
    "damaged.png": "damaged",
    "empty.jpg": "empty|no readable header",
    "page.jpg": "no readable header|neither a picture nor",
    "huge.png": "far too large",
}


def upright():
    """uint8 (224, 224, 3): the face that every good picture shows."""
    return tiny_faces.crops(1)[0]


def good_pictures(folder):
    """Odd but good files of `upright`: name -> (path, mean distance in levels it may have)."""
    folder.mkdir(parents=True, exist_ok=True)
    face = Image.fromarray(upright())
    jpeg = {"quality": 95, "subsampling": 0}
    face.save(folder / "plain.jpg", **jpeg)
    face.save(folder / "progressive.jpg", progressive=True, **jpeg)
    face.save(folder / "png_named.jpg", "PNG")
    face.save(folder / "webp_named.jpg", "WEBP", lossless=True)
    face.convert("CMYK").save(folder / "cmyk.jpg", **jpeg)
    _without_adobe(folder / "cmyk.jpg", folder / "cmyk_unmarked.jpg")
    cv2.imwrite(str(folder / "sixteen.png"), upright()[..., ::-1].astype(np.uint16) * 257)
    clear = np.dstack([upright(), np.full((224, 224), 255, np.uint8)])
    Image.fromarray(clear).save(folder / "alpha.png")
    others = [Image.fromarray(255 - upright())]
    face.save(folder / "animated.png", save_all=True, append_images=others)
    tolerance = dict.fromkeys(sorted(path.name for path in folder.iterdir()), 3.0)
    for number, turn in TURNS.items():
        exif = Image.Exif()
        exif[0x0112] = number
        name = f"turned{number}.jpg"
        face.transpose(turn).save(folder / name, exif=exif, **jpeg)
        tolerance[name] = 3.0
    return {name: (folder / name, distance) for name, distance in tolerance.items()}


def bad_pictures(folder):
    """The files of `BAD_PICTURES`: name -> path."""
    folder.mkdir(parents=True, exist_ok=True)
    face = Image.fromarray(upright())
    face.save(folder / "whole.jpg", quality=90)
    face.save(folder / "whole.png")
    cut(folder / "whole.jpg", keep=0.6, to=folder / "truncated.jpg")
    (folder / "stump.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(40))
    content = (folder / "whole.png").read_bytes()
    middle = len(content) // 2
    (folder / "damaged.png").write_bytes(content[:middle] + bytes(50) + content[middle + 50 :])
    (folder / "empty.jpg").touch()
    (folder / "page.jpg").write_text("<!DOCTYPE html><html>Sign in to download</html>")
    (folder / "huge.png").write_bytes(png_of(20_000, 20_000))
    for name in ("whole.jpg", "whole.png"):
        (folder / name).unlink()
    return {name: folder / name for name in BAD_PICTURES}


def png_of(width, height):
    """bytes: a black PNG of one bit a pixel, small as a file however large as a picture."""

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    squeeze = zlib.compressobj(1)
    row = bytes(1 + (width + 7) // 8)
    data = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = (b"IHDR", head), (b"IDAT", data), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def _without_adobe(source, target):
    """Take out the mark that says how a JPEG's four colours are meant."""
    content = source.read_bytes()
    start = content.index(b"\xff\xee")
    length = int.from_bytes(content[start + 2 : start + 4], "big")
    target.write_bytes(content[:start] + content[start + 2 + length :])


# ---------------------------------------------------------------- clips

BASE = 40  # grey level of the first frame, so that none is black
#: From 4.13 on OpenCV gives for an interlaced clip what has nothing to do with its pictures.
OPENCV_MISREADS = tuple(map(int, cv2.__version__.split(".")[:2])) >= (4, 13)
#: Bad clip -> what its reason must say.
BAD_CLIPS = {
    "text.mp4": "text, not a video",
    "page.mp4": "text, not a video|not a video",
    "playlist.mp4": "text, not a video",
    "list.mp4": "text, not a video",
    "noise.mp4": "not a video",
    "sound.mp4": "sound but no picture",
    "cut.mp4": "truncated",
    "cut.mkv": "truncated or damaged|no frames",
    **({"interlaced.mp4": "interlaced"} if OPENCV_MISREADS else {}),
    "large.avi": "megapixels",
    "no_durations.mp4": "truncated or damaged",
}


def frames(count=30, *, height=48, width=64):
    """uint8 (T, H, W, 3): frame i is plain grey BASE + STEP * i."""
    return tiny_clips.grey_frames(count, height=height, width=width) + np.uint8(BASE)


def told_index(pixels):
    """int64 (T,): which of `frames` each frame is."""
    return np.rint((pixels.mean(axis=(1, 2, 3)) - BASE) / STEP).astype(np.int64)


def good_clips(folder):
    """Odd but good files of 30 `frames`: name -> path."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = tiny_clips.write_clip(folder / "plain.mp4", frames())
    for name, options in {
        "ten_bits.mp4": ("-pix_fmt", "yuv420p10le"),
        "ten_bits_hevc.mp4": ("-pix_fmt", "yuv420p10le", "-c:v", "libx265"),
        "full_colour.mp4": ("-pix_fmt", "yuv444p"),
        "alpha.mov": ("-pix_fmt", "argb", "-c:v", "qtrle"),
        "matroska.mkv": ("-c", "copy"),
        "upside_down.mp4": ("-c", "copy"),
    }.items():
        before = ("-display_rotation", "180") if name == "upside_down.mp4" else ()
        ffmpeg(*before, "-i", plain, "-crf", "10", *options, folder / name)
    odd = frames(height=47, width=63)
    tiny_clips.write_clip(folder / "odd_sizes.mp4", odd, options=("-pix_fmt", "yuv444p"))
    dot = frames(height=1, width=1)
    raw = ("-c:v", "rawvideo", "-pix_fmt", "bgr24")
    tiny_clips.write_clip(folder / "one_pixel.avi", dot, options=raw)
    mjpeg = ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "1")
    _without_rate(tiny_clips.write_clip(folder / "no_rate.avi", frames(), options=mjpeg))
    return {path.name: path for path in sorted(folder.iterdir())}


def _without_rate(path):
    """Set the frame rate in both headers of an AVI to 0."""
    content = bytearray(path.read_bytes())
    start = content.index(b"avih") + 8
    content[start : start + 4] = bytes(4)
    start = content.index(b"strh") + 8
    content[start + 20 : start + 28] = bytes(8)
    path.write_bytes(content)


def bad_clips(folder):
    """The files of `BAD_CLIPS`: name -> path."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = tiny_clips.write_clip(
        folder / "neighbour.mp4", frames(), options=("-movflags", "+faststart")
    )
    (folder / "text.mp4").write_text("Not a video.\n" * 100)
    (folder / "page.mp4").write_text("<!DOCTYPE html><html>Sign in</html>\n" * 10)
    (folder / "playlist.mp4").write_text("#EXTM3U\n#EXTINF:1,\nneighbour.mp4\n#EXT-X-ENDLIST\n")
    (folder / "list.mp4").write_text("ffconcat version 1.0\nfile 'neighbour.mp4'\n")
    (folder / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    ffmpeg("-f", "lavfi", "-i", "sine=duration=0.3", "-c:a", "aac", folder / "sound.mp4")
    cut(plain, keep=0.8, to=folder / "cut.mp4")
    ffmpeg("-i", plain, "-c", "copy", folder / "whole.mkv")
    cut(folder / "whole.mkv", keep=0.6, to=folder / "cut.mkv")
    ffmpeg("-i", plain, "-x264opts", "tff=1", folder / "interlaced.mp4")
    large = ("-f", "lavfi", "-i", "color=c=gray:s=9000x6000:r=1:d=1", "-frames:v", "1")
    ffmpeg(*large, "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", folder / "large.avi")
    content = bytearray(plain.read_bytes())
    start = content.index(b"stts") + 4
    content[start + 12 : start + 16] = bytes(4)  # every frame lasts 0
    (folder / "no_durations.mp4").write_bytes(content)
    (folder / "whole.mkv").unlink()
    return {name: folder / name for name in BAD_CLIPS}


# ---------------------------------------------------------------- data sets

HEADER = "videoname,original_width,original_height,label,original"


def faces(root, text, *, names=("a", "b", "c", "d"), encoding="utf-8"):
    """A set of faces whose metadata.csv is `text` (or bytes) and whose pictures are `names`."""
    (root / "faces_224").mkdir(parents=True)
    content = text if isinstance(text, bytes) else text.encode(encoding)
    (root / "metadata.csv").write_bytes(content)
    for number, name in enumerate(names):
        picture = Image.fromarray(np.roll(upright(), number, axis=1))
        picture.save(root / "faces_224" / f"{name}.jpg")
    return root


def videos(root, text, *, names=("a.mp4", "b.mp4")):
    """A set of clips whose metadata.json is `text` (or any value) and whose clips are `names`."""
    folder = root / "train_sample_videos"
    folder.mkdir(parents=True)
    text = text if isinstance(text, str) else json.dumps(text)
    (folder / "metadata.json").write_text(text)
    for name in names:
        tiny_clips.write_clip(folder / name, frames(4))
    return root


def rows(count):
    """bytes: a metadata.csv of many rows, four fakes to each real."""
    lines = [HEADER]
    for number in range(count):
        real = number - number % 5
        tail = "REAL," if number == real else f"FAKE,v{real:07d}.mp4"
        lines.append(f"v{number:07d}.mp4,1920,1080,{tail}")
    return "\n".join([*lines, ""]).encode()
