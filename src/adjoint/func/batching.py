"""`vmap`: a function of one element becomes a function of a batch.

A level is entered, each mapped tensor hides one dim at that level, and the function runs once:
operations work on the whole batch. At the end the hidden dim appears again, where `out_dims` says.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import adjoint
from adjoint import _core
from adjoint._core import Tensor
from adjoint.autograd._levels import vmap_level

from ._pytree import TreeSpec, broadcast_prefix, tree_flatten, tree_unflatten


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """Map `func` over a dim of its arguments.

    Args:
        func: takes and returns tensors, or pytrees of tensors.
        in_dims: the mapped dim: an int for all arguments, or a tuple with an entry for each: an
            int, None (the same for all elements), or a pytree of these. Keyword arguments are never
            mapped.
        out_dims: where the mapped dim appears in the results: an int, or a pytree of ints that
            matches them; None for a result that does not depend on the element.
        randomness: for random numbers drawn in `func`: "error", "different" for each element, or
            "same".
        chunk_size: the number of elements that are computed at once; None for all of them.

    Raises:
        ValueError: `in_dims` or `out_dims` do not fit, the sizes of the mapped dims differ, or a
            result is not a tensor.

    >>> dot = adjoint.func.vmap(adjoint.dot)
    >>> dot(adjoint.ones(3, 2), adjoint.ones(3, 2))
    tensor([2., 2., 2.])
    >>> adjoint.func.vmap(adjoint.dot, in_dims=(None, 1))(adjoint.ones(2), adjoint.ones(2, 3))
    tensor([2., 2., 2.])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"randomness must be 'error', 'different' or 'same', got {randomness!r}")
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size must be None or positive, got {chunk_size}")

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, spec = tree_flatten(args)
        dims = _check_in_dims(leaves, spec, in_dims)
        size = _batch_size(leaves, dims)

        def run(some: list[Any], count: int) -> tuple[list[Any], list[int | None], TreeSpec]:
            with vmap_level(count, randomness) as level:
                hidden = [
                    x if dim is None else _core._add_batch_dim(x, dim, level)
                    for x, dim in zip(some, dims)
                ]
                result = func(*tree_unflatten(hidden, spec), **kwargs)
                return _shown(result, out_dims, level, count)

        if chunk_size is None or chunk_size >= size:
            outputs, _, out_spec = run(leaves, size)
            return tree_unflatten(outputs, out_spec)
        chunks = []
        for start in range(0, size, chunk_size):
            count = min(chunk_size, size - start)
            some = [
                x if dim is None else x.narrow(dim, start, count) for x, dim in zip(leaves, dims)
            ]
            chunks.append(run(some, count))
        _, shown_dims, out_spec = chunks[0]
        columns = zip(*(outputs for outputs, _, _ in chunks))
        joined = [
            column[0] if dim is None else adjoint.cat(column, dim)
            for column, dim in zip(columns, shown_dims)
        ]
        return tree_unflatten(joined, out_spec)

    return mapped


def _check_in_dims(leaves: list[Any], spec: TreeSpec, in_dims: Any) -> list[int | None]:
    """The mapped dim of each leaf, or None."""
    if not isinstance(in_dims, (int, tuple)):
        raise ValueError(
            f"vmap: in_dims must be an int or a tuple matching the inputs, got {in_dims!r}"
        )
    if not leaves:
        raise ValueError("vmap: there are no inputs to map over")
    dims = broadcast_prefix(in_dims, spec)
    if dims is None:
        raise ValueError(
            f"vmap: in_dims={in_dims!r} does not match the structure of the inputs, {spec!r}"
        )
    for x, dim in zip(leaves, dims):
        if dim is None:
            continue
        if not isinstance(dim, int):
            raise ValueError(f"vmap: in_dims must hold ints and None, got {dim!r}")
        if not isinstance(x, Tensor):
            raise ValueError(
                f"vmap: in_dim={dim} for an input of type {type(x).__name__}; "
                "use None for what is not a tensor"
            )
        if not -x.dim() <= dim < x.dim():
            raise ValueError(f"vmap: in_dim={dim} for an input of {x.dim()} dims")
    return dims


def _batch_size(leaves: list[Any], dims: list[int | None]) -> int:
    sizes = [x.shape[dim] for x, dim in zip(leaves, dims) if dim is not None]
    if not sizes:
        raise ValueError("vmap: at least one input must be mapped, but in_dims is None for all")
    if len(set(sizes)) > 1:
        raise ValueError(f"vmap: the mapped dims must have the same size, got {sizes}")
    return sizes[0]


def _shown(
    result: Any, out_dims: Any, level: int, size: int
) -> tuple[list[Any], list[int | None], TreeSpec]:
    """The results with the hidden dim where `out_dims` says, as leaves with their dims and spec."""
    outputs, spec = tree_flatten(result)
    one = spec.kind is None and isinstance(out_dims, tuple) and len(out_dims) == 1
    dims = list(out_dims) if one else broadcast_prefix(out_dims, spec)
    if dims is None:
        raise ValueError(
            f"vmap: out_dims={out_dims!r} does not match the structure of the result, {spec!r}"
        )
    shown = []
    for y, dim in zip(outputs, dims):
        if dim is not None and not isinstance(dim, int):
            raise ValueError(f"vmap: out_dims must hold ints and None, got {dim!r}")
        if dim is None:
            if isinstance(y, Tensor) and _is_batched(y, level):
                raise ValueError("vmap: out_dim is None for a result that depends on the element")
            shown.append(y)
        elif isinstance(y, Tensor):
            shown.append(_core._remove_batch_dim(y, level, size, dim))
        else:
            raise ValueError(
                f"vmap: the function must return tensors only, got {type(y).__name__}; "
                "out_dims=None passes anything that does not depend on the element"
            )
    return shown, dims, spec


def _is_batched(x: Tensor, level: int) -> bool:
    return _core._is_wrapped(x) and _core._describe_level(x)[1] == level
