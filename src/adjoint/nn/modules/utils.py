"""Small helpers of modules: sizes per dim, factory arguments, prefixes of state dicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["consume_prefix_in_state_dict_if_present", "factory_kwargs"]


def _ntuple(n: int, name: str = "parse") -> Callable[[Any], tuple[Any, ...]]:
    """A function that repeats a single value n times and makes a tuple of an iterable."""

    def parse(value: Any) -> tuple[Any, ...]:
        return tuple(value) if isinstance(value, Iterable) else (value,) * n

    parse.__name__ = name
    return parse


_single = _ntuple(1, "_single")
_pair = _ntuple(2, "_pair")
_triple = _ntuple(3, "_triple")
_quadruple = _ntuple(4, "_quadruple")


def _reverse_repeat_tuple(t: tuple[Any, ...], n: int) -> tuple[Any, ...]:
    """Each value n times, the last one first: padding per dim as `functional.pad` takes it."""
    return tuple(value for value in reversed(t) for _ in range(n))


def _list_with_default(out_size: Any, defaults: list[int]) -> Any:
    """Sizes with those that are None taken from the last of the defaults."""
    if isinstance(out_size, int):
        return out_size
    if len(defaults) <= len(out_size):
        raise ValueError(f"{len(defaults)} dims are too few for an output size of {len(out_size)}")
    last = defaults[-len(out_size) :]
    return [default if size is None else size for size, default in zip(out_size, last)]


def consume_prefix_in_state_dict_if_present(state_dict: dict[str, Any], prefix: str) -> None:
    """Take ``prefix`` from the keys of ``state_dict`` (and of its metadata), in place.

    >>> state = {"module.weight": adjoint.zeros(1)}
    >>> adjoint.nn.modules.utils.consume_prefix_in_state_dict_if_present(state, "module.")
    >>> list(state)
    ['weight']
    """
    for key in list(state_dict):
        if key.startswith(prefix):
            state_dict[key[len(prefix) :]] = state_dict.pop(key)
    metadata: dict[str, Any] = getattr(state_dict, "_metadata", {})
    for key in list(metadata):
        # the metadata's keys are paths of modules, without the last dot
        if key and (key == prefix.rstrip(".") or key.startswith(prefix)):
            metadata[key[len(prefix) :]] = metadata.pop(key)


def factory_kwargs(kwargs: dict[str, Any] | None) -> dict[str, Any]:
    """The arguments of tensor factories in ``kwargs``: device, dtype and memory_format, given as
    they are or in a dictionary ``factory_kwargs``.

    Raises:
        TypeError: another name, or one that is given in both places.

    >>> adjoint.nn.factory_kwargs({"dtype": adjoint.float64})
    {'dtype': torch.float64}
    """
    if kwargs is None:
        return {}
    known = {"device", "dtype", "memory_format"}
    unexpected = sorted(set(kwargs) - known - {"factory_kwargs"})
    if unexpected:
        raise TypeError(f"unexpected keyword arguments: {', '.join(unexpected)}")
    found = dict(kwargs.get("factory_kwargs", {}))
    for name in sorted(known & set(kwargs)):
        if name in found:
            raise TypeError(f"{name} is given twice, in factory_kwargs too")
        found[name] = kwargs[name]
    return found
