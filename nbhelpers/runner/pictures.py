"""The pictures among the outputs of a notebook, and their descriptions."""

from typing import NamedTuple


class Picture(NamedTuple):
    """A picture among the outputs of a cell.

    Attributes:
        kind: MIME type.
        data: base64 of raster pictures, the text of SVG.
        description: the figure's own description of what it shows; "" if it has none.
    """

    kind: str
    data: str
    description: str


def images(cell) -> list[Picture]:
    """Return the pictures of a cell, in order.

    Args:
        cell: an executed code cell.

    Returns:
        One entry per output that is a picture.
    """
    pictures = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        for kind in ("image/jpeg", "image/png", "image/gif", "image/svg+xml"):
            if kind in data:
                pictures.append(Picture(kind, "".join(data[kind]), description(output)))
                break
    return pictures


def description(output) -> str:
    """Return the description that `plots.describe` stored with the figure of an output.

    Args:
        output: of a code cell.

    Returns:
        One line; "" if none was stored.
    """
    metadata = output.get("metadata", {})
    for kind in output.get("data", {}):
        of_kind = metadata.get(kind)
        if kind.startswith("image/") and isinstance(of_kind, dict) and of_kind.get("alt"):
            return " ".join(str(of_kind["alt"]).split())
    return ""
