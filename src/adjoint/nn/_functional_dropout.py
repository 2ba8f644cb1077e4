"""Dropout of channels for inputs with another number of dims than the name says.

Older programs give them, matrices above all: each is taken as [N, C, ...], after a warning.
"""

from __future__ import annotations

import warnings

from adjoint import Tensor, _core

__all__ = ["dropout2d", "dropout3d"]

_operators = _core._namespaces["nn.functional"]


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zeroes whole channels of ``input`` [N, C, H, W] with probability ``p`` each, and divides the
    others by ``1 - p`` (Tompson et al., 2015).

    Inputs with another number of dims, two or more, are taken as [N, C, ...], with a warning;
    that includes [N, C, L], for which there is :func:`dropout1d`.

    Raises:
        ValueError: ``p`` is not in [0, 1].
        RuntimeError: fewer than two dims.

    >>> adjoint.nn.functional.dropout2d(adjoint.ones(1, 2, 1, 1), 0.0).flatten()
    tensor([1., 1.])
    """
    if input.dim() == 4 or input.dim() < 2:
        return _operators["dropout2d"](input, p, training, inplace)
    return _any_dims("dropout2d", input, p, training, inplace)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zeroes whole channels of ``input`` [N, C, D, H, W] or [C, D, H, W] with probability ``p``
    each, and divides the others by ``1 - p``.

    Inputs with another number of dims, two or more, are taken as [N, C, ...], with a warning.

    Raises:
        ValueError: ``p`` is not in [0, 1].
        RuntimeError: fewer than two dims.

    >>> adjoint.nn.functional.dropout3d(adjoint.ones(1, 2, 1, 1, 1), 0.0).flatten()
    tensor([1., 1.])
    """
    if input.dim() in (4, 5) or input.dim() < 2:
        return _operators["dropout3d"](input, p, training, inplace)
    return _any_dims("dropout3d", input, p, training, inplace)


def _any_dims(name: str, input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    better = {2: "dropout", 3: "dropout1d", 4: "dropout2d", 5: "dropout3d"}.get(input.dim())
    warnings.warn(
        f"{name} got an input of shape {tuple(input.shape)} and takes it as [N, C, ...]"
        + (f"; {better} is for such inputs" if better else ""),
        stacklevel=3,
    )
    n, c = input.shape[:2]
    as_image = input.reshape(n, c, -1, 1) if input.numel() else input.reshape(n, c, 0, 1)
    out = _operators["dropout2d"](as_image, p, training).reshape(input.shape)
    return input.copy_(out) if inplace else out
