"""Losses against automatic differentiation and against their definitions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from simulations.population.losses import LOSSES

SCORES = np.linspace(-30.0, 30.0, 241)
EPS = np.finfo(float).eps


@pytest.mark.parametrize("label", [0.0, 1.0])
@pytest.mark.parametrize("name", sorted(LOSSES))
@pytest.mark.parametrize("orders", [("value", "first"), ("first", "second"), ("second", "third")])
def test_each_derivative_is_that_of_the_one_before(
    name: str, label: float, orders: tuple[str, str]
) -> None:
    loss = LOSSES[name]
    function, derivative = (getattr(loss, order) for order in orders)
    by_machine = jax.vmap(jax.grad(lambda u: function(u, jnp.asarray(label))))(SCORES)
    by_hand = derivative(jnp.asarray(SCORES), jnp.asarray(label))
    # A handful of roundings of numbers of size |u| at most.
    np.testing.assert_allclose(by_hand, by_machine, rtol=0, atol=8 * EPS * np.abs(SCORES).max())


def test_logistic_loss_is_its_definition() -> None:
    for label, sign in ((0.0, -1.0), (1.0, 1.0)):
        expected = np.logaddexp(0.0, -sign * SCORES)
        value = LOSSES["logistic"].value(jnp.asarray(SCORES), jnp.asarray(label))
        np.testing.assert_allclose(value, expected, rtol=0, atol=8 * EPS * 30)


def test_squared_loss_is_its_definition() -> None:
    value = LOSSES["squared"].value(jnp.asarray(SCORES), jnp.asarray(1.0))
    np.testing.assert_allclose(value, (SCORES - 1.0) ** 2, rtol=4 * EPS)


def test_thresholds_lie_where_both_labels_cost_the_same() -> None:
    for loss in LOSSES.values():
        costs = [loss.value(jnp.asarray(loss.threshold), jnp.asarray(y)) for y in (0.0, 1.0)]
        assert costs[0] == costs[1]
