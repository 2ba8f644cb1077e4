"""Forward mode as function transforms: `jvp` and `linearize`.

A level is entered, the arguments become dual tensors of that level (a primal and a tangent), and
what the function returns is unpacked again. A dual of another level passes through as any tensor
does, so nested perturbations stay apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adjoint import _core
from adjoint._core import Tensor
from adjoint.autograd._levels import jvp_level

from ._pytree import tree_flatten, tree_map, tree_unflatten
from .reverse import _is_differentiable, _is_tracked, _split_aux, record, vjp


def jvp(
    func: Callable[..., Any],
    primals: tuple[Any, ...],
    tangents: tuple[Any, ...],
    *,
    strict: bool = False,
    has_aux: bool = False,
) -> Any:
    """Run `func`, and push tangents forward through it: a Jacobian-vector product.

    Args:
        func: takes and returns tensors, or pytrees of tensors.
        primals: the arguments, as a tuple.
        tangents: of the structure, shapes and dtypes of `primals`.
        strict: an error, in place of a zero tangent, if a result does not depend on the arguments.
        has_aux: `func` returns `(result, aux)`.

    Returns:
        `(result, tangent of the result)`, or `(result, tangent, aux)`.

    >>> adjoint.func.jvp(adjoint.sin, (adjoint.zeros(2),), (adjoint.tensor([1.0, 2.0]),))
    (tensor([0., 0.]), tensor([1., 2.]))
    """
    leaves, spec = _checked_pair(primals, tangents)
    with jvp_level() as level:
        duals = [_core._make_dual(x, t, level) for x, t in leaves]
        result = func(*tree_unflatten(duals, spec))
        result, aux = _split_aux("jvp", result, has_aux)
        outputs, out_spec = tree_flatten(result)
        values, pushed = [], []
        for y in outputs:
            if not isinstance(y, Tensor):
                raise RuntimeError(
                    f"jvp: the function must return tensors only, got {type(y).__name__}"
                )
            value, tangent = _core._unpack_dual(y, level)
            if tangent is None and strict:
                raise RuntimeError(
                    "jvp: a result does not depend on the arguments, which strict=True forbids"
                )
            values.append(value)
            pushed.append(value.new_zeros(value.shape) if tangent is None else tangent)
        aux = tree_map(
            lambda x: _core._unpack_dual(x, level)[0] if isinstance(x, Tensor) else x, aux
        )
    found = tree_unflatten(values, out_spec), tree_unflatten(pushed, out_spec)
    return (*found, aux) if has_aux else found


def _checked_pair(primals: Any, tangents: Any) -> tuple[list[tuple[Tensor, Tensor]], Any]:
    for name, value in (("primals", primals), ("tangents", tangents)):
        if not isinstance(value, tuple):
            raise RuntimeError(f"jvp: {name} must be a tuple, got {type(value).__name__}")
    flat, spec = tree_flatten(primals)
    flat_tangents, tangent_spec = tree_flatten(tangents)
    if spec != tangent_spec:
        raise RuntimeError(
            f"jvp: primals and tangents must have the same structure: {spec!r} and {tangent_spec!r}"
        )
    if not flat:
        raise RuntimeError("jvp: primals must contain at least one tensor")
    for x, t in zip(flat, flat_tangents):
        for name, value in (("primals", x), ("tangents", t)):
            if not isinstance(value, Tensor):
                raise RuntimeError(
                    f"jvp: {name} must contain tensors only, got {type(value).__name__}"
                )
        if not _is_differentiable(x):
            raise ValueError(f"jvp: primals must be floating point or complex, got {x.dtype}")
        if x.shape != t.shape:
            raise RuntimeError(
                f"jvp: a tangent must have the shape of its primal, {tuple(x.shape)}; "
                f"got {tuple(t.shape)}"
            )
    return list(zip(flat, flat_tangents)), spec


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """Run `func` once, and return its result with its derivative there, a linear function.

    For tangents of the structure of `primals`, `pushforward(*tangents)` is what `jvp` computes,
    without running `func` again. The pullback of `func` is linear in the cotangents, so its own
    pullback is the derivative of `func`: it is transposed twice.

    >>> y, pushforward = adjoint.func.linearize(adjoint.sin, adjoint.zeros(2))
    >>> pushforward(adjoint.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    result, pullback, _, outer = record(func, primals, has_aux=False)
    _, transposed = vjp(pullback, tree_map(lambda y: y.new_zeros(y.shape), result))
    sizes = [x.shape for x in tree_flatten(primals)[0]]

    def pushforward(*tangents: Any) -> Any:
        flat, _ = tree_flatten(tangents)
        for position, (t, size) in enumerate(zip(flat, sizes)):
            if t.shape != size:
                raise RuntimeError(
                    f"tangent {position} must have the shape of its primal, {tuple(size)}; "
                    f"got {tuple(t.shape)}"
                )
        tracked = outer or any(map(_is_tracked, flat))
        create_graph = tracked and _core.is_grad_enabled()
        (pushed,) = transposed(tangents, create_graph=create_graph)
        return pushed

    return result, pushforward
