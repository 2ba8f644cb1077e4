"""Pruning: a mask of zeros and ones over a parameter, chosen by a rule and kept by a hook.

A pruned parameter ``weight`` is split: ``weight_orig`` is the parameter, ``weight_mask`` a buffer,
and ``weight`` their product, computed anew before each call of the module.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

import adjoint
from adjoint import Tensor

__all__ = [
    "BasePruningMethod",
    "CustomFromMask",
    "Identity",
    "L1Unstructured",
    "LnStructured",
    "PruningContainer",
    "RandomStructured",
    "RandomUnstructured",
    "custom_from_mask",
    "global_unstructured",
    "identity",
    "is_pruned",
    "l1_unstructured",
    "ln_structured",
    "random_structured",
    "random_unstructured",
    "remove",
]


class BasePruningMethod(ABC):
    """A rule of pruning, and the hook that applies its mask.

    A subclass sets ``PRUNING_TYPE`` ("unstructured", "structured" with a ``dim``, or "global")
    and defines :meth:`compute_mask`. On a tensor that is pruned already, the rule is given only
    what was left: its remaining elements ("unstructured") or slices ("structured").

    >>> class Negative(adjoint.nn.utils.prune.BasePruningMethod):
    ...     PRUNING_TYPE = "unstructured"
    ...     def compute_mask(self, t, default_mask):
    ...         return default_mask * (t >= 0)
    >>> layer = adjoint.nn.Linear(2, 2)
    >>> _ = Negative.apply(layer, "weight")
    >>> bool((layer.weight >= 0).all())
    True
    """

    PRUNING_TYPE: str
    _tensor_name: str

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask of ``t`` under this rule: that of ``default_mask`` and its own zeros."""

    def apply_mask(self, module: Any) -> Tensor:
        """The product of the original and the mask."""
        mask = getattr(module, f"{self._tensor_name}_mask")
        original = getattr(module, f"{self._tensor_name}_orig")
        return mask.to(original.dtype) * original

    @classmethod
    def apply(
        cls,
        module: Any,
        name: str,
        *args: Any,
        importance_scores: Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        """Prune ``module.name`` and keep it so.

        Args:
            args, kwargs: for the constructor of the method.
            importance_scores: what the rule looks at instead of the values, of the same shape.

        Raises:
            ValueError: the shapes of scores and tensor differ.
        """
        method: Any = cls(*args, **kwargs)
        method._tensor_name = name
        old_key, old = _find_hook(module, name)
        tensor = getattr(module, name)
        scores = tensor if importance_scores is None else importance_scores
        if scores.shape != tensor.shape:
            raise ValueError(
                f"importance_scores have shape {tuple(scores.shape)}, {name!r} has "
                f"{tuple(tensor.shape)}"
            )
        if old is None:
            hook, default = method, adjoint.ones_like(tensor)
        else:
            hook = PruningContainer(*(old if isinstance(old, PruningContainer) else (old,)))
            hook.add_pruning_method(method)
            default = getattr(module, f"{name}_mask").detach().to(tensor.dtype)
        with adjoint.no_grad():
            mask = hook.compute_mask(scores, default_mask=default)
        if old is None:
            original = module._parameters.pop(name)
            module.register_parameter(f"{name}_orig", original)
        else:
            del module._forward_pre_hooks[old_key]
        module.register_buffer(f"{name}_mask", mask)
        setattr(module, name, hook.apply_mask(module))
        module.register_forward_pre_hook(hook)
        return hook

    def prune(
        self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None
    ) -> Tensor:
        """A pruned copy of ``t``, which need not belong to a module."""
        scores = t if importance_scores is None else importance_scores
        if scores.shape != t.shape:
            raise ValueError(
                f"importance_scores have shape {tuple(scores.shape)}, the tensor {tuple(t.shape)}"
            )
        default = adjoint.ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(scores, default_mask=default)

    def remove(self, module: Any) -> None:
        """Make the pruned values the parameter again; the zeros stay, the mask goes."""
        name = self._tensor_name
        weight = self.apply_mask(module)
        module.__dict__.pop(name, None)
        original = module._parameters.pop(f"{name}_orig")
        original.data = weight.detach()
        del module._buffers[f"{name}_mask"]
        module.register_parameter(name, original)


class PruningContainer(BasePruningMethod):
    """Several methods applied to one tensor, one after the other."""

    PRUNING_TYPE = "unstructured"

    def __init__(self, *args: Any) -> None:
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        for method in args:
            if not self._pruning_methods:
                self._tensor_name = method._tensor_name
            self.add_pruning_method(method)

    def add_pruning_method(self, method: Any) -> None:
        """Append a method.

        Raises:
            TypeError: it is not a pruning method.
            ValueError: it is for another tensor.
        """
        if not isinstance(method, BasePruningMethod):
            raise TypeError(f"a BasePruningMethod is needed, got {type(method).__name__}")
        name = getattr(self, "_tensor_name", method._tensor_name)
        if method._tensor_name != name:
            raise ValueError(f"the method prunes {method._tensor_name!r}, the others {name!r}")
        self._tensor_name = name
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[BasePruningMethod]:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: int) -> BasePruningMethod:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask after the latest method, which sees what ``default_mask`` left."""
        method: Any = self._pruning_methods[-1]
        mask = default_mask.to(t.dtype).clone()
        kind = method.PRUNING_TYPE
        if kind == "unstructured":
            left = mask == 1
            mask[left] = method.compute_mask(t[left], default_mask=mask[left])
        elif kind == "structured":
            # a slice is out when all of its elements are
            dim = method.dim % t.dim()
            others = [d for d in range(t.dim()) if d != dim]
            kept = (mask != 0).flatten(0) if not others else mask.abs().sum(others) != 0
            place = (slice(None),) * dim + (kept,)
            mask[place] = method.compute_mask(t[place], default_mask=mask[place])
        elif kind == "global":
            mask = method.compute_mask(t, default_mask=mask)
        else:
            raise ValueError(f"unknown PRUNING_TYPE {kind!r} of {type(method).__name__}")
        return mask


class Identity(BasePruningMethod):
    """Prunes nothing: the names of a pruned parameter, with a mask of ones."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """``default_mask`` as it is."""
        return default_mask


class _ByAmount(BasePruningMethod):
    """Prunes a number (int) or fraction (float) of the elements or slices."""

    def __init__(self, amount: int | float) -> None:
        self.amount = _checked_amount(amount)


class RandomUnstructured(_ByAmount):
    """Prunes elements at random."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Zeros at places drawn with equal chance."""
        return _without_smallest(adjoint.rand_like(t), default_mask, self.amount)


class L1Unstructured(_ByAmount):
    """Prunes the elements of the smallest absolute value."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Zeros where the absolute value is smallest."""
        return _without_smallest(t.abs(), default_mask, self.amount)


class RandomStructured(_ByAmount):
    """Prunes slices along ``dim`` at random."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: int | float, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def _scores(self, t: Tensor) -> Tensor:
        return adjoint.rand(t.shape[self.dim])

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Zeros in whole slices, those with the smallest scores."""
        if t.dim() <= 1:
            raise ValueError(f"structured pruning needs two dims or more, got {tuple(t.shape)}")
        if not -t.dim() <= self.dim < t.dim():
            raise IndexError(f"dim {self.dim} is out of range for a tensor of {t.dim()} dims")
        scores = self._scores(t)
        kept = _without_smallest(scores, adjoint.ones_like(scores), self.amount)
        shape = [1] * t.dim()
        shape[self.dim] = -1
        return default_mask * kept.reshape(shape).to(default_mask.dtype)


class LnStructured(RandomStructured):
    """Prunes the slices along ``dim`` with the smallest norm of order ``n``."""

    def __init__(self, amount: int | float, n: Any, dim: int = -1) -> None:
        super().__init__(amount, dim)
        self.n = n

    def _scores(self, t: Tensor) -> Tensor:
        others = [d for d in range(t.dim()) if d != self.dim % t.dim()]
        if self.n in ("fro", "nuc") and len(others) != 2:
            return adjoint.stack([adjoint.norm(part, self.n) for part in t.unbind(self.dim)])
        return adjoint.norm(t, self.n, dim=others)


class CustomFromMask(BasePruningMethod):
    """Prunes by a mask that is given."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The product of both masks."""
        if default_mask.shape != self.mask.shape:
            raise ValueError(
                f"the mask has shape {tuple(self.mask.shape)}, the tensor {tuple(t.shape)}"
            )
        return default_mask * self.mask.to(default_mask.dtype)


def _checked_amount(amount: Any) -> Any:
    if isinstance(amount, bool) or not isinstance(amount, (int, float)):
        raise TypeError(f"amount must be a number, got {type(amount).__name__}")
    if amount < 0 or (isinstance(amount, float) and amount > 1):
        raise ValueError(
            "amount must be a count (int, at least 0) or a fraction (float in [0, 1]), "
            f"got {amount}"
        )
    return amount


def _without_smallest(scores: Tensor, default_mask: Tensor, amount: int | float) -> Tensor:
    """``default_mask`` with zeros at the ``amount`` smallest of ``scores``."""
    size = scores.numel()
    count = amount if isinstance(amount, int) else round(amount * size)
    if count > size:
        raise ValueError(f"amount={count} is more than there is to prune ({size})")
    mask = default_mask.clone(memory_format=adjoint.contiguous_format)
    if count:
        _, places = adjoint.topk(scores.reshape(-1), k=count, largest=False)
        mask.view(-1)[places] = 0
    return mask


def _find_hook(module: Any, name: str) -> tuple[int | None, Any]:
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            return key, hook
    return None, None


