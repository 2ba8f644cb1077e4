"""Reverse mode as function transforms: `grad` and `vjp`.

The arguments become fresh variables, the function runs on them recorded, and the engine runs from
its results back to the variables. Nothing else is needed for nesting: two differentiations never
share a variable, and a variable is a differentiable alias of the argument, so that an outer
differentiation sees through it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from adjoint import _core
from adjoint._core import Tensor
from adjoint.autograd.grad_mode import enable_grad, no_grad

from ._arguments import Argnums, pick, substitute
from ._pytree import tree_flatten, tree_map, tree_unflatten


def grad(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that computes the gradient of `func` in the arguments that `argnums` names.

    Args:
        func: returns a tensor without dims, or a tuple of it and anything else if `has_aux`.
        argnums: an int, or a tuple of ints: then the gradients come as a tuple. The arguments are
            tensors, or pytrees (dicts, lists, tuples) of tensors, and so are the gradients.
        has_aux: `func` returns `(value, aux)`; the result is `(gradient, aux)`.

    Raises:
        RuntimeError: `func` does not return a scalar tensor, or `argnums` does not fit the
            arguments.

    >>> square = adjoint.func.grad(lambda x: x * x)
    >>> square(adjoint.tensor(3.0))
    tensor(6.)
    >>> adjoint.func.grad(adjoint.func.grad(lambda x: x**3))(adjoint.tensor(2.0))
    tensor(12.)
    """

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        grads, _, aux = _differentiate(func, argnums, has_aux, args, kwargs)
        return (grads, aux) if has_aux else grads

    return gradient


