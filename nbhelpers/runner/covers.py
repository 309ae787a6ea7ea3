"""The cover of a notebook: one of its own figures, small enough for an index."""

import base64
import html
import io

from nbhelpers.runner import pictures

COVER_WIDTH = 1100  # px; wider pictures are shrunk


def cover(notebook, *, title: str) -> str:
    """Return the picture that represents a notebook.

    Args:
        notebook: executed, or None if there is none.
        title: its heading, for a picture that does not say what it shows.

    Returns:
        An `<img>` with the last picture of the cell tagged `cover`, else of the notebook;
        "" without any.
    """
    candidates = []
    for cell in notebook.cells if notebook is not None else ():
        own = pictures.images(cell)
        candidates.extend(own)
        if own and "cover" in cell.metadata.get("tags", []):
            candidates = own
            break
    if not candidates:
        return ""
    kind, data, description = candidates[-1]
    alt = html.escape(f"{title}{' ' if title.endswith('?') else ': '}{description or 'a figure'}")
    if kind == "image/svg+xml":
        data = base64.b64encode(data.encode()).decode()
    else:
        kind, data = _smaller(kind, data.replace("\n", ""))
    return f'<img alt="{alt}" src="data:{html.escape(kind)};base64,{html.escape(data)}">'


def _smaller(kind: str, data: str) -> tuple[str, str]:
    """Return a picture no wider than COVER_WIDTH, as JPEG; unchanged if it cannot be read."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
            layers = picture.convert("RGBA")
    except (UnidentifiedImageError, ValueError, OSError):
        return kind, data
    flat = Image.new("RGB", layers.size, "white")
    flat.paste(layers, mask=layers.getchannel("A"))
    flat.thumbnail((COVER_WIDTH, 4 * COVER_WIDTH))
    buffer = io.BytesIO()
    flat.save(buffer, "JPEG", quality=82, optimize=True)
    return "image/jpeg", base64.b64encode(buffer.getvalue()).decode()
