"""Tokens: what generators cost in a finite world where every divergence is an exact sum."""

from synthlaw.claims.generation.tokens import breaks, histograms, layers, published, references

CLAIMS = tuple(
    claim for topic in (layers, references, histograms, published, breaks) for claim in topic.CLAIMS
)
