"""Indices of every kind, read and assigned, against NumPy, and what is refused."""

import numpy as np
import pytest
from _backend import assert_same, torch

SHAPE = (4, 5, 6)


def scope(to):
    """The names that the expressions below use, as NumPy arrays or (through `to`) as tensors."""
    values = np.arange(120).reshape(SHAPE)
    arrays = {
        "x": values,
        "i": np.array([3, 0, 0]),
        "neg": np.array([-1, -4, 2]),
        "ij": np.array([[0, 1], [2, 3]]),
        "col": np.array([[0], [3]]),
        "none": np.array([], dtype=np.int64),
        "i32": np.array([1, 2], dtype=np.int32),
        "one": np.array(2),
        "rows": np.array([True, False, True, True]),
        "m2": values[:, :, 0] % 4 == 0,
        "m3": values % 7 == 0,
        "mid": np.array([True, False, False, True, True]),
        "never": np.zeros(4, dtype=bool),
    }
    return {name: to(a.copy()) for name, a in arrays.items()} | {"np": np}


BASIC = [
    "0", "-1", "1, 2", "1, 2, 3", "-1, -2, -3", "...", ":", "...,", ":, 0", "..., 0", "0, ...",
    "0, ..., 1", "1:3", "1:", ":-1", "::2", "1::2", "-3:-1", "3:1", "10:", "-100:2", ":, 1:4:2",
    "::3, ::2, ::4", "None", "None, 0", "0, None", ":, None", "..., None", "None, ..., None",
    "0, :, None, 1:3", "()", "slice(1, None)", "slice(None, None, 2), 1", "np.int64(1)",
    "np.int32(-1), 2", "np.int64(1):np.int64(3)",
]  # fmt: skip

ADVANCED = [
    "i", "neg", "ij", "none", "i32", "[0, 2]", "[-1]", "[0, 2],", "[[0, 1], [1, 2]],",
    "[True, False, True, False]", "[0], [1], [2]",
    ":, i", "..., i", ":, :, ij", "1:, i", "::2, [0, 4]", "i, neg", "i, 1:3", "i, ..., 0:2",
    ":, i, i", "i, i, i", "ij, col", "..., ij, col", "i, neg, ::2", "None, i", "i, None",
    ":, None, i", "one", "one, one",
    "rows", "rows, ...", ":, mid", "m2", "m3", "m2, 0", "m2, 1:3", "never", "rows, :, 2:4",
    "i, :, None", "col, :, [0, 1]", "rows, [0, 1, 2]", "range(2)", "[np.int64(1), 2]",
]  # fmt: skip

# NumPy counts an integer among index arrays as one of them; torch selects by it first.
UNLIKE_NUMPY = {
    "0, :, i": "x[0][:, i]",
    "i, :, 0": "x[:, :, 0][i]",
    "0, i": "x[0][i]",
    "..., i, 1": "x[..., 1][:, i]",
    "0, None, i": "x[0][None, i]",
    "rows, 0": "x[:, 0][rows]",
}


@pytest.mark.parametrize("index", BASIC + ADVANCED)
def test_reading(index):
    code = f"x[{index}]"
    assert_same(eval(code, scope(torch.from_numpy)), eval(code, scope(np.array)))


@pytest.mark.parametrize("index", UNLIKE_NUMPY)
def test_an_integer_beside_index_tensors_selects_first(index):
    expected = eval(UNLIKE_NUMPY[index], scope(torch.from_numpy))
    assert_same(eval(f"x[{index}]", scope(torch.from_numpy)), expected)


@pytest.mark.parametrize("index", BASIC)
def test_basic_indices_make_views(index):
    x = torch.arange(120).view(SHAPE)
    y = eval(f"x[{index}]", scope(torch.from_numpy) | {"x": x})
    assert y.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    assert y is not x


@pytest.mark.parametrize("index", ["i", "[0, 2]", "rows", "m3", ":, i", "none"])
def test_advanced_indices_make_copies(index):
    names = scope(torch.from_numpy)
    y = eval(f"x[{index}]", names)
    assert y.untyped_storage().data_ptr() != names["x"].untyped_storage().data_ptr()


