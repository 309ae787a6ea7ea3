"""Why did the model say FAKE? Methods that draw a map, and measures that evaluate the map.

`methods` holds LIME, Grad-CAM, occlusion and integrated gradients behind one interface;
`measures` holds deletion and insertion, localisation against a true mask, and stability;
`masks` and `regions` find the manipulated region of a fake; `comparison` measures all methods on
many fakes.
"""

from nbhelpers.explain.comparison import BLOB, NOISE, check_stability, measure_methods
from nbhelpers.explain.masks import PairError, difference_mask, frame_misfit
from nbhelpers.explain.measures import (
    centre_prior,
    curve_area,
    deletion_curve,
    deletion_pictures,
    energy_inside,
    insertion_curve,
    iou_at_mask_area,
    measure_maps,
    pointing_hit,
    random_map,
    rank_agreement,
    shift_agreement,
)
from nbhelpers.explain.methods import (
    grad_cam,
    integrated_gradients,
    lime,
    lime_explanation,
    occlusion,
    p_fake,
    randomised,
)
from nbhelpers.explain.regions import Regions, agreement, overlaps, true_regions

__all__ = [
    "BLOB",
    "NOISE",
    "PairError",
    "Regions",
    "agreement",
    "centre_prior",
    "check_stability",
    "curve_area",
    "deletion_curve",
    "deletion_pictures",
    "difference_mask",
    "energy_inside",
    "frame_misfit",
    "grad_cam",
    "insertion_curve",
    "integrated_gradients",
    "iou_at_mask_area",
    "lime",
    "lime_explanation",
    "measure_maps",
    "measure_methods",
    "occlusion",
    "overlaps",
    "p_fake",
    "pointing_hit",
    "random_map",
    "randomised",
    "rank_agreement",
    "shift_agreement",
    "true_regions",
]
