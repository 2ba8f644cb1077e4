"""Modules whose parameters are not initialised."""

from __future__ import annotations

import inspect
from typing import Any

import adjoint

from .. import init
from ..modules.module import Module

__all__ = ["skip_init"]


def skip_init(module_cls: Any, *args: Any, **kwargs: Any) -> Any:
    """Make a module whose parameters hold whatever the memory holds; nothing is drawn.

    Raises:
        RuntimeError: ``module_cls`` is not a class of modules that take a ``device``.

    >>> adjoint.nn.utils.skip_init(adjoint.nn.Linear, 3, 5).weight.shape
    torch.Size([5, 3])
    """
    if not (isinstance(module_cls, type) and issubclass(module_cls, Module)):
        raise RuntimeError(f"skip_init needs a Module class, got {module_cls!r}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError(f"skip_init needs a module that takes a device: {module_cls.__name__}")
    state = adjoint.get_rng_state()
    try:
        with init._skipped():
            return module_cls(*args, **kwargs)
    finally:
        adjoint.set_rng_state(state)  # for what was drawn without nn.init
