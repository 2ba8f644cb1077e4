"""Samples to batches."""

from __future__ import annotations

import copy
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import adjoint
from adjoint import Tensor

__all__ = ["default_collate", "default_convert"]


def _numpy_kind(value: Any) -> str | None:
    """ "array", "scalar" or None, without importing NumPy."""
    if type(value).__module__ != "numpy" or not hasattr(value, "dtype"):
        return None
    if value.dtype.kind in "SUO":
        raise TypeError(
            f"NumPy data of dtype {value.dtype} cannot become a tensor; "
            "numbers, tensors, containers of these, and strings can be collated"
        )
    return "array" if type(value).__name__ == "ndarray" else "scalar"


def default_convert(data: Any) -> Any:
    """Turn the NumPy arrays in ``data``, however nested, into tensors; leave the rest.

    >>> default = adjoint.utils.data.default_convert
    >>> default([1, "a", adjoint.ones(1)])
    [1, 'a', tensor([1.])]
    """
    if isinstance(data, Tensor):
        return data
    if type(data).__module__ == "numpy":
        if not hasattr(data, "dtype") or data.dtype.kind in "SUO":
            return data
        return adjoint.as_tensor(data)
    if isinstance(data, Mapping):
        return _like_mapping(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(default_convert(value) for value in data))
    if isinstance(data, tuple):
        return [default_convert(value) for value in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _like_sequence(data, [default_convert(value) for value in data])
    return data


def collate(batch: Any, *, collate_fn_map: Any = None) -> Any:
    """Join a list of samples into a batch, as :func:`default_collate` does, by a mapping.

    Args:
        batch: the samples.
        collate_fn_map: from a type of samples to the function that joins those, called with the
            list and `collate_fn_map`. Mappings and sequences of samples are joined entry by entry.

    >>> from adjoint.utils.data.collate import collate, default_collate_fn_map
    >>> together = dict(default_collate_fn_map)
    >>> together[set] = lambda batch, collate_fn_map: set().union(*batch)
    >>> collate([{"a": {1}, "b": 2}, {"a": {3}, "b": 4}], collate_fn_map=together)
    {'a': {1, 3}, 'b': tensor([2, 4])}
    """
    first = batch[0]
    if collate_fn_map is not None:
        join = _function_for(first, collate_fn_map)
        if join is not None:
            return join(batch, collate_fn_map=collate_fn_map)

    def inner(values: Any) -> Any:
        return collate(values, collate_fn_map=collate_fn_map)

    if isinstance(first, Mapping):
        return _like_mapping(
            first, {key: inner([sample[key] for sample in batch]) for key in first}
        )
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(inner(values) for values in zip(*batch)))
    if isinstance(first, Sequence):
        lengths = {len(sample) for sample in batch}
        if len(lengths) > 1:
            raise RuntimeError(
                f"the samples of a batch must have the same length, got lengths {sorted(lengths)}"
            )
        columns = [inner(values) for values in zip(*batch)]
        return columns if isinstance(first, tuple) else _like_sequence(first, columns)
    raise TypeError(
        "a batch is made of tensors, NumPy arrays, numbers, strings, mappings and sequences, "
        f"got {type(first).__name__}: give the DataLoader a collate_fn"
    )


def _function_for(sample: Any, functions: Any) -> Any:
    if type(sample) in functions:
        return functions[type(sample)]
    if (kind := _numpy_kind(sample)) is not None:
        return collate_numpy_array_fn if kind == "array" else collate_numpy_scalar_fn
    for key in functions:
        if isinstance(sample, key):
            return functions[key]
    return None


def collate_tensor_fn(batch: Any, *, collate_fn_map: Any = None) -> Tensor:
    """The tensors stacked."""
    return adjoint.stack(batch, 0)


def collate_numpy_array_fn(batch: Any, *, collate_fn_map: Any = None) -> Any:
    """The arrays as tensors, joined."""
    return collate([adjoint.as_tensor(value) for value in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch: Any, *, collate_fn_map: Any = None) -> Tensor:
    """The numbers of NumPy as a tensor."""
    return adjoint.stack([adjoint.as_tensor(value) for value in batch], 0)


def collate_float_fn(batch: Any, *, collate_fn_map: Any = None) -> Tensor:
    """The numbers as a tensor of float64."""
    return adjoint.tensor(batch, dtype=adjoint.float64)


def collate_int_fn(batch: Any, *, collate_fn_map: Any = None) -> Tensor:
    """The numbers as a tensor."""
    return adjoint.tensor(batch)


def collate_str_fn(batch: Any, *, collate_fn_map: Any = None) -> Any:
    """The strings as they are."""
    return batch


# What a program adds here, `default_collate` knows too. (NumPy's types need no entry.)
default_collate_fn_map: dict[Any, Any] = {
    Tensor: collate_tensor_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}


def default_collate(batch: Any) -> Any:
    """Join a list of samples into a batch, with a new first dimension.

    Tensors are stacked; numbers become a tensor (Python floats float64, ints int64); strings stay
    as they are; mappings, named tuples and sequences are joined entry by entry.

    Raises:
        TypeError: samples of another type.
        RuntimeError: sequences of different lengths, or tensors of different shapes.

    >>> collate = adjoint.utils.data.default_collate
    >>> collate([{"x": 1, "name": "a"}, {"x": 2, "name": "b"}])
    {'x': tensor([1, 2]), 'name': ['a', 'b']}
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)


def _like_mapping(example: Any, values: dict[Any, Any]) -> Any:
    """``values`` as the type of ``example``, where it can be made so."""
    try:
        if isinstance(example, MutableMapping):
            # a copy keeps what else the mapping has, a default_factory say
            clone = copy.copy(example)
            clone.update(values)
            return clone
        return type(example)(values)
    except TypeError:
        return values


def _like_sequence(example: Any, values: list[Any]) -> Any:
    try:
        if isinstance(example, MutableSequence):
            clone = copy.copy(example)
            clone[:] = values
            return clone
        return type(example)(values)
    except TypeError:
        return values
