"""Why did the model say FAKE? Methods that draw a map, and measures that judge the map.

`methods` holds LIME, Grad-CAM, occlusion and integrated gradients behind one interface;
`measures` holds deletion and insertion, localisation against a true mask, and stability;
`pairs` finds the true mask of a fake from its original.
"""

from nbhelpers.explain.masks import PairError, difference_mask, frame_misfit
from nbhelpers.explain.measures import (
    centre_prior,
    curve_area,
    deletion_curve,
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

__all__ = [
    "PairError",
    "centre_prior",
    "curve_area",
    "deletion_curve",
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
    "occlusion",
    "p_fake",
    "pointing_hit",
    "random_map",
    "randomised",
    "rank_agreement",
    "shift_agreement",
]
