"""Lazy forms of the layers: the first input tells the number of features."""

from __future__ import annotations

from typing import Any

import adjoint
from adjoint import Tensor

from ..parameter import UninitializedBuffer, UninitializedParameter
from .batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from .instancenorm import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from .lazy import LazyModuleMixin
from .linear import Linear

__all__ = [
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
    "LazyLinear",
]


class LazyLinear(LazyModuleMixin, Linear):
    """A :class:`Linear` whose ``in_features`` is the last size of its first input.

    >>> layer = adjoint.nn.LazyLinear(30)
    >>> layer(adjoint.zeros(128, 20)).shape
    torch.Size([128, 30])
    >>> layer
    Linear(in_features=20, out_features=30, bias=True)
    """

    cls_to_become = Linear

    def __init__(
        self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(0, 0, False)
        self.out_features = out_features
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw the parameters anew, once they have shapes."""
        if self.in_features != 0 and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Take ``in_features`` from ``input`` [..., in_features]."""
        if self.has_uninitialized_params():
            self.in_features = input.shape[-1]
            self.weight.materialize((self.out_features, self.in_features))  # type: ignore[attr-defined]
            if self.bias is not None:
                self.bias.materialize((self.out_features,))  # type: ignore[attr-defined]
            self.reset_parameters()
        else:  # loaded from a state dict
            self.in_features = self.weight.shape[-1]


class _LazyNorm(LazyModuleMixin):
    """``num_features`` is the size of dim 1 of the first input (of dim 0, unbatched)."""

    weight: Any
    bias: Any
    running_mean: Any
    running_var: Any
    unbatched_dim: int | None = None  # dims of an input without a batch, if that is allowed

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        # the sizes are not known: nothing is affine or tracked until it is put in below
        super().__init__(0, eps, momentum, False, False)
        self.affine = affine
        self.track_running_stats = track_running_stats
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        if affine:
            self.weight = UninitializedParameter(**factory)
            if bias:
                self.bias = UninitializedParameter(**factory)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(**factory)
            self.running_var = UninitializedBuffer(**factory)
            self.num_batches_tracked = adjoint.tensor(0, dtype=adjoint.int64, device=device)

    def reset_parameters(self) -> None:
        """As the module it becomes, once its parameters have shapes."""
        if not self.has_uninitialized_params() and self.num_features != 0:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, input: Tensor) -> None:
        """Take ``num_features`` from ``input``."""
        if self.has_uninitialized_params():
            self._check_input_dim(input)  # type: ignore[attr-defined]
            unbatched = self.unbatched_dim is not None and input.dim() == self.unbatched_dim
            self.num_features = input.shape[0 if unbatched else 1]
            for tensor in (self.weight, self.bias, self.running_mean, self.running_var):
                if tensor is not None:
                    tensor.materialize((self.num_features,))
            self.reset_parameters()
        else:
            known = self.weight if self.weight is not None else self.running_mean
            self.num_features = input.shape[1] if known is None else known.shape[0]


def _lazy_norm(cls: Any, dims: int, instance: bool) -> Any:
    name = f"Lazy{cls.__name__}"
    body = {
        "__doc__": f"A :class:`{cls.__name__}` that takes ``num_features`` from its first input.",
        "__module__": __name__,
        "cls_to_become": cls,
        "unbatched_dim": dims - 1 if instance else None,
    }
    return type(name, (_LazyNorm, cls), body)


LazyBatchNorm1d = _lazy_norm(BatchNorm1d, 2, False)
LazyBatchNorm2d = _lazy_norm(BatchNorm2d, 4, False)
LazyBatchNorm3d = _lazy_norm(BatchNorm3d, 5, False)
LazyInstanceNorm1d = _lazy_norm(InstanceNorm1d, 3, True)
LazyInstanceNorm2d = _lazy_norm(InstanceNorm2d, 4, True)
LazyInstanceNorm3d = _lazy_norm(InstanceNorm3d, 5, True)
