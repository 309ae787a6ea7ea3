"""A training that takes its time: train.py FOLDER; prints its epochs as Keras does."""

import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

if __name__ == "__main__":
    import keras
    import numpy as np
    import pandas as pd
    import tensorflow as tf

    from nbhelpers.networks import training

    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    table = pd.DataFrame({"videoname": ["a"], "split": ["train"]})
    run = SimpleNamespace(backups_folder=Path(sys.argv[1], "training"), resume=True, parameters={})

    def slowly():
        time.sleep(0.2)
        yield np.ones((4, 1)), np.ones((4, 1))

    kind = tf.TensorSpec((4, 1))
    rows = tf.data.Dataset.from_generator(slowly, output_signature=(kind, kind))
    rows = rows.apply(tf.data.experimental.assert_cardinality(1))
    options = {"validation": rows, "epochs": 8, "run": run, "name": "best", "table": table}
    history = training.fit(model, rows, **options)
    print(json.dumps({"loss": history["loss"].tolist()}))
