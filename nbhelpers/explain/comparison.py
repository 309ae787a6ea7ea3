"""Several methods on several fakes: every measure of every map, as tables.

A method here is a function ``(model, picture) -> float (H, W)``, such as `grad_cam`, or
``functools.partial(occlusion, patch=32)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nbhelpers.explain.measures import (
    centre_prior,
    measure_maps,
    random_map,
    rank_agreement,
    shift_agreement,
)
from nbhelpers.explain.methods import p_fake
from nbhelpers.media import images

if TYPE_CHECKING:
    import keras

Method = Callable[["keras.Model", np.ndarray], np.ndarray]
NOISE, BLOB = "noise", "blob in the middle"  # two baseline maps that ignore the model


def measure_methods(
    model: keras.Model,
    fakes: pd.DataFrame,
    *,
    methods: Mapping[str, Method],
    masks: Mapping[str, np.ndarray],
    steps: int,
    seed: int,
) -> tuple[pd.DataFrame, dict[str, dict[str, np.ndarray]]]:
    """Draw and measure the maps of every method on every fake, and two baseline maps.

    Args:
        model: a detector.
        fakes: rows with `videoname`, `group`, `path`.
        methods: name -> method.
        masks: name of a fake -> ``bool (H, W)`` at the model's size.
        steps: of the deletion and insertion curves, at least 2.
        seed: of the noise.

    Returns:
        A table with one row per fake and method (``NOISE`` and ``BLOB`` among the methods) and the
        values of `measure_maps`, `seconds`, `videoname`, `group`; and the maps, name -> method ->
        ``float (H, W)``, without the two baselines.
    """
    size = model.input_shape[1]
    rows, all_maps = [], {}
    for number, row in enumerate(fakes.itertuples()):
        picture = images.read_image(row.path, size=size)
        maps, seconds = _timed(model, picture, methods)
        all_maps[row.videoname] = dict(maps)
        maps[NOISE] = random_map((size, size), seed=seed + number)
        maps[BLOB] = centre_prior((size, size))
        judged = measure_maps(
            partial(p_fake, model), picture, mask=masks[row.videoname], maps=maps, steps=steps
        )
        of_row = {"videoname": row.videoname, "group": row.group}
        rows += [one | of_row | {"seconds": seconds.get(one["method"], 0.0)} for one in judged]
    return pd.DataFrame(rows), all_maps


def check_stability(
    model: keras.Model,
    fakes: pd.DataFrame,
    *,
    methods: Mapping[str, Method],
    maps: Mapping[str, Mapping[str, np.ndarray]],
    scrambled: keras.Model,
    seeds: Mapping[str, int] | None = None,
) -> pd.DataFrame:
    """Draw every map again: picture shifted, network scrambled, another seed.

    Args:
        model: a detector.
        fakes: rows with `videoname`, `group`, `path`.
        methods: name -> method.
        maps: name of a fake -> method -> its map, from `measure_methods`.
        scrambled: the network with shuffled weights, from `randomised`.
        seeds: method -> another seed than the one of its maps, for methods with a seed.

    Returns:
        One row per fake and method: `method`, `group`, and rank agreements with the first map,
        -1 to 1: `shift`, `random weights`, and `seed` (NaN for methods without).
    """
    size = model.input_shape[1]
    rows = []
    for row in fakes.itertuples():
        picture = images.read_image(row.path, size=size)
        for name, method in methods.items():
            heat = maps[row.videoname][name]
            entry = {"method": name, "group": row.group, "seed": np.nan}
            entry["shift"] = shift_agreement(partial(method, model), picture, heat=heat)
            entry["random weights"] = rank_agreement(heat, method(scrambled, picture))
            if seeds and name in seeds:
                again = method(model, picture, seed=seeds[name])
                entry["seed"] = rank_agreement(heat, again)
            rows.append(entry)
    return pd.DataFrame(rows)


def _timed(
    model: keras.Model, picture: np.ndarray, methods: Mapping[str, Method]
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Return each method's map and its computing time in seconds."""
    maps, seconds = {}, {}
    for name, method in methods.items():
        start = perf_counter()
        maps[name] = method(model, picture)
        seconds[name] = perf_counter() - start
    return maps, seconds
