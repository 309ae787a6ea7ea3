"""Figures, and what a run leaves behind."""