def identity(module: Any, name: str) -> Any:
    """Give ``module.name`` a mask of ones.

    >>> layer = adjoint.nn.utils.prune.identity(adjoint.nn.Linear(2, 3), "bias")
    >>> layer.bias_mask
    tensor([1., 1., 1.])
    """
    Identity.apply(module, name)
    return module


def random_unstructured(module: Any, name: str, amount: int | float) -> Any:
    """Prune a number (int) or fraction (float) of the elements of ``module.name`` at random.

    >>> layer = adjoint.nn.Linear(2, 3)
    >>> layer = adjoint.nn.utils.prune.random_unstructured(layer, "weight", amount=2)
    >>> int((layer.weight == 0).sum())
    2
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(
    module: Any, name: str, amount: int | float, importance_scores: Tensor | None = None
) -> Any:
    """Prune the elements of ``module.name`` with the smallest absolute value (or score).

    >>> layer = adjoint.nn.utils.prune.l1_unstructured(adjoint.nn.Linear(2, 3), "weight", 0.5)
    >>> sorted(layer.state_dict())
    ['bias', 'weight_mask', 'weight_orig']
    """
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module: Any, name: str, amount: int | float, dim: int) -> Any:
    """Prune slices of ``module.name`` along ``dim`` at random."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: Any,
    name: str,
    amount: int | float,
    n: Any,
    dim: int,
    importance_scores: Tensor | None = None,
) -> Any:
    """Prune the slices of ``module.name`` along ``dim`` with the smallest norm of order ``n``.

    >>> layer = adjoint.nn.Conv2d(5, 3, 2)
    >>> _ = adjoint.nn.utils.prune.ln_structured(layer, "weight", amount=2, n=2, dim=1)
    >>> int((layer.weight.abs().sum((0, 2, 3)) == 0).sum())
    2
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Any, str]],
    pruning_method: Any,
    importance_scores: dict[tuple[Any, str], Tensor] | None = None,
    **kwargs: Any,
) -> None:
    """Prune the elements of several parameters as if they were one vector.

    Args:
        parameters: pairs of a module and the name of its parameter.
        pruning_method: a class with ``PRUNING_TYPE = "unstructured"``.
        importance_scores: by pair; the values themselves where there is none.
        kwargs: for the constructor of the method.

    Raises:
        TypeError: ``parameters`` is not a list or tuple, or the method is not unstructured.
    """
    if not isinstance(parameters, (list, tuple)):
        raise TypeError("global_unstructured needs a list or tuple of pairs (module, name)")
    if importance_scores is not None and not isinstance(importance_scores, dict):
        raise TypeError("importance_scores must be a dictionary by pairs (module, name)")
    given = importance_scores or {}
    tensors = [getattr(module, name) for module, name in parameters]
    scores = [given.get(pair, t) for pair, t in zip(parameters, tensors)]
    masks = [
        getattr(m, f"{n}_mask", adjoint.ones_like(t)) for (m, n), t in zip(parameters, tensors)
    ]
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            f"global_unstructured needs an unstructured method, {pruning_method.__name__} is "
            f"{method.PRUNING_TYPE}"
        )
    container = PruningContainer()
    container._tensor_name = method._tensor_name = "all"
    container.add_pruning_method(method)
    with adjoint.no_grad():
        flat = adjoint.cat([s.detach().reshape(-1) for s in scores])
        final = container.compute_mask(flat, adjoint.cat([m.reshape(-1) for m in masks]))
    start = 0
    for (module, name), tensor in zip(parameters, tensors):
        mask = final[start : start + tensor.numel()].view_as(tensor)
        start += tensor.numel()
        custom_from_mask(module, name, mask=mask)


def custom_from_mask(module: Any, name: str, mask: Tensor) -> Any:
    """Prune ``module.name`` where ``mask``, of the same shape, is 0.

    >>> layer = adjoint.nn.Linear(5, 3)
    >>> mask = adjoint.tensor([0, 1, 0])
    >>> layer = adjoint.nn.utils.prune.custom_from_mask(layer, "bias", mask)
    >>> layer.bias_mask
    tensor([0., 1., 0.])
    """
    CustomFromMask.apply(module, name, mask)
    return module


def remove(module: Any, name: str) -> Any:
    """Make the pruned values of ``module.name`` the parameter again, without a mask.

    Raises:
        ValueError: it is not pruned.
    """
    key, hook = _find_hook(module, name)
    if hook is None:
        raise ValueError(f"{type(module).__name__}: {name!r} is not pruned")
    hook.remove(module)
    del module._forward_pre_hooks[key]
    return module


def is_pruned(module: Any) -> bool:
    """Whether ``module`` or a module below it has a pruned tensor.

    >>> layer = adjoint.nn.Linear(5, 7)
    >>> adjoint.nn.utils.prune.is_pruned(layer)
    False
    """
    return any(
        isinstance(hook, BasePruningMethod)
        for part in module.modules()
        for hook in part._forward_pre_hooks.values()
    )
