"""What tests of several rooms share; the tiny data that they use are made by `tests/tiny_*.py`."""

import pytest


@pytest.fixture(scope="session")
def clip_path(tmp_path_factory):
    """Write a clip of one upright person who drifts to the right; its name needs quoting."""
    import tiny_faces
    from tiny_clips import write_clip

    path = tmp_path_factory.mktemp("clips") / 'it\'s a "clip".mp4'
    return write_clip(path, tiny_faces.portrait_clip())
