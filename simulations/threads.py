"""One thread for linear algebra: many small problems lose more by sharing each than they gain."""

from threadpoolctl import threadpool_limits


def one_thread() -> threadpool_limits:
    """A context in which BLAS uses one thread.

    On a busy machine the threads of one problem of a few hundred rows wait for each other many times
    longer than they work; and replicates already run side by side.

    >>> with one_thread():
    ...     pass
    """
    return threadpool_limits(1, user_api="blas")
