"""Files -> pixels: pictures, clips and the faces in them.

No tables and no TensorFlow. Pixels are always ``uint8 (…, H, W, 3)`` RGB 0-255.
"""