def grad_and_value(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """As `grad`; the result is `(gradient, value)`, or `(gradient, (value, aux))` if `has_aux`.

    >>> adjoint.func.grad_and_value(lambda x: x * x)(adjoint.tensor(3.0))
    (tensor(6.), tensor(9.))
    """

    @functools.wraps(func)
    def gradient_and_value(*args: Any, **kwargs: Any) -> Any:
        grads, value, aux = _differentiate(func, argnums, has_aux, args, kwargs)
        return grads, (value, aux) if has_aux else value

    return gradient_and_value


def value_and_grad(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """As `grad_and_value`, in the order `(value, gradient)`, or `((value, aux), gradient)`.

    >>> adjoint.func.value_and_grad(lambda x: x * x)(adjoint.tensor(3.0))
    (tensor(9.), tensor(6.))
    """

    @functools.wraps(func)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        grads, value, aux = _differentiate(func, argnums, has_aux, args, kwargs)
        return (value, aux) if has_aux else value, grads

    return value_and_gradient


def _differentiate(
    func: Callable[..., Any], argnums: Argnums, has_aux: bool, args: tuple[Any, ...], kwargs: Any
) -> tuple[Any, Tensor, Any]:
    """The gradients, value and auxiliary result of a scalar function."""
    primals, spec = tree_flatten(pick(args, argnums))
    variables = [_variable(x) for x in primals]
    with enable_grad():
        value = func(*substitute(args, argnums, tree_unflatten(variables, spec)), **kwargs)
    value, aux = _split_aux("grad", value, has_aux)
    if not isinstance(value, Tensor):
        raise RuntimeError(f"grad: the function must return a tensor, got {type(value).__name__}")
    if value.dim() != 0:
        raise RuntimeError(
            f"grad: the function must return a scalar tensor (0 dims), got shape "
            f"{tuple(value.shape)}; vjp and jacrev differentiate functions of other shapes"
        )
    outer = _seen_from_outside(primals, [value], variables)
    grads = _pull([value], [None], variables, outer, retain_graph=outer)
    if not outer:
        value, aux = tree_map(_detached, (value, aux))
    return tree_unflatten(grads, spec), value, aux


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Run `func`, and return its result with the function that pulls cotangents back through it.

    Args:
        func: takes and returns tensors, or pytrees of tensors.
        primals: the arguments.
        has_aux: `func` returns `(result, aux)`.

    Returns:
        `(result, pullback)`, or `(result, pullback, aux)`. `pullback(cotangents)`, for cotangents
        of the structure and shapes of the result, is a tuple: the vector-Jacobian product for each
        of `primals`. It may be called any number of times.

    >>> y, pullback = adjoint.func.vjp(adjoint.sin, adjoint.zeros(2))
    >>> pullback(adjoint.tensor([1.0, 2.0]))
    (tensor([1., 2.]),)
    """
    result, pullback, aux, _ = record(func, primals, has_aux)
    return (result, pullback, aux) if has_aux else (result, pullback)


def record(
    func: Callable[..., Any], primals: tuple[Any, ...], has_aux: bool
) -> tuple[Any, Callable[..., Any], Any, bool]:
    """What `vjp` returns, and whether anyone may differentiate through the result again."""
    leaves, spec = tree_flatten(primals)
    variables = [_variable(x) for x in leaves]
    with enable_grad():
        result = func(*tree_unflatten(variables, spec))
    result, aux = _split_aux("vjp", result, has_aux)
    outputs, out_spec = tree_flatten(result)
    for y in outputs:
        if not isinstance(y, Tensor):
            raise RuntimeError(
                f"vjp: the function must return tensors only, got {type(y).__name__}"
            )
        if not _is_differentiable(y):
            raise RuntimeError(f"vjp: the results must be floating point or complex, got {y.dtype}")
    outer = _seen_from_outside(leaves, outputs, variables)

    def pullback(
        cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None
    ) -> tuple[Any, ...]:
        given, given_spec = tree_flatten(cotangents)
        if given_spec != out_spec:
            raise RuntimeError(
                "the cotangents must have the structure of the result: "
                f"got {given_spec!r} for {out_spec!r}"
            )
        if create_graph is None:
            create_graph = _core.is_grad_enabled() and (outer or any(map(_is_tracked, given)))
        grads = _pull(outputs, given, variables, create_graph, retain_graph)
        return tree_unflatten(grads, spec)

    if not outer:
        result, aux = tree_map(_detached, (result, aux))
    return result, pullback, aux, outer


def _variable(x: Any) -> Tensor:
    """A fresh tensor that requires grad; the gradient goes on to `x` if that does too."""
    if not isinstance(x, Tensor):
        raise ValueError(
            f"a transform differentiates with respect to tensors, got {type(x).__name__}"
        )
    linked = _core.is_grad_enabled() or _core._is_wrapped(x)
    variable = _core._alias(x) if linked else x.detach()
    return variable if variable.requires_grad else variable.requires_grad_()


def _pull(
    outputs: Sequence[Tensor],
    cotangents: Sequence[Tensor | None],
    variables: Sequence[Tensor],
    create_graph: bool,
    retain_graph: bool,
) -> list[Tensor]:
    """The gradients of the variables, zeros for one that the outputs do not depend on."""
    pairs = [(y, g) for y, g in zip(outputs, cotangents) if y.requires_grad]
    grads: Sequence[Tensor | None] = [None] * len(variables)
    if pairs:
        sources, starts = zip(*pairs)
        grads = _core._run_backward(
            sources, starts, retain_graph, create_graph, tuple(variables), False, True
        )
    return [x.new_zeros(x.shape) if g is None else g for x, g in zip(variables, grads)]


def _seen_from_outside(
    primals: Sequence[Tensor], outputs: Sequence[Tensor], variables: Sequence[Tensor]
) -> bool:
    """Whether anyone may differentiate through the outputs or the gradients again.

    So it is if a primal requires grad, or something that the function uses besides its arguments.
    A wrapped tensor has a history of its own, and what it holds has another: all are looked at.
    """
    if not _core.is_grad_enabled():
        return False
    while True:
        if any(x.requires_grad for x in primals):
            return True
        if not _core._graph_reaches_only(tuple(outputs), tuple(variables)):
            return True
        level = max(map(_level, outputs), default=0)
        if level == 0:
            return False
        primals, outputs, variables = (
            [part for x in tensors for part in _held(x, level)]
            for tensors in (primals, outputs, variables)
        )


def _level(x: Tensor) -> int:
    return _core._describe_level(x)[1] if _core._is_wrapped(x) else 0


def _held(x: Tensor, level: int) -> tuple[Tensor, ...]:
    """What `x` holds if it is wrapped at `level`; otherwise itself."""
    if _level(x) != level:
        return (x,)
    kind, _, value = _core._describe_level(x)
    if kind == "vmap":
        return (value,)
    return tuple(part for part in _core._unpack_dual(x, level) if part is not None)


def _is_tracked(x: Tensor) -> bool:
    """Whether `x` requires grad, on any level."""
    level = _level(x)
    below = level > 0 and any(map(_is_tracked, _held(x, level)))
    return x.requires_grad or below


def _detached(x: Any) -> Any:
    """Without the histories that end at the variables."""
    if not isinstance(x, Tensor):
        return x
    if not _core._is_wrapped(x):
        return x.detach()
    with no_grad():  # on every level; tangents stay
        return _core._alias(x)


def _is_differentiable(x: Tensor) -> bool:
    return x.dtype.is_floating_point or x.dtype.is_complex


def _split_aux(name: str, result: Any, has_aux: bool) -> tuple[Any, Any]:
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise RuntimeError(f"{name}: with has_aux=True the function must return (result, aux)")
    return result
