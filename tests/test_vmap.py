"""vmap: in_dims, out_dims, pytrees, randomness, chunks, errors; nested."""

import collections
import importlib

import pytest
from _backend import NAME, torch

vmap = importlib.import_module(f"{NAME}.func").vmap

A = torch.arange(6.0).reshape(3, 2)
B = torch.arange(10.0, 16.0).reshape(3, 2)


def same(a, b):
    return a.shape == b.shape and bool((a == b).all())


def test_the_function_sees_one_element():
    shapes = []
    vmap(lambda x: shapes.append((tuple(x.shape), x.dim())) or x)(A)
    assert shapes == [((2,), 1)]


def test_the_function_runs_once_for_all():
    calls = []
    assert same(vmap(lambda x, y: calls.append(1) or x * y)(A, B), A * B)
    assert len(calls) == 1


def test_in_dims_choose_the_mapped_dim():
    assert same(vmap(torch.dot, in_dims=(0, 0))(A, B), (A * B).sum(1))
    assert same(vmap(torch.dot, in_dims=(1, 1))(A, B), (A * B).sum(0))
    assert same(vmap(torch.dot, in_dims=-1)(A, B), (A * B).sum(0))
    assert same(vmap(torch.dot, in_dims=(0, None))(A, B[0]), (A * B[0]).sum(1))


def test_out_dims_say_where_the_mapped_dim_appears():
    assert same(vmap(lambda x: x * 2, out_dims=1)(A), (A * 2).t())
    assert same(vmap(lambda x: x * 2, out_dims=-1)(A), (A * 2).t())
    a, b = vmap(lambda x: (x, x * 2), out_dims=(0, 1))(A)
    assert same(a, A) and same(b, (A * 2).t())


def test_a_result_that_does_not_depend_is_repeated():
    assert same(vmap(lambda x: torch.ones(2))(A), torch.ones(3, 2))


def test_out_dims_none_returns_what_does_not_depend_as_it_is():
    y, constant, note = vmap(lambda x: (x, torch.ones(2), "note"), out_dims=(0, None, None))(A)
    assert same(y, A) and same(constant, torch.ones(2)) and note == "note"
    with pytest.raises(ValueError, match="out_dim"):
        vmap(lambda x: x, out_dims=None)(A)


Pair = collections.namedtuple("Pair", "left right")


def test_arguments_and_results_are_pytrees():
    def f(d, pair):
        (x, y), z = pair, d["z"]
        return {"sum": x + y + z, "all": [x, (y,)], "pair": Pair(x, y)}

    out = vmap(f, in_dims=({"z": None}, 0))({"z": torch.ones(2)}, Pair(A, B))
    assert same(out["sum"], A + B + 1) and same(out["all"][1][0], B)
    assert isinstance(out["pair"], Pair) and same(out["pair"].left, A)


def test_an_in_dim_stands_for_a_whole_subtree():
    out = vmap(lambda x, d: x * d["a"] + d["b"], in_dims=(0, None))(A, {"a": A[0], "b": A[1]})
    assert same(out, A * A[0] + A[1])


def test_ordered_and_default_dicts_keep_their_type():
    out = vmap(lambda d: d)(collections.OrderedDict(x=A, y=B))
    assert type(out) is collections.OrderedDict and list(out) == ["x", "y"]
    given = collections.defaultdict(list, x=A)
    out = vmap(lambda d: d)(given)
    assert type(out) is collections.defaultdict and out["missing"] == []


def test_keyword_arguments_are_not_mapped():
    assert same(vmap(lambda x, scale: x * scale.sum())(A, scale=torch.ones(7)), A * 7)


def test_vmap_nests():
    outer = vmap(lambda x: vmap(lambda y: x * y)(B[:, 0]))(A[:, 1])
    assert same(outer, torch.outer(A[:, 1], B[:, 0]))
    x = torch.arange(24.0).reshape(2, 3, 4)
    assert same(vmap(vmap(lambda r: r.sum()))(x), x.sum(-1))
    assert same(vmap(vmap(lambda r: r.sum(), in_dims=1), in_dims=2)(x), x.permute(2, 1, 0).sum(-1))


def test_pairwise_distances_from_nested_maps():
    distance = vmap(vmap(lambda x, y: ((x - y) ** 2).sum(), in_dims=(None, 0)), in_dims=(0, None))
    assert same(distance(A, B), ((A[:, None] - B[None]) ** 2).sum(-1))


def test_indexing_reductions_and_views_use_the_dims_of_the_element():
    x = torch.arange(24.0).reshape(2, 3, 4)
    assert same(vmap(lambda m: m[0])(x), x[:, 0])
    assert same(vmap(lambda m: m[-1, 1:3])(x), x[:, -1, 1:3])
    assert same(vmap(lambda m: m.sum(0))(x), x.sum(1))
    assert same(vmap(lambda m: m.sum())(x), x.sum((1, 2)))
    assert same(vmap(lambda m: m.t())(x), x.transpose(1, 2))
    assert same(vmap(lambda m: m.reshape(-1))(x), x.reshape(2, -1))
    assert same(vmap(lambda m: torch.cat([m, m], 1))(x), torch.cat([x, x], 2))
    assert same(vmap(lambda m: torch.stack([m, m]))(x), torch.stack([x, x], 1))


