"""Limits of the system that stand in for a full disk, without the rights to mount one."""

import resource
from contextlib import contextmanager


@contextmanager
def largest_file(size):
    """No file of this process may grow beyond `size` bytes: writing more raises OSError."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
