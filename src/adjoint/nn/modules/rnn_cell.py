"""One step of a recurrent layer: RNNCell, LSTMCell and GRUCell."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import adjoint
from adjoint import Tensor

from .. import init
from ..parameter import Parameter
from .module import Module

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "RNNCellBase"]


class RNNCellBase(Module):
    """What the cells share: ``weight_ih`` [gates * hidden_size, input_size], ``weight_hh``,
    ``bias_ih`` and ``bias_hh``, uniform in ``+-1/sqrt(hidden_size)`` at first."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        factory = {"device": device, "dtype": dtype}
        wide = num_chunks * hidden_size
        self.weight_ih = Parameter(adjoint.empty((wide, input_size), **factory))
        self.weight_hh = Parameter(adjoint.empty((wide, hidden_size), **factory))
        for name in ("bias_ih", "bias_hh"):
            value = Parameter(adjoint.empty(wide, **factory)) if bias else None
            self.register_parameter(name, value)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _run(self, function: Callable[..., Any], input: Tensor, hx: Any) -> Any:
        """The function on a batch; states are tensors or tuples of them."""
        name = type(self).__name__
        states = hx if isinstance(hx, tuple) else () if hx is None else (hx,)
        for what, x in [("input", input), *(("hidden", h) for h in states)]:
            if x.dim() not in (1, 2):
                raise ValueError(f"{name}: Expected {what} to be 1D or 2D, got {x.dim()}D instead")
        unbatched = input.dim() == 1
        if unbatched:
            input = input.unsqueeze(0)
            states = tuple(h.unsqueeze(0) if h.dim() == 1 else h for h in states)
        if not states:
            zeros = adjoint.zeros(input.shape[0], self.hidden_size, dtype=input.dtype)
            states = (zeros, zeros)
        state = states if function is adjoint.lstm_cell else states[0]
        result = function(input, state, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        if not unbatched:
            return result
        if isinstance(result, tuple):
            return tuple(h.squeeze(0) for h in result)
        return result.squeeze(0)

    def extra_repr(self) -> str:
        parts = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            parts += f", bias={self.bias}"
        if getattr(self, "nonlinearity", "tanh") != "tanh":
            parts += f", nonlinearity={self.nonlinearity}"
        return parts


class RNNCell(RNNCellBase):
    """One step of :class:`RNN`: input [B, in] or [in], state [B, hidden_size] or [hidden_size].

    >>> adjoint.nn.RNNCell(10, 20)(adjoint.zeros(3, 10)).shape
    torch.Size([3, 20])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        cell = adjoint.rnn_tanh_cell if self.nonlinearity == "tanh" else adjoint.rnn_relu_cell
        return self._run(cell, input, hx)


class LSTMCell(RNNCellBase):
    """One step of :class:`LSTM`: (h, c) of an input [B, in] and a state (h, c).

    >>> h, c = adjoint.nn.LSTMCell(10, 20)(adjoint.zeros(3, 10))
    >>> h.shape, c.shape
    (torch.Size([3, 20]), torch.Size([3, 20]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        return self._run(adjoint.lstm_cell, input, None if hx is None else tuple(hx))


class GRUCell(RNNCellBase):
    """One step of :class:`GRU`: input [B, in] or [in], state [B, hidden_size] or [hidden_size].

    >>> adjoint.nn.GRUCell(10, 20)(adjoint.zeros(3, 10)).shape
    torch.Size([3, 20])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._run(adjoint.gru_cell, input, hx)
