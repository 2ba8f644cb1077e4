"""Operators applied to each tensor of a list."""

import pytest
from _backend import assert_close, f64, torch

UNARY = (
    "abs acos asin atan ceil cos cosh erf erfc exp expm1 floor frac lgamma log log10 log1p log2 "
    "neg reciprocal round rsqrt sigmoid sign sin sinh sqrt tan tanh trunc"
).split()
BINARY = "add sub mul div pow maximum minimum clamp_min clamp_max".split()


def foreach(name):
    return getattr(torch, f"_foreach_{name}")


def lists():
    return [f64(0.25, 0.5, grad=False), f64([0.75], grad=False)]


def assert_all_close(actual, expected):
    assert len(actual) == len(expected)
    for x, y in zip(actual, expected):
        assert_close(x, y)


@pytest.mark.parametrize("name", UNARY)
def test_unary(name):
    expected = [getattr(torch, name)(x) for x in lists()]
    result = foreach(name)(lists())
    assert isinstance(result, tuple)
    assert_all_close(result, expected)
    written = lists()
    foreach(name + "_")(written)
    assert_all_close(written, expected)


def reference(name, x, y):
    clamps = {"maximum": "clamp_min", "minimum": "clamp_max"}
    if name in clamps and not isinstance(y, torch.Tensor):
        name = clamps[name]
    return getattr(torch, name)(x, y)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize(
    "other",
    [0.5, [0.5, 2.0], [torch.full((2,), 0.3, dtype=torch.float64), torch.ones(1).double()]],
    ids=["number", "numbers", "tensors"],
)
def test_binary(name, other):
    columns = other if isinstance(other, list) else [other] * 2
    expected = [reference(name, x, y) for x, y in zip(lists(), columns)]
    assert_all_close(foreach(name)(lists(), other), expected)
    written = lists()
    foreach(name + "_")(written, other)
    assert_all_close(written, expected)


def test_alpha_and_a_tensor_of_one_number():
    x = lists()
    assert_all_close(torch._foreach_add(x, x, alpha=3), [4 * v for v in x])
    assert_all_close(torch._foreach_sub(x, x, alpha=3), [-2 * v for v in x])
    assert_all_close(torch._foreach_mul(x, torch.tensor(2.0)), [2 * v for v in x])


@pytest.mark.parametrize("name", ["addcmul", "addcdiv"])
def test_three_lists(name):
    x, a, b = lists(), torch._foreach_add(lists(), 1), torch._foreach_add(lists(), 2)
    one = getattr(torch, name)
    for value, values in ((None, (1, 1)), (0.5, (0.5, 0.5)), ([1, 2.0], (1, 2))):
        expected = [one(*row[:3], value=row[3]) for row in zip(x, a, b, values)]
        given = () if value is None else (value,)
        assert_all_close(foreach(name)(x, a, b, *given), expected)
        written = lists()
        foreach(name + "_")(written, a, b, *given)
        assert_all_close(written, expected)
    packed = torch.tensor([1.0, 2.0])
    assert_all_close(foreach(name)(x, a, b, packed), expected)
    assert_all_close(foreach(name)(x, a, b, value=2), [one(*row, value=2) for row in zip(x, a, b)])


def test_lerp():
    x, y = lists(), torch._foreach_add(lists(), 1)
    assert_all_close(torch._foreach_lerp(x, y, 0.25), [v + 0.25 for v in x])
    assert_all_close(torch._foreach_lerp(x, y, weight=0.25), [v + 0.25 for v in x])
    assert_all_close(torch._foreach_lerp(x, y, x), [2 * v for v in x])
    torch._foreach_lerp_(x, y, 1.0)
    assert_all_close(x, y)


def test_norm_max_pow_of_a_number_copies_and_zeros():
    x = [f64(3, -4, grad=False), f64(2, grad=False)]
    assert_all_close(torch._foreach_norm(x), f64(5, 2, grad=False))
    assert_all_close(torch._foreach_norm(x, 1), f64(7, 2, grad=False))
    norms = torch._foreach_norm(x, float("inf"), dtype=torch.float64)
    assert_all_close(norms, f64(4, 2, grad=False))
    assert_all_close(torch._foreach_max(x), f64(3, 2, grad=False))
    assert_all_close(torch._foreach_pow(2.0, x), [2.0**v for v in x])
    y = torch._foreach_clone(x)
    assert y[0] is not x[0]
    torch._foreach_zero_(y)
    assert_all_close(y, [0 * v for v in x])
    torch._foreach_copy_(y, x)
    assert_all_close(y, x)


def test_gradients_pass():
    w = f64(2, 3)
    torch._foreach_mul([w, w], [w, 3.0 * w])[1].sum().backward()
    assert_close(w.grad, 6 * w)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: torch._foreach_add([], 1),
        lambda x: torch._foreach_exp([]),
        lambda x: torch._foreach_add(x, x[:1]),
        lambda x: torch._foreach_add(x, [1.0]),
        lambda x: torch._foreach_mul(x, torch.ones(2)),
        lambda x: torch._foreach_addcmul(x, x, x[:1]),
        lambda x: torch._foreach_addcmul(x, x, x, [1.0]),
        lambda x: torch._foreach_addcmul(x, x, x, torch.tensor([1.0])),
        lambda x: torch._foreach_addcmul(x, x, x, torch.tensor(1.0)),
        lambda x: torch._foreach_lerp(x, x, x[:1]),
        lambda x: torch._foreach_copy_(x, x[:1]),
        lambda x: torch._foreach_max([torch.ones(0)]),
        lambda x: torch._foreach_add_([torch.ones(1, dtype=torch.int64)], 1.5),
    ],
)
def test_lists_that_do_not_fit(call):
    x = lists()
    with pytest.raises(RuntimeError):
        call(x)
    assert_all_close(x, lists())


@pytest.mark.parametrize(
    "call",
    [
        lambda x: torch._foreach_add(3, 1),
        lambda x: torch._foreach_add(x),
        lambda x: torch._foreach_add(x, 1.0, 1.0),
        lambda x: torch._foreach_add(x, 1.0, alpha=2),
        lambda x: torch._foreach_mul(x, x, alpha=2),
        lambda x: torch._foreach_lerp(x, 1.0, 0.5),
    ],
)
def test_arguments_of_other_types(call):
    with pytest.raises(TypeError):
        call(lists())


def test_an_unknown_operator():
    with pytest.raises(AttributeError):
        torch._foreach_no_such
