"""Output that only a live notebook needs: inline clips, GIFs, plotly figures, banners.

The only module that imports IPython. Each output is one MIME bundle that carries its own data: it
works in JupyterLab, in an exported page without a network and, thanks to the JPEG beside the HTML,
on sites that run no scripts and play no clips.
"""

from __future__ import annotations

import base64
import contextlib
import html
import io
import itertools
import json
import logging
import os
import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nbhelpers.common import files
from nbhelpers.media import clip_facts, ffmpeg
from nbhelpers.media import video as clips
from nbhelpers.reporting import plots

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from PIL import Image


logger = logging.getLogger(__name__)

JPEG_QUALITY = 85
EMBED_LIMIT = 2_000_000  # bytes; larger clips are shown as a shorter, smaller preview
_PLAYABLE = {("h264", "yuv420p"), ("h264", "yuvj420p")}  # what every browser plays in an MP4
_serial = itertools.count()  # for element names, which must differ within a page


def setup() -> None:
    """Set the series' figure style, JPEG inline figures, and quieter libraries."""
    plots.set_style()
    # On slow machines Matplotlib warns about its own legend placement, which matters little here.
    warnings.filterwarnings("ignore", message='Creating legend with loc="best"')
    for name in ("tensorflow", "absl"):
        logging.getLogger(name).setLevel(logging.ERROR)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # for a TensorFlow not yet loaded
    shell = _shell()
    if shell is not None:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        with contextlib.suppress(AttributeError):  # a terminal shell has no figure formats
            set_matplotlib_formats("jpeg", pil_kwargs={"quality": JPEG_QUALITY})
            _describe_figures(shell.display_formatter.formatters["image/jpeg"])


def _describe_figures(formatter) -> None:
    """Store each inline figure's description in its output's metadata, for exported pages."""
    from matplotlib.figure import Figure

    draw = formatter.lookup_by_type(Figure)

    def draw_described(figure: Figure) -> tuple[str, dict[str, str]] | None:
        picture = draw(figure)
        return picture and (picture, {"alt": plots.describe(figure)})

    formatter.for_type(Figure, draw_described)


def banner(text: str) -> None:
    """Show a notice that cannot be missed.

    Args:
        text: plain text, one or two sentences.
    """
    style = (
        "border: 3px solid #D55E00; background: #FFF1E6; color: #7A2E00; border-radius: 6px; "
        "padding: 12px 16px; font-size: 1.1em; font-weight: 600;"
    )
    page = f'<div class="nbhelpers-banner" role="alert" style="{style}">{html.escape(text)}</div>'
    publish({"text/html": page, "text/plain": f"*** {text} ***"})


def show_plotly(fig: go.Figure, *, fallback: Axes | Figure | None = None) -> None:
    """Show a plotly figure that works without a network.

    The output contains plotly.js (5 MB): use one such figure per notebook. Pages without scripts
    show the fallback.

    Args:
        fig: a plotly figure.
        fallback: the same figure in Matplotlib; it is closed, not shown a second time.
    """
    from plotly.offline import get_plotlyjs

    name = f"plotly-{os.getpid()}-{next(_serial)}"
    size = fig.layout.height or 450
    bundle = {"text/plain": "plotly figure: run the cell to see it"}
    still = words = ""
    if fallback is not None:
        words = plots.describe(getattr(fallback, "figure", fallback))
        picture = jpeg_of(fallback)
        bundle["image/jpeg"] = picture
        still = f'<img alt="{html.escape(words)}" src="data:image/jpeg;base64,{picture}">'
    spec = json.dumps(json.loads(fig.to_json())).replace("<", "\\u003c")
    bundle["text/html"] = (
        f'<div id="{name}" style="min-height:{size}px">{still}</div>'
        f"<script>{get_plotlyjs()}</script><script>"
        f"(function draw(tries) {{ const place = document.getElementById('{name}');"
        # The page may load the two in either order: wait until both are there.
        "if (!window.Plotly || !place) { if (tries) setTimeout(draw, 100, tries - 1); return; }"
        f"place.innerHTML = ''; const spec = {spec};"
        "Plotly.newPlot(place, spec.data, spec.layout, {responsive: true}); })(100);</script>"
    )
    publish(bundle, description=words)


def video(path: str | os.PathLike, *, width: int = 480, seconds: float = 10.0) -> None:
    """Play a clip inline.

    A small clip that every browser plays (H.264, 4:2:0) is embedded unchanged. Any other clip
    (FaceForensics++ is H.264 4:4:4, phones record HEVC) is first converted to a preview.

    Args:
        path: the clip.
        width: on the page, pixels; a preview is no wider than that.
        seconds: a preview's longest duration.

    Raises:
        FileNotFoundError: there is no such file.
        VideoError: it cannot be read.
    """
    path = Path(path)
    facts = clip_facts.read(path)
    small = path.stat().st_size <= EMBED_LIMIT and facts["seconds"] <= seconds
    playable = (facts["codec"], facts["pixel_format"]) in _PLAYABLE
    if small and playable and path.suffix.lower() in (".mp4", ".m4v"):
        content, note = path.read_bytes(), ""
    else:
        content, note = _preview(path, width, seconds), " (preview)"
    first = clips.read_frames(path, count=1, how="first").pixels[0]
    still = _jpeg(first, width)
    caption = f"{path.name}, {facts['seconds']:g} s{note}"
    colour = "var(--jp-content-font-color2, #555)"  # follows a dark page
    page = (
        f'<video controls loop muted playsinline width="{width}" style="max-width:100%" '
        f'src="data:video/mp4;base64,{base64.b64encode(content).decode()}" '
        f'poster="data:image/jpeg;base64,{still}">'
        f"{html.escape(caption)}</video>"
        f'<div style="font-size:0.85em;color:{colour}">{html.escape(caption)}</div>'
    )
    bundle = {"text/html": page, "image/jpeg": still, "text/plain": caption}
    publish(bundle, description=f"First frame of the clip {caption}")


