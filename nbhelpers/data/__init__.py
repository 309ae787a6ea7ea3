"""Kaggle's two folders -> one checked table, its groups of people and its splits.

Pixels are decoded here only to check a file, and TensorFlow is not loaded.
"""
