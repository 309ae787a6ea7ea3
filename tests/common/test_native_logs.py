"""What libraries write past Python is silent unless something fails."""

import os

import pytest

from nbhelpers.common import native_logs


def test_chatter_is_kept_back_and_told_on_an_error(capfd):

    with native_logs.no_chatter():
        os.write(2, b"no GPU")
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"
    with pytest.raises(ValueError, match="broken"), native_logs.no_chatter():
        os.write(2, b"why")
        raise ValueError("broken")
    assert capfd.readouterr().err == "why"
