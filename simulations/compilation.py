"""How programs are compiled: a person waits for the first result.

XLA's newer CPU emitters take twice as long to compile our programs, which then run no faster, so
they are turned off; and a program that runs a few times need not be optimised. Of XLA's libraries
only the matrix products serve us: our many small sums are a fifth slower when handed to one.
"""

from collections.abc import Callable
from functools import cache, cached_property, update_wrapper
from typing import Any

import jax
from jax.errors import JaxRuntimeError

_QUICK = {
    "xla_cpu_use_fusion_emitters": False,
    "xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT",
}
_ONCE = {**_QUICK, "xla_backend_optimization_level": 0}


@cache
def _known() -> bool:
    """Whether this jaxlib knows the options."""
    try:
        jax.jit(lambda: 0, compiler_options=_ONCE).lower().compile()
    except JaxRuntimeError:
        return False
    return True


class Quick:
    """A function that is compiled when it is first called; ``lower`` traces it beforehand."""

    def __init__(self, function: Callable[..., Any], once: bool, arguments: dict[str, Any]) -> None:
        self.function, self._once, self._arguments = function, once, arguments
        update_wrapper(self, function)

    @cached_property
    def _jitted(self) -> Any:
        options = (_ONCE if self._once else _QUICK) if _known() else {}
        return jax.jit(self.function, compiler_options=options, **self._arguments)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._jitted(*args, **kwargs)

    def lower(self, *args: Any, **kwargs: Any) -> None:
        """Trace the program for such arguments: the first call then has only to compile it."""
        self._jitted.lower(*args, **kwargs)


def quick_jit(function: Callable[..., Any], *, once: bool = False, **arguments: Any) -> Quick:
    """``jax.jit`` with the options that compile fastest; not to be called while tracing.

    Args:
        function: of arrays, with static arguments by name.
        once: the program runs but a few times.
        arguments: those of ``jax.jit``, such as ``static_argnames``.
    """
    return Quick(function, once, arguments)
