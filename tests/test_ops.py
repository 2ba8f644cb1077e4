"""The test matrix, values: every operator of the registry against all that it can be checked with.

The calls are stated per family in tests/ops/cases_<family>.py. `-k tanh` runs one operator,
`-k elementwise` one family.
"""

import re

import numpy as np
import pytest
from _backend import NAME

if NAME != "adjoint":
    pytest.skip("the operators of adjoint's own registry", allow_module_level=True)

from ops import matrix
from ops.case import CASES
from ops.collect import BROKEN, FAMILIES, cases, differentiable, kind
from ops.matrix import REGISTRY, assert_close, outputs, tensors_in, torch, with_tensors

import adjoint
from adjoint import _core

# of the older arguments of losses, and of losses whose operands do not have one shape
pytestmark = pytest.mark.filterwarnings("ignore:size_average and", "ignore:Using a target size")


@pytest.mark.parametrize("family", FAMILIES)
def test_the_cases_of_a_family_can_be_read(family):
    if family in BROKEN:
        raise BROKEN[family]


def test_every_operator_has_a_case_and_every_case_an_operator():
    assert sorted(set(REGISTRY) - set(CASES)) == []
    assert sorted(set(CASES) - set(REGISTRY)) == []


@cases(aliases=True)
def test_samples_reach_the_overload_that_they_are_stated_for(case):
    for call in case.draw():
        assert _core._overload(case.name.split(":")[0], call.args, call.kwargs) == case.name


# Values.


@cases(lambda c: c.reference, aliases=True)
def test_values_are_those_of_the_reference(case):
    for call in case.draw():
        given = matrix.map_tensors(call, matrix.array)
        with np.errstate(all="ignore"):
            expected = case.reference(*given.args, **given.kwargs)
        expected = expected if isinstance(expected, (tuple, list)) else (expected,)
        actual = outputs(matrix.run(case, call))
        assert len(actual) == len(expected)
        for y, e in zip(actual, expected, strict=True):
            e = adjoint.from_numpy(np.array(e))
            assert_close(y, e, case.rtol, case.atol, f"{case.name}{call}")


@cases(matrix.torch_function, aliases=True)
def test_values_dtypes_and_gradients_are_those_of_torch(case):
    oracle = matrix.torch_function(case)
    for call in case.draw():
        compared = differentiable(case) and case.torch_grad is True
        where = matrix.variables_of(call) if compared else []
        ours = matrix.leaves_among(call, where)
        theirs = matrix.to_torch(ours)
        xs, ts = tensors_in(ours), matrix.torch_tensors(theirs)
        for i in where:
            ts[i].requires_grad_()
        compare_with_torch(
            outputs(matrix.run(case, ours)),
            matrix.torch_tensors([oracle(*theirs.args, **theirs.kwargs)]),
            [xs[i] for i in where],
            [ts[i] for i in where],
            case,
            f"{case.name}{call}",
        )


def compare_with_torch(ys, es, xs, ts, case, what):
    assert len(ys) == len(es), what
    for y, e in zip(ys, es, strict=True):
        assert str(y.dtype) == str(e.dtype), what
        assert_close(y, e, max(case.rtol, case.torch_rtol), case.atol, what)
        if xs:
            assert y.requires_grad == e.requires_grad, f"{what}: requires_grad differs"
    pairs = [(y, e) for y, e in zip(ys, es, strict=True) if y.requires_grad]
    if not pairs:
        return
    gs = matrix.like([y for y, _ in pairs], 2)
    ours = adjoint.autograd.grad([y for y, _ in pairs], xs, gs, materialize_grads=True)
    theirs = torch.autograd.grad(
        [e for _, e in pairs], ts, matrix.to_torch(gs), materialize_grads=True
    )
    for g, e in zip(ours, theirs, strict=True):
        assert_close(g, e, max(1e-8, case.torch_rtol), 1e-10, f"gradient of {what}")


@cases(lambda c: "stride" not in c.name)
def test_strides_do_not_matter(case):
    for call in case.draw():
        moved = matrix.map_tensors(call, matrix.non_contiguous)
        try:
            actual = outputs(matrix.run(case, moved))
        except RuntimeError as error:
            if re.search("is not compatible with input tensor's size|with stride 1|stride\\(-1\\)",
                         str(error)):  # fmt: skip
                continue  # a view that this layout does not have
            raise
        for y, e in zip(actual, outputs(matrix.run(case, call)), strict=True):
            assert_close(y, e, 1e-12, 1e-14, f"{case.name}{call}")  # a last bit may differ
        if differentiable(case):
            matrix.check_reverse_mode(case, moved)


@cases(lambda c: REGISTRY[c.name]["in_place"])
def test_the_in_place_form_writes_the_same_values_and_history(case):
    base = case.name.split(":")[0]
    for call in case.draw():
        first = call.args[0] if call.args else next(iter(call.kwargs.values()))
        if not isinstance(first, adjoint.Tensor):
            continue
        expected = outputs(matrix.run(case, call))[0]
        if expected.shape != first.shape or not adjoint.can_cast(expected.dtype, first.dtype):
            continue
        in_place = matrix.function_of(base + "_")

        def write(*xs, call=call, in_place=in_place):
            copies = with_tensors(call, [xs[0].clone(), *xs[1:]])
            result = in_place(*copies.args, **copies.kwargs)
            assert result is tensors_in(copies)[0]
            return [result]

        tensors = tensors_in(call)
        (y,) = write(*tensors)
        assert_close(y, expected.to(first.dtype), 1e-12, 1e-14, f"{case.name}_{call}")
        if differentiable(case) and all(matrix.is_float(x) for x in tensors):
            f, xs = matrix.as_function(case, call)
            gs = matrix.like([expected], 2)
            pairs = zip(matrix.vjp(write, xs, gs), matrix.vjp(f, xs, gs), strict=True)
            for g, e in pairs:
                assert_close(g, e, 1e-12, 1e-14, f"gradient of {case.name}_{call}")


@cases(lambda c: kind(c) not in ("view", "factory"))
def test_results_can_be_written_to_out(case):
    call = case.draw()[0]
    results = outputs(matrix.run(case, call))
    if len(results) != 1 or "-> Tensor[]" in REGISTRY[case.name]["signature"]:
        return
    out = adjoint.empty(0, dtype=results[0].dtype)
    function = matrix.function_of(case.name)
    assert function(*call.args, **call.kwargs, out=out) is out
    assert_close(out, results[0], 0, 0, f"{case.name}{call}")


@cases(lambda c: REGISTRY[c.name]["method"], aliases=True)
def test_the_method_is_the_function(case):
    call = case.draw()[0]
    if not call.args or not isinstance(call.args[0], adjoint.Tensor):
        return
    base = case.name.split(":")[0]
    method = getattr(call.args[0], base)
    pairs = zip(
        outputs(method(*call.args[1:], **call.kwargs)),
        outputs(matrix.run(case, call)),
        strict=True,
    )
    for y, e in pairs:
        assert_close(y, e, 0, 0, f"{case.name}{call}")


# Bad input.


@cases(lambda c: c.bad)
def test_bad_input_is_an_error_and_changes_nothing(case):
    for call, expected in case.bad:
        before = [matrix.array(x).copy() for x in tensors_in(call)]
        with pytest.raises(expected):
            matrix.run(case, call)
        for x, b in zip(tensors_in(call), before, strict=True):
            np.testing.assert_array_equal(matrix.array(x), b)