VALUES = {
    "number": lambda shape: -1,
    "float": lambda shape: 2.9,
    "bool": lambda shape: True,
    "0-d": lambda shape: np.array(-5),
    "broadcast": lambda shape: np.full((1,) * len(shape), -1),
    "same shape": lambda shape: -np.arange(np.prod(shape, dtype=int)).reshape(shape),
}
ASSIGNED = ["[0, 2]", "neg", ":, [1, 4]", "rows", "m2", "m3", "rows, [0, 1, 2]", "none"]


@pytest.mark.parametrize("index", BASIC + ASSIGNED)
def test_assigning(index):
    def assigned(value, to):
        names = scope(to)
        value = VALUES[value](tuple(eval(f"x[{index}]", names).shape))
        names["value"] = to(value) if isinstance(value, np.ndarray) else value
        exec(f"x[{index}] = value", names)
        return names["x"]

    for value in VALUES:
        assert_same(assigned(value, torch.from_numpy), assigned(value, np.array))


@pytest.mark.parametrize("operator", ["+=", "-=", "*=", "//="])
@pytest.mark.parametrize("index", ["0", ":, 1", "..., ::2", "[0, 2]", "rows", "m3", "i32, 1:3"])
def test_augmented_assignment(index, operator):
    def run(names):
        exec(f"x[{index}] {operator} 3", names)
        return names["x"]

    assert_same(run(scope(torch.from_numpy)), run(scope(np.array)))


class TestAssigning:
    def test_converts_to_the_dtype_of_the_target(self):
        x = torch.zeros(3, dtype=torch.int32)
        x[0] = 2.7
        x[1] = torch.tensor(3.9, dtype=torch.float64)
        x[2] = torch.tensor([-1.5])
        assert x.tolist() == [2, 3, -1]
        b = torch.zeros(2, dtype=torch.bool)
        b[0] = 5
        assert b.tolist() == [True, False]

    def test_leading_ones_of_the_value_are_dropped(self):
        x = torch.zeros(2, 3)
        x[0] = torch.ones(1, 1, 3)
        assert x.tolist() == [[1, 1, 1], [0, 0, 0]]

    def test_repeated_indices_with_one_value(self):
        x = torch.zeros(3)
        x[[1, 1, 1]] = 5.0
        x[[0, 0]] += 1  # reads once, writes twice
        assert x.tolist() == [1, 5, 0]

    def test_index_put_accumulates(self):
        x = torch.zeros(3)
        index = (torch.tensor([1, 1, 0]),)
        x.index_put_(index, torch.tensor([1.0, 2.0, 4.0]), accumulate=True)
        assert x.tolist() == [4, 3, 0]
        assert x.index_put(index, torch.tensor(9.0)).tolist() == [9, 9, 0]
        assert x.tolist() == [4, 3, 0]

    def test_of_a_tensor_to_itself(self):
        x = torch.arange(5)
        x[:] = x.flip(0)
        assert x.tolist() == [4, 3, 2, 1, 0]
        x[[0, 1]] = x[[1, 0]]
        assert x.tolist() == [3, 4, 2, 1, 0]

    def test_through_a_view(self):
        x = torch.zeros(3, 4)
        x.t()[1:3, [0, 2]] = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
        assert x.tolist() == [[0, 1, 3, 0], [0, 0, 0, 0], [0, 2, 4, 0]]

    def test_0d(self):
        x = torch.tensor(1.0)
        x[...] = 2
        assert x == 2
        x[()] = 3
        assert x == 3
        x[torch.tensor(True)] = 4
        assert x == 4
        x[None] = 5
        assert x == 5

    def test_a_list_of_numbers_as_the_value(self):
        x = torch.zeros(3)
        with pytest.raises(TypeError):
            x[0] = "text"
        with pytest.raises(TypeError):
            x[0] = None
        assert x.tolist() == [0, 0, 0]


