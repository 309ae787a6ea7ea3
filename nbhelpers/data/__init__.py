"""Kaggle's two data sets -> one checked table, its groups of people and its splits.

Pixels are decoded only to check files, and TensorFlow is not loaded.
"""
