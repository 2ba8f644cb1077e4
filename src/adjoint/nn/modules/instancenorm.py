"""Instance normalisation."""

from __future__ import annotations

import warnings
from typing import Any

from adjoint import Tensor

from .. import functional as F
from .batchnorm import _NormBase

__all__ = ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]


class _InstanceNorm(_NormBase):
    _spatial: int  # spatial dimensions

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def _check_input_dim(self, input: Tensor) -> None:
        n = self._spatial
        if input.dim() not in (n + 1, n + 2):
            raise ValueError(f"expected {n + 1}D or {n + 2}D input (got {input.dim()}D input)")

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        single = input.dim() == self._spatial + 1
        dim = 0 if single else 1
        if input.shape[dim] != self.num_features:
            if self.affine:
                raise ValueError(
                    f"expected input's size at dim={dim} to match num_features "
                    f"({self.num_features}), but got: {input.shape[dim]}."
                )
            warnings.warn(
                f"input's size at dim={dim} does not match num_features. You can silence this "
                "warning by not passing in num_features, which is not used because affine=False",
                stacklevel=2,
            )
        y = F.instance_norm(
            input.unsqueeze(0) if single else input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            self.momentum if self.momentum is not None else 0.0,
            self.eps,
        )
        return y.squeeze(0) if single else y


class InstanceNorm1d(_InstanceNorm):
    """Each channel of each sample minus its mean, over the root of its variance plus ``eps``, times
    ``weight`` plus ``bias`` if ``affine`` (Ulyanov et al., 2016). Input [N, C, L] or [C, L].

    Raises:
        ValueError: the input has another number of dimensions or channels, or, in training, a
            single value per channel.

    >>> adjoint.nn.InstanceNorm1d(1)(adjoint.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.0000,  1.0000]]])
    """

    _spatial = 1


class InstanceNorm2d(_InstanceNorm):
    """Instance normalisation of inputs [N, C, H, W] or [C, H, W]; see :class:`InstanceNorm1d`.

    >>> adjoint.nn.InstanceNorm2d(3)(adjoint.zeros(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    _spatial = 2


class InstanceNorm3d(_InstanceNorm):
    """Instance normalisation of inputs [N, C, D, H, W] or [C, D, H, W]; see
    :class:`InstanceNorm1d`.

    >>> adjoint.nn.InstanceNorm3d(3)(adjoint.zeros(2, 3, 4, 4, 4)).shape
    torch.Size([2, 3, 4, 4, 4])
    """

    _spatial = 3
