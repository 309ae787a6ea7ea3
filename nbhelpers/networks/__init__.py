"""Networks: what they are, how they are fed, trained, kept, loaded and made fast.

Every network takes ``float32 (B, H, W, 3)`` RGB 0-255 and rescales inside; every detector ends in
P(fake).
"""
