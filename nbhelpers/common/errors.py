"""Errors caused by the user, and hints for correcting them."""

import difflib
from collections.abc import Iterable


class UsageError(ValueError):
    """A request that cannot be carried out; nothing was run."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint for a misspelt name.

    Args:
        name: what was given.
        known: the valid names.

    Returns:
        `Did you mean 'X'?` if a name is close, else the list of known names.

    >>> did_you_mean("EPOCH", ["EPOCHS", "SEED"])
    "Did you mean 'EPOCHS'?"
    >>> did_you_mean("qqq", ["EPOCHS", "SEED"])
    'Known: EPOCHS, SEED.'
    """
    known = sorted(known)
    folded = {entry.casefold(): entry for entry in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=1)
    if near:
        return f"Did you mean {folded[near[0]]!r}?"
    return f"Known: {', '.join(known)}." if known else "No names are known."
