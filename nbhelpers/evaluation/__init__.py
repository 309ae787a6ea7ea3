"""How good, how certain, how robust: metrics with intervals, calibration, cross-validation."""