class TestListsOfIndices:
    def test_a_list_of_slices_lists_or_tensors_is_an_old_tuple(self):
        x = torch.arange(24).reshape(2, 3, 4)
        i, j = torch.tensor([0, 1]), torch.tensor([1, 2])
        for index in ([slice(None), slice(0, 1)], [[0, 1], [0, 2]], [i, j], [None, 1], [..., 0],
                      [[0, 1], 2], [torch.tensor(0), 1], [[0, 1]]):  # fmt: skip
            with pytest.warns(UserWarning, match="tuple"):
                assert torch.equal(x[index], x[tuple(index)])
            written, expected = x.clone(), x.clone()
            with pytest.warns(UserWarning, match="tuple"):
                written[index] = 0
            expected[tuple(index)] = 0
            assert torch.equal(written, expected)

    def test_a_list_of_numbers_is_one_index(self):
        x = torch.arange(24).reshape(2, 3, 4)
        assert x[[0, 1]].shape == (2, 3, 4) and x[[True, False]].shape == (1, 3, 4)


class TestBooleans:
    def test_a_python_bool_or_0d_mask_adds_a_dim(self):
        x = torch.arange(3)
        assert x[True].tolist() == [[0, 1, 2]] and x[False].shape == (0, 3)
        assert x[torch.tensor(True)].shape == (1, 3)
        assert torch.tensor(5)[torch.tensor(False)].shape == (0,)

    def test_uint8_is_an_old_mask(self):
        x = torch.arange(3)
        with pytest.warns(UserWarning, match="uint8"):
            assert x[torch.tensor([1, 0, 1], dtype=torch.uint8)].tolist() == [0, 2]

    def test_nonzero_and_masked_select(self):
        m = torch.tensor([[True, False], [False, True]])
        assert m.nonzero().tolist() == [[0, 0], [1, 1]]
        rows, columns = m.nonzero(as_tuple=True)
        assert rows.tolist() == [0, 1] and columns.tolist() == [0, 1]
        assert torch.arange(4).view(2, 2).masked_select(m).tolist() == [0, 3]
        assert torch.tensor(0.0).nonzero().shape == (0, 0)
        assert torch.tensor(2.0).nonzero().shape == (1, 0)


# Expression, error, what the message says. `x` is [4, 5, 6].
ERRORS = [
    ("x[4]", IndexError, r"4.*size 4"),
    ("x[-5]", IndexError, "-5"),
    ("x[0, 5]", IndexError, r"5.*dim(ension)? 1.*size 5"),
    ("x[0, 0, 0, 0]", IndexError, "too many indices.* 3"),
    ("x[0, ..., 0, 0, 0]", IndexError, "too many indices"),
    ("x[torch.tensor([0, 4])]", IndexError, r"4.*size 4"),
    ("x[:, torch.tensor([-6])]", IndexError, r"-6.*size 5"),
    ("x[[9]]", IndexError, r"9.*size 4"),
    ("x[torch.ones(3, dtype=torch.bool)]", IndexError, r"\[3\].*\[4, 5, 6\]"),
    ("x[:, torch.ones(4, dtype=torch.bool)]", IndexError, r"\[4\].*\[4, 5, 6\]"),
    ("x[[0, 1], [0, 1, 2]]", IndexError, r"\[2\].*\[3\]"),
    ("x[torch.tensor([0.5])]", IndexError, "int"),
    ("x[1.5]", (TypeError, IndexError), "float"),
    ("x[0.0:2]", TypeError, None),
    ("x['a']", (TypeError, IndexError), "str"),
    ("x[object()]", (TypeError, IndexError), "object"),
    ("x[::-1]", ValueError, "step"),
    ("x[::0]", ValueError, "step"),
    ("torch.tensor(1)[0]", IndexError, "0-dim|0-d"),
    ("torch.tensor(1)[:]", IndexError, "0-dim|0-d"),
    ("x.select(3, 0)", IndexError, r"\[-3, 2\].*3"),
    ("x.select(0, 4)", IndexError, "4"),
    ("x.narrow(0, 2, 3)", (RuntimeError, IndexError), "3"),
    ("x.index_select(0, torch.tensor([7]))", (IndexError, RuntimeError), "range"),
    ("x.index_select(0, torch.tensor([[0]]))", (IndexError, RuntimeError), "index"),
    ("x.gather(2, torch.zeros(1, 1, 1))", (RuntimeError, IndexError), "int64|int32"),
    ("x.gather(0, torch.tensor([0]))", (RuntimeError, IndexError), "dim"),
    ("x.gather(0, torch.full((1, 1, 1), 4))", (RuntimeError, IndexError), "4"),
    ("x.masked_select(torch.zeros(4, 5, 6))", RuntimeError, "(?i)bool"),
]


