"""Activations: each is its function in :mod:`adjoint.nn.functional`, with the arguments kept."""

from __future__ import annotations

from typing import Any

import adjoint
from adjoint import Tensor

from .. import functional as F
from ..parameter import Parameter
from .module import Module

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softsign",
    "Tanh",
    "Threshold",
]


class _Activation(Module):
    """An activation whose ``repr`` shows the attributes named in ``_shown``, then ``inplace``."""

    _shown: tuple[str, ...] = ()

    def extra_repr(self) -> str:
        parts = [f"{name}={getattr(self, name)!r}" for name in self._shown]
        if getattr(self, "inplace", False):
            parts.append("inplace=True")
        return ", ".join(parts)


class _InplaceActivation(_Activation):
    """An activation whose only argument is ``inplace``."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


class ReLU(_InplaceActivation):
    """``max(0, x)``.

    >>> adjoint.nn.ReLU()(adjoint.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.relu(input, inplace=self.inplace)


class Hardtanh(_Activation):
    """``x`` clamped to ``[min_val, max_val]``. (``min_value`` and ``max_value`` are older names.)

    Raises:
        ValueError: ``max_val`` is not above ``min_val``.

    >>> adjoint.nn.Hardtanh(-2, 2)(adjoint.tensor([-3.0, 1.0]))
    tensor([-2.,  1.])
    """

    _shown: tuple[str, ...] = ("min_val", "max_val")

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__()
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        self.inplace = inplace
        if not self.max_val > self.min_val:
            raise ValueError(
                f"max_val must be above min_val, got min_val={self.min_val}, max_val={self.max_val}"
            )

    def forward(self, input: Tensor) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)


class ReLU6(Hardtanh):
    """``min(max(0, x), 6)``.

    >>> adjoint.nn.ReLU6()(adjoint.tensor([-1.0, 7.0]))
    tensor([0., 6.])
    """

    _shown = ()

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)


