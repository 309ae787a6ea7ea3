"""Kaggle's two folders -> one checked table, its groups of people and its splits.

No pixels are decoded here but to check a file, and no TensorFlow is loaded.
"""
