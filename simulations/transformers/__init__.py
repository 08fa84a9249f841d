"""Decoder-only transformers on the token world: weights written down, and weights trained in context."""