def gif(
    frames: np.ndarray, path: str | os.PathLike, *, fps: float = 10.0, width: int = 320
) -> Path:
    """Write an animated GIF and show it.

    Args:
        frames: uint8 (T, H, W, 3) RGB 0-255, T >= 1.
        path: file to write, whole or not at all.
        fps: frames per second.
        width: pixels, >= 1; wider frames are shrunk to it.

    Returns:
        The path.

    Raises:
        ValueError: the frames have another shape or dtype.
    """
    if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8 or not len(frames):
        raise ValueError(
            f"Expected frames uint8 (T, H, W, 3), T >= 1; received {frames.dtype} {frames.shape}."
        )
    path = Path(path)
    small = np.stack([_shrunk(frame, width) for frame in frames])
    first, *others = _with_one_palette(small)
    with files.whole(path) as draft:
        first.save(draft, "GIF", save_all=True, append_images=others, duration=1000 / fps, loop=0)
    content = base64.b64encode(path.read_bytes()).decode()
    words = f"Animation {path.stem}, {len(frames)} frames"
    page = f'<img alt="{html.escape(words)}" src="data:image/gif;base64,{content}">'
    bundle = {"text/html": page, "image/jpeg": _jpeg(small[0], width), "text/plain": path.name}
    publish(bundle, description=f"{words}: the first of them")
    return path


def publish(bundle: dict[str, str], *, description: str = "") -> None:
    """Show one output in several formats, from which each front end picks.

    Args:
        bundle: MIME type -> content; pictures are base64.
        description: what its picture shows, for readers who cannot see it; "" leaves that to the
            page.
    """
    from IPython.display import display

    display(
        bundle, raw=True, metadata={"image/jpeg": {"alt": description}} if description else None
    )


def jpeg_of(drawing: Axes | Figure) -> str:
    """Return a Matplotlib figure as base64 JPEG; it is closed, not shown a second time.

    Args:
        drawing: a figure, or axes of one.
    """
    import matplotlib.pyplot as plt

    figure = drawing if hasattr(drawing, "savefig") else drawing.figure
    memory = io.BytesIO()
    figure.savefig(memory, format="jpeg", pil_kwargs={"quality": JPEG_QUALITY})
    plt.close(figure)
    return base64.b64encode(memory.getvalue()).decode()


# ---------------------------------------------------------------- helpers


def _shell():
    from IPython import get_ipython

    return get_ipython()


def _with_one_palette(frames: np.ndarray) -> list[Image.Image]:
    """Reduce all frames to the same 256 colours: half the size and a tenth of the time."""
    from PIL import Image

    some = np.concatenate(frames[:: max(1, len(frames) // 8)])
    palette = Image.fromarray(some).quantize(256)
    plain = Image.Dither.NONE  # dithering would flicker
    return [Image.fromarray(frame).quantize(palette=palette, dither=plain) for frame in frames]


def _shrunk(pixels: np.ndarray, width: int) -> np.ndarray:
    from PIL import Image

    picture = Image.fromarray(pixels)
    picture.thumbnail((width, picture.height))
    return np.asarray(picture)


def _jpeg(pixels: np.ndarray, width: int) -> str:
    from PIL import Image

    memory = io.BytesIO()
    Image.fromarray(_shrunk(pixels, width)).save(memory, format="jpeg", quality=JPEG_QUALITY)
    return base64.b64encode(memory.getvalue()).decode()


def _preview(path: Path, width: int, seconds: float) -> bytes:
    """Convert the beginning of a clip to H.264 4:2:0, which every browser plays, and AAC."""
    with tempfile.TemporaryDirectory() as folder:
        preview = Path(folder) / "preview.mp4"
        command = [ffmpeg.program(), "-v", "error", "-nostdin", "-y", "-i", ffmpeg.source(path)]
        command += ["-t", str(seconds), "-map", "0:v:0", "-map", "0:a:0?"]
        command += ["-vf", f"scale='trunc(min({width},iw)/2)*2':-2", "-pix_fmt", "yuv420p"]
        command += ["-c:v", "libx264", "-crf", "26", "-preset", "veryfast", "-c:a", "aac"]
        command += ["-movflags", "+faststart", str(preview)]
        run = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=300, check=False
        )
        if run.returncode or not preview.is_file():
            last = (run.stderr.strip().splitlines() or ["no message"])[-1]
            raise clips.VideoError(f"{path.name} could not be converted for the browser: {last}")
        return preview.read_bytes()
