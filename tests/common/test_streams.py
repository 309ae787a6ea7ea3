"""Output in poor terminals, and for readers who leave."""

import os
import subprocess
import sys

import pytest

from nbhelpers.common import streams

WRITE = r"""
import sys
from nbhelpers.common import streams
streams.make_robust()
for stream in (sys.stdout, sys.stderr):
    print("P(fake) \u2581\u2585\u2588 \u2013 \u2265 \u2026 caf\xe9 \u4f60 \udce9", file=stream)
"""
ENDLESS = """
import sys
from nbhelpers.common import streams
def work():
    for number in range(10**6):
        print(number)
    return 0
sys.exit(streams.until_reader_leaves(work))
"""


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("ascii", r"P(fake) _=# - >= ... caf\xe9 \u4f60 \udce9"),
        ("latin-1", r"P(fake) _=# - >= ... café \u4f60 \udce9"),
        ("cp1252", r"P(fake) _=# – >= … café \u4f60 \udce9"),
        ("utf-8", r"P(fake) ▁▅█ – ≥ … café 你 \udce9"),
    ],
)
def test_every_character_is_written_somehow(encoding, expected):
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run(
        [sys.executable, "-c", WRITE], env=environment, capture_output=True, check=True
    )
    for stream in (done.stdout, done.stderr):
        assert stream.decode(encoding).rstrip() == expected


def test_closed_streams_are_no_error():
    words = [sys.executable, "-c", "from nbhelpers.common import streams; streams.make_robust()"]
    assert subprocess.call(["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *words]) == 0


def test_a_reader_who_leaves_ends_the_work_quietly():
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.readline().strip() == b"0"
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == streams.READER_GONE == 141
    process.stderr.close()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_behind_the_output_is_one_line():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", ENDLESS.replace("10**6", "3")],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.stderr == "error: output: No space left on device.\n"
    assert done.returncode == streams.NOT_WRITTEN == 2


def test_the_exit_code_is_passed_on():
    assert streams.until_reader_leaves(lambda: 3) == 3


def test_errors_of_decoding_are_not_hidden():
    with pytest.raises(UnicodeDecodeError):
        streams.plain(UnicodeDecodeError("ascii", b"\xff", 0, 1, "odd"))
