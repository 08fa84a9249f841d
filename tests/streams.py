"""Keys, and the distance of a sample from a law, for the tests of sums without rows."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from simulations import draws


def keys(count: int, seed: int = 0) -> jax.Array:
    """Keys ``(count, 2)`` of independent streams."""
    key = jax.random.key_data(jax.random.key(seed, impl=draws.IMPLEMENTATION))
    return jax.vmap(lambda i: draws.replicate_key(key, i))(jnp.arange(count))


def distance(values: Any, cdf: Callable[[Any], Any]) -> float:
    """Kolmogorov's distance between a sample and a law."""
    at = np.sort(cdf(np.ravel(values)))
    steps = np.arange(len(at) + 1) / len(at)
    return max((steps[1:] - at).max(), (at - steps[:-1]).max())
