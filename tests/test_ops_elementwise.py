"""The test matrix, elementwise operators: shapes, dtypes and special values.

The calls are stated per family in tests/ops/cases_<family>.py. `-k tanh` runs one operator,
`-k elementwise` one family.
"""

import itertools

import numpy as np
import pytest
from _backend import NAME

if NAME != "adjoint":
    pytest.skip("the operators of adjoint's own registry", allow_module_level=True)

from ops import matrix
from ops.case import S
from ops.collect import cases, differentiable
from ops.matrix import assert_close, tensors_in, torch, with_tensors

import adjoint


@cases(matrix.is_elementwise)
def test_operands_broadcast(case):
    for call in itertools.islice(case.draw(), 2):
        for small in matrix.broadcast_calls(call):
            tensors = tensors_in(small)
            shape = np.broadcast_shapes(*(tuple(x.shape) for x in tensors))
            whole = with_tensors(small, [x.expand(shape).clone() for x in tensors])
            y, e = matrix.run(case, small), matrix.run(case, whole)
            assert_close(y, e, 1e-12, 1e-14, f"{case.name}{small}")
            if differentiable(case):
                matrix.check_reverse_mode(case, small)


@cases(matrix.is_elementwise)
def test_operands_may_be_empty_or_have_no_dims(case):
    for call in case.draw():
        for resized in matrix.resized_calls(call):
            y = matrix.run(case, resized)
            assert y.shape == tensors_in(resized)[0].shape
            if differentiable(case):
                matrix.check_reverse_mode(case, resized)


@cases(matrix.is_elementwise)
def test_operands_that_do_not_fit_are_errors(case):
    call = case.draw()[0]
    tensors = tensors_in(call)
    function = matrix.function_of(case.name)
    with pytest.raises(TypeError):
        function(*with_tensors(call, ["text"] * len(tensors)).args, **call.kwargs)
    if len(tensors) > 1:
        shapes = [adjoint.ones(2, dtype=x.dtype) for x in tensors]
        shapes[0] = adjoint.ones(3, dtype=tensors[0].dtype)
        bad = with_tensors(call, shapes)
        with pytest.raises(RuntimeError, match=r"\b3\b.*\b2\b|\b2\b.*\b3\b"):
            function(*bad.args, **bad.kwargs)


# Elementwise operators on every dtype and on special values, as torch has them.

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "bfloat16", "float16", "float32",
          "float64"]  # fmt: skip
PAIRED = ["bool", "uint8", "int8", "int64", "bfloat16", "float16", "float32", "float64"]
ROUNDING = {"bfloat16": 1e-2, "float16": 1.5e-3, "float32": 2e-6, "float64": 1e-10}


def attempt(function, call):
    """The result, or the exception."""
    try:
        return function(*call.args, **call.kwargs)
    except Exception as error:
        return error


@cases(lambda c: matrix.is_elementwise(c) and c.dtypes is True and matrix.torch_function(c))
def test_every_dtype_gives_what_it_gives_in_torch(case):
    oracle = matrix.torch_function(case)
    call = case.draw()[0]
    tensors = tensors_in(call)
    values = np.array([1, 0, 2, 1, 3])
    many = DTYPES if len(tensors) == 1 else PAIRED
    for names in itertools.product(many, repeat=len(tensors)):
        if len(tensors) > 2 and len(set(names)) > 1:
            continue
        typed = [
            adjoint.from_numpy(np.roll(values, k)).to(getattr(adjoint, name))
            for k, name in enumerate(names)
        ]
        check_like_torch(case, oracle, with_tensors(call, typed), f"{case.name}({names})")


@cases(
    lambda c: (
        matrix.is_elementwise(c)
        and c.dtypes is True
        and matrix.torch_function(c)
        and len(tensors_in(c.draw()[0])) == 2
    )
)
def test_numbers_and_0d_tensors_promote_as_in_torch(case):
    oracle = matrix.torch_function(case)
    call = case.draw()[0]
    for name in PAIRED:
        x = adjoint.tensor([1, 2, 3]).to(getattr(adjoint, name))
        zero_d = [adjoint.tensor(n) for n in (True, 2, 2.0)]
        for other in [True, 2, 2.0, *zero_d, zero_d[2].double()]:
            for pair in [(x, other), (other, x)]:
                what = f"{case.name}{S(*pair)}"
                check_like_torch(case, oracle, with_tensors(call, pair), what)


def check_like_torch(case, oracle, call, what):
    ours, theirs = (
        attempt(matrix.function_of(case.name), call),
        attempt(oracle, matrix.to_torch(call)),
    )
    if isinstance(theirs, (NotImplementedError, TypeError)):
        return  # torch has no kernel, or no overload: there is nothing to compare with
    if isinstance(theirs, Exception):
        assert isinstance(ours, Exception), f"{what} is an error in torch: {theirs}"
        return
    assert not isinstance(ours, Exception), f"{what} is no error in torch: {ours}"
    assert str(ours.dtype) == str(theirs.dtype), what
    rtol = ROUNDING.get(str(ours.dtype)[6:], 0)
    assert_close(ours, theirs, rtol, rtol, what)


SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -3.0, 1e-6, -1e-6, 30.0, -30.0, 1e5, -1e5,
           float("inf"), -float("inf"), float("nan")]  # fmt: skip


@cases(lambda c: matrix.is_elementwise(c) and c.special is True and matrix.torch_function(c))
def test_special_values_and_kinks_give_what_they_give_in_torch(case):
    """Zeros, infinities and NaN, values where the function turns: results and gradients."""
    oracle, grad = matrix.torch_function(case), case.grad and case.torch_grad is True
    for call in case.draw():
        tensors = tensors_in(call)
        if not tensors or not all(matrix.is_float(x) for x in tensors):
            continue
        grid = np.meshgrid(*[SPECIAL] * len(tensors))
        for dtype in (adjoint.float64, adjoint.float32):
            xs = [adjoint.from_numpy(np.array(g)).to(dtype) for g in grid]
            xs = [x.requires_grad_(grad) for x in xs]
            ts = [matrix.to_torch(x.detach()).requires_grad_(grad) for x in xs]
            ours, theirs = with_tensors(call, xs), S(*matrix.to_torch(call).args)
            rest = iter(ts)
            theirs = matrix.map_tensors(call, lambda _, rest=rest: next(rest))
            y = matrix.run(case, ours)
            e = oracle(*theirs.args, **theirs.kwargs)
            assert str(y.dtype) == str(e.dtype)
            tiny = max(1e-6 if dtype == adjoint.float32 else 1e-12, case.torch_rtol)
            compare_special(y, e, xs, tiny, f"{case.name}{ours}")
            if not y.requires_grad:
                continue
            gs = adjoint.autograd.grad(y, xs, adjoint.ones_like(y))
            es = torch.autograd.grad(e, ts, torch.ones_like(e), materialize_grads=True)
            for k, (g, e) in enumerate(zip(gs, es, strict=True)):
                what = f"gradient {k} of {case.name}{ours}"
                compare_special(g, e, xs, 100 * tiny, what, finite_is_better=True)


def compare_special(actual, expected, at, tolerance, what, finite_is_better=False):
    a, e = matrix.array(actual), matrix.array(expected)
    close = np.isclose(a, e, rtol=tolerance, atol=tolerance, equal_nan=True)
    if finite_is_better:
        close |= np.isnan(e) & np.isfinite(a)
    if not close.all():
        where = np.argwhere(~close)[:5]
        points = [tuple(float(matrix.array(x)[tuple(w)]) for x in at) for w in where]
        values = [(a[tuple(w)], e[tuple(w)]) for w in where]
        pytest.fail(f"{what}: at {points} (ours, torch's): {values}")


@cases(lambda c: c.masks)
def test_where_the_derivative_is_zero_nothing_passes(case):
    """Not even an infinite cotangent, whether the gradient is recorded or not."""
    call = case.draw()[0]
    xs = [x.detach().clone() for x in tensors_in(call)]
    variables = [x.requires_grad_() for x in xs if matrix.is_float(x)]
    y = matrix.run(case, with_tensors(call, xs))
    ones, infinite = adjoint.ones_like(y.detach()), adjoint.full_like(y.detach(), float("inf"))
    for create_graph in (False, True):
        finite = adjoint.autograd.grad(y, variables, ones, retain_graph=True)
        grads = adjoint.autograd.grad(
            y, variables, infinite, retain_graph=True, create_graph=create_graph
        )
        for g, d in zip(grads, finite, strict=True):
            expected = [0.0 if v == 0 else v * float("inf") for v in d.reshape(-1).tolist()]
            assert g.reshape(-1).tolist() == expected


@pytest.mark.parametrize("dtype", [adjoint.float32, adjoint.float64], ids=str)
@cases(lambda c: matrix.is_elementwise(c) and differentiable(c))
def test_results_do_not_depend_on_an_elements_place(case, dtype):
    """Vectors and the rest of a loop agree to the last bit, forward and backward."""
    call = next((c for c in case.draw() if any(map(matrix.is_float, tensors_in(c)))), None)
    if call is None or any(x.is_complex() for x in tensors_in(call)):
        pytest.skip("complex numbers are computed one by one")
    xs = [x.detach().broadcast_to(24) if x.ndim == 0 else x.detach() for x in tensors_in(call)]
    shape = np.broadcast_shapes(*(tuple(x.shape) for x in xs))
    xs = [x.broadcast_to(shape).reshape(-1).repeat(24)[:23] for x in xs]
    xs = [x.to(dtype) if matrix.is_float(x) else x for x in xs]

    def results(start):
        part = [x[start:].clone() for x in xs]
        variables = [x.requires_grad_() for x in part if matrix.is_float(x)]
        y = matrix.run(case, with_tensors(call, part))
        return [y, *adjoint.autograd.grad(y.sum(), variables, allow_unused=True)]

    whole = results(0)
    for start in (1, 7, 15, 22):
        for r, w in zip(results(start), whole, strict=True):
            if r is not None:
                same = (r == w[start:]) | (r.isnan() & w[start:].isnan())
                assert same.all(), f"{case.name}[{start}:]: {r.tolist()} {w[start:].tolist()}"
