import base64
import io
import re
import subprocess
import warnings

import imageio.v3 as imageio
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image
from tiny_clips import grey_frames, write_clip

from nbhelpers.media import clip_facts
from nbhelpers.media.video import VideoError
from nbhelpers.reporting import display

mpl.use("agg")


@pytest.fixture
def shown(monkeypatch):
    """The MIME bundles that were published."""
    bundles = []
    monkeypatch.setattr(display, "publish", lambda bundle, description="": bundles.append(bundle))
    return bundles


def decoded(text):
    return Image.open(io.BytesIO(base64.b64decode(text)))


def embedded(page):
    return base64.b64decode(re.search(r'base64,([^"]+)"', page)[1])


def sends_plotly(bundle):
    return len(bundle["text/html"]) > 1_000_000


def test_video_that_browsers_play_is_embedded_as_it_is(tmp_path, shown):
    path = write_clip(tmp_path / "clip.mp4", grey_frames(10))
    display.video(path)
    (bundle,) = shown
    assert embedded(bundle["text/html"]) == path.read_bytes()
    assert decoded(bundle["image/jpeg"]).size == (64, 48)
    assert "preview" not in bundle["text/html"]


@pytest.mark.parametrize(
    "options",
    [("-pix_fmt", "yuv444p"), ("-pix_fmt", "yuv420p10le"), ("-c:v", "mpeg4")],
    ids=["4:4:4", "10 bit", "MPEG-4"],
)
def test_other_video_is_converted(options, tmp_path, shown):
    path = write_clip(tmp_path / "clip.mp4", grey_frames(10), options=options)
    display.video(path, width=40)
    preview = tmp_path / "preview.mp4"
    preview.write_bytes(embedded(shown[0]["text/html"]))
    facts = clip_facts.read(preview)
    assert (facts["codec"], facts["pixel_format"]) == ("h264", "yuv420p")
    assert (facts["width"], facts["height"], facts["frames"]) == (40, 30, 10)
    assert "preview" in shown[0]["text/plain"]


def test_long_video_is_cut(tmp_path, shown):
    path = write_clip(tmp_path / "clip.mp4", grey_frames(30), fps=5)
    display.video(path, seconds=2)
    preview = tmp_path / "preview.mp4"
    preview.write_bytes(embedded(shown[0]["text/html"]))
    assert clip_facts.read(preview)["frames"] == 10


def test_unreadable_video_is_refused(tmp_path, shown):
    (tmp_path / "a.mp4").write_text("no video")
    with pytest.raises(VideoError, match="not a video"):
        display.video(tmp_path / "a.mp4")
    assert shown == []


def test_failed_conversion_gives_the_reason(tmp_path, monkeypatch):
    path = write_clip(tmp_path / "clip.mp4", grey_frames(3), options=("-c:v", "mpeg4"))
    failed = subprocess.CompletedProcess([], 1, "", "one\nUnknown encoder 'libx264'\n")
    real = subprocess.run
    monkeypatch.setattr(
        display.subprocess, "run", lambda *a, **k: failed if "-t" in a[0] else real(*a, **k)
    )
    with pytest.raises(VideoError, match="Unknown encoder"):
        display.video(path)


def test_gif_is_written_and_shown(tmp_path, shown):
    frames = np.random.default_rng(0).integers(0, 256, (4, 12, 16, 3), dtype=np.uint8)
    path = display.gif(frames, tmp_path / "a.gif", fps=5)
    assert imageio.imread(path, index=None).shape == (4, 12, 16, 3)
    assert (
        decoded(path.read_bytes() and base64.b64encode(path.read_bytes())).info["duration"] == 200
    )
    assert embedded(shown[0]["text/html"]) == path.read_bytes()
    assert decoded(shown[0]["image/jpeg"]).size == (16, 12)


def test_gif_is_shrunk_to_its_width(tmp_path, shown):
    path = display.gif(np.zeros((2, 30, 40, 3), np.uint8), tmp_path / "a.gif", width=20)
    assert imageio.imread(path, index=0).shape == (15, 20, 3)


@pytest.mark.parametrize("shape", [(12, 16, 3), (0, 12, 16, 3), (2, 12, 16)])
def test_gif_of_something_else_is_refused(shape, tmp_path):
    with pytest.raises(ValueError, match="T >= 1; received"):
        display.gif(np.zeros(shape, np.uint8), tmp_path / "a.gif")


def test_plotly_needs_no_network(shown):
    for _ in range(2):
        display.show_plotly(go.Figure(go.Bar(x=["</script>"], y=[1])))
    assert [sends_plotly(bundle) for bundle in shown] == [True, True]
    names = [re.search(r'<div id="([^"]+)"', bundle["text/html"])[1] for bundle in shown]
    assert len(set(names)) == 2
    page = shown[0]["text/html"]
    assert not re.search(r"<(script|link)\b[^>]*(src|href)=", page)
    own = page[page.rindex("<script>") :]
    assert own.count("</script>") == 1  # data cannot end the script


def test_plotly_has_a_still_beside_it(shown):
    _, ax = plt.subplots(figsize=(3, 2))
    display.show_plotly(go.Figure(), fallback=ax)
    assert set(shown[0]) == {"text/html", "image/jpeg", "text/plain"}
    width, height = decoded(shown[0]["image/jpeg"]).size
    assert width > height > 100
    assert plt.get_fignums() == []


def test_banner_escapes_its_text(shown):
    display.banner("a < b")
    assert "a &lt; b" in shown[0]["text/html"]
    assert "a < b" in shown[0]["text/plain"]


def test_setup_outside_a_notebook_does_no_harm():
    display.setup()


def test_a_slow_machine_is_not_told_where_legends_lie():
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        display.setup()
        for text in ('Creating legend with loc="best" can be slow', "something else"):
            warnings.warn(text, stacklevel=1)
    assert [str(warning.message) for warning in given] == ["something else"]


def test_inline_figures_carry_what_they_show():
    from IPython.core.formatters import DisplayFormatter

    shell = DisplayFormatter()
    jpeg = shell.formatters["image/jpeg"]
    pictures = {"Scores": "AAAA", "": None}
    jpeg.for_type(mpl.figure.Figure, lambda figure: pictures[figure.get_suptitle()])
    display._describe_figures(jpeg)
    figure = plt.figure()
    assert "image/jpeg" not in shell.format(figure)[0]
    figure.suptitle("Scores")
    data, metadata = shell.format(figure)
    assert data["image/jpeg"] == "AAAA"
    assert metadata["image/jpeg"] == {"alt": "Scores"}
    plt.close(figure)
