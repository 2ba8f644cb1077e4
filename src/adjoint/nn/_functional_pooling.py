"""Pooling where arguments have to be made out first: output sizes with None in them, or ratios."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adjoint import Tensor, _core

__all__ = [
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d",
    "adaptive_max_pool3d_with_indices",
    "fractional_max_pool2d",
    "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices",
]

_operators = _core._namespaces["nn.functional"]
_fractional = {n: _core._namespaces["_nodes"][f"fractional_pooled{n}d"] for n in (2, 3)}

Sizes = int | Sequence[int]
OptionalSizes = int | Sequence[int | None]


def _sizes(input: Tensor, output_size: Any) -> Any:
    """None stands for the size of the input."""
    if not isinstance(output_size, (tuple, list)) or None not in output_size:
        return output_size
    own = input.shape[-len(output_size) :]
    return [n if m is None else m for m, n in zip(output_size, own)]


def adaptive_avg_pool2d(input: Tensor, output_size: OptionalSizes) -> Tensor:
    """The mean of each of ``output_size`` windows that cover an input [N, C, H, W] or [C, H, W]
    evenly: of n positions, window i of m has those from floor(i n / m) to ceil((i + 1) n / m).
    None in ``output_size`` stands for the size of the input.

    >>> x = adjoint.arange(16.0).view(1, 4, 4)
    >>> adjoint.nn.functional.adaptive_avg_pool2d(x, 2)
    tensor([[[ 2.5000,  4.5000],
             [10.5000, 12.5000]]])
    """
    return _operators["adaptive_avg_pool2d"](input, _sizes(input, output_size))


def adaptive_avg_pool3d(input: Tensor, output_size: OptionalSizes) -> Tensor:
    """:func:`adaptive_avg_pool2d` of inputs [N, C, D, H, W] or [C, D, H, W]."""
    return _operators["adaptive_avg_pool3d"](input, _sizes(input, output_size))


def adaptive_max_pool2d(
    input: Tensor, output_size: OptionalSizes, return_indices: bool = False
) -> Any:
    """The largest value of each of ``output_size`` windows that cover an input [N, C, H, W] or
    [C, H, W] evenly, as in :func:`adaptive_avg_pool2d`; with ``return_indices`` also the positions
    of the maxima in their planes.

    >>> adjoint.nn.functional.adaptive_max_pool2d(adjoint.arange(16.0).view(1, 4, 4), (1, None))
    tensor([[[12., 13., 14., 15.]]])
    """
    return _operators["adaptive_max_pool2d"](input, _sizes(input, output_size), return_indices)


def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: OptionalSizes, return_indices: bool = False
) -> Any:
    """:func:`adaptive_max_pool2d` with ``return_indices=True``."""
    return _operators["adaptive_max_pool2d"](input, _sizes(input, output_size), True)


def adaptive_max_pool3d(
    input: Tensor, output_size: OptionalSizes, return_indices: bool = False
) -> Any:
    """:func:`adaptive_max_pool2d` of inputs [N, C, D, H, W] or [C, D, H, W]."""
    return _operators["adaptive_max_pool3d"](input, _sizes(input, output_size), return_indices)


def adaptive_max_pool3d_with_indices(
    input: Tensor, output_size: OptionalSizes, return_indices: bool = False
) -> Any:
    """:func:`adaptive_max_pool3d` with ``return_indices=True``."""
    return _operators["adaptive_max_pool3d"](input, _sizes(input, output_size), True)


def _fractional_max_pool(
    n: int,
    input: Tensor,
    kernel_size: Sizes,
    output_size: Sizes | None,
    output_ratio: float | Sequence[float] | None,
    return_indices: bool,
    samples: Tensor | None,
) -> Any:
    if output_size is None:
        if output_ratio is None:
            raise ValueError(
                f"fractional_max_pool{n}d requires specifying either an output_size or an "
                "output_ratio"
            )
        several = isinstance(output_ratio, (tuple, list))
        ratios: Any = output_ratio if several else (output_ratio,) * n
        output_size = [int(size * ratio) for size, ratio in zip(input.shape[-n:], ratios)]
    return _fractional[n](input, kernel_size, output_size, return_indices, samples)


def fractional_max_pool2d(
    input: Tensor,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """The largest value of windows at random places (Graham, "Fractional max-pooling", 2014):
    input [N, C, H, W] or [C, H, W], to ``output_size``, or ``output_ratio`` of the input's size.
    Windows begin in steps of two sizes, in an order that a random number for each plane and
    dimension (``_random_samples``, [N, C, 2], in [0, 1)) settles.

    Raises:
        ValueError: neither a size nor a ratio is given.
        RuntimeError: the windows do not fit into the input.

    >>> x = adjoint.arange(16.0).view(1, 4, 4)
    >>> adjoint.nn.functional.fractional_max_pool2d(x, 2, output_ratio=0.5).shape
    torch.Size([1, 2, 2])
    """
    return _fractional_max_pool(
        2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples
    )


def fractional_max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """:func:`fractional_max_pool2d` with ``return_indices=True``."""
    return _fractional_max_pool(
        2, input, kernel_size, output_size, output_ratio, True, _random_samples
    )


def fractional_max_pool3d(
    input: Tensor,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """:func:`fractional_max_pool2d` of inputs [N, C, D, H, W] or [C, D, H, W]."""
    return _fractional_max_pool(
        3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples
    )


def fractional_max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """:func:`fractional_max_pool3d` with ``return_indices=True``."""
    return _fractional_max_pool(
        3, input, kernel_size, output_size, output_ratio, True, _random_samples
    )
