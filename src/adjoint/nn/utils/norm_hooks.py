"""The older weight norm and spectral norm: a hook computes the weight before each call.

:mod:`adjoint.nn.utils.parametrizations` has the newer forms.
"""

from __future__ import annotations

from typing import Any

import adjoint
from adjoint import Tensor

from .. import functional as F
from ..parameter import Parameter
from .parametrizations import _norm_except, _SpectralNorm

__all__ = ["remove_spectral_norm", "remove_weight_norm", "spectral_norm", "weight_norm"]


class WeightNorm:
    """The hook of :func:`weight_norm`."""

    def __init__(self, name: str, dim: int) -> None:
        self.name = name
        self.dim = dim

    def compute_weight(self, module: Any) -> Tensor:
        g, v = getattr(module, f"{self.name}_g"), getattr(module, f"{self.name}_v")
        return v * (g / _norm_except(v, self.dim))

    def __call__(self, module: Any, args: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


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


def _find(module: Any, kind: type, name: str) -> tuple[int, Any]:
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, kind) and hook.name == name:  # type: ignore[attr-defined]
            return key, hook
    raise ValueError(f"{type(module).__name__}: {name!r} has no {kind.__name__} to remove")


def _refuse_twice(module: Any, kind: type, name: str) -> None:
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, kind) and hook.name == name:  # type: ignore[attr-defined]
            raise RuntimeError(f"{type(module).__name__}: {name!r} has a {kind.__name__} already")


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Split a weight into parameters ``<name>_g``, its norm, and ``<name>_v``, its direction.

    >>> layer = adjoint.nn.utils.weight_norm(adjoint.nn.Linear(20, 40))
    >>> layer.weight_g.shape, layer.weight_v.shape
    (torch.Size([40, 1]), torch.Size([40, 20]))
    """
    _refuse_twice(module, WeightNorm, name)
    hook = WeightNorm(name, -1 if dim is None else dim)
    weight = getattr(module, name)
    del module._parameters[name]
    module.register_parameter(f"{name}_g", Parameter(_norm_except(weight, hook.dim).detach()))
    module.register_parameter(f"{name}_v", Parameter(weight.detach()))
    setattr(module, name, hook.compute_weight(module))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: Any, name: str = "weight") -> Any:
    """Make the weight a parameter again.

    Raises:
        ValueError: it has no weight norm.
    """
    key, hook = _find(module, WeightNorm, name)
    weight = hook.compute_weight(module)
    delattr(module, name)
    del module._parameters[f"{name}_g"], module._parameters[f"{name}_v"]
    module.register_parameter(name, Parameter(weight.detach()))
    del module._forward_pre_hooks[key]
    return module


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
    _refuse_twice(module, SpectralNorm, name)
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
    key, hook = _find(module, SpectralNorm, name)
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
