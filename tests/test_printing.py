"""Tensors print exactly as torch prints them."""

import importlib
import math
import random

import pytest
from _backend import NAME, torch

printing = importlib.import_module(f"{NAME}._tensor_str")


@pytest.fixture(autouse=True)
def default_options():
    yield
    printing.set_printoptions(profile="default")


def shown(x):
    """What `repr` shows; through `_str`, which `__repr__` calls."""
    return printing._str(x)


def test_floats_have_four_digits_after_the_point():
    assert shown(torch.tensor([0.5, -1.25])) == "tensor([ 0.5000, -1.2500])"
    assert shown(torch.tensor(3.14159)) == "tensor(3.1416)"


def test_whole_floats_have_a_point_and_no_digits():
    assert shown(torch.tensor([1.0, 20.0, -3.0])) == "tensor([ 1., 20., -3.])"
    assert shown(torch.tensor([0.0, -0.0])) == "tensor([0., -0.])"


def test_scientific_notation_for_a_wide_range_or_extreme_values():
    assert shown(torch.tensor([1.0, 1e-5])) == "tensor([1.0000e+00, 1.0000e-05])"
    assert shown(torch.tensor([1e10, 2.0])) == "tensor([1.0000e+10, 2.0000e+00])"
    assert shown(torch.tensor([2e8])) == "tensor([2.0000e+08])"
    assert shown(torch.tensor([1000.5, 1.0])) == "tensor([1.0005e+03, 1.0000e+00])"


def test_nan_and_inf_take_no_part_in_the_choice_of_format():
    assert shown(torch.tensor([math.nan, 1.0])) == "tensor([nan, 1.])"
    assert shown(torch.tensor([math.inf, 1.5])) == "tensor([   inf, 1.5000])"
    assert shown(torch.tensor([-math.inf])) == "tensor([-inf])"


def test_integers_and_bools_align():
    assert shown(torch.tensor([1, -20, 300])) == "tensor([  1, -20, 300])"
    assert shown(torch.tensor([True, False])) == "tensor([ True, False])"
    assert shown(torch.tensor(7)) == "tensor(7)"


def test_a_dtype_that_is_not_the_default_is_named():
    assert shown(torch.ones(2, dtype=torch.float64)) == "tensor([1., 1.], dtype=torch.float64)"
    assert shown(torch.ones(2, dtype=torch.int32)) == "tensor([1, 1], dtype=torch.int32)"
    assert shown(torch.ones(1, dtype=torch.bfloat16)) == "tensor([1.], dtype=torch.bfloat16)"
    assert shown(torch.ones(1, dtype=torch.float16)) == "tensor([1.], dtype=torch.float16)"


def test_rows_align_under_each_other_with_a_blank_line_per_outer_dim():
    assert shown(torch.tensor([[1.0, 2.0], [3.0, 10.0]])) == (
        "tensor([[ 1.,  2.],\n        [ 3., 10.]])"
    )
    assert shown(torch.tensor([[[1, 2]], [[3, 4]]])) == "tensor([[[1, 2]],\n\n        [[3, 4]]])"


def test_long_rows_are_broken_at_80_columns():
    lines = shown(torch.full((30,), 0.125)).split("\n")
    assert lines[0] == "tensor([" + "0.1250, " * 8 + "0.1250,"
    assert lines[-1] == "        0.1250, 0.1250, 0.1250])"


def test_more_than_1000_elements_are_summarised():
    assert shown(torch.arange(1001)) == "tensor([   0,    1,    2,  ...,  998,  999, 1000])"
    text = shown(torch.zeros(40, 40))
    assert text.count("\n") == 6
    assert text.split("\n")[0] == "tensor([[0., 0., 0.,  ..., 0., 0., 0.],"
    assert text.split("\n")[3] == "        ...,"


def test_only_the_elements_shown_decide_the_format():
    x = torch.ones(2000)
    x[1000] = 0.5
    assert shown(x) == "tensor([1., 1., 1.,  ..., 1., 1., 1.])"


