"""What libraries write past Python is silent unless something fails."""

import importlib
import os
import sys

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


@pytest.mark.parametrize("broken", [False, True])
def test_tensorflow_is_loaded_without_its_messages_and_only_tensorflow(
    monkeypatch, tmp_path, capfd, broken
):
    said = "import os\nos.write(2, b'oneDNN is on')\n"
    (tmp_path / "tensorflow.py").write_text(said + ("1 / 0" if broken else "x = 3"))
    (tmp_path / "something_else.py").write_text(said)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    for name in ("tensorflow", "something_else"):
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.delitem(sys.modules, name)  # and out again, when the test is over
    before = list(sys.meta_path)
    native_logs.quiet_tensorflow()
    native_logs.quiet_tensorflow()
    assert len(sys.meta_path) == len(before) + 1
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "3"
    importlib.import_module("something_else")
    assert capfd.readouterr().err == "oneDNN is on"
    if broken:
        with pytest.raises(ZeroDivisionError):
            importlib.import_module("tensorflow")
    else:
        assert importlib.import_module("tensorflow").x == 3
    assert capfd.readouterr().err == ("oneDNN is on" if broken else "")
    assert sys.meta_path == before


def test_a_log_level_that_somebody_set_is_kept(monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    native_logs.quiet_tensorflow()
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "0"
