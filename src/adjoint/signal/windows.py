"""Windows of M points, which fade a stretch of a signal out at its ends.

Each is symmetric; with `sym=False` it is one period of a periodic window, whose next point would be
the first again, as transforms want it. All take `dtype` (floating; the default dtype), `layout`,
`device` and `requires_grad`.

>>> adjoint.signal.windows.hann(5)
tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import adjoint
from adjoint import Tensor

__all__ = ["bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine",
           "general_hamming", "hamming", "hann", "kaiser", "nuttall"]  # fmt: skip


def _window(name: str, M: int, sym: bool, dtype: Any, requires_grad: bool, layout: Any,
            device: Any, values: Callable[[Tensor, int], Tensor]) -> Tensor:  # fmt: skip
    """`values(places 0 ... M - 1, the last place if symmetric)`, in float64 until the end."""
    dtype = adjoint.get_default_dtype() if dtype is None else dtype
    if M < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={M}")
    if layout is not None and str(layout) != "torch.strided":
        raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
    if not dtype.is_floating_point or dtype.itemsize < 4:
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {dtype}")
    if device is not None:
        adjoint.empty(0, device=device)
    if M < 2:
        return adjoint.ones(M, dtype=dtype, requires_grad=requires_grad)
    places = adjoint.arange(M, dtype=adjoint.float64)
    return values(places, M - 1 if sym else M).to(dtype).requires_grad_(requires_grad)


def _cosines(weights: Iterable[float]) -> Callable[[Tensor, int], Tensor]:
    def values(k: Tensor, last: int) -> Tensor:
        total = adjoint.zeros_like(k)
        for i, weight in enumerate(weights):
            total = total + (-1) ** i * weight * adjoint.cos(k * (2 * math.pi * i / last))
        return total

    return values


def exponential(M: int, *, center: float | None = None, tau: float = 1.0, sym: bool = True,
                dtype: Any = None, layout: Any = None, device: Any = None,
                requires_grad: bool = False) -> Tensor:  # fmt: skip
    """exp(-|n - center| / tau), a Poisson window; `center` is the middle unless it is given.

    Raises:
        ValueError: `tau` is not positive; `center` is given for a symmetric window.

    >>> adjoint.signal.windows.exponential(3)
    tensor([0.3679, 1.0000, 0.3679])
    """
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")

    def values(k: Tensor, last: int) -> Tensor:
        return adjoint.exp(-adjoint.abs(k - (last / 2 if center is None else center)) / tau)

    return _window("exponential", M, sym, dtype, requires_grad, layout, device, values)


def cosine(M: int, *, sym: bool = True, dtype: Any = None, layout: Any = None, device: Any = None,
           requires_grad: bool = False) -> Tensor:  # fmt: skip
    """sin(pi (n + 1/2) / M), a sine window.

    >>> adjoint.signal.windows.cosine(3)
    tensor([0.5000, 1.0000, 0.5000])
    """
    return _window("cosine", M, sym, dtype, requires_grad, layout, device,
                   lambda k, last: adjoint.sin((k + 0.5) * (math.pi / (last + 1))))  # fmt: skip


def gaussian(M: int, *, std: float = 1.0, sym: bool = True, dtype: Any = None, layout: Any = None,
             device: Any = None, requires_grad: bool = False) -> Tensor:  # fmt: skip
    """exp(-((n - middle) / std)^2 / 2).

    Raises:
        ValueError: `std` is not positive.

    >>> adjoint.signal.windows.gaussian(3)
    tensor([0.6065, 1.0000, 0.6065])
    """
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    return _window("gaussian", M, sym, dtype, requires_grad, layout, device,
                   lambda k, last: adjoint.exp(-(((k - last / 2) / std) ** 2) / 2))  # fmt: skip


def kaiser(M: int, *, beta: float = 12.0, sym: bool = True, dtype: Any = None, layout: Any = None,
           device: Any = None, requires_grad: bool = False) -> Tensor:  # fmt: skip
    """I0(beta sqrt(1 - (n / middle - 1)^2)) / I0(beta), of Kaiser.

    Raises:
        ValueError: `beta` is negative.

    >>> adjoint.signal.windows.kaiser(3, beta=2.)
    tensor([0.4387, 1.0000, 0.4387])
    """
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")

    def values(k: Tensor, last: int) -> Tensor:
        inside = (1 - (2 * k / last - 1) ** 2).clamp(min=0)
        top = adjoint.i0(adjoint.tensor(float(beta), dtype=adjoint.float64))
        return adjoint.i0(beta * adjoint.sqrt(inside)) / top

    return _window("kaiser", M, sym, dtype, requires_grad, layout, device, values)


def hamming(M: int, *, sym: bool = True, dtype: Any = None, layout: Any = None, device: Any = None,
            requires_grad: bool = False) -> Tensor:  # fmt: skip
    """`general_hamming` of 0.54.

    >>> adjoint.signal.windows.hamming(3)
    tensor([0.0800, 1.0000, 0.0800])
    """
    return general_hamming(M, sym=sym, dtype=dtype, layout=layout, device=device,
                           requires_grad=requires_grad)  # fmt: skip


def hann(M: int, *, sym: bool = True, dtype: Any = None, layout: Any = None, device: Any = None,
         requires_grad: bool = False) -> Tensor:  # fmt: skip
    """`general_hamming` of 0.5: sin(pi n / (M - 1))^2.

    >>> adjoint.signal.windows.hann(4, sym=False)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return general_hamming(M, alpha=0.5, sym=sym, dtype=dtype, layout=layout, device=device,
                           requires_grad=requires_grad)  # fmt: skip


