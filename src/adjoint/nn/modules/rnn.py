"""Recurrent layers over sequences: RNN, LSTM and GRU. Their cells are in rnn_cell.py."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import adjoint
from adjoint import Tensor

from .. import init
from ..parameter import Parameter
from ..utils.rnn import PackedSequence
from .module import Module
from .rnn_cell import GRUCell, LSTMCell, RNNCell, RNNCellBase

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


def _permuted(x: Tensor, order: Tensor | None) -> Tensor:
    return x if order is None else x.index_select(1, order)


def apply_permutation(tensor: Tensor, permutation: Tensor, dim: int = 1) -> Tensor:
    """The tensor with its entries along ``dim`` in another order."""
    return tensor.index_select(dim, permutation)


_apply_permutation = apply_permutation


def _pair_of_states(hx: Any) -> tuple[Tensor, Tensor]:
    if not isinstance(hx, (tuple, list)) or len(hx) != 2:
        got = f"{len(hx)} of them" if isinstance(hx, (tuple, list)) else f"a {type(hx).__name__}"
        raise TypeError(f"LSTM takes its state as a pair (h_0, c_0) of tensors, got {got}")
    return hx[0], hx[1]


class RNNBase(Module):
    """What the recurrent layers share; ``mode`` is LSTM, GRU, RNN_TANH or RNN_RELU.

    The parameters of layer k are ``weight_ih_lk`` [gates * hidden_size, in], ``weight_hh_lk``,
    ``bias_ih_lk``, ``bias_hh_lk`` and, with ``proj_size``, ``weight_hr_lk``; those of the reverse
    direction end in ``_reverse``. They start uniform in ``+-1/sqrt(hidden_size)``.
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if isinstance(dropout, bool) or not 0 <= dropout <= 1:
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an "
                f"element being zeroed, got {dropout}"
            )
        if dropout > 0 and num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero "
                f"dropout expects num_layers greater than 1, but got dropout={dropout} and "
                f"num_layers={num_layers}",
                stacklevel=3,
            )
        for name, value in (("input_size", input_size), ("hidden_size", hidden_size)):
            if not isinstance(value, int):
                raise TypeError(f"{name} should be of type int, got: {type(value).__name__}")
        for name, flag in (("bias", bias), ("batch_first", batch_first)):
            if not isinstance(flag, bool):
                raise TypeError(f"{name} should be of type bool, got: {type(flag).__name__}")
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
        for name, value in sizes.items():
            if value <= 0:
                raise ValueError(f"{name} must be greater than zero, got {value}")
        if proj_size < 0:
            raise ValueError(
                "proj_size should be a positive integer or zero to disable projections"
            )
        if proj_size >= hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if mode not in _GATES:
            raise ValueError(f"Unrecognized RNN mode: {mode}")
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._all_weights: list[list[str]] = []
        factory = {"device": device, "dtype": dtype}
        wide, out = _GATES[mode] * hidden_size, proj_size or hidden_size
        directions = 2 if bidirectional else 1
        for layer in range(num_layers):
            columns = input_size if layer == 0 else out * directions
            for suffix in ("", "_reverse")[:directions]:
                shapes: dict[str, tuple[int, ...]] = {
                    "weight_ih": (wide, columns),
                    "weight_hh": (wide, out),
                }
                if bias:
                    shapes |= {"bias_ih": (wide,), "bias_hh": (wide,)}
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                names = {f"{name}_l{layer}{suffix}": shape for name, shape in shapes.items()}
                for name, shape in names.items():
                    setattr(self, name, Parameter(adjoint.empty(shape, **factory)))
                self._all_weights.append(list(names))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        bound = 1 / math.sqrt(self.hidden_size)
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def flatten_parameters(self) -> None:
        """Accepted; the layout of the parameters does not matter here."""

    @property
    def _flat_weights_names(self) -> list[str]:
        return [name for names in self._all_weights for name in names]

    @property
    def _flat_weights(self) -> list[Tensor]:
        return [getattr(self, name) for names in self._all_weights for name in names]

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The parameters, a list for each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Raise unless the input has the dtype of the weights and ``input_size`` columns."""
        weight = getattr(self, self._all_weights[0][0])
        if input.dtype != weight.dtype:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({weight.dtype}). "
                f"Convert input: input.to({weight.dtype}), "
                f"or convert model: model.to({input.dtype})"
            )
        dims = 3 if batch_sizes is None else 2
        if input.dim() != dims:
            raise RuntimeError(f"input must have {dims} dimensions, got {input.dim()}")
        if input.shape[-1] != self.input_size:
            raise RuntimeError(
                "input.size(-1) must be equal to input_size. "
                f"Expected {self.input_size}, got {input.shape[-1]}"
            )

    def get_expected_hidden_size(
        self, input: Tensor, batch_sizes: Tensor | None
    ) -> tuple[int, int, int]:
        """The shape of h for this input: [layers * directions, batch, width]."""
        if batch_sizes is not None:
            batch = int(batch_sizes[0])
        else:
            batch = input.shape[0 if self.batch_first else 1]
        directions = 2 if self.bidirectional else 1
        return self.num_layers * directions, batch, self.proj_size or self.hidden_size

    def check_hidden_size(
        self,
        hx: Tensor,
        expected_hidden_size: tuple[int, int, int],
        msg: str = "Expected hidden size {}, got {}",
    ) -> None:
        """Raise a RuntimeError unless ``hx`` has the expected shape."""
        if tuple(hx.shape) != tuple(expected_hidden_size):
            raise RuntimeError(msg.format(tuple(expected_hidden_size), list(hx.shape)))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raise unless input and state fit."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """The state with its batch in another order; unchanged if None."""
        return _permuted(hx, permutation)

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The outputs of the last layer at all steps, and the last state of each layer.

        ``input`` is [T, B, in], [B, T, in] with ``batch_first``, [T, in] for one sequence, or a
        PackedSequence; the state starts at zero unless ``hx`` is given.
        """
        packed = isinstance(input, PackedSequence)
        batch_sizes: Tensor | None = None
        order, unorder, unbatched = None, None, False
        data = input
        if packed:
            data, batch_sizes, order, unorder = input
        else:
            if input.dim() not in (2, 3):
                raise ValueError(
                    f"{type(self).__name__}: Expected input to be 2D or 3D, "
                    f"got {input.dim()}D instead"
                )
            unbatched = input.dim() == 2
            if hx is not None:
                self._check_hidden_dims(hx, input.dim())
            if unbatched:
                data = input.unsqueeze(0 if self.batch_first else 1)
                hx = None if hx is None else self._each(hx, lambda h: h.unsqueeze(1))
        if hx is None:
            hx = self._zero_state(data, batch_sizes)
        else:
            hx = self.permute_hidden(hx, order)
        self.check_forward_args(data, hx, batch_sizes)
        rest = (
            self._flat_weights,
            self.bias,
            self.num_layers,
            self.dropout,
            self.training,
            self.bidirectional,
        )
        function = getattr(adjoint, self.mode.lower())
        if packed:
            output, *state = function(data, batch_sizes, hx, *rest)
            output = PackedSequence(output, batch_sizes, order, unorder)
        else:
            output, *state = function(data, hx, *rest, self.batch_first)
        hidden = tuple(state) if self.mode == "LSTM" else state[0]
        if unbatched:
            return (
                output.squeeze(0 if self.batch_first else 1),
                self._each(hidden, lambda h: h.squeeze(1)),
            )
        return output, self.permute_hidden(hidden, unorder)

    def _each(self, hx: Any, f: Callable[[Tensor], Tensor]) -> Any:
        return f(hx)

    def _check_hidden_dims(self, hx: Any, dims: int) -> None:
        if hx.dim() != dims:
            kind = "unbatched 2-D" if dims == 2 else "batched 3-D"
            raise RuntimeError(
                f"For {kind} input, hx should also be {dims}-D but got {hx.dim()}-D tensor"
            )

    def _zero_state(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        shape = self.get_expected_hidden_size(input, batch_sizes)
        return adjoint.zeros(shape, dtype=input.dtype)

    def extra_repr(self) -> str:
        parts = [f"{self.input_size}, {self.hidden_size}"]
        if self.proj_size:
            parts.append(f"proj_size={self.proj_size}")
        if self.num_layers != 1:
            parts.append(f"num_layers={self.num_layers}")
        if self.bias is not True:
            parts.append(f"bias={self.bias}")
        if self.batch_first is not False:
            parts.append(f"batch_first={self.batch_first}")
        if self.dropout:
            parts.append(f"dropout={self.dropout}")
        if self.bidirectional is not False:
            parts.append(f"bidirectional={self.bidirectional}")
        return ", ".join(parts)


class RNN(RNNBase):
    """A plain recurrent network, ``h' = tanh(W_ih x + b_ih + W_hh h + b_hh)`` (Elman, 1990).

    Args:
        nonlinearity: "tanh" or "relu".
        bidirectional: also run from the end; outputs are side by side.
        dropout: between layers, in training.

    Inputs and results: see :meth:`RNNBase.forward`; h is [layers * directions, B, hidden_size].

    Raises:
        ValueError: an argument is out of range, or the input has neither 2 nor 3 dimensions.
        RuntimeError: the shapes of input or state do not fit.

    >>> output, h = adjoint.nn.RNN(10, 20, 2)(adjoint.zeros(5, 3, 10))
    >>> output.shape, h.shape
    (torch.Size([5, 3, 20]), torch.Size([2, 3, 20]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'."
            )
        super().__init__(
            f"RNN_{nonlinearity.upper()}",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997): with the gates i, f, g, o of
    ``W_ih x + b_ih + W_hh h + b_hh``, ``c' = sigmoid(f) c + sigmoid(i) tanh(g)`` and
    ``h' = sigmoid(o) tanh(c')``, times ``W_hr`` if there is a ``proj_size`` (Sak et al., 2014).

    The state is (h, c): [layers * directions, B, proj_size or hidden_size] and [..., hidden_size].
    Arguments otherwise as of :class:`RNN`.

    >>> output, (h, c) = adjoint.nn.LSTM(10, 20, 2)(adjoint.zeros(5, 3, 10))
    >>> output.shape, c.shape
    (torch.Size([5, 3, 20]), torch.Size([2, 3, 20]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "LSTM",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
        )

    def get_expected_cell_size(
        self, input: Tensor, batch_sizes: Tensor | None
    ) -> tuple[int, int, int]:
        """The shape of c for this input."""
        directions, batch, _ = self.get_expected_hidden_size(input, batch_sizes)
        return directions, batch, self.hidden_size

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        self.check_input(input, batch_sizes)
        h, c = hidden
        message = "Expected hidden[{}] size {{}}, got {{}}"
        expected = self.get_expected_hidden_size(input, batch_sizes)
        self.check_hidden_size(h, expected, message.format(0))
        expected = self.get_expected_cell_size(input, batch_sizes)
        self.check_hidden_size(c, expected, message.format(1))

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        return self._each(hx, lambda h: _permuted(h, permutation))

    def _each(self, hx: Any, f: Callable[[Tensor], Tensor]) -> Any:
        h, c = _pair_of_states(hx)
        return f(h), f(c)

    def _check_hidden_dims(self, hx: Any, dims: int) -> None:
        h, c = _pair_of_states(hx)
        if h.dim() != dims or c.dim() != dims:
            kind = "unbatched 2-D" if dims == 2 else "batched 3-D"
            raise RuntimeError(
                f"For {kind} input, hx and cx should also be {dims}-D but got "
                f"({h.dim()}-D, {c.dim()}-D) tensors"
            )

    def _zero_state(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        return (
            adjoint.zeros(self.get_expected_hidden_size(input, batch_sizes), dtype=input.dtype),
            adjoint.zeros(self.get_expected_cell_size(input, batch_sizes), dtype=input.dtype),
        )


class GRU(RNNBase):
    """Gated recurrent units (Cho et al., 2014): with r, z = sigmoid of the first two gates,
    ``n = tanh(W_in x + b_in + r (W_hn h + b_hn))`` and ``h' = (1 - z) n + z h``.

    Arguments as of :class:`RNN`.

    >>> output, h = adjoint.nn.GRU(10, 20, 2)(adjoint.zeros(5, 3, 10))
    >>> output.shape, h.shape
    (torch.Size([5, 3, 20]), torch.Size([2, 3, 20]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "GRU",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )
