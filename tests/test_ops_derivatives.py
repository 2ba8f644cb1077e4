"""The test matrix, derivatives: both modes, second order, vmap. All of it is in float64.

The calls are stated per family in tests/ops/cases_<family>.py. `-k tanh` runs one operator,
`-k elementwise` one family.
"""

import pytest
from _backend import NAME

if NAME != "adjoint":
    pytest.skip("the operators of adjoint's own registry", allow_module_level=True)

from ops import matrix
from ops.collect import cases, differentiable, kind
from ops.matrix import assert_close, outputs, tensors_in, with_tensors

import adjoint
from adjoint import _core

# of the older arguments of losses
pytestmark = pytest.mark.filterwarnings("ignore:size_average and")


@cases(differentiable)
def test_reverse_mode_agrees_with_finite_differences(case):
    for call in case.draw():
        if matrix.variables_of(call):
            matrix.check_reverse_mode(case, call)


@cases(differentiable)
def test_forward_mode_agrees_with_finite_differences_and_with_reverse_mode(case):
    for call in case.draw():
        f, xs = matrix.as_function(case, call)
        if not xs:
            continue
        ts, gs = matrix.like(xs, 1), matrix.like(f(*xs), 2)
        tangents = matrix.jvp(f, xs, ts)
        for t, e in zip(tangents, matrix.difference(f, xs, ts), strict=True):
            assert_close(t, e, 1e-6, 1e-7, f"{case.name}{call}")
        there, back = matrix.dot(gs, tangents), matrix.dot(matrix.vjp(f, xs, gs), ts)
        scale = matrix.dot([abs(g) for g in gs], [abs(t) for t in tangents])
        assert abs(there - back) <= 1e-11 * (1 + scale), f"<g, jvp> = <vjp, t> of {case.name}{call}"


@cases(lambda c: differentiable(c) and c.second is True)
def test_the_gradient_has_a_gradient(case):
    """The vjp as a function of the variables and the cotangents, in both modes."""
    for call in case.draw():
        f, xs = matrix.as_function(case, call)
        if not xs:
            continue
        gs = matrix.like(f(*xs), 2)
        n = len(xs)

        def gradient(*args, f=f, n=n):
            return matrix.vjp(f, args[:n], args[n:])

        def recorded(*args, f=f, n=n):
            variables = [
                x if x.requires_grad else _core._alias(x).requires_grad_() for x in args[:n]
            ]
            pairs = [(y, g) for y, g in zip(f(*variables), args[n:]) if y.requires_grad]
            ys, cotangents = zip(*pairs)
            return list(
                adjoint.autograd.grad(
                    ys, variables, cotangents, create_graph=True, materialize_grads=True
                )
            )

        args = [*xs, *gs]
        if not any(y.requires_grad for y in f(*matrix.leaves(xs))):
            continue
        ts, ws = matrix.like(args, 3), matrix.like(xs, 4)
        expected = matrix.difference(gradient, args, ts)
        for t, e in zip(matrix.jvp(recorded, args, ts), expected, strict=True):
            assert_close(t, e, 1e-6, 1e-7, f"forward over reverse, {case.name}{call}")
        numeric = matrix.dot(ws, expected)
        analytic = matrix.dot(matrix.vjp(recorded, args, ws), ts)
        scale = 1 + matrix.dot([abs(w) for w in ws], [abs(e) for e in expected])
        assert abs(analytic - numeric) <= 2e-6 * scale, f"reverse over reverse, {case.name}{call}"


@cases(lambda c: kind(c) == "fused")
def test_the_fast_form_agrees_with_the_definition(case):
    for call in case.draw():
        defined = _core._define(case.name, call.args, call.kwargs)
        for y, e in zip(outputs(matrix.run(case, call)), defined, strict=True):
            assert_close(y, e, 1e-11, 1e-13, f"{case.name}{call}")
        if not differentiable(case):
            continue
        f, xs = matrix.as_function(case, call)
        where = matrix.variables_of(call)

        def definition(*variables, call=call, where=where):
            tensors = tensors_in(call)
            for i, x in zip(where, variables, strict=True):
                tensors[i] = x
            moved = with_tensors(call, tensors)
            ys = _core._define(case.name, moved.args, moved.kwargs)
            return [y for y in ys if matrix.is_float(y)]

        gs = matrix.like(f(*xs), 2)
        pairs = zip(matrix.vjp(f, xs, gs), matrix.vjp(definition, xs, gs), strict=True)
        for g, e in pairs:
            assert_close(g, e, 1e-10, 1e-12, f"gradient of {case.name}{call}")


# vmap.


@cases(lambda c: c.vmap is True and kind(c) != "factory")
def test_vmap_is_a_loop(case):
    """Over all tensors, over each alone, and over the gradient."""
    for one, two in zip(case.draw(0), case.draw(1), strict=True):
        first, second = tensors_in(one), tensors_in(two)
        if not first or any(a.shape != b.shape for a, b in zip(first, second, strict=True)):
            continue
        n = len(first)
        for mapped in [range(n), *((i,) for i in range(n if n > 1 else 0))]:
            check_vmap(case, one, first, second, list(mapped))


def check_vmap(case, call, first, second, mapped):
    dims = [None] * len(first)
    args = list(first)
    for i in mapped:
        dims[i] = -1 if i % 2 else 0  # the batch dim in front, or behind
        args[i] = adjoint.stack([first[i], second[i]], dims[i])
    picked = [first, [b if d is not None else a for a, b, d in zip(first, second, dims)]]

    def values(*tensors):
        return tuple(outputs(matrix.run(case, with_tensors(call, tensors))))

    def gradients(*tensors):
        f, xs = matrix.as_function(case, with_tensors(call, tensors))
        xs = [_core._alias(x).requires_grad_() for x in xs]
        ys = [y for y in f(*xs) if y.requires_grad]
        gs = matrix.like(ys, 2)
        return adjoint.autograd.grad(ys, xs, gs, materialize_grads=True)

    functions = [values]
    if differentiable(case) and values(*matrix.requiring_grad(first))[0].requires_grad:
        functions.append(gradients)
    for f in functions:
        batched = adjoint.func.vmap(f, in_dims=tuple(dims))(*args)
        for b, tensors in enumerate(picked):
            for y, e in zip(batched, f(*tensors), strict=True):
                what = f"{f.__name__} of {case.name}{call}, mapped over {mapped}, element {b}"
                assert y.dtype == e.dtype, what
                assert_close(y[b], e, 1e-11, 1e-13, what)
