"""Versions of what produced a number, for manifests and verdicts."""

import platform
from importlib.metadata import version

PACKAGES = ("synthlaw", "jax", "jaxlib", "numpy", "scipy", "statsmodels", "pandas")


def versions() -> dict[str, str]:
    """Version of Python and of every package that numbers depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
