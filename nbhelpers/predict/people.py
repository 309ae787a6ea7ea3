"""Who is who in a clip: faces of single frames -> one track per person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

REACH = 1.5  # how far a face may have moved since it was last seen, in face sizes
GROWTH = 2.0  # factor by which it may have grown or shrunk


def tracks_of(boxes: Sequence[np.ndarray]) -> list[list[tuple[int, int]]]:
    """Follow faces from frame to frame.

    Each face continues the nearest track that it can belong to, closest pairs first; the others
    begin new tracks. If no frame has a second face, all faces are one person.

    Args:
        boxes: for each frame float (F, 4 or more): ``x, y, width, height`` in pixels.

    Returns:
        One list per person of ``(frame, row in its boxes)``, in order of time; the person seen most
        often comes first.

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


def boxes_of(detections: Sequence[np.ndarray], *, least: float = 0.5) -> dict[str, np.ndarray]:
    """Follow everybody through a clip, and name them by position.

    Args:
        detections: as `tracks_of`.
        least: share of the frames in which a person must be seen, 0-1; shorter tracks are mostly
            patterns mistaken for a face.

    Returns:
        ``person 1``, ``person 2``, … from left to right -> float64 (T, 4): ``x, y, width,
        height``, NaN where the person is not seen.

    >>> left, right = [0, 0, 10, 10], [90, 0, 10, 10]
    >>> boxes_of([np.array([right, left]), np.array([right])])["person 2"][:, 0].tolist()
    [90.0, 90.0]
    """
    people = []
    for track in tracks_of(detections):
        if len(track) >= least * len(detections):
            boxes = np.full((len(detections), 4), np.nan)
            for frame, row in track:
                boxes[frame] = detections[frame][row][:4]
            people.append(boxes)
    people.sort(key=lambda boxes: np.nanmean(boxes[:, 0]))
    return {f"person {number}": boxes for number, boxes in enumerate(people, start=1)}


def _distance(before: np.ndarray, box: np.ndarray) -> float:
    """Return how far a face has moved, in face sizes; infinite if it cannot be the same."""
    sizes = before[2:4].max(), box[2:4].max()
    if max(sizes) > GROWTH * min(sizes):
        return float("inf")
    middles = before[:2] + before[2:4] / 2, box[:2] + box[2:4] / 2
    return float(np.linalg.norm(middles[1] - middles[0]) / max(sizes))