def test_empty_tensors_name_their_size_unless_one_dimensional():
    assert shown(torch.zeros(0)) == "tensor([])"
    assert shown(torch.zeros(0, 3)) == "tensor([], size=(0, 3))"
    assert shown(torch.zeros(0, dtype=torch.int64)) == "tensor([], dtype=torch.int64)"


def test_gradients_are_mentioned():
    x = torch.ones(2, requires_grad=True)
    assert shown(x) == "tensor([1., 1.], requires_grad=True)"
    assert shown(x + 1) == "tensor([2., 2.], grad_fn=<AddBackward0>)"
    assert shown((x * 2).sum()) == "tensor(4., grad_fn=<SumBackward0>)"


def test_suffixes_go_to_a_new_line_where_the_line_is_full():
    x = torch.full((8,), 0.5, requires_grad=True)
    assert shown(x * 0.25) == (
        "tensor([0.1250, 0.1250, 0.1250, 0.1250, 0.1250, 0.1250, 0.1250, 0.1250],\n"
        "       grad_fn=<MulBackward0>)"
    )


def test_print_options_and_their_context():
    x = torch.tensor([1.23456])
    with printing.printoptions(precision=2):
        assert shown(x) == "tensor([1.23])"
    assert shown(x) == "tensor([1.2346])"
    printing.set_printoptions(sci_mode=True)
    assert shown(x) == "tensor([1.2346e+00])"
    printing.set_printoptions(profile="short", sci_mode=True)
    assert shown(torch.arange(2000.0)) == ("tensor([0.00e+00, 1.00e+00,  ..., 2.00e+03, 2.00e+03])")


@pytest.mark.adjoint_only
def test_an_unknown_profile_is_an_error():
    with pytest.raises(ValueError, match="profile"):
        printing.set_printoptions(profile="tall")


@pytest.mark.adjoint_only
def test_tensors_inside_transforms_say_what_they_hold():
    seen = []
    torch.func.vmap(lambda x: seen.append(shown(x)) or x)(torch.tensor([1.0, 2.0]))
    assert seen[0].startswith("BatchedTensor(lvl=") and "tensor([1., 2.])" in seen[0]
    torch.func.jvp(lambda x: seen.append(shown(x)) or x, (torch.ones(1),), (torch.zeros(1),))
    assert seen[1] == "tensor([1.], tangent=tensor([0.]))"


DTYPES = "float32 float64 float16 bfloat16 int64 int32 uint8 int8 bool".split()
OPTIONS = [{}, {"precision": 2}, {"sci_mode": True}, {"sci_mode": False}, {"linewidth": 40}]
OPTIONS += [{"threshold": 5, "edgeitems": 1}, {"threshold": 9, "edgeitems": 0}, {"profile": "full"}]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_same_text_as_torch(options):
    oracle = pytest.importorskip("torch")
    printing.set_printoptions(**options)
    oracle.set_printoptions(**options)
    try:
        for seed in range(60):
            data, dtype = _random_data(random.Random(seed))
            ours = shown(torch.tensor(data, dtype=getattr(torch, dtype)))
            assert ours == repr(oracle.tensor(data, dtype=getattr(oracle, dtype)))
    finally:
        oracle.set_printoptions(profile="default")


def _random_data(rng):
    """Nested lists of up to three dims, and a dtype."""
    dtype = rng.choice(DTYPES)
    scale = rng.choice([1.0, 1.0, 1e-6, 1e6, 3e8, 0.0])
    special = rng.choice([0.0, -0.0, math.nan, math.inf, -math.inf])

    def number():
        if dtype == "bool":
            return rng.random() < 0.5
        if "int" in dtype:
            return rng.randint(0, 120)
        x = rng.choice([rng.gauss(0, 1) * scale, round(rng.gauss(0, 9)), rng.gauss(0, 1)])
        return special if rng.random() < 0.1 else float(x)

    def nested(sizes):
        return number() if not sizes else [nested(sizes[1:]) for _ in range(sizes[0])]

    return nested([rng.randint(1, 8) for _ in range(rng.randint(0, 3))]), dtype
