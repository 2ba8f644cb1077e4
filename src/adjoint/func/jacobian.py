"""Jacobians: a pullback or a pushforward mapped over a basis."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import adjoint
from adjoint._core import Tensor

from ._arguments import Argnums, pick, substitute
from ._pytree import tree_flatten, tree_unflatten
from .batching import vmap
from .forward import jvp
from .reverse import _is_differentiable, record


def jacrev(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:
    """A function that computes the Jacobian of `func` by reverse mode, a pullback per row.

    Args:
        func: takes and returns tensors, or pytrees of tensors.
        argnums: the arguments to differentiate in; a tuple of ints gives a tuple.
        has_aux: `func` returns `(result, aux)`, and the Jacobian comes with aux.
        chunk_size: pullbacks computed at once (all of them by default), to bound memory.

    Returns:
        A function whose result has the structure of the result of `func`, each tensor of shape
        `[*S]` replaced by the structure of the arguments, of tensors of shape `[*S, *argument]`.

    >>> adjoint.func.jacrev(adjoint.sin)(adjoint.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"jacrev: chunk_size must be None or positive, got {chunk_size}")

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        chosen = pick(args, argnums)

        def restricted(primals: Any) -> Any:
            return func(*substitute(args, argnums, primals), **kwargs)

        result, pullback, aux, outer = record(restricted, (chosen,), has_aux)
        outputs, out_spec = tree_flatten(result)
        inputs, in_spec = tree_flatten(chosen)

        def pull(*cotangents: Tensor) -> tuple[Tensor, ...]:
            (grads,) = pullback(tree_unflatten(cotangents, out_spec), create_graph=outer)
            return tuple(tree_flatten(grads)[0])

        # per input: [elements of all outputs, *input]
        if sum(y.numel() for y in outputs) == 1:  # as in a Hessian: nothing to map over
            rows = [g.unsqueeze(0) for g in pull(*map(adjoint.ones_like, outputs))]
        else:
            parts = [vmap(pull)(*basis) for basis in _basis(outputs, chunk_size)]
            rows = [_join(part) for part in zip(*parts)]
        blocks = []
        start = 0
        for y in outputs:
            of_y = (g.narrow(0, start, y.numel()) for g in rows)
            grads = [g.reshape(y.shape + x.shape) for g, x in zip(of_y, inputs)]
            blocks.append(tree_unflatten(grads, in_spec))
            start += y.numel()
        found = tree_unflatten(blocks, out_spec)
        return (found, aux) if has_aux else found

    return jacobian


def jacfwd(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
) -> Callable[..., Any]:
    """A function that computes the Jacobian of `func` by forward mode, a pushforward per column.

    Arguments and result as in `jacrev`; `randomness` as in `vmap`.

    >>> adjoint.func.jacfwd(adjoint.sin)(adjoint.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        chosen = pick(args, argnums)
        inputs, in_spec = tree_flatten(chosen)
        _check_inputs(inputs)

        def restricted(primals: Any) -> Any:
            return func(*substitute(args, argnums, primals), **kwargs)

        def push(*tangents: Tensor) -> tuple[Any, Any]:
            found = jvp(
                restricted, (chosen,), (tree_unflatten(tangents, in_spec),), has_aux=has_aux
            )
            return found[1], found[2] if has_aux else None

        (basis,) = _basis(inputs, None)
        pushed, aux = vmap(push, out_dims=(0, None), randomness=randomness)(*basis)
        columns, out_spec = tree_flatten(pushed)
        blocks = []
        for y in columns:  # [elements of all inputs, *output]
            moved = y.movedim(0, -1)
            blocks.append(tree_unflatten(_split_last(moved, inputs), in_spec))
        found = tree_unflatten(blocks, out_spec)
        return (found, aux) if has_aux else found

    return jacobian


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """A function that computes the Hessian of `func`, forward mode over reverse mode.

    >>> adjoint.func.hessian(lambda x: (x**3).sum())(adjoint.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


def _check_inputs(inputs: Sequence[Any]) -> None:
    for x in inputs:
        if not isinstance(x, Tensor):
            raise ValueError(
                f"a transform differentiates with respect to tensors, got {type(x).__name__}"
            )
        if not _is_differentiable(x):
            raise ValueError(f"jacfwd: the inputs must be floating point or complex, got {x.dtype}")


def _basis(tensors: Sequence[Tensor], chunk_size: int | None) -> Iterator[tuple[Tensor, ...]]:
    """The standard basis of all elements, in chunks: for each tensor `[chunk, *shape]`."""
    total = max(sum(x.numel() for x in tensors), 1)  # a row of nothing, if there is no element
    step = total if chunk_size is None else chunk_size
    for start in range(0, total, step):
        count = min(step, total - start)
        rows, column = [], 0
        for x in tensors:
            block = adjoint.zeros(count, x.numel(), dtype=x.dtype, device=x.device)
            block.diagonal(start - column).fill_(1)
            rows.append(block.reshape(count, *x.shape))
            column += x.numel()
        yield tuple(rows)


def _join(chunks: Sequence[Tensor]) -> Tensor:
    return chunks[0] if len(chunks) == 1 else adjoint.cat(chunks, 0)


def _split_last(x: Tensor, inputs: Sequence[Tensor]) -> list[Tensor]:
    """The last dim of `x`, which counts the elements of all inputs, cut into their shapes."""
    found, start = [], 0
    for given in inputs:
        part = x.narrow(-1, start, given.numel())
        found.append(part.reshape(x.shape[:-1] + given.shape))
        start += given.numel()
    return found
