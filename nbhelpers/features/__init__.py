"""Clips -> stored vectors: an encoder, one batched pass, and a store so that it happens once."""