@pytest.mark.parametrize("code, error, message", ERRORS, ids=[e[0] for e in ERRORS])
def test_errors(code, error, message):
    with pytest.raises(error, match=message):
        eval(code, {"x": torch.arange(120).view(SHAPE), "torch": torch})


@pytest.mark.parametrize(
    "code",
    [
        "x[4] = 0",
        "x[0, 0, 0, 0] = 0",
        pytest.param("x[[0, 9]] = 0", marks=pytest.mark.adjoint_only),  # torch wrote x[0] already
        "x[torch.ones(3, dtype=torch.bool)] = 0",
        "x[0] = torch.zeros(4)",
        "x[:, 0] = torch.zeros(5, 6)",
        "x[x > 5] = torch.zeros(3)",
        "x[[0, 1]] = torch.zeros(3, 5, 6)",
        "x[::-1] = 0",
        "x['a'] = 0",
        "x[0] = 'a'",
        "x[1.5] = 0",
    ],
)
def test_a_refused_assignment_changes_nothing(code):
    x = torch.arange(120.0).view(SHAPE)
    with pytest.raises((IndexError, TypeError, RuntimeError, ValueError)):
        exec(code)
    assert_same(x, torch.arange(120.0).view(SHAPE))
    assert x._version == 0


def test_deletion_is_refused():
    with pytest.raises((TypeError, AttributeError)):
        del torch.ones(2)[0]


class TestGatherAndScatter:
    """out[i, j] = x[index[i, j], j] and its inverse, against NumPy's take_along_axis."""

    def test_gather(self):
        x = torch.arange(12).view(3, 4)
        index = torch.tensor([[2, 0, 1], [0, 0, 2]])
        expected = np.take_along_axis(x.numpy()[:, :3], index.numpy(), 0)
        assert_same(x.gather(0, index), expected)
        assert_same(torch.gather(x, 1, torch.tensor([[3], [0]])), [[3], [4]])
        assert_same(torch.take_along_dim(x, torch.tensor([[3], [0], [1]]), 1), [[3], [4], [9]])

    def test_scatter(self):
        x = torch.zeros(2, 3, dtype=torch.int64)
        index = torch.tensor([[2, 0], [1, 1]])
        source = torch.tensor([[1, 2], [3, 3]])
        assert x.scatter(1, index, source).tolist() == [[2, 0, 1], [0, 3, 0]]
        assert x.scatter(1, index, 7).tolist() == [[7, 0, 7], [0, 7, 0]]
        assert x.scatter_add(1, index, torch.ones_like(index)).tolist() == [[1, 0, 1], [0, 2, 0]]
        assert x.sum() == 0
        assert x.scatter_add_(0, index[1:], index[1:] * 4) is x
        assert x.tolist() == [[0, 0, 0], [4, 4, 0]]

    def test_index_ops(self):
        x = torch.arange(6).view(3, 2)
        assert x.index_select(0, torch.tensor([2, 2])).tolist() == [[4, 5], [4, 5]]
        assert x.index_add(1, torch.tensor([1, 1]), x).tolist() == [[0, 2], [2, 8], [4, 14]]

    def test_embedding_and_one_hot(self):
        F = torch.nn.functional
        w = torch.arange(6.0).view(3, 2)
        assert F.embedding(torch.tensor([[2, 0]]), w).tolist() == [[[4, 5], [0, 1]]]
        assert F.one_hot(torch.tensor([2, 0])).tolist() == [[0, 0, 1], [1, 0, 0]]
        assert F.one_hot(torch.tensor([1]), 4).shape == (1, 4)
        with pytest.raises(RuntimeError):
            F.one_hot(torch.tensor([3]), 2)
        with pytest.raises(IndexError):
            F.embedding(torch.tensor([3]), w)
