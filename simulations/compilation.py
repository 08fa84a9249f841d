"""How programs are compiled: a person waits for the first result.

XLA's newer CPU emitters take twice as long to compile our programs, which then run no faster, so
they are turned off; and a program that runs once need not be optimised at all.
"""

from collections.abc import Callable
from functools import cache, wraps
from threading import Lock
from typing import Any

import jax
from jax.errors import JaxRuntimeError

_QUICK = {"xla_cpu_use_fusion_emitters": False}
_ONCE = {**_QUICK, "xla_backend_optimization_level": 0}


@cache
def _options(once: bool) -> dict[str, Any]:
    """The options, or none where this jaxlib does not know them."""
    options = _ONCE if once else _QUICK
    try:
        jax.jit(lambda: 0, compiler_options=options).lower().compile()
    except JaxRuntimeError:
        return {}
    return options


def quick_jit(
    function: Callable[..., Any], *, once: bool = False, **arguments: Any
) -> Callable[..., Any]:
    """``jax.jit`` with the options that compile fastest; not to be called while tracing.

    ``once``: the program runs but a few times.
    """

    @cache
    def compiled() -> Callable[..., Any]:
        return jax.jit(function, compiler_options=_options(once), **arguments)

    lock = Lock()

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        # Two threads that come first together must share one program, not compile it twice.
        with lock:
            program = compiled()
        return program(*args, **kwargs)

    return call
