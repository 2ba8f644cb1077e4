"""`gradcheck` and `gradgradcheck`: derivatives against finite differences.

The numerical Jacobian is `(f(x + eps) - f(x - eps)) / (2 eps)` for each element of each input;
reverse mode gives its rows, forward mode its columns. The fast mode compares one random number `v^T
J u` instead. A complex number counts as two real ones, its real and imaginary parts.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import adjoint
from adjoint import _core
from adjoint._core import Tensor

from .function import Function

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]

Tensors = tuple[Tensor, ...]


class GradcheckError(RuntimeError):
    """A derivative is wrong: the message says which, and by how much."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Compare the derivatives of `func` with central differences.

    Args:
        func: takes `*inputs`, returns a tensor or a tuple.
        inputs: a tensor or a tuple; those that require grad are checked, and should be float64
            or complex128.
        eps: the step of the differences.
        atol, rtol: an error is `|a - n| > atol + rtol * |n|`.
        raise_exception: raise on failure; otherwise return False.
        nondet_tol: the difference allowed between two runs of the same backward.
        check_undefined_grad: check that backward copes with results that have no gradient.
        check_grad_dtypes: check that gradients have the dtype of their inputs.
        check_batched_grad: check `vmap` over the backward.
        check_batched_forward_grad: check `vmap` over the forward mode.
        check_forward_ad: check forward mode.
        check_backward_ad: check reverse mode.
        fast_mode: compare a random projection of the Jacobian, in place of all of it.
        masked: accepted and ignored.

    Raises:
        GradcheckError: a check failed.
        ValueError: no input requires grad.

    >>> x = adjoint.rand(3, dtype=adjoint.float64, requires_grad=True)
    >>> adjoint.autograd.gradcheck(adjoint.sin, x, check_forward_ad=True)
    True
    """
    if not check_forward_ad and not check_backward_ad:
        raise ValueError("gradcheck: check_forward_ad and check_backward_ad are both False")
    if check_batched_forward_grad and not check_forward_ad:
        raise ValueError("gradcheck: check_batched_forward_grad needs check_forward_ad=True")
    call = _Call(func, inputs)
    tolerance = (atol, rtol)
    try:
        compare = _check_fast if fast_mode else _check_slow
        compare(call, eps, tolerance, check_backward_ad, check_forward_ad)
        if check_backward_ad:
            _check_repeated(call, nondet_tol)
            _check_zero_cotangent(call)
            if check_grad_dtypes:
                _check_dtypes(call)
            if check_undefined_grad:
                _check_undefined(call)
            if check_batched_grad:
                _check_batched_backward(call, tolerance)
        if check_batched_forward_grad:
            _check_batched_forward(call, tolerance)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Compare the derivatives of the gradient of `func` with central differences.

    Args:
        grad_outputs: cotangents of the outputs, random by default; those that require grad are
            differentiated in too.
        gen_non_contig_grad_outputs: make the random cotangents non-contiguous.
        check_fwd_over_rev: differentiate the gradient by forward mode.
        check_rev_over_rev: differentiate it by reverse mode.

    Others, and errors, are as in `gradcheck`.

    >>> x = adjoint.rand(3, dtype=adjoint.float64, requires_grad=True)
    >>> adjoint.autograd.gradgradcheck(adjoint.sin, x)
    True
    """
    given = _as_tuple(inputs)
    wanted = [i for i, x in enumerate(given) if isinstance(x, Tensor) and x.requires_grad]
    if grad_outputs is None:
        outputs = _differentiable(func(*given))
        cotangents = tuple(_random_cotangent(y, gen_non_contig_grad_outputs) for y in outputs)
    else:
        cotangents = _as_tuple(grad_outputs)

    def gradient(*args: Any) -> Tensors:
        with adjoint.enable_grad():
            xs = list(args[: len(given)])
            for i in wanted:  # forward mode passes duals that are no variables yet
                xs[i] = xs[i] if xs[i].requires_grad else _core._alias(xs[i]).requires_grad_()
            outputs = _differentiable(func(*xs))
            variables = tuple(xs[i] for i in wanted)
            grads = _core._run_backward(
                outputs, args[len(given) :], True, True, variables, False, True
            )
        return tuple(g for g in grads if g is not None)

    return gradcheck(
        gradient,
        given + cotangents,
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
        fast_mode=fast_mode,
        masked=masked,
    )


