"""The laws as functions: their formulas, the limits in which one is another, extreme arguments."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from scaling.fitting.laws import LAWS, SHARPNESS, internal, limits, reported, value

X = np.geomspace(3.0, 4e5, 9)[:, None]
RNG = np.random.default_rng(4)
PAIRS = RNG.uniform(10.0, 1e5, (9, 2))
TRIPLES = np.column_stack([PAIRS, np.linspace(0.0, 1.0, 9)])
POINTS = {1: X, 2: PAIRS, 3: TRIPLES}


def some_parameters(name: str) -> np.ndarray:
    """Reported parameters of a law, all different."""
    kinds = [each.kind for each in LAWS[name].searched]
    searched = {"exponent": 0.4, "break": 300.0, "odds": 2.5}
    found = [searched[kind] + 0.1 * i for i, kind in enumerate(kinds)]
    return np.array(found + [0.7, 0.3, 0.2][: len(LAWS[name].linear)])


@pytest.mark.parametrize("name", LAWS)
def test_both_array_libraries_give_one_law(name: str) -> None:
    law, x = LAWS[name], POINTS[len(LAWS[name].variables)]
    phi = internal(law, some_parameters(name))[: len(law.searched)]
    numpy_terms, jax_terms = law.log_terms(np, phi, x), law.log_terms(jnp, jnp.asarray(phi), x)
    assert numpy_terms.shape == (len(x), len(law.linear))
    np.testing.assert_allclose(numpy_terms, jax_terms, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("name", LAWS)
def test_terms_have_finite_slopes(name: str) -> None:
    law, x = LAWS[name], POINTS[len(LAWS[name].variables)]
    phi = jnp.asarray(internal(law, some_parameters(name))[: len(law.searched)])
    slopes = jax.jacfwd(lambda p: jnp.exp(law.log_terms(jnp, p, x)))(phi)
    assert np.isfinite(slopes).all()


def test_the_formulas_written_out() -> None:
    """Each law at its parameters against its formula; the wrong twin has the sign of b - a turned."""
    n, synthetic, share = TRIPLES.T
    x = X[:, 0]
    crossing = (1.0 + (x / 50.0) ** (1 / SHARPNESS)) ** SHARPNESS
    expected = {
        ("power", (0.4, 2.0)): 2.0 * x**-0.4,
        ("power_floor", (0.4, 2.0, 0.1)): 0.1 + 2.0 * x**-0.4,
        ("reciprocal_floor", (2.0, 0.1)): 0.1 + 2.0 / x,
        ("power_correction", (0.4, 0.3, 2.0, -0.5)): 2.0 * x**-0.4 - 0.5 * x**-0.7,
        ("broken", (0.2, 0.9, 50.0, 2.0, 0.1)): 0.1 + 2.0 * x**-0.2 * crossing**-0.7,
        ("two_term", (0.6, 2.0, 3.0, 0.1)): 0.1 + 2.0 * n**-0.6 + 3.0 * synthetic**-0.6,
        ("two_exponent", (0.6, 0.4, 2.0, 3.0, 0.1)): 0.1 + 2.0 * n**-0.6 + 3.0 * synthetic**-0.4,
        ("mixture", (0.6, 1.5, 2.0, 0.3, 0.1)): 0.1
        + 0.3 * share**2
        + 2.0 * ((1 - share) ** 2 / n + 1.5 * share**2 / synthetic) ** 0.6,
    }
    for (name, parameters), right in expected.items():
        found = value(LAWS[name], parameters, POINTS[len(LAWS[name].variables)])
        np.testing.assert_allclose(found, right, rtol=1e-12, err_msg=name)
    turned = value(LAWS["broken"], (0.9, 0.2, 50.0, 2.0, 0.1), X)
    assert not np.allclose(turned, expected["broken", (0.2, 0.9, 50.0, 2.0, 0.1)], rtol=1e-3)


def test_laws_become_one_another() -> None:
    """Equal exponents take the break away; no correction, no floor, share 0 likewise; a broken law is
    each of its halves far from the break, up to the width of the passage."""
    power_floor = value(LAWS["power_floor"], (0.4, 2.0, 0.1), X)
    broken = value(LAWS["broken"], (0.4, 0.4, 50.0, 2.0, 0.1), X)
    np.testing.assert_allclose(broken, power_floor, rtol=1e-13)
    power = value(LAWS["power"], (0.4, 2.0), X)
    corrected = value(LAWS["power_correction"], (0.4, 0.3, 2.0, 0.0), X)
    np.testing.assert_allclose(corrected, power, rtol=1e-13)
    raw = value(LAWS["mixture"], (0.4, 1.5, 2.0, 0.3, 0.1), np.insert(PAIRS, 2, 0.0, axis=1))
    alone = value(LAWS["power_floor"], (0.4, 2.0, 0.1), PAIRS[:, :1])
    np.testing.assert_allclose(raw, alone, rtol=1e-13)
    shared = value(LAWS["two_exponent"], (0.6, 0.6, 2.0, 3.0, 0.1), PAIRS)
    np.testing.assert_allclose(shared, value(LAWS["two_term"], (0.6, 2.0, 3.0, 0.1), PAIRS))
    far = np.array([[1e12]])
    after = 2.0 * 50.0**0.7 * far[:, 0] ** -0.9
    np.testing.assert_allclose(value(LAWS["broken"], (0.2, 0.9, 50.0, 2.0, 0.0), far), after, 1e-12)


def test_no_argument_is_too_large() -> None:
    """Counts up to 1e12 at the steepest exponents neither over- nor underflow before they must."""
    x = np.array([[1.0], [1e12]])
    terms = LAWS["power_floor"].log_terms(np, np.array([4.0]), x)
    np.testing.assert_allclose(terms[:, 0], [0.0, -4.0 * np.log(1e12)], rtol=1e-14)
    assert value(LAWS["power_floor"], (4.0, 1.0, 0.1), x)[1] == 0.1


@pytest.mark.parametrize("name", LAWS)
def test_scales_of_the_search_and_the_reader(name: str) -> None:
    law = LAWS[name]
    shown = some_parameters(name)
    np.testing.assert_allclose(reported(law, internal(law, shown)), shown, rtol=1e-14)
    low, high = limits(law, POINTS[len(law.variables)])
    assert low.shape == high.shape == (len(law.searched),) and (low < high).all()
    wider, _ = limits(law, POINTS[len(law.variables)], growing=True)
    exponents = [each.kind == "exponent" for each in law.searched]
    assert (wider[exponents] < 0.0).all()
