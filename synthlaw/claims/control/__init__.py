"""Control: planted errors that the machinery must catch."""

from synthlaw.claims.control.planted import CLAIMS

__all__ = ["CLAIMS"]
