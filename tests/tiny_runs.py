"""Output folders of runs, as notebooks leave them."""

import json

import numpy as np
import pandas as pd
import tiny_notebooks


def write_run(folder, *, shift=0.0, rows=40, stem="02_a", **parameters):
    """A run of one notebook: 20 reals and 20 fakes judged by the model `ours`."""
    folder.mkdir(parents=True)
    content = tiny_notebooks.results(stem)
    content["parameters"] = {"SEED": 42, "OUTPUT_DIR": str(folder)} | parameters
    content["data"]["root"] = "gone"
    (folder / f"{stem}.results.json").write_text(json.dumps(content))
    rng = np.random.default_rng(0)
    fake = np.arange(40) % 2
    table = pd.DataFrame(
        {
            "videoname": [f"{number}.mp4" for number in range(40)],
            "split": "test",
            "label": np.where(fake, "FAKE", "REAL"),
            "y_score": np.clip(0.5 + shift * (fake - 0.5) + rng.normal(0, 0.1, 40), 0, 1),
            "model": "ours",
        }
    ).head(rows)
    table.to_csv(folder / f"{stem}.predictions.csv", index=False)
    return folder
