"""Initialisation of parameters, in place and without recording.

Every function returns the tensor it filled. Those that draw take a ``generator``; the order of the
draws is fixed, so that a seed gives the same network again.
"""

from __future__ import annotations

import contextlib
import functools
import math
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import adjoint
from adjoint import Tensor

__all__ = [
    "calculate_gain",
    "constant",
    "constant_",
    "dirac",
    "dirac_",
    "eye",
    "eye_",
    "kaiming_normal",
    "kaiming_normal_",
    "kaiming_uniform",
    "kaiming_uniform_",
    "normal",
    "normal_",
    "ones_",
    "orthogonal",
    "orthogonal_",
    "sparse",
    "sparse_",
    "trunc_normal_",
    "uniform",
    "uniform_",
    "xavier_normal",
    "xavier_normal_",
    "xavier_uniform",
    "xavier_uniform_",
    "zeros_",
]

_skipping = threading.local()


@contextlib.contextmanager
def _skipped() -> Iterator[None]:
    """Within it, this thread's calls of the functions below leave their tensors alone."""
    before, _skipping.on = getattr(_skipping, "on", False), True
    try:
        yield
    finally:
        _skipping.on = before


def _initialiser(fill: Callable[..., Tensor]) -> Any:
    """Let ``fill`` do nothing where initialisation is skipped."""

    @functools.wraps(fill)
    def checked(tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if getattr(_skipping, "on", False):
            return tensor
        return fill(tensor, *args, **kwargs)

    return checked


_GAINS = {
    "linear": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv3d": 1.0,
    "conv_transpose1d": 1.0,
    "conv_transpose2d": 1.0,
    "conv_transpose3d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "selu": 3.0 / 4,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which weights before ``nonlinearity`` are widened to keep the variance.

    1 for linear maps and sigmoid, 5/3 for tanh, sqrt(2) for relu, 3/4 for selu and
    ``sqrt(2 / (1 + slope^2))`` for leaky_relu, whose slope is ``param`` (0.01).

    Raises:
        ValueError: an unknown name, or a slope that is not a number.

    >>> adjoint.nn.init.calculate_gain("leaky_relu", 1.0)
    1.0
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"the slope of leaky_relu must be a number, got {slope!r}")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        known = ", ".join(sorted([*_GAINS, "leaky_relu"]))
        raise ValueError(f"unknown nonlinearity {nonlinearity!r}; known are {known}")
    return _GAINS[nonlinearity]


@_initialiser
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with draws from the uniform distribution on ``[a, b)``.

    >>> w = adjoint.nn.init.uniform_(adjoint.empty(3, 5), 1, 2)
    >>> bool((1 <= w).all() and (w < 2).all())
    True
    """
    with adjoint.no_grad():
        return tensor.uniform_(a, b, generator=generator)


@_initialiser
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with draws from the normal distribution.

    >>> adjoint.nn.init.normal_(adjoint.empty(3, 5), std=0.1).shape
    torch.Size([3, 5])
    """
    with adjoint.no_grad():
        return tensor.normal_(mean, std, generator=generator)


@_initialiser
def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Any = None,
) -> Tensor:
    """Fill with draws from the normal distribution restricted to ``[a, b]``.

    By rejection: from the normal itself while ``[a, b]`` holds more than 0.3 of its mass, else
    from the uniform on ``[a, b]`` (Robert, "Simulation of truncated normal variables", 1995).

    >>> w = adjoint.nn.init.trunc_normal_(adjoint.empty(1000))
    >>> bool((w.abs() <= 2).all())
    True
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            f"trunc_normal_: the mean {mean} is more than two standard deviations ({std}) outside "
            f"[{a}, {b}], where the draws cannot follow the tail well",
            stacklevel=2,
        )
    below = [0.5 * (1 + math.erf((x - mean) / (std * math.sqrt(2)))) for x in (a, b)]
    with adjoint.no_grad():
        if below[1] - below[0] > 0.3:
            # the bounds as the tensor's dtype rounds them
            low, high = (adjoint.tensor(x, dtype=tensor.dtype).item() for x in (a, b))
            draws = tensor.normal_(mean, std, generator=generator)
            while True:
                rejected = (draws < low) | (draws > high)
                if not rejected.any():
                    break
                again = adjoint.empty_like(draws).normal_(mean, std, generator=generator)
                draws = adjoint.where(rejected, again, draws)
        else:
            mode = max(a, min(mean, b))
            log_peak = -0.5 * ((mode - mean) / std) ** 2
            draws, pending = tensor, adjoint.ones_like(tensor, dtype=adjoint.bool)
            while pending.any():
                again = adjoint.empty_like(tensor).uniform_(a, b, generator=generator)
                log_ratio = ((again - mean) / std) ** 2 * -0.5 - log_peak
                log_u = adjoint.empty_like(tensor).uniform_(generator=generator).log_()
                draws = adjoint.where(pending, again, draws)
                pending = pending & (log_u > log_ratio)
        return tensor if draws is tensor else tensor.copy_(draws)


@_initialiser
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with ``val``.

    >>> adjoint.nn.init.constant_(adjoint.empty(2), 0.5)
    tensor([0.5000, 0.5000])
    """
    with adjoint.no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones.

    >>> adjoint.nn.init.ones_(adjoint.empty(2))
    tensor([1., 1.])
    """
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros.

    >>> adjoint.nn.init.zeros_(adjoint.empty(2))
    tensor([0., 0.])
    """
    return constant_(tensor, 0.0)


