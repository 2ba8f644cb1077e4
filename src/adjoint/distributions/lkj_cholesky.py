"""The distribution of Cholesky factors of correlation matrices."""

from __future__ import annotations

import math
from typing import Any

import adjoint
from adjoint import Size, Tensor
from adjoint.distributions import constraints
from adjoint.distributions.beta import Beta
from adjoint.distributions.distribution import Distribution


class LKJCholesky(Distribution):
    """Lower Cholesky factors L [dim, dim] of correlation matrices of density ``|L L^T|^(c - 1)``.

    `concentration` c = 1 is uniform over correlation matrices; above, those near the identity are
    likelier. Samples are drawn row by row (the onion method of Lewandowski, Kurowicka and Joe,
    "Generating random correlation matrices based on vines and extended onion method", 2009).

    >>> d = adjoint.distributions.LKJCholesky(2, 1.0)
    >>> d.log_prob(adjoint.eye(2))
    tensor(-0.6931)
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(
        self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None
    ) -> None:
        if dim < 2:
            raise ValueError(
                f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}."
            )
        self.dim = dim
        self.concentration = adjoint.as_tensor(concentration)
        if not self.concentration.is_floating_point():
            self.concentration = self.concentration.to(adjoint.get_default_dtype())
        super().__init__(self.concentration.shape, (dim, dim), validate_args=validate_args)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with adjoint.no_grad():
            shape = Size((*sample_shape, *self._batch_shape))
            before = self._rows()  # number of entries left of the diagonal: 1 ... dim-1
            rest = self.concentration.unsqueeze(-1) + 0.5 * (self.dim - 1 - before)
            share = Beta(0.5 * before, rest, validate_args=False).sample(
                (*sample_shape,)
            )  # squared length left of the diagonal [..., dim-1]
            normal = adjoint.randn(
                (*shape, self.dim - 1, self.dim), dtype=self.concentration.dtype
            ).tril()
            direction = normal / normal.norm(dim=-1, keepdim=True)
            left = share.sqrt().unsqueeze(-1) * direction
            left = adjoint.nn.functional.pad(left, (0, 0, 1, 0))
            # Rounding may bring the last pivot to 0, which no factor has.
            tiny = adjoint.finfo(left.dtype).tiny
            pivots = (1 - left.pow(2).sum(-1)).clamp(min=tiny).sqrt()
            return left + adjoint.diag_embed(pivots)

    def log_prob(self, value: Tensor) -> Tensor:
        """Of L, with respect to its entries below the diagonal.

        The pivot of row i (from 1) has the power ``2 (c - 1) + dim - i``; the constant is that of
        the onion (the paper above, section 3.2).
        """
        if self._validate_args:
            self._validate_sample(value)
        c = self.concentration.unsqueeze(-1)
        before = self._rows()
        power = 2 * (c - 1) + (self.dim - 1 - before)
        log_pivots = value.diagonal(dim1=-2, dim2=-1)[..., 1:].log()
        volume = (
            0.5 * math.log(math.pi) * before
            + adjoint.lgamma(c + 0.5 * (self.dim - 1 - before))
            - adjoint.lgamma(c + 0.5 * (self.dim - 1))
        )
        return (power * log_pivots).sum(-1) - volume.sum(-1)

    def _rows(self) -> Tensor:
        return adjoint.arange(1, self.dim, dtype=self.concentration.dtype)
