"""The article's way, written out faithfully: the other side of the rows."""

import cv2
import numpy as np

IMG_SIZE, MAX_SEQ_LENGTH = 224, 20


def crop_center_square(frame):
    y, x = frame.shape[0:2]
    min_dim = min(y, x)
    start_x = (x // 2) - (min_dim // 2)
    start_y = (y // 2) - (min_dim // 2)
    return frame[start_y : start_y + min_dim, start_x : start_x + min_dim]


def load_video(path, max_frames=0, resize=(IMG_SIZE, IMG_SIZE)):
    """Decode, cut and resize every frame of the clip."""
    cap = cv2.VideoCapture(path)
    frames = []
    try:
        while True:
            ret, frame = cap.read()
            if not ret:
                break
            frame = crop_center_square(frame)
            frame = cv2.resize(frame, resize)
            frame = frame[:, :, [2, 1, 0]]
            frames.append(frame)
            if len(frames) == max_frames:
                break
    finally:
        cap.release()
    return np.array(frames)


def prepare_all_videos(paths, feature_extractor, size=IMG_SIZE, choose=None):
    """Decode each clip whole and predict every frame alone.

    `choose(total)` tells which frames; None is the article's choice, the first 20.
    """
    frame_features = np.zeros(
        (len(paths), MAX_SEQ_LENGTH, feature_extractor.output_shape[-1]), "float32"
    )
    for idx, path in enumerate(paths):
        frames = load_video(str(path), resize=(size, size))
        frames = frames if choose is None else frames[choose(len(frames))]
        for batch in frames[None, ...]:
            length = min(MAX_SEQ_LENGTH, batch.shape[0])
            for j in range(length):
                frame_features[idx, j, :] = feature_extractor.predict(batch[None, j, :], verbose=0)
    return frame_features


def retrieve_dataset(paths):
    """Read all pictures into a list, then into an array: for a moment they are there twice."""
    images = []
    for path in paths:
        images.append(cv2.imread(str(path)))
    return np.array(images)
