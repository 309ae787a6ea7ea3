"""Who is who in a clip: faces of single frames -> one track a person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

REACH = 1.5  # face sizes that a face may have moved since it was last seen
GROWTH = 2.0  # times that it may have grown or shrunk


def tracks_of(boxes: Sequence[np.ndarray]) -> list[list[tuple[int, int]]]:
    """Follow faces from frame to frame.

    Each face continues the nearest track that it can belong to, the surest pairs first; the
    others begin tracks of their own. Where no frame has a second face, all are one person.

    Args:
        boxes: for each frame float (F, 4 or more): ``x, y, width, height`` in pixels.

    Returns:
        A list a person of ``(frame, row in its boxes)``, in order of time; the person who is seen
        most often first.

    >>> left, right = [0, 0, 10, 10], [90, 0, 10, 10]
    >>> frames = [np.array([left, right]), np.array([right]), np.array([right, left])]
    >>> tracks_of(frames)
    [[(0, 1), (1, 0), (2, 0)], [(0, 0), (2, 1)]]
    """
    if all(len(rows) <= 1 for rows in boxes):
        alone = [(frame, 0) for frame, rows in enumerate(boxes) if len(rows)]
        return [alone] if alone else []
    tracks: list[list[tuple[int, int]]] = []
    for frame, rows in enumerate(boxes):
        last = [boxes[seen][row] for seen, row in (track[-1] for track in tracks)]
        pairs = sorted(
            (distance, number, row)
            for number, before in enumerate(last)
            for row, box in enumerate(rows)
            if (distance := _distance(before, box)) <= REACH
        )
        open_tracks, open_rows = set(range(len(tracks))), set(range(len(rows)))
        for _, number, row in pairs:
            if number in open_tracks and row in open_rows:
                tracks[number].append((frame, row))
                open_tracks.remove(number)
                open_rows.remove(row)
        tracks += [[(frame, row)] for row in sorted(open_rows)]
    return sorted(tracks, key=len, reverse=True)


def _distance(before: np.ndarray, box: np.ndarray) -> float:
    """How far a face has moved, in face sizes; infinite where it cannot be the same."""
    sizes = before[2:4].max(), box[2:4].max()
    if max(sizes) > GROWTH * min(sizes):
        return float("inf")
    middles = before[:2] + before[2:4] / 2, box[:2] + box[2:4] / 2
    return float(np.linalg.norm(middles[1] - middles[0]) / max(sizes))
