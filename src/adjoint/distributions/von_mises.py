"""The von Mises distribution."""

from __future__ import annotations

import math
from typing import Any

import adjoint
from adjoint import Size, Tensor
from adjoint.distributions import constraints
from adjoint.distributions.distribution import Distribution
from adjoint.distributions.utils import broadcast_all


class VonMises(Distribution):
    """Angles of density ``exp(concentration cos(x - loc)) / (2 pi I0(concentration))``.

    All in radians; samples lie in [-pi, pi).

    >>> adjoint.distributions.VonMises(0.0, 1.0).log_prob(adjoint.tensor(0.0))
    tensor(-1.0738)
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """The circular mean."""
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        """The circular variance, ``1 - I1(concentration) / I0(concentration)``."""
        k = self.concentration
        return 1 - adjoint.special.i1e(k) / adjoint.special.i0e(k)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        k = self.concentration
        # log I0(k) = k + log i0e(k), which does not overflow.
        turned = k * (adjoint.cos(value - self.loc) - 1)
        return turned - math.log(2 * math.pi) - adjoint.special.i0e(k).log()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draws by rejection from a wrapped Cauchy distribution (Best and Fisher, 1979)."""
        with adjoint.no_grad():
            shape = Size((*sample_shape, *self._batch_shape))
            # In float64: for small concentrations r is a difference of large numbers.
            k = self.concentration.double()
            tau = 1 + (1 + 4 * k * k).sqrt()
            rho = (tau - (2 * tau).sqrt()) / (2 * k)
            r = (1 + rho * rho) / (2 * rho)
            r = adjoint.where(k < 1e-5, 1 / k + k, r).expand(shape)
            k = k.expand(shape)
            angle = adjoint.zeros(shape, dtype=adjoint.float64)
            left = adjoint.ones(shape, dtype=adjoint.bool)
            while bool(left.any()):
                u1, u2, u3 = adjoint.rand((3, *shape), dtype=adjoint.float64).unbind(0)
                z = adjoint.cos(math.pi * u1)
                f = (1 + r * z) / (r + z)
                c = k * (r - f)
                taken = (c * (2 - c) > u2) | (c.log() - u2.log() + 1 - c >= 0)
                drawn = (u3 - 0.5).sign() * f.clamp(-1, 1).acos()
                angle = adjoint.where(left & taken, drawn, angle)
                left = left & ~taken
            turned = adjoint.remainder(angle + self.loc + math.pi, 2 * math.pi) - math.pi
            return turned.to(self.loc.dtype)
