"""Lazy modules: sizes that the first input tells."""

from __future__ import annotations

from typing import Any

from ..parameter import is_lazy

__all__ = ["LazyModuleMixin"]


class LazyModuleMixin:
    """Makes a module whose parameters get their shapes in its first call.

    A class derives from this and from the module that it becomes (``cls_to_become``); it assigns
    ``UninitializedParameter``s and defines ``initialize_parameters(*inputs)``, which materializes
    and fills them.

    >>> layer = adjoint.nn.LazyLinear(3)
    >>> layer
    LazyLinear(in_features=0, out_features=3, bias=True)
    >>> _ = layer(adjoint.zeros(2, 5))
    >>> layer
    Linear(in_features=5, out_features=3, bias=True)
    """

    cls_to_become: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        module: Any = self
        self._load_hook = module.register_load_state_dict_pre_hook(_materialize_for_loading)
        self._initialize_hook = module.register_forward_pre_hook(_infer, with_kwargs=True)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give the parameters the shapes that the arguments of the call ask for, and values."""
        raise NotImplementedError(f"{type(self).__name__} does not define initialize_parameters()")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer has no shape yet."""
        module: Any = self
        return any(map(is_lazy, (*module._parameters.values(), *module._buffers.values())))

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        module: Any = self
        super()._save_to_state_dict(destination, prefix, keep_vars)  # type: ignore[misc]
        for name, tensor in module._own_state().items():
            if is_lazy(tensor):
                destination[prefix + name] = tensor


def _materialize_for_loading(module: Any, state_dict: Any, prefix: str, *rest: Any) -> None:
    for name, tensor in module._own_state().items():
        value = state_dict.get(prefix + name)
        if is_lazy(tensor) and value is not None and not is_lazy(value):
            tensor.materialize(value.shape)


def _infer(module: Any, args: Any, kwargs: Any) -> None:
    module.initialize_parameters(*args, **kwargs)
    if module.has_uninitialized_params():
        raise RuntimeError(
            f"{type(module).__name__}: initialize_parameters() left parameters without a shape"
        )
    module._initialize_hook.remove()
    module._load_hook.remove()
    del module._initialize_hook, module._load_hook
    if module.cls_to_become is not None:
        module.__class__ = module.cls_to_become
