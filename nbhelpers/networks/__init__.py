"""Networks: building, feeding, training, saving, loading and speeding them up.

Every network takes ``float32 (B, H, W, 3)`` RGB 0-255 and rescales internally; every detector
returns P(fake).
"""