class _Call:
    """A function and its arguments, and what is to be differentiated among them."""

    def __init__(self, func: Callable[..., Any], inputs: Any) -> None:
        self.func = func
        self.args = _as_tuple(inputs)
        self.wanted = [
            i for i, x in enumerate(self.args) if isinstance(x, Tensor) and x.requires_grad
        ]
        self.variables: Tensors = tuple(self.args[i] for i in self.wanted)
        _check_inputs(self.args, self.wanted)
        floats = {
            o: y.requires_grad
            for o, y in enumerate(_as_tuple(func(*self.args)))
            if isinstance(y, Tensor) and (y.dtype.is_floating_point or y.dtype.is_complex)
        }
        # What requires grad; if nothing does, all derivatives must be zero.
        self._kept = [o for o, has_grad in floats.items() if has_grad] or list(floats)

    def _outputs(self, args: Sequence[Any]) -> Tensors:
        found = _as_tuple(self.func(*args))
        return tuple(found[o] for o in self._kept)

    def outputs(self) -> Tensors:
        """The results whose derivatives are checked."""
        return self._outputs(self.args)

    def values(self) -> Tensors:
        return tuple(y.detach().clone() for y in self.outputs())

    def pull(self, outputs: Tensors, cotangents: Sequence[Tensor | None]) -> Tensors:
        """The gradients of the variables."""
        pairs = [(y, g) for y, g in zip(outputs, cotangents) if g is not None and y.requires_grad]
        grads: Sequence[Tensor | None] = (None,) * len(self.variables)
        if pairs:
            sources, starts = zip(*pairs)
            grads = _core._run_backward(sources, starts, True, False, self.variables, False, True)
        return tuple(
            adjoint.zeros_like(x) if g is None else g for x, g in zip(self.variables, grads)
        )

    def push(self, tangents: Sequence[Tensor]) -> Tensors:
        """The tangents of the results."""
        from adjoint.func import jvp

        def restricted(*variables: Tensor) -> Tensors:
            args = list(self.args)
            for i, x in zip(self.wanted, variables):
                args[i] = x
            return self._outputs(args)

        primals = tuple(x.detach() for x in self.variables)
        return jvp(restricted, primals, tuple(tangents))[1]


def _check_inputs(args: tuple[Any, ...], wanted: Sequence[int]) -> None:
    if not wanted:
        raise ValueError("gradcheck: at least one input must be a tensor with requires_grad=True")
    for i in wanted:
        x = args[i]
        if x.dtype not in (adjoint.float64, adjoint.complex128):
            warnings.warn(
                f"gradcheck: input {i} has dtype {x.dtype}; finite differences need float64 or "
                "complex128",
                stacklevel=4,
            )
        if any(size > 1 and stride == 0 for size, stride in zip(x.shape, x.stride())):
            raise RuntimeError(
                f"gradcheck: elements of input {i} share memory, so none can be changed alone; "
                "pass a contiguous copy"
            )
        if not x.is_leaf:
            x.retain_grad()


def _check_slow(
    call: _Call, eps: float, tolerance: tuple[float, float], backward: bool, forward: bool
) -> None:
    numerical = _numerical_jacobians(
        call, eps
    )  # [input][output]: [output elements, input elements]
    if backward:
        outputs = call.outputs()
        for o, y in enumerate(outputs):
            rows = [call.pull((y,), (cotangent,)) for cotangent in _basis(y)]
            for i, x in enumerate(call.variables):
                analytical = _stack([_flat(row[i]) for row in rows], 0, 0, _count(x))
                _compare("reverse", o, i, numerical[i][o], analytical, tolerance)
    if forward:
        for i, x in enumerate(call.variables):
            columns = [call.push(_placed(call, i, tangent)) for tangent in _basis(x)]
            for o, expected in enumerate(numerical[i]):
                analytical = _stack(
                    [_flat(column[o]) for column in columns], 1, expected.shape[0], 0
                )
                _compare("forward", o, i, expected, analytical, tolerance)


def _numerical_jacobians(call: _Call, eps: float) -> list[list[Tensor]]:
    sizes = [_count(y) for y in call.values()]
    jacobians = []
    for x in call.variables:
        data = x.detach()  # written in place, so that func sees it however it gets at x
        columns = []
        for index in itertools.product(*map(range, x.shape)):
            for unit in _units(x):
                columns.append(_difference(call, data, data[index], unit, eps))
        jacobians.append(
            [_stack([c[o] for c in columns], 1, size, 0) for o, size in enumerate(sizes)]
        )
    return jacobians


