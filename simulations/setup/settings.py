"""The settings: which groups the rows come from.

A setting is a frozen record validated once; `simulations.setup.worlds.world` turns it into arrays.
"""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field, field_validator, model_validator

from simulations.problems import problem, show
from simulations.setup.dotted import is_finite, is_number
from simulations.setup.records import Name, NonNegative, Positive, Real, Record, Whole, unique

# The table's `group` column also holds these two words, so that no group may bear them.
RESERVED_NAMES = ("balanced", "worst")
MAX_DIM = 2000  # the theory holds dense (dim, dim) matrices of every group in memory
MAX_VOCABULARY = 2**20
MAX_EMBEDDING = 64  # derivatives of a generator's law are taken along every pair of dimensions
MAX_PAIRS = 2**22  # pairs of a core and an attribute token are listed


class Imbalance(Record):
    """Two classes ``N(-+separation/2 e_1, I)``: groups ``majority`` (label 0), ``minority`` (1)."""

    kind: Literal["imbalance"]
    dim: Annotated[Whole, Field(ge=1, le=MAX_DIM)]
    separation: NonNegative = 2.0


class Spurious(Record):
    """Four groups ``y,s`` with means ``(y core/2, s spurious/2, 0, ..)`` and unit covariance."""

    kind: Literal["spurious"]
    dim: Annotated[Whole, Field(ge=2, le=MAX_DIM)]
    core: NonNegative = 2.0
    spurious: NonNegative = 3.0


def _covariance(value: Any) -> float | tuple[tuple[float, ...], ...]:
    """A variance above 0 (times the identity), or a symmetric positive definite matrix."""
    if is_number(value):
        if not (is_finite(value) and value > 0.0):
            raise problem("", f"is {show(value)}; give a finite number above 0 or a matrix")
        return float(value)
    if not isinstance(value, list | tuple) or not all(isinstance(r, list | tuple) for r in value):
        raise problem("", f"is {show(value)}; give a number above 0 or a matrix [[..], [..]]")
    rows = tuple(tuple(row) for row in value)
    if not rows or any(len(row) != len(rows) for row in rows):
        raise problem("", "is not a square matrix; give as many entries per row as rows")
    if not all(is_finite(entry) for row in rows for entry in row):
        raise problem("", "holds an entry that is not a finite number; give finite numbers only")
    matrix = np.array(rows, dtype=float)
    size = np.abs(matrix).max()
    if not np.allclose(matrix, matrix.T, rtol=0.0, atol=1e-9 * size):
        raise problem("", "is not symmetric; mirror the entries across the diagonal")
    spectrum = np.linalg.eigvalsh((matrix + matrix.T) / 2.0)
    # An eigenvalue within rounding of 0 cannot be told from 0.
    if spectrum[0] <= len(rows) * np.finfo(float).eps * size:
        raise problem(
            "",
            f"is not positive definite (smallest eigenvalue {spectrum[0]:.3g}); "
            "make every eigenvalue positive",
        )
    return tuple(tuple(float(entry) for entry in row) for row in rows)


Covariance = Annotated[float | tuple[tuple[float, ...], ...], BeforeValidator(_covariance)]


class GroupSpec(Record):
    """One Gaussian group: its name, its label (0 or 1), its mean ``(d,)`` and its covariance."""

    name: Name
    label: Annotated[Whole, Field(ge=0, le=1)]
    mean: Annotated[tuple[Real, ...], Field(min_length=1)]
    covariance: Covariance = 1.0

    @field_validator("name")
    @classmethod
    def _not_reserved(cls, name: str) -> str:
        if name in RESERVED_NAMES:
            raise problem("", f"is {show(name)}, a word the table keeps for itself; rename it")
        return name

    @model_validator(mode="after")
    def _sizes_agree(self) -> "GroupSpec":
        if isinstance(self.covariance, tuple) and len(self.covariance) != len(self.mean):
            raise problem(
                "covariance",
                f"has {len(self.covariance)} rows but the mean has {len(self.mean)} entries; "
                "give both the same size",
            )
        return self