def blackman(M: int, *, sym: bool = True, dtype: Any = None, layout: Any = None,
             device: Any = None, requires_grad: bool = False) -> Tensor:  # fmt: skip
    """`general_cosine` of 0.42, 0.5 and 0.08.

    >>> adjoint.signal.windows.blackman(5, dtype=adjoint.float64)[1:4]
    tensor([0.3400, 1.0000, 0.3400], dtype=torch.float64)
    """
    return _window("blackman", M, sym, dtype, requires_grad, layout, device,
                   _cosines([0.42, 0.5, 0.08]))  # fmt: skip


def bartlett(M: int, *, sym: bool = True, dtype: Any = None, layout: Any = None,
             device: Any = None, requires_grad: bool = False) -> Tensor:  # fmt: skip
    """1 - |2n / (M - 1) - 1|, a triangle.

    >>> adjoint.signal.windows.bartlett(5)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    return _window("bartlett", M, sym, dtype, requires_grad, layout, device,
                   lambda k, last: 1 - adjoint.abs(2 * k / last - 1))  # fmt: skip


def general_cosine(M: int, *, a: Iterable[float], sym: bool = True, dtype: Any = None,
                   layout: Any = None, device: Any = None,
                   requires_grad: bool = False) -> Tensor:  # fmt: skip
    """The sum of (-1)^i a_i cos(2 pi i n / (M - 1)) over the weights `a`.

    Raises:
        TypeError: `a` is no sequence.
        ValueError: `a` is empty.

    >>> adjoint.signal.windows.general_cosine(3, a=[0.5, 0.5])
    tensor([0., 1., 0.])
    """
    if not isinstance(a, Iterable):
        raise TypeError("Coefficients must be a list/tuple")
    weights = list(a)
    if not weights:
        raise ValueError("Coefficients cannot be empty")
    return _window("general_cosine", M, sym, dtype, requires_grad, layout, device,
                   _cosines(weights))  # fmt: skip


def general_hamming(M: int, *, alpha: float = 0.54, sym: bool = True, dtype: Any = None,
                    layout: Any = None, device: Any = None,
                    requires_grad: bool = False) -> Tensor:  # fmt: skip
    """alpha - (1 - alpha) cos(2 pi n / (M - 1)).

    >>> adjoint.signal.windows.general_hamming(3, alpha=0.6)
    tensor([0.2000, 1.0000, 0.2000])
    """
    return _window("general_hamming", M, sym, dtype, requires_grad, layout, device,
                   _cosines([alpha, 1 - alpha]))  # fmt: skip


def nuttall(M: int, *, sym: bool = True, dtype: Any = None, layout: Any = None, device: Any = None,
            requires_grad: bool = False) -> Tensor:  # fmt: skip
    """Nuttall's window of least side lobes: four cosines.

    >>> adjoint.signal.windows.nuttall(3, dtype=adjoint.float64)[1]
    tensor(1., dtype=torch.float64)
    """
    return _window("nuttall", M, sym, dtype, requires_grad, layout, device,
                   _cosines([0.3635819, 0.4891775, 0.1365995, 0.0106411]))  # fmt: skip
