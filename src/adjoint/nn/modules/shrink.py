"""Activations that shrink towards zero, and the randomized leaky ReLU."""

from __future__ import annotations

from adjoint import Tensor

from .. import functional as F
from .activation import _Activation
from .module import Module

__all__ = ["Hardshrink", "RReLU", "Softshrink", "Tanhshrink"]


class Hardshrink(Module):
    """``x`` where ``|x| > lambd``, else 0.

    >>> adjoint.nn.Hardshrink()(adjoint.tensor([-1.0, 0.2]))
    tensor([-1.,  0.])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


class Softshrink(Module):
    """``x`` moved towards 0 by ``lambd``, and 0 where that would pass it.

    >>> adjoint.nn.Softshrink()(adjoint.tensor([-1.0, 0.2]))
    tensor([-0.5000,  0.0000])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


class Tanhshrink(Module):
    """``x - tanh(x)``.

    >>> adjoint.nn.Tanhshrink()(adjoint.zeros(1))
    tensor([0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.tanhshrink(input)


class RReLU(_Activation):
    """``x`` where it is positive, else ``a x``, with ``a`` uniform in [lower, upper] for each
    element in training and their mean otherwise.

    >>> adjoint.nn.RReLU(0.25, 0.75).eval()(adjoint.tensor([-1.0, 2.0]))
    tensor([-0.5000,  2.0000])
    """

    _shown = ("lower", "upper")

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)