def test_operands_of_different_dims_broadcast_as_elements_do():
    assert same(vmap(lambda x, s: x * s)(A, B[:, 0]), A * B[:, :1])
    assert same(vmap(lambda s, x: s + x)(B[:, 0], A), B[:, :1] + A)


def test_matrix_products():
    x, y = torch.arange(24.0).reshape(2, 3, 4), torch.arange(16.0).reshape(2, 4, 2)
    assert same(vmap(torch.matmul)(x, y), x @ y)
    assert same(vmap(lambda m: m @ y[0])(x), x @ y[0])
    assert same(vmap(lambda m: x[0] @ m)(y), x[0] @ y)
    assert same(vmap(torch.mv)(x, y[:, :, 0]), (x @ y[:, :, :1]).squeeze(-1))


def test_where_takes_the_place_of_control_flow():
    assert same(vmap(lambda x: torch.where(x > 2, x, -x))(A), torch.where(A > 2, A, -A))
    with pytest.raises(RuntimeError, match="vmap"):
        vmap(lambda x: x if x.sum() > 2 else -x)(A)
    with pytest.raises(RuntimeError, match="vmap"):
        vmap(lambda x: x * x.sum().item())(A)


def test_in_place_operations_on_what_is_batched():
    def f(x):
        y = x.clone()
        y.mul_(2)
        y[0] = 7
        return y

    expected = A * 2
    expected[:, 0] = 7
    assert same(vmap(f)(A), expected)


def test_random_numbers():
    zeros = torch.zeros(3, 2)
    with pytest.raises(RuntimeError, match="random"):
        vmap(lambda x: x + torch.randn(2))(zeros)
    torch.manual_seed(0)
    equal = vmap(lambda x: x + torch.randn(2), randomness="same")(zeros)
    assert same(equal[0], equal[1])
    apart = vmap(lambda x: x + torch.randn(2), randomness="different")(zeros)
    assert not same(apart[0], apart[1])


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 10])
def test_chunks_give_the_same(chunk_size):
    f = vmap(lambda x, y: {"s": x + y, "p": (x * y).sum()}, in_dims=(0, 1), chunk_size=chunk_size)
    out = f(A, B.t())
    assert same(out["s"], A + B) and same(out["p"], (A * B).sum(1))
    assert same(vmap(lambda x: x * 2, out_dims=1, chunk_size=chunk_size)(A), (A * 2).t())


def test_the_element_of_a_batch_of_size_one():
    assert same(vmap(torch.sin)(A[:1]), A[:1].sin())


@pytest.mark.parametrize(
    ("options", "args", "error"),
    [
        ({}, (), ValueError),
        ({}, (3.0,), ValueError),
        ({}, (torch.tensor(1.0),), ValueError),
        ({}, (A, B[:2]), ValueError),
        ({"in_dims": 2}, (A,), ValueError),
        ({"in_dims": (0, 0)}, (A,), ValueError),
        ({"in_dims": "0"}, (A,), ValueError),
        ({"in_dims": (None,)}, (A,), ValueError),
        ({"in_dims": ({"a": 0},)}, (A,), ValueError),
        ({"in_dims": (0.5,)}, (A,), ValueError),
        ({"out_dims": (0, 0)}, (A,), ValueError),
        ({"out_dims": "a"}, (A,), ValueError),
        ({"out_dims": 3}, (A,), IndexError),
    ],
)
def test_dims_that_do_not_fit(options, args, error):
    with pytest.raises(error):
        vmap(lambda *xs: xs[0], **options)(*args)


def test_a_result_must_be_a_tensor():
    with pytest.raises(ValueError, match="only"):
        vmap(lambda x: 3)(A)
    with pytest.raises(ValueError, match="only"):
        vmap(lambda x: None)(A)


def test_options_are_checked_before_anything_runs():
    with pytest.raises(RuntimeError, match="randomness"):
        vmap(torch.sin, randomness="often")
    with pytest.raises(ValueError, match="chunk_size"):
        vmap(torch.sin, chunk_size=0)


def test_an_error_in_the_function_leaves_no_level_behind():
    with pytest.raises(KeyError):
        vmap(lambda x: {}["missing"])(A)
    assert same(vmap(lambda x: x + 1)(A), A + 1)


def test_named_results_of_operators_are_mapped():
    values, indices = vmap(lambda x: x.max(0))(A)
    assert same(values, A.max(1).values)
    assert vmap(lambda x: x.sort(), out_dims=0)(A).indices.shape == A.shape
    assert indices.dtype is torch.int64
