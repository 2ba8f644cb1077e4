"""The default generator of random numbers.

>>> adjoint.random.manual_seed(1).initial_seed()
1
"""

from __future__ import annotations

import contextlib
import copyreg
from collections.abc import Iterator
from typing import Any

from adjoint._core import (
    Generator,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)

__all__ = ["Generator", "default_generator", "fork_rng", "get_rng_state", "initial_seed",
           "manual_seed", "seed", "set_rng_state"]  # fmt: skip


def _in_state(state: Any) -> Generator:
    return Generator().set_state(state)


# A copy goes on from the same state. (The default one is one of a process: it is sent as a copy.)
copyreg.pickle(Generator, lambda g: (_in_state, (g.get_state(),)))


@contextlib.contextmanager
def fork_rng(
    devices: Any = None, enabled: bool = True, *, device_type: str = "cuda"
) -> Iterator[None]:
    """On leaving, the default generator is as it was on entering.

    `devices` and `device_type` are accepted: there are no generators of other devices.

    >>> with adjoint.random.fork_rng():
    ...     a = adjoint.rand(2)
    >>> bool((a == adjoint.rand(2)).all())
    True
    """
    if not enabled:
        yield
        return
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)
