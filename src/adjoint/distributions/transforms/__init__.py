"""Invertible maps with their log determinants, for TransformedDistribution.

>>> t = adjoint.distributions.transforms.ExpTransform()
>>> t.inv(t(adjoint.tensor([1.0, 2.0])))
tensor([1., 2.])
"""

from adjoint.distributions.transforms import base, elementwise, vector
from adjoint.distributions.transforms.base import *  # noqa: F403
from adjoint.distributions.transforms.base import _InverseTransform
from adjoint.distributions.transforms.elementwise import *  # noqa: F403
from adjoint.distributions.transforms.vector import *  # noqa: F403

__all__ = [*base.__all__, *elementwise.__all__, *vector.__all__]
