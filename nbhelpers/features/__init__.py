"""Clips -> stored vectors: an encoder, one batched pass, and a store that makes it a single one."""
