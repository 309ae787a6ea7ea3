"""The two labels, as words and as numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

LABELS = ("REAL", "FAKE")


def y_true(table: pd.DataFrame) -> np.ndarray:
    """Return labels as numbers.

    Args:
        table: with a column ``label`` of REAL and FAKE.

    Returns:
        int64 (N,), 1 for FAKE and 0 for REAL.

    Raises:
        ValueError: any other label.

    >>> y_true(pd.DataFrame({"label": ["REAL", "FAKE"]})).tolist()
    [0, 1]
    """
    unknown = sorted(set(table["label"]) - set(LABELS), key=str)
    if unknown:
        raise ValueError(
            f"Expected labels {LABELS}; received also {unknown[:5]}. "
            "Use the table from manifest.read, which excludes such rows."
        )
    return (table["label"] == "FAKE").to_numpy().astype(np.int64)
