"""One thread for linear algebra: many small problems lose more by sharing each than they gain."""

from contextlib import AbstractContextManager, nullcontext


def one_thread() -> AbstractContextManager[object]:
    """A context in which BLAS uses one thread, if ``threadpoolctl`` is installed (else nothing changes).

    On a busy machine the threads of one problem of a few hundred rows wait for each other many times
    longer than they work.

    >>> with one_thread():
    ...     pass
    """
    try:
        from threadpoolctl import threadpool_limits  # pyright: ignore[reportMissingImports]
    except ImportError:
        return nullcontext()
    return threadpool_limits(1, user_api="blas")
