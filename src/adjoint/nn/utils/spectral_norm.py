"""The older spectral norm: a hook computes the weight before each call.

:mod:`adjoint.nn.utils.parametrizations` has the newer form.
"""

from __future__ import annotations

from typing import Any

import adjoint
from adjoint import Tensor

from .. import functional as F
from ..parameter import Parameter
from .norm_hooks import find_hook, refuse_twice
from .parametrizations import _SpectralNorm

__all__ = ["SpectralNorm", "remove_spectral_norm", "spectral_norm"]


class SpectralNorm:
    """The hook of :func:`spectral_norm`."""

    def __init__(self, name: str, rule: _SpectralNorm) -> None:
        self.name = name
        self.rule = rule

    def compute_weight(self, module: Any) -> Tensor:
        rule = self.rule
        # the module's buffers are the state, so that they are saved, loaded and moved with it
        rule._u, rule._v = getattr(module, f"{self.name}_u"), getattr(module, f"{self.name}_v")
        rule.eval()
        weight = getattr(module, f"{self.name}_orig")
        if module.training:
            # v first, where the parametrization has u first
            matrix = rule._matrix(weight.detach())
            with adjoint.no_grad():
                for _ in range(rule.n_power_iterations):
                    rule._v.copy_(F.normalize(matrix.t().mv(rule._u), dim=0, eps=rule.eps))
                    rule._u.copy_(F.normalize(matrix.mv(rule._v), dim=0, eps=rule.eps))
        return rule(weight)

    def __call__(self, module: Any, args: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def spectral_norm(
    module: Any,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Any:
    """Divide a weight by its largest singular value; ``<name>_orig`` is the parameter.

    >>> layer = adjoint.nn.utils.spectral_norm(adjoint.nn.Linear(20, 40))
    >>> sorted(layer.state_dict())
    ['bias', 'weight_orig', 'weight_u', 'weight_v']
    """
    refuse_twice(module, SpectralNorm, name)
    if dim is None:
        dim = 1 if type(module).__name__.startswith("ConvTranspose") else 0
    weight = getattr(module, name)
    rule = _SpectralNorm(weight, n_power_iterations, dim, eps)
    hook = SpectralNorm(name, rule)
    del module._parameters[name]
    module.register_parameter(f"{name}_orig", weight)
    setattr(module, name, weight.detach())
    for part in ("u", "v"):
        module.register_buffer(f"{name}_{part}", getattr(rule, f"_{part}"))
    module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module: Any, name: str = "weight") -> Any:
    """Make the weight a parameter again, divided by its norm.

    Raises:
        ValueError: it has no spectral norm.
    """
    key, hook = find_hook(module, SpectralNorm, name)
    training = module.training
    module.training = False  # no more iterations
    with adjoint.no_grad():
        weight = hook.compute_weight(module)
    module.training = training
    delattr(module, name)
    del module._buffers[f"{name}_u"], module._buffers[f"{name}_v"]
    del module._parameters[f"{name}_orig"]
    module.register_parameter(name, Parameter(weight.detach()))
    del module._forward_pre_hooks[key]
    return module
