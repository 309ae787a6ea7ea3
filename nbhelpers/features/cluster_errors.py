"""Errors of a cluster, each in one line."""


class ClusterError(ValueError):
    """The cluster cannot do the work."""


def cause(error: Exception) -> str:
    r"""Summarise an error that came from another process.

    Args:
        error: Ray's, which may carry the original as its `cause`.

    Returns:
        One line: the class and the first line of the message.

    >>> cause(ValueError("first\nsecond"))
    'ValueError: first'
    """
    original = getattr(error, "cause", None) or error
    return f"{type(original).__name__}: {[*str(original).strip().splitlines(), ''][0]}"