class Groups(Record):
    """Any number of Gaussian groups with labels 0 and 1, in the order listed."""

    kind: Literal["groups"]
    groups: Annotated[tuple[GroupSpec, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _groups_agree(self) -> "Groups":
        unique("groups", tuple(group.name for group in self.groups))
        for position, group in enumerate(self.groups):
            if len(group.mean) != len(self.groups[0].mean):
                raise problem(
                    f"groups.{position}.mean",
                    f"has {len(group.mean)} entries but the first group's has "
                    f"{len(self.groups[0].mean)}; give all means the same length",
                )
        labels = {group.label for group in self.groups}
        if labels != {0, 1}:
            absent = ({0, 1} - labels).pop()
            raise problem("groups", f"has no group with label {absent}; give both labels a group")
        return self


class Craft(Record):
    """The simulated table of arXiv 2406.03628: nine features on a lattice of tenths, two classes.

    The label says whether a score of the features plus ``noise`` times a normal exceeds its
    population median (`simulations.craft.law`); the authors used ``noise`` 0.5 and 1. The sixth
    feature, which the label does not depend on, is ``"normal"`` or a random ``"sign"``.
    """

    kind: Literal["craft"]
    noise: Positive = 0.5
    x6: Literal["normal", "sign"] = "normal"


class Tokens(Record):
    """Rows are tokens with embeddings ``u_j ~ N(0, I_r)``, drawn once; group laws ``P(j) ~ e^<eta, u_j>``.

    Without ``attribute_vocabulary`` a row is one token of the ``vocabulary``; groups ``majority`` (label 0)
    and ``minority`` (label 1) have latents of length ``latent_norm``, ``latent_angle`` degrees apart.
    With it a row is a core token, whose law depends on the label in this way, and a token of the
    attribute's own vocabulary, whose latents (``attribute_norm``, ``attribute_angle``) depend on the
    attribute: four groups ``y,s`` as in `Spurious`. ``world`` says which draw of the embeddings it is.
    """

    kind: Literal["tokens"]
    vocabulary: Annotated[Whole, Field(ge=2, le=MAX_VOCABULARY)]
    embedding_dim: Annotated[Whole, Field(ge=1, le=MAX_EMBEDDING)]
    latent_norm: Annotated[Real, Field(ge=0.0, le=20.0)] = 1.0
    latent_angle: Annotated[Real, Field(ge=0.0, le=180.0)] = 90.0
    attribute_vocabulary: Annotated[Whole, Field(ge=2, le=MAX_VOCABULARY)] | None = None
    attribute_norm: Annotated[Real, Field(ge=0.0, le=20.0)] | None = None
    attribute_angle: Annotated[Real, Field(ge=0.0, le=180.0)] | None = None
    world: Annotated[Whole, Field(ge=0, lt=2**32)] = 0

    @model_validator(mode="after")
    def _sizes_agree(self) -> "Tokens":
        for name in ("vocabulary", "attribute_vocabulary"):
            size = getattr(self, name)
            if size is not None and self.embedding_dim >= size:
                raise problem(
                    "embedding_dim",
                    f"is {self.embedding_dim} but {name} is {size}; give fewer dimensions than tokens",
                )
        for name in ("latent_angle", "attribute_angle"):
            angle = getattr(self, name)
            if self.embedding_dim == 1 and angle not in (None, 0.0, 180.0):
                raise problem(
                    name, f"is {show(angle)} in one embedding dimension; give 0 or 180 there"
                )
        if self.attribute_vocabulary is None:
            for name in ("attribute_norm", "attribute_angle"):
                if getattr(self, name) is not None:
                    raise problem(name, "needs an attribute; give attribute_vocabulary too")
            return self
        pairs = self.vocabulary * self.attribute_vocabulary
        if pairs > MAX_PAIRS:
            raise problem(
                "attribute_vocabulary",
                f"makes {pairs} pairs of tokens, at most {MAX_PAIRS} can be listed; lower it or vocabulary",
            )
        # A frozen record is still being made here.
        if self.attribute_norm is None:
            object.__setattr__(self, "attribute_norm", 1.0)
        if self.attribute_angle is None:
            object.__setattr__(self, "attribute_angle", 180.0)
        return self


Setting = Annotated[Imbalance | Spurious | Groups | Craft | Tokens, Field(discriminator="kind")]