def _difference(
    call: _Call, data: Tensor, entry: Tensor, direction: Tensor | complex, eps: float
) -> list[Tensor]:
    """The central difference of each output, flat, for a step of `entry` along `direction`."""
    before = entry.clone()
    step = direction * eps
    try:
        with adjoint.no_grad():
            entry.copy_(before + step)
        above = call.values()
        with adjoint.no_grad():
            entry.copy_(before - step)
        below = call.values()
    finally:
        with adjoint.no_grad():
            entry.copy_(before)
    return [_flat((a - b) / (2 * eps)) for a, b in zip(above, below)]


def _check_fast(
    call: _Call, eps: float, tolerance: tuple[float, float], backward: bool, forward: bool
) -> None:
    """Compare `v^T J u` for random unit vectors; on failure the slow check finds the element."""
    outputs = call.outputs()
    vs = [_random_unit(y) for y in outputs]
    us = [_random_unit(x) for x in call.variables]
    modes = {"reverse": backward, "forward": forward}
    for i, (x, u) in enumerate(zip(call.variables, us)):
        data = x.detach()
        differences = _difference(call, data, data, u, eps)
        outputs = call.outputs()
        for o, v in enumerate(vs):
            numerical = (differences[o] * _flat(v)).sum()
            # Errors of atol in each element of J add up to this.
            atol = tolerance[0] * float(_flat(u).sum()) * float(_flat(v).sum())
            for mode in (name for name, wanted in modes.items() if wanted):
                if mode == "reverse":
                    analytical = (_flat(call.pull((outputs[o],), (v,))[i]) * _flat(u)).sum()
                else:
                    analytical = (_flat(call.push(_placed(call, i, u))[o]) * _flat(v)).sum()
                if not _close(analytical, numerical, atol, tolerance[1]):
                    _check_slow(call, eps, tolerance, mode == "reverse", mode == "forward")
                    raise GradcheckError(
                        f"{mode} mode, output {o}, input {i}: a random projection of the Jacobian "
                        f"is {float(numerical)} numerically and {float(analytical)} analytically, "
                        "though no element is outside the tolerance"
                    )


def _compare(
    mode: str,
    o: int,
    i: int,
    numerical: Tensor,
    analytical: Tensor,
    tolerance: tuple[float, float],
) -> None:
    if not _close(analytical, numerical, *tolerance):
        raise GradcheckError(
            f"{mode} mode: the Jacobian of output {o} with respect to input {i} is\n"
            f"numerical: {numerical}\nanalytical: {analytical}\n"
            f"(rows: elements of the output; columns: elements of the input)"
        )


def _check_repeated(call: _Call, nondet_tol: float) -> None:
    outputs = call.outputs()
    for o, y in enumerate(outputs):
        v = _random_unit(y)
        for i, (first, second) in enumerate(zip(call.pull((y,), (v,)), call.pull((y,), (v,)))):
            if not _close(first, second, nondet_tol, 0.0):
                worst = float((first - second).abs().max())
                raise GradcheckError(
                    f"backward is not deterministic: two runs of it, for output {o} and input {i}, "
                    f"differ by {worst}, more than nondet_tol={nondet_tol}"
                )


def _check_zero_cotangent(call: _Call) -> None:
    outputs = call.outputs()
    zeros = tuple(adjoint.zeros_like(y) for y in outputs)
    for i, g in enumerate(call.pull(outputs, zeros)):
        if not bool((g == 0).all()):
            raise GradcheckError(
                f"backward is not linear: for cotangents of zeros the gradient of input {i} is {g}"
            )


def _check_dtypes(call: _Call) -> None:
    outputs = call.outputs()
    grads = call.pull(outputs, tuple(adjoint.ones_like(y) for y in outputs))
    for i, (x, g) in enumerate(zip(call.variables, grads)):
        if g.dtype != x.dtype:
            raise GradcheckError(f"the gradient of input {i} has dtype {g.dtype}, not {x.dtype}")


