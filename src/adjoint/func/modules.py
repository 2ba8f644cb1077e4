"""Functions made of modules: parameters become arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import adjoint
from adjoint._core import Tensor


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]],
    args: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call `module` with some of its parameters and buffers replaced; afterwards it is as before.

    Args:
        module: an `nn.Module`.
        parameter_and_buffer_dicts: name to tensor, as in `named_parameters()`; one dict or several.
            A buffer that the module assigns anew is updated in the dict.
        args: the positional arguments: a tuple, or the only one.
        kwargs: the keyword arguments.
        tie_weights: a tensor that the module holds under several names is replaced under all of
            them.
        strict: the dicts must name every parameter and buffer, and nothing else.

    Raises:
        RuntimeError: under `strict`, names missing or unexpected.
        ValueError: a name in two dicts, or two values for tied names.
        AttributeError: a name in a submodule that the module does not have. (Another name that it
            does not have is an attribute during the call; `strict` refuses it.)

    >>> layer = adjoint.nn.Linear(2, 1)
    >>> values = {"weight": adjoint.ones(1, 2), "bias": adjoint.zeros(1)}
    >>> adjoint.func.functional_call(layer, values, adjoint.tensor([1.0, 2.0]))
    tensor([3.])
    """
    given = _merged(parameter_and_buffer_dicts)
    slots = dict(_slots(module))
    replaced = dict(given)
    if tie_weights:
        replaced.update(_tied(slots, given))
    if strict:
        _check_names(slots, replaced)
    for name, value in replaced.items():
        if not isinstance(value, Tensor):
            raise TypeError(f"functional_call: {name} must be a tensor, got {type(value).__name__}")
        if name not in slots:
            path, _, key = name.rpartition(".")
            slots[name] = _Slot(vars(module.get_submodule(path)), key)
    positional = () if args is None else args if isinstance(args, tuple) else (args,)

    originals = [(slots[name], slots[name].value) for name in replaced]
    try:
        for name, value in replaced.items():
            slots[name].value = value
        return module(*positional, **(kwargs or {}))
    finally:
        dicts = parameter_and_buffer_dicts
        for target in [dicts] if isinstance(dicts, Mapping) else dicts:
            for name in target:
                if target[name] is not slots[name].value:
                    target[name] = slots[name].value  # type: ignore[index]
        for slot, value in originals:
            slot.value = value


_ABSENT = object()


class _Slot:
    """Where a module keeps one parameter or buffer; `_ABSENT` if it keeps nothing there."""

    def __init__(self, store: dict[str, Any], key: str) -> None:
        self._store = store
        self._key = key

    @property
    def value(self) -> Any:
        return self._store.get(self._key, _ABSENT)

    @value.setter
    def value(self, tensor: Any) -> None:
        if tensor is _ABSENT:
            self._store.pop(self._key, None)
        else:
            self._store[self._key] = tensor


def _slots(module: Any) -> Iterator[tuple[str, _Slot]]:
    """Every name that a parameter or buffer has, shared ones under all of their names."""
    for prefix, child in module.named_modules(remove_duplicate=False):
        for store in (child._parameters, child._buffers):
            for key, value in store.items():
                if value is not None:
                    yield f"{prefix}.{key}" if prefix else key, _Slot(store, key)


def _merged(dicts: Any) -> dict[str, Tensor]:
    merged: dict[str, Tensor] = {}
    for one in dicts if isinstance(dicts, Sequence) else [dicts]:
        if not isinstance(one, Mapping):
            raise ValueError(
                "functional_call: parameters and buffers come as a dict or a sequence of dicts, "
                f"got {type(one).__name__}"
            )
        repeated = merged.keys() & one.keys()
        if repeated:
            raise ValueError(f"functional_call: {sorted(repeated)} are in more than one dict")
        merged.update(one)
    return merged


def _tied(slots: Mapping[str, _Slot], given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The values for the other names of the tensors that are replaced."""
    groups: dict[int, list[str]] = {}
    for name, slot in slots.items():
        groups.setdefault(id(slot.value), []).append(name)
    tied = {}
    for names in groups.values():
        values = {id(given[name]): given[name] for name in names if name in given}
        if len(values) > 1:
            raise ValueError(
                f"functional_call: {names} are one tensor of the module, but were given different "
                "values; tie_weights=False allows this"
            )
        for value in values.values():
            tied.update(dict.fromkeys(names, value))
    return tied


def _check_names(slots: Mapping[str, _Slot], given: Mapping[str, Tensor]) -> None:
    unexpected = [name for name in given if name not in slots]
    missing = [name for name in slots if name not in given]
    if unexpected or missing:
        raise RuntimeError(
            "functional_call with strict=True: "
            + "; ".join(
                f"{what} {names}"
                for what, names in (("missing", missing), ("unexpected", unexpected))
                if names
            )
        )


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the buffers of modules of one kind, each stacked along a new dim 0.

    With `vmap` and `functional_call` this runs an ensemble at once. The stacked parameters are new
    leaves.

    Raises:
        RuntimeError: no modules, modules of different classes, or some in training and some not.

    >>> layers = [adjoint.nn.Linear(2, 3) for _ in range(4)]
    >>> parameters, buffers = adjoint.func.stack_module_state(layers)
    >>> parameters["weight"].shape
    torch.Size([4, 3, 2])
    """
    if not models:
        raise RuntimeError("stack_module_state: expected at least one module")
    if len({type(model) for model in models}) > 1:
        raise RuntimeError("stack_module_state: the modules must all be of one class")
    if len({model.training for model in models}) > 1:
        raise RuntimeError("stack_module_state: the modules must all be in training mode, or none")
    parameters = _stacked([dict(model.named_parameters()) for model in models])
    buffers = _stacked([dict(model.named_buffers()) for model in models])
    return parameters, buffers


def _stacked(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    stacked = {}
    for name in states[0]:
        values = [state[name] for state in states]
        if len({value.requires_grad for value in values}) > 1:
            raise RuntimeError(f"stack_module_state: {name} requires grad in some modules only")
        whole = adjoint.stack([value.detach() for value in values])
        stacked[name] = whole.requires_grad_(values[0].requires_grad)
    return stacked


def replace_all_batch_norm_modules_(root: Any) -> Any:
    """Let no batch norm of `root` keep running statistics, which `vmap` could not update.

    Changes `root` in place and returns it; its batch norms use the batch's statistics from then on.

    >>> layer = adjoint.func.replace_all_batch_norm_modules_(adjoint.nn.BatchNorm1d(2))
    >>> layer.running_mean is None
    True
    """
    from adjoint.nn.modules.batchnorm import _BatchNorm

    for module in root.modules():
        if isinstance(module, _BatchNorm):
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root
