"""The smoothed bootstrap: a raw row drawn with replacement, plus Gaussian noise of bandwidth h.

x = x_i + h L z,     i uniform on the n rows, z ~ N(0, I),  L L' = Sigma
"""

from jax import Array


def smoothed(
    rows: Array, seed: Array, normals: Array, bandwidth: Array | float, root: Array
) -> Array:
    """Synthetic rows ``x_i + h L z``, ``(m, d)``.

    Args:
        rows: raw rows ``(n_max, d)``, padding included.
        seed: numbers ``i (m,)`` of raw rows, such as `simulations.draws.index_block` gives.
        normals: standard normals ``z (m, d)``.
        bandwidth: ``h >= 0``; 0 repeats raw rows.
        root: ``L (d, d)``, a root of the kernel's covariance Sigma.

    Given the raw rows the covariance is theirs (divisor n) plus ``h^2 Sigma``; a row by itself follows
    the raw law convolved with ``N(0, h^2 Sigma)``. Rows share seeds and are not independent.

    >>> import jax.numpy as jnp
    >>> rows, seed, z = jnp.array([[1.0, 0.0], [5.0, 5.0]]), jnp.array([1]), jnp.array([[2.0, -2.0]])
    >>> smoothed(rows, seed, z, 0.5, jnp.eye(2)).tolist()
    [[6.0, 4.0]]
    """
    return rows.at[seed].get(mode="promise_in_bounds") + bandwidth * normals @ root.T