class _NoGradient(Function):
    """The identity, whose backward returns no gradient at all."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> None:
        return None


def _check_undefined(call: _Call) -> None:
    """All results without a gradient, then each of several in turn."""
    count = sum(y.requires_grad for y in call.outputs())
    choices: list[set[int]] = [set(range(count))]
    choices += [{o} for o in range(count)] if count > 1 else []
    for absent in choices:
        outputs = tuple(y for y in call.outputs() if y.requires_grad)
        outputs = tuple(_NoGradient.apply(y) if o in absent else y for o, y in enumerate(outputs))
        try:
            grads = call.pull(outputs, tuple(adjoint.ones_like(y) for y in outputs))
        except RuntimeError as error:
            raise GradcheckError(
                "backward does not cope with a result that has no gradient (its gradient is None)"
            ) from error
        if len(absent) == count and any(bool((g != 0).any()) for g in grads):
            raise GradcheckError(
                "no result has a gradient, but the gradient of an input is not zero"
            )


def _check_batched_backward(call: _Call, tolerance: tuple[float, float]) -> None:
    from adjoint.func import vmap

    outputs = tuple(y for y in call.outputs() if y.requires_grad)
    for y in outputs:
        cotangents = adjoint.stack([adjoint.randn_like(y) for _ in range(2)])
        one_by_one = [call.pull((y,), (g,)) for g in cotangents]
        at_once = _batched(vmap(lambda g, y=y: call.pull((y,), (g,))), cotangents, "backward")
        _compare_batched("backward", at_once, one_by_one, tolerance)


def _check_batched_forward(call: _Call, tolerance: tuple[float, float]) -> None:
    from adjoint.func import vmap

    for i, x in enumerate(call.variables):
        tangents = adjoint.stack([adjoint.randn_like(x) for _ in range(2)])
        one_by_one = [call.push(_placed(call, i, t)) for t in tangents]
        at_once = _batched(
            vmap(lambda t, i=i: call.push(_placed(call, i, t))), tangents, "forward mode"
        )
        _compare_batched("forward mode", at_once, one_by_one, tolerance)


def _batched(function: Callable[[Tensor], Tensors], vectors: Tensor, what: str) -> Tensors:
    try:
        return function(vectors)
    except RuntimeError as error:
        raise GradcheckError(f"vmap over the {what} failed: {error}") from error


def _compare_batched(
    what: str, at_once: Tensors, one_by_one: Sequence[Tensors], tolerance: tuple[float, float]
) -> None:
    for i, batch in enumerate(at_once):
        for b, single in enumerate(one_by_one):
            if not _close(batch[b], single[i], *tolerance):
                raise GradcheckError(
                    f"vmap over the {what}: element {b} of result {i} is {batch[b]}, "
                    f"but without vmap {single[i]}"
                )


def _placed(call: _Call, position: int, tangent: Tensor) -> Tensors:
    """Tangents of the variables: zeros but for one."""
    return tuple(
        tangent if i == position else adjoint.zeros_like(x) for i, x in enumerate(call.variables)
    )


def _units(x: Tensor) -> tuple[complex, ...]:
    return (1.0, 1j) if x.dtype.is_complex else (1.0,)


def _flat(x: Tensor) -> Tensor:
    """All numbers in one dim; of complex ones the two parts."""
    return (adjoint.view_as_real(x) if x.dtype.is_complex else x).reshape(-1)


def _count(x: Tensor) -> int:
    return x.numel() * len(_units(x))


def _basis(x: Tensor) -> Iterator[Tensor]:
    for index in itertools.product(*map(range, x.shape)):
        for unit in _units(x):
            vector = adjoint.zeros(x.shape, dtype=x.dtype, device=x.device)
            vector[index] = unit
            yield vector


def _stack(vectors: Sequence[Tensor], dim: int, rows: int, columns: int) -> Tensor:
    if vectors:
        return adjoint.stack(list(vectors), dim)
    return adjoint.zeros(rows, columns, dtype=adjoint.float64)


def _random_unit(x: Tensor) -> Tensor:
    vector = adjoint.rand(x.shape, dtype=x.dtype, device=x.device)
    length = float(_flat(vector).square().sum()) ** 0.5
    return vector / length if length else vector


def _random_cotangent(y: Tensor, non_contiguous: bool) -> Tensor:
    g = adjoint.randn(y.shape, dtype=y.dtype, device=y.device)
    if non_contiguous:
        g = adjoint.stack([g, g], -1)[..., 0]
    return g.detach().requires_grad_()


def _close(a: Tensor, b: Tensor, atol: float, rtol: float) -> bool:
    return bool(((a - b).abs() <= atol + rtol * b.abs()).all())


def _as_tuple(values: Any) -> tuple[Any, ...]:
    if isinstance(values, (tuple, list)):
        return tuple(values)
    return (values,)


def _differentiable(outputs: Any) -> Tensors:
    return tuple(y for y in _as_tuple(outputs) if isinstance(y, Tensor) and y.requires_grad)
