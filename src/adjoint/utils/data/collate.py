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
    first = batch[0]
    if isinstance(first, Tensor):
        return adjoint.stack(batch, 0)
    kind = _numpy_kind(first)
    if kind == "array":
        return default_collate([adjoint.as_tensor(value) for value in batch])
    if kind == "scalar":
        return adjoint.stack([adjoint.as_tensor(value) for value in batch], 0)
    if isinstance(first, float):
        return adjoint.tensor(batch, dtype=adjoint.float64)
    if isinstance(first, int):
        return adjoint.tensor(batch)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        joined = {key: default_collate([sample[key] for sample in batch]) for key in first}
        return _like_mapping(first, joined)
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(default_collate(values) for values in zip(*batch)))
    if isinstance(first, Sequence):
        lengths = {len(sample) for sample in batch}
        if len(lengths) > 1:
            raise RuntimeError(
                f"the samples of a batch must have the same length, got lengths {sorted(lengths)}"
            )
        columns = [default_collate(values) for values in zip(*batch)]
        return columns if isinstance(first, tuple) else _like_sequence(first, columns)
    raise TypeError(
        "a batch is made of tensors, NumPy arrays, numbers, strings, mappings and sequences, "
        f"got {type(first).__name__}: give the DataLoader a collate_fn"
    )


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
