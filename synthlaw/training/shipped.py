"""The teaching model that comes with the package: what ``synthlaw train --preset teaching`` leaves."""

import io
from functools import cache
from importlib import resources

from simulations.transformers.models import Model, read

NAME = "teaching.zip"


@cache
def teaching_model() -> Model:
    """The shipped model, in single precision, with its provenance.

    >>> teaching_model().trained.plan.vocabulary
    64
    """
    content = (resources.files("synthlaw") / "data" / NAME).read_bytes()
    return read(io.BytesIO(content), f"synthlaw/data/{NAME}")
