"""How good, how sure, how robust: metrics with intervals, calibration, cross-validation."""