class Sigmoid(_Activation):
    """``1 / (1 + exp(-x))``.

    >>> adjoint.nn.Sigmoid()(adjoint.tensor([0.0]))
    tensor([0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return adjoint.sigmoid(input)


class Hardsigmoid(_InplaceActivation):
    """``relu6(x + 3) / 6``.

    >>> adjoint.nn.Hardsigmoid()(adjoint.tensor([-3.0, 0.0, 3.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardsigmoid(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class Tanh(_Activation):
    """``tanh(x)``.

    >>> adjoint.nn.Tanh()(adjoint.tensor([0.0]))
    tensor([0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return adjoint.tanh(input)


class SiLU(_InplaceActivation):
    """``x * sigmoid(x)``, also called swish (Elfwing et al., 2017).

    >>> adjoint.nn.SiLU()(adjoint.tensor([0.0]))
    tensor([0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.silu(input, inplace=self.inplace)


class Mish(_InplaceActivation):
    """``x * tanh(softplus(x))`` (Misra, 2019).

    >>> adjoint.nn.Mish()(adjoint.tensor([0.0]))
    tensor([0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.mish(input, inplace=self.inplace)


class Hardswish(_InplaceActivation):
    """``x * relu6(x + 3) / 6`` (Howard et al., 2019).

    >>> adjoint.nn.Hardswish()(adjoint.tensor([0.0, 3.0]))
    tensor([0., 3.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardswish(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class ELU(_Activation):
    """``x`` where positive, else ``alpha * (exp(x) - 1)`` (Clevert et al., 2015).

    >>> adjoint.nn.ELU()(adjoint.tensor([0.0, 2.0]))
    tensor([0., 2.])
    """

    _shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.elu(input, self.alpha, self.inplace)


class CELU(_Activation):
    """``max(0, x) + min(0, alpha * (exp(x / alpha) - 1))`` (Barron, 2017).

    >>> adjoint.nn.CELU()(adjoint.tensor([0.0, 2.0]))
    tensor([0., 2.])
    """

    _shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.celu(input, self.alpha, self.inplace)


class SELU(_InplaceActivation):
    """ELU with the scale and alpha that keep mean 0 and variance 1 (Klambauer et al., 2017).

    >>> adjoint.nn.SELU()(adjoint.tensor([0.0, 1.0]))
    tensor([0.0000, 1.0507])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.selu(input, self.inplace)


class GLU(_Activation):
    """``a * sigmoid(b)`` with ``a, b`` the halves of the input along ``dim``
    (Dauphin et al., 2016).

    >>> adjoint.nn.GLU()(adjoint.tensor([3.0, 0.0]))
    tensor([1.5000])
    """

    _shown = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.glu(input, self.dim)


class GELU(_Activation):
    """``x`` times the standard normal distribution function of ``x`` (Hendrycks, Gimpel, 2016);
    ``approximate="tanh"`` uses the paper's tanh formula.

    >>> adjoint.nn.GELU()(adjoint.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8413])
    """

    _shown = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, approximate=self.approximate)


class LeakyReLU(_Activation):
    """``x`` where positive, else ``negative_slope * x``.

    >>> adjoint.nn.LeakyReLU(0.5)(adjoint.tensor([-1.0, 2.0]))
    tensor([-0.5000,  2.0000])
    """

    _shown = ("negative_slope",)

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.leaky_relu(input, self.negative_slope, self.inplace)


class LogSigmoid(_Activation):
    """``log(1 / (1 + exp(-x)))``.

    >>> adjoint.nn.LogSigmoid()(adjoint.tensor([0.0]))
    tensor([-0.6931])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.logsigmoid(input)


class Softplus(_Activation):
    """``log(1 + exp(beta * x)) / beta``, and ``x`` itself where ``beta * x > threshold``.

    >>> adjoint.nn.Softplus()(adjoint.tensor([0.0, 30.0]))
    tensor([ 0.6931, 30.0000])
    """

    _shown = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)


class Softsign(_Activation):
    """``x / (1 + |x|)``.

    >>> adjoint.nn.Softsign()(adjoint.tensor([1.0]))
    tensor([0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softsign(input)


class Threshold(_Activation):
    """``x`` where above ``threshold``, else ``value``.

    >>> adjoint.nn.Threshold(0.5, 20)(adjoint.tensor([0.0, 1.0]))
    tensor([20.,  1.])
    """

    _shown = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.threshold(input, self.threshold, self.value, self.inplace)


class PReLU(_Activation):
    """Leaky ReLU whose slope is learned (He et al., 2015): one ``weight`` for all channels, or
    one for each (``num_parameters``; the channels are dimension 1).

    >>> adjoint.nn.PReLU()(adjoint.tensor([-1.0, 2.0])).tolist()
    [-0.25, 2.0]
    """

    _shown = ("num_parameters",)
    weight: Tensor

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(adjoint.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the slopes to ``init``."""
        with adjoint.no_grad():
            self.weight.fill_(self.init)

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)


class _OverDim(_Activation):
    _shown = ("dim",)

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if not hasattr(self, "dim"):
            self.dim = None


class Softmax(_OverDim):
    """``exp(x) / sum(exp(x))`` along ``dim``; give the dimension, the default is deprecated.

    >>> adjoint.nn.Softmax(dim=1)(adjoint.zeros(1, 2))
    tensor([[0.5000, 0.5000]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softmax(input, self.dim)


class Softmin(_OverDim):
    """Softmax of ``-x`` along ``dim``.

    >>> adjoint.nn.Softmin(dim=1)(adjoint.zeros(1, 2))
    tensor([[0.5000, 0.5000]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softmin(input, self.dim)


class LogSoftmax(_OverDim):
    """Logarithm of the softmax along ``dim``, computed without overflow.

    >>> adjoint.nn.LogSoftmax(dim=1)(adjoint.zeros(1, 2))
    tensor([[-0.6931, -0.6931]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.log_softmax(input, self.dim)


class Softmax2d(_Activation):
    """Softmax over the channels of [N, C, H, W] or [C, H, W].

    Raises:
        ValueError: the input has another number of dimensions.

    >>> adjoint.nn.Softmax2d()(adjoint.zeros(1, 4, 1, 1)).flatten()
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() not in (3, 4):
            raise ValueError(
                "Softmax2d takes [N, C, H, W] or [C, H, W], "
                f"got an input of shape {tuple(input.shape)}"
            )
        return F.softmax(input, -3)
