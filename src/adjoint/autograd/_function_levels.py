"""`Function.apply` on wrapped inputs: forward mode through `jvp`, vmap through `vmap`.

The innermost level is peeled off the inputs, the function is applied to what they hold, and its
results are wrapped again. What the inputs hold may itself be wrapped or require grad: `apply` sees
to that. If the wrapped inputs require grad too (they are variables of a `grad` inside the level),
the wrapped results get a node, whose `backward` runs on wrapped tensors.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from adjoint import _core
from adjoint._core import Tensor

from ._levels import randomness_of, vmap_level
from .function import (
    Function,
    FunctionCtx,
    VmapInfo,
    _backward_of,
    _no_setup_context,
    new_context,
    record,
    run,
)
from .grad_mode import no_grad


def apply_wrapped(function: Any, args: tuple[Any, ...]) -> Any:
    """`function.apply(*args)` where some of `args` are batched or dual."""
    kind, level = max(
        (_core._describe_level(x)[:2] for x in args if _is_wrapped(x)), key=lambda found: found[1]
    )
    below = _apply_batched if kind == "vmap" else _apply_dual
    outputs = below(function, args, level)
    needs_grad = any(isinstance(x, Tensor) and x.requires_grad for x in args)
    if not needs_grad or not _core.is_grad_enabled():
        return outputs
    _require_setup_context(function)
    if isinstance(outputs, tuple):
        outputs = tuple(_wrapped(y, kind, level, args) for y in outputs)
    else:
        outputs = _wrapped(outputs, kind, level, args)
    ctx = new_context(function, args)
    with no_grad():
        function.setup_context(ctx, args, outputs)
    return record(ctx, args, outputs, recording=True)


def _is_wrapped(x: Any) -> bool:
    return isinstance(x, Tensor) and _core._is_wrapped(x)


def _wrapped(y: Any, kind: str, level: int, args: tuple[Any, ...]) -> Any:
    """A result at `level` even if it does not vary there: its history below must stay as it is."""
    if not isinstance(y, Tensor) or not y.dtype.is_floating_point or _is_at(y, level):
        return y
    if kind == "jvp":
        return _core._make_dual(y, y.new_zeros(y.shape), level)
    size = _batch_size(args, level)
    return _core._add_batch_dim(_core._remove_batch_dim(y, level, size, 0), 0, level)


def _batch_size(args: tuple[Any, ...], level: int) -> int:
    return next(_core._describe_level(x)[2].shape[0] for x in args if _is_at(x, level))


def _is_at(x: Any, level: int) -> bool:
    return _is_wrapped(x) and _core._describe_level(x)[1] == level


def _require_setup_context(function: Any) -> None:
    if function.setup_context is _no_setup_context:
        raise RuntimeError(
            f"{function.__name__} is used inside a function transform, which needs the form "
            "forward(*args) with setup_context(ctx, inputs, output)"
        )


def _refuse_dirty(function: Any, ctx: FunctionCtx) -> None:
    if ctx._dirty:
        raise NotImplementedError(
            f"{function.__name__} marks an input as dirty: a Function that works in place cannot "
            "be used with vmap or in forward mode"
        )


def _apply_dual(function: Any, args: tuple[Any, ...], level: int) -> Any:
    primals: list[Any] = []
    tangents: list[Any] = []
    for x in args:
        if not isinstance(x, Tensor):
            primals.append(x)
            tangents.append(None)
            continue
        primal, tangent = _core._unpack_dual(x, level)
        primals.append(primal)
        tangents.append(primal.new_zeros(primal.shape) if tangent is None else tangent)
    inner = tuple(primals)

    if function.setup_context is _no_setup_context:
        if any(map(_is_wrapped, inner)):
            _require_setup_context(function)
        outputs, ctx = run(function, inner)
    else:
        outputs, ctx = function.apply(*inner), new_context(function, inner)
        with no_grad():
            function.setup_context(ctx, inner, outputs)
    _refuse_dirty(function, ctx)
    ctx._pending = ctx._for_forward or ctx._pending
    out_tangents = function.jvp(ctx, *tangents)

    results = outputs if isinstance(outputs, tuple) else (outputs,)
    if not isinstance(out_tangents, tuple):
        out_tangents = (out_tangents,)
    if len(results) != len(out_tangents):
        raise RuntimeError(
            f"{function.__name__}.jvp returned {len(out_tangents)} tangents "
            f"for {len(results)} results"
        )
    wrapped = tuple(
        y if t is None or not isinstance(y, Tensor) else _core._make_dual(y, t, level)
        for y, t in zip(results, out_tangents)
    )
    return wrapped if isinstance(outputs, tuple) else wrapped[0]


def _apply_batched(function: Any, args: tuple[Any, ...], level: int) -> Any:
    name = function.__name__
    has_rule = function.vmap is not Function.vmap
    if has_rule and function.generate_vmap_rule:
        raise RuntimeError(
            f"{name} has both a vmap staticmethod and generate_vmap_rule=True; keep one of them"
        )
    if not has_rule and not function.generate_vmap_rule:
        raise RuntimeError(
            f"{name} has no rule for vmap: define a vmap staticmethod, or set "
            "generate_vmap_rule=True if its methods are made of operations that can be mapped"
        )
    size = _batch_size(args, level)
    info = VmapInfo(size, randomness_of(level))
    in_dims = _dims_at(args, level)
    inner = _remove_dims(args, in_dims, level, size)
    if function.generate_vmap_rule:
        _require_setup_context(function)
        outputs, out_dims = _Mapped.apply(_Rule(function, in_dims, info), *inner), 0
    else:
        returned = function.vmap(info, in_dims, *inner)
        if not isinstance(returned, tuple) or len(returned) != 2:
            raise RuntimeError(
                f"{name}.vmap must return results and out_dims; got {type(returned).__name__}"
            )
        outputs, out_dims = returned
    return _wrap_outputs(name, outputs, out_dims, level)


def _wrap_outputs(name: str, outputs: Any, out_dims: Any, level: int) -> Any:
    if not isinstance(outputs, tuple):
        return _add_dims((outputs,), (out_dims,), level)[0]
    if not isinstance(out_dims, tuple):
        out_dims = (out_dims,) * len(outputs)
    if len(out_dims) != len(outputs):
        raise RuntimeError(
            f"{name}.vmap returned {len(outputs)} results and {len(out_dims)} out_dims"
        )
    return _add_dims(outputs, out_dims, level)


def _add_dims(values: Any, dims: tuple[int | None, ...], level: int) -> tuple[Any, ...]:
    return tuple(
        x if dim is None or not isinstance(x, Tensor) else _core._add_batch_dim(x, dim, level)
        for x, dim in zip(values, dims)
    )


def _remove_dims(
    values: Any, dims: tuple[int | None, ...], level: int, size: int
) -> tuple[Any, ...]:
    """The tensors with the batch dim where `dims` says; one that is not batched is expanded."""
    return tuple(
        x
        if dim is None or not isinstance(x, Tensor)
        else _core._remove_batch_dim(x, level, size, dim)
        for x, dim in zip(values, dims)
    )


def _dims_at(values: Any, level: int) -> tuple[int | None, ...]:
    return tuple(0 if _is_at(x, level) else None for x in values)


class _Unwrap:
    """Takes the batch dim at `level` out of hiding; gives back what is known as it was."""

    def __init__(self, known: dict[int, Any], level: int, size: int) -> None:
        self._known = known
        self._level = level
        self._size = size

    def __call__(self, x: Tensor | None, dim: int | None) -> Tensor | None:
        if x is None or dim is None or id(x) in self._known:
            return self._known.get(id(x), x)
        return _core._remove_batch_dim(x, self._level, self._size, dim)


def _sum_to(grad: Any, shape: Any) -> Any:
    """A gradient summed over the dims that broadcasting added to an argument of `shape`."""
    if not isinstance(grad, Tensor) or shape is None or grad.shape == shape:
        return grad
    extra = grad.dim() - len(shape)
    if extra < 0:
        return grad
    stretched = [i + extra for i, n in enumerate(shape) if n == 1 and grad.shape[i + extra] != 1]
    dims = [*range(extra), *stretched]
    return grad.sum(dims).reshape(shape) if dims else grad


class _Rule:
    """How a mapped function is made of a function: the first argument of `_Mapped.apply`."""

    def __init__(self, function: Any, in_dims: tuple[int | None, ...], info: VmapInfo) -> None:
        self.function = function
        self.in_dims = in_dims
        self.info = info

    def level(self) -> vmap_level:
        return vmap_level(*self.info)


class _Mapped(Function):
    """A Function mapped over dim 0 of some inputs: each of its methods is the method, mapped."""

    generate_vmap_rule = True  # it may be mapped again

    @staticmethod
    def forward(rule: _Rule, *args: Any) -> Any:
        with rule.level() as level:
            outputs = rule.function.forward(*_add_dims(args, rule.in_dims, level))
            results = outputs if isinstance(outputs, tuple) else (outputs,)
            results = _remove_dims(results, (0,) * len(results), level, rule.info.batch_size)
        return results if isinstance(outputs, tuple) else results[0]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        rule, *args = inputs
        results = output if isinstance(output, tuple) else (output,)
        with rule.level() as level:
            mapped = _add_dims(args, rule.in_dims, level)
            wrapped = _add_dims(results, (0,) * len(results), level)
            inner = new_context(rule.function, mapped)
            inner.needs_input_grad = ctx.needs_input_grad[1:]
            rule.function.setup_context(
                inner, mapped, wrapped if isinstance(output, tuple) else wrapped[0]
            )
            _refuse_dirty(rule.function, inner)
            # What is saved of the arguments and results must be these themselves: they have a
            # history.
            known = {id(w): x for w, x in zip((*mapped, *wrapped), (*args, *results))}
            saved, for_forward = inner._pending or (), inner._for_forward
            ctx.saved_dims = _dims_at(saved, level)
            ctx.forward_dims = _dims_at(for_forward, level)
            keep = _Unwrap(known, level, rule.info.batch_size)
            ctx.save_for_backward(*map(keep, saved, ctx.saved_dims))
            ctx.save_for_forward(*map(keep, for_forward, ctx.forward_dims))
        ctx.mark_non_differentiable(*(known[id(w)] for w in inner._non_differentiable))
        ctx.set_materialize_grads(inner._materialize)
        inner._pending, inner._for_forward, inner._non_differentiable = (), (), ()
        ctx.rule, ctx.inner = rule, inner
        ctx.shapes = [w.shape if isinstance(w, Tensor) else None for w in mapped]

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        rule, inner, saved = ctx.rule, ctx.inner, ctx.saved_tensors
        size = rule.info.batch_size
        with rule.level() as level:
            inner._pending = _add_dims(saved, ctx.saved_dims, level)
            result = _backward_of(rule.function)(inner, *_add_dims(grads, (0,) * len(grads), level))
            inner._pending = ()
            if not isinstance(result, tuple):
                result = (result,)
            result = [_sum_to(g, shape) for g, shape in zip_longest(result, ctx.shapes)]
            whole = _remove_dims(result, (0,) * len(result), level, size)
        # An argument that all elements of the batch share gets the sum of their gradients.
        shared = [dim is None for dim in rule.in_dims] + [False] * len(whole)
        summed = (g.sum(0) if s and isinstance(g, Tensor) else g for g, s in zip(whole, shared))
        return (None, *summed)

    @staticmethod
    def jvp(ctx: Any, _: None, *tangents: Any) -> Any:
        rule, inner = ctx.rule, ctx.inner
        saved = ctx.saved_tensors
        dims = ctx.forward_dims or ctx.saved_dims
        with rule.level() as level:
            inner._pending = _add_dims(saved, dims, level)
            result = rule.function.jvp(inner, *_add_dims(tangents, rule.in_dims, level))
            inner._pending = ()
            results = result if isinstance(result, tuple) else (result,)
            results = _remove_dims(results, (0,) * len(results), level, rule.info.batch_size)
        return results if isinstance(result, tuple) else results[0]
