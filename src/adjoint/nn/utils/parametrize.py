"""Parametrizations: a tensor of a module computed from other parameters."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Sequence
from typing import Any

import adjoint
from adjoint import Tensor

from ..modules.container import ModuleDict, ModuleList
from ..modules.module import Module
from ..parameter import Parameter

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]

_depth = 0
_cache: dict[tuple[int, str], Any] = {}


@contextlib.contextmanager
def cached() -> Iterator[None]:
    """Within it, each parametrized tensor is computed once and kept.

    >>> layer = adjoint.nn.utils.parametrizations.weight_norm(adjoint.nn.Linear(2, 2))
    >>> with adjoint.nn.utils.parametrize.cached():
    ...     print(layer.weight is layer.weight)
    True
    """
    global _depth
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        if _depth == 0:
            _cache.clear()


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, applied in order, and what they are computed from:
    ``original``, or ``original0``, ``original1``... where ``right_inverse`` gives several.
    """

    original: Tensor

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise ValueError("ParametrizationList needs at least one parametrization")
        super().__init__(modules)
        self.unsafe = unsafe
        value: Any = original
        with adjoint.no_grad():
            for module in reversed(list(modules)):
                if hasattr(module, "right_inverse"):
                    with contextlib.suppress(NotImplementedError):  # starts from what there is
                        value = module.right_inverse(value)
        self.is_tensor = isinstance(value, Tensor)
        if not isinstance(value, (Tensor, Sequence)):
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors, "
                f"got {type(value).__name__}"
            )
        if isinstance(value, Tensor):
            if value.dtype != original.dtype:
                raise ValueError(
                    "a `right_inverse` that gives one tensor may not change the dtype: it gives "
                    f"{value.dtype} for {original.dtype}"
                )
            # the same object stays in the optimizers that hold it
            original.data = value.detach()
            self._hold("original", original)
        else:
            self.ntensors = len(value)
            for i, part in enumerate(value):
                if not isinstance(part, Tensor):
                    raise ValueError(
                        "right_inverse must return a Tensor or a sequence of Tensors, entry "
                        f"{i} is of type {type(part).__name__}"
                    )
                own = part.detach()
                self._hold(
                    f"original{i}",
                    Parameter(own, original.requires_grad and own.is_floating_point())
                    if isinstance(original, Parameter)
                    else own,
                )

    def _hold(self, name: str, tensor: Tensor) -> None:
        if isinstance(tensor, Parameter):
            self.register_parameter(name, tensor)
        else:
            self.register_buffer(name, tensor)

    def _originals(self) -> list[Tensor]:
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def right_inverse(self, value: Tensor) -> None:
        """Set the originals so that the tensor becomes ``value``."""
        with adjoint.no_grad():
            result: Any = value
            for module in reversed(list(self.children())):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(
                        f"{type(module).__name__} does not define right_inverse(), so that its "
                        "tensor cannot be assigned to"
                    )
                result = module.right_inverse(result)
            results = [result] if isinstance(result, Tensor) else list(result)
            for original, new in zip(self._originals(), results):
                if new.dtype != original.dtype:
                    raise ValueError(
                        f"right_inverse gives {new.dtype}, the tensor is {original.dtype}"
                    )
                original.data = new.detach()

    def forward(self) -> Tensor:
        modules = list(self.children())
        value: Any = modules[0](*self._originals())
        for module in modules[1:]:
            value = module(value)
        return value


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Let ``module.tensor_name`` be ``parametrization(original)`` from now on.

    A second parametrization is applied to the first one's result. If it has a ``right_inverse``,
    that gives the original from the present value, and from what is assigned to the attribute.

    Args:
        module: changed in place, and returned.
        tensor_name: a parameter or buffer.
        parametrization: a module from tensor to tensor.
        unsafe: allow another shape or dtype than the original's, and check nothing.

    Raises:
        ValueError: there is no such parameter or buffer, or shape or dtype differ.

    >>> class Symmetric(adjoint.nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).T
    >>> layer = adjoint.nn.Linear(3, 3)
    >>> _ = adjoint.nn.utils.parametrize.register_parametrization(layer, "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.T).all())
    True
    >>> [name for name, _ in layer.named_parameters()]
    ['bias', 'parametrizations.weight.original']
    """
    # a parametrization in training mode may update its state when it is called to be checked
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        chain: Any = module.parametrizations[tensor_name]
        if not unsafe:
            value = getattr(module, tensor_name)
            _check_alike(tensor_name, value, parametrization(value))
        if hasattr(parametrization, "right_inverse"):
            with adjoint.no_grad():
                value = parametrization.right_inverse(getattr(module, tensor_name))
            if not isinstance(value, Tensor):
                raise ValueError("the right_inverse of a later parametrization must be a Tensor")
            chain.right_inverse(value)
        chain.append(parametrization)
        chain.unsafe = chain.unsafe or unsafe
        return module
    held = module._parameters if tensor_name in module._parameters else module._buffers
    original = held.get(tensor_name)
    if original is None:
        raise ValueError(
            f"{type(module).__name__} has no parameter, buffer or parametrization {tensor_name!r}"
        )
    value = original.detach().clone()
    chain = ParametrizationList([parametrization], original, unsafe)
    if not unsafe:
        try:
            _check_alike(tensor_name, value, chain())
        except Exception:
            original.data = value
            raise
    del held[tensor_name]
    if not is_parametrized(module):
        _become_parametrized(module)
    _inject_property(module, tensor_name)
    module.parametrizations[tensor_name] = chain
    return module


def _check_alike(name: str, before: Tensor, after: Any) -> None:
    if not isinstance(after, Tensor):
        raise ValueError(f"the parametrization of {name!r} gives {type(after).__name__}, no Tensor")
    for what in ("dtype", "shape"):
        old, new = getattr(before, what), getattr(after, what)
        if old != new:
            raise ValueError(
                f"the parametrization of {name!r} changes its {what} from {old} to {new}; "
                "unsafe=True allows this"
            )


def _become_parametrized(module: Module) -> None:
    """Give the module a class of its own, on which properties can be put."""
    cls = type(module)

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> Any:
        twin = memo.get(id(self))
        if twin is None:
            twin = memo[id(self)] = object.__new__(type(self))
            twin.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return twin

    def __getstate__(self: Any) -> Any:
        raise RuntimeError(
            "a parametrized module cannot be pickled: save its state_dict(), or remove the "
            "parametrizations"
        )

    body: dict[str, Any] = {"__getstate__": __getstate__, "parametrized_class": cls}
    if not hasattr(cls, "__deepcopy__"):
        body["__deepcopy__"] = __deepcopy__
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), body)
    module.parametrizations = ModuleDict()


def _inject_property(module: Module, name: str) -> None:
    def get(self: Any) -> Tensor:
        if not _depth:
            return self.parametrizations[name]()
        key = id(self), name
        if key not in _cache:
            _cache[key] = self.parametrizations[name]()
        return _cache[key]

    def set(self: Any, value: Tensor) -> None:
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(get, set))


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether ``module``, or one tensor of it, has a parametrization."""
    chains = module._modules.get("parametrizations")
    if not isinstance(chains, ModuleDict):
        return False
    return len(chains) > 0 if tensor_name is None else tensor_name in chains


def remove_parametrizations(
    module: Module, tensor_name: str, leave_parametrized: bool = True
) -> Module:
    """Make ``module.tensor_name`` an ordinary parameter or buffer again.

    Args:
        leave_parametrized: keep its present value; else the original's.

    Raises:
        ValueError: it is not parametrized, or has several originals and should keep those.

    >>> layer = adjoint.nn.utils.parametrizations.weight_norm(adjoint.nn.Linear(2, 2))
    >>> layer = adjoint.nn.utils.parametrize.remove_parametrizations(layer, "weight")
    >>> layer
    Linear(in_features=2, out_features=2, bias=True)
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"{type(module).__name__}: {tensor_name!r} is not parametrized")
    chains: Any = module.parametrizations
    chain = chains[tensor_name]
    originals = chain._originals()
    tensor = originals[0]
    if not chain.is_tensor and not leave_parametrized:
        raise ValueError(
            f"{tensor_name!r} is computed from {len(originals)} tensors: none of them can take its "
            "place, leave_parametrized=False is not possible"
        )
    if leave_parametrized:
        with adjoint.no_grad():
            value = getattr(module, tensor_name).detach().clone()
        if not chain.is_tensor:
            wanted = any(t.requires_grad for t in originals)
            tensor = Parameter(value, wanted) if isinstance(tensor, Parameter) else value
        else:
            tensor.data = value
    delattr(type(module), tensor_name)
    del chains[tensor_name]
    if isinstance(tensor, Parameter):
        module.register_parameter(tensor_name, tensor)
    else:
        module.register_buffer(tensor_name, tensor)
    if not is_parametrized(module):
        delattr(module, "parametrizations")
        made: Any = type(module)
        module.__class__ = made.parametrized_class
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class that ``module`` had before it was parametrized."""
    made: Any = type(module)
    return made.parametrized_class if is_parametrized(module) else made


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Give ``to_module`` the parametrizations of ``from_module`` and their originals."""
    if not is_parametrized(from_module):
        return to_module
    chains: Any = from_module.parametrizations
    for name in [tensor_name] if tensor_name is not None else list(chains):
        for parametrization in chains[name]:
            if not hasattr(to_module, name):
                setattr(to_module, name, Parameter(getattr(from_module, name).detach().clone()))
            register_parametrization(to_module, name, parametrization, unsafe=True)
        target: Any = to_module.parametrizations
        for original, new in zip(target[name]._originals(), chains[name]._originals()):
            original.data = new.detach().clone()
    return to_module