@_initialiser
def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with the identity: a linear layer that keeps as many inputs as it can.

    Raises:
        ValueError: the tensor does not have two dimensions.

    >>> adjoint.nn.init.eye_(adjoint.empty(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    _need_matrix(tensor, "eye_")
    with adjoint.no_grad():
        return tensor.copy_(adjoint.eye(*tensor.shape))


@_initialiser
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill a convolution's weight [C_out, C_in / groups, ...] so that it keeps its channels.

    Raises:
        ValueError: not three to five dimensions, or ``groups`` does not divide C_out.

    >>> adjoint.nn.init.dirac_(adjoint.empty(2, 2, 3))[0]
    tensor([[0., 1., 0.],
            [0., 0., 0.]])
    """
    if tensor.dim() not in (3, 4, 5):
        raise ValueError(f"dirac_ takes 3 to 5 dimensions, got shape {tuple(tensor.shape)}")
    out_channels, in_channels, *kernel = tensor.shape
    if out_channels % groups != 0:
        raise ValueError(f"groups={groups} does not divide the {out_channels} output channels")
    per_group = out_channels // groups
    centre = tuple(size // 2 for size in kernel)
    with adjoint.no_grad():
        tensor.zero_()
        for group in range(groups):
            for channel in range(min(per_group, in_channels)):
                place = (group * per_group + channel, channel, *centre)
                tensor[place] = 1
    return tensor


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform in ``+-gain * sqrt(6 / (fan_in + fan_out))`` (Glorot, Bengio, 2010).

    Raises:
        ValueError: fewer than two dimensions.

    >>> adjoint.nn.init.xavier_uniform_(adjoint.empty(3, 5)).abs().max() <= (6 / 8) ** 0.5
    tensor(True)
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    bound = math.sqrt(3.0) * gain * math.sqrt(2.0 / (fan_in + fan_out))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Normal with ``std = gain * sqrt(2 / (fan_in + fan_out))`` (Glorot, Bengio, 2010).

    Raises:
        ValueError: fewer than two dimensions.

    >>> adjoint.nn.init.xavier_normal_(adjoint.empty(3, 5)).shape
    torch.Size([3, 5])
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / (fan_in + fan_out)), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Uniform in ``+-gain * sqrt(3 / fan)`` (He et al., 2015).

    Args:
        a: the slope of the leaky_relu that follows.
        mode: "fan_in" keeps the variance going forward, "fan_out" going backward.
        nonlinearity: a name known to :func:`calculate_gain`.

    Raises:
        ValueError: fewer than two dimensions, or an unknown mode or nonlinearity.

    >>> adjoint.nn.init.kaiming_uniform_(adjoint.empty(3, 6)).abs().max() <= 1
    tensor(True)
    """
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    if std is None:
        return tensor
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Normal with ``std = gain / sqrt(fan)`` (He et al., 2015); see :func:`kaiming_uniform_`.

    >>> adjoint.nn.init.kaiming_normal_(adjoint.empty(3, 5), mode="fan_out").shape
    torch.Size([3, 5])
    """
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    return tensor if std is None else normal_(tensor, 0, std, generator)


def _orthonormal_rows(x: Tensor) -> Tensor:
    """Gram-Schmidt in float64; each row twice, since once leaves the errors of its cancellation."""
    q = x.double().contiguous()
    for i in range(q.size(0)):
        row, above = q[i], q[:i]
        for _ in range(2 if i else 0):
            row = row - (above @ row) @ above
        q[i] = row / row.norm()
    return q.to(x.dtype)


@_initialiser
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Fill with a random (semi-)orthogonal matrix (Saxe et al., 2013), scaled by ``gain``.

    Dimensions after the first count as one.

    Raises:
        ValueError: fewer than two dimensions.

    >>> w = adjoint.nn.init.orthogonal_(adjoint.empty(3, 5))
    >>> adjoint.allclose(w @ w.t(), adjoint.eye(3), atol=1e-5)
    True
    """
    if tensor.dim() < 2:
        raise ValueError(f"orthogonal_ takes two or more dimensions, got {tensor.dim()}")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.size(0)
    cols = tensor.numel() // rows
    with adjoint.no_grad():
        draws = tensor.new_empty((rows, cols)).normal_(0, 1, generator=generator)
        # Orthonormalising normal draws gives each orthogonal matrix with equal chance (Mezzadri,
        # "How to generate random matrices from the classical compact groups", 2007).
        q = _orthonormal_rows(draws if rows < cols else draws.t())
        if rows >= cols:
            q = q.t()
        return tensor.copy_(q.reshape(tensor.shape)).mul_(gain)


@_initialiser
def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Normal draws, with the fraction ``sparsity`` of each column zero (Martens, 2010).

    Raises:
        ValueError: the tensor does not have two dimensions.

    >>> w = adjoint.nn.init.sparse_(adjoint.empty(10, 3), sparsity=0.2)
    >>> (w == 0).sum(0).tolist()
    [2, 2, 2]
    """
    _need_matrix(tensor, "sparse_")
    rows, cols = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with adjoint.no_grad():
        tensor.normal_(0, std, generator=generator)
        for col in range(cols):
            # drawn without the generator, as in torch
            tensor[adjoint.randperm(rows)[:zeros], col] = 0
    return tensor


def _need_matrix(tensor: Tensor, name: str) -> None:
    if tensor.dim() != 2:
        raise ValueError(f"{name} takes two dimensions, got shape {tuple(tensor.shape)}")


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """``(fan_in, fan_out)`` of a weight [out, in, *kernel]."""
    if tensor.dim() < 2:
        raise ValueError(
            "fan in and fan out are defined for two or more dimensions, "
            f"got shape {tuple(tensor.shape)}"
        )
    out_features, in_features, *kernel = tensor.shape
    area = math.prod(kernel)
    return in_features * area, out_features * area


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    """The fan in or fan out, as ``mode`` says."""
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode must be 'fan_in' or 'fan_out', got {mode!r}")
    return _calculate_fan_in_and_fan_out(tensor)[mode == "fan_out"]


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float | None:
    """The standard deviation, None for a tensor without elements (whose fan may be 0)."""
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ValueError(f"mode must be 'fan_in' or 'fan_out', got {mode!r}")
    gain = calculate_gain(nonlinearity, a)
    if 0 in tensor.shape:
        warnings.warn("a tensor without elements needs no initialisation", stacklevel=3)
        return None
    return gain / math.sqrt(_calculate_correct_fan(tensor, mode))


def _deprecated(fill: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """``fill`` under its older name, without the underscore."""
    name = fill.__name__

    @functools.wraps(fill)
    def warned(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(
            f"nn.init.{name[:-1]} is deprecated: use nn.init.{name}", FutureWarning, stacklevel=2
        )
        return fill(*args, **kwargs)

    warned.__name__ = warned.__qualname__ = name[:-1]
    warned.__doc__ = f"The older name of :func:`{name}`, with a warning."
    return warned


uniform = _deprecated(uniform_)
normal = _deprecated(normal_)
constant = _deprecated(constant_)
eye = _deprecated(eye_)
dirac = _deprecated(dirac_)
xavier_uniform = _deprecated(xavier_uniform_)
xavier_normal = _deprecated(xavier_normal_)
kaiming_uniform = _deprecated(kaiming_uniform_)
kaiming_normal = _deprecated(kaiming_normal_)
orthogonal = _deprecated(orthogonal_)
sparse = _deprecated(sparse_)

# What these do without recording, torch has as functions of their own.
_no_grad_uniform_ = uniform_
_no_grad_normal_ = normal_
_no_grad_trunc_normal_ = trunc_normal_
_no_grad_fill_ = constant_
_no_grad_zero_ = zeros_
