"""Support package of the deepfake detection notebooks.

Importing it has no side effects and loads no TensorFlow: import the rooms you need, for example
``from nbhelpers.data import manifest, splits``.
"""

__version__ = "0.2.0"
