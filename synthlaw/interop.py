"""Between synthlaw and imbalanced-learn (extra ``interop``): their samplers here, our generators there."""

import copy
from typing import Any

import numpy as np

from scaling.planning.pools import Source
from simulations.problems import InputError, nearest, one_sentence
from simulations.tables.generators import GENERATORS


def sampler_source(sampler: Any, labels: np.ndarray) -> Source:
    """A source of rows for a plan from any sampler with ``fit_resample(X, y)`` that appends rows.

    Args:
        sampler: such as ``imblearn.over_sampling.SMOTE()``; a copy is used, its ``random_state`` set.
        labels: ``(K,)``; the sampler sees the groups' numbers as classes.

    Raises:
        ValueError: one sentence: the sampler takes rows away, or gives up.
    """
    name = type(sampler).__name__

    def draw(
        x: np.ndarray, group: np.ndarray, wanted: np.ndarray, seed: int, *_: object
    ) -> tuple[np.ndarray, np.ndarray]:
        own = copy.deepcopy(sampler)
        if "random_state" in getattr(own, "get_params", dict)():
            own.set_params(random_state=seed)
        try:
            rows, groups = own.fit_resample(x, group)
        except ValueError as error:
            first = str(error).splitlines()[0]
            text = f"{name} gives up on a part of the table ({first}); change its settings"
            raise InputError(one_sentence(text)) from error
        rows, groups = np.asarray(rows, float), np.asarray(groups)
        if len(rows) < len(x) or not np.array_equal(rows[: len(x)], x):
            raise InputError(
                f"{name} changes or removes rows it is given; a plan needs a sampler that adds rows."
            )
        rows, groups = rows[len(x) :], groups[len(x) :].astype(int)
        kept = wanted[groups] > 0
        return rows[kept], groups[kept]

    return Source(draw, own=False)


class Resampler:
    """One of our generators as a sampler of imbalanced-learn: ``fit_resample(X, y)``.

    Every class gets ``ratio (n_max - n)`` rows, appended to the ones given. Works as a step of
    ``imblearn.pipeline.Pipeline`` and with ``sklearn.base.clone``; needs neither to be installed.

    Args:
        generator: ``duplicate``, ``gaussian``, ``smoothed`` or ``smote``.
        ratio: 0 none, 1 balanced, above 1 over-balanced.
        seed: of the draws.

    >>> x, y = np.arange(12.0).reshape(6, 2), np.array(["a", "a", "a", "a", "b", "b"])
    >>> rows, labels = Resampler("gaussian").fit_resample(x, y)
    >>> rows.shape, labels.tolist().count("b")
    ((8, 2), 4)
    """

    _sampling_type = "over-sampling"

    def __init__(self, generator: str = "smote", ratio: float = 1.0, seed: int = 0) -> None:
        self.generator: str = generator
        self.ratio: float = ratio
        self.seed: int = seed

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The settings, as scikit-learn asks for them."""
        return {"generator": self.generator, "ratio": self.ratio, "seed": self.seed}

    def set_params(self, **settings: Any) -> "Resampler":
        """Change settings, as scikit-learn does in a search."""
        for name, value in settings.items():
            if name not in self.get_params():
                raise InputError(one_sentence(
                    f"Resampler has no setting {name!r}; {nearest(name, self.get_params(), 'settings')}"
                ))  # fmt: skip
            setattr(self, name, value)
        return self

    def fit(self, x: Any, y: Any) -> "Resampler":
        """Nothing is learnt before rows are drawn; here for pipelines."""
        return self

    def fit_resample(self, x: Any, y: Any) -> tuple[Any, Any]:
        """The rows and labels given, and after them the drawn ones; a data frame comes back as one."""
        if self.generator not in GENERATORS:
            remedy = nearest(str(self.generator), GENERATORS, "generators")
            raise InputError(one_sentence(f"generator {self.generator!r} does not exist; {remedy}"))
        rows, labels = np.asarray(x, float), np.asarray(y)
        values, place, counts = np.unique(labels, return_inverse=True, return_counts=True)
        made, named = [rows], [labels]
        for k, n in enumerate(counts.tolist()):
            wanted = int(np.floor(self.ratio * (counts.max() - n) + 0.5))
            if wanted:
                made.append(GENERATORS[self.generator](rows[place == k], wanted, self.seed + 7 * k))
                named.append(np.repeat(values[k : k + 1], wanted))
        found, marked = np.concatenate(made), np.concatenate(named)
        if hasattr(x, "columns"):
            found = type(x)(found, columns=x.columns)
        if hasattr(y, "name") and hasattr(y, "index"):
            marked = type(y)(marked, name=y.name)
        return found, marked
