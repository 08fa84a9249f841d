"""Spurious correlation: an attribute that travels with the label."""

from synthlaw.claims.spurious.groups import CLAIMS

__all__ = ["CLAIMS"]
