"""Making tensors: values, shapes, dtypes inferred and asked for, and what is refused."""

import math

import numpy as np
import pytest
from _backend import assert_close, assert_same, torch

INTEGERS = ["bool", "uint8", "int8", "int16", "int32", "int64"]
DTYPES = [*INTEGERS, "float16", "bfloat16", "float32", "float64"]
COMPLEX = ["complex64", "complex128"]


def dtype_of(name):
    return getattr(torch, name)


class TestTensor:
    @pytest.mark.parametrize(
        "data, dtype, shape",
        [
            (3, "int64", ()),
            (True, "bool", ()),
            (2.5, "float32", ()),
            (1 + 2j, "complex64", ()),
            ([], "float32", (0,)),
            ([[], []], "float32", (2, 0)),
            ([1, 2, 3], "int64", (3,)),
            ([1, 2.0], "float32", (2,)),
            ([True, 2], "int64", (2,)),
            ([True, False], "bool", (2,)),
            ([[1, 2], [3, 4.5]], "float32", (2, 2)),
            (((1, 2), [3, 4], range(2)), "int64", (3, 2)),
            (range(4), "int64", (4,)),
            (-(2**63), "int64", ()),
            (math.inf, "float32", ()),
        ],
    )
    def test_infers_dtype_and_shape(self, data, dtype, shape):
        x = torch.tensor(data)
        assert x.dtype == dtype_of(dtype) and x.shape == shape
        assert x.is_contiguous() and x.is_leaf and not x.requires_grad

    @pytest.mark.parametrize("name", [*DTYPES, *COMPLEX])
    def test_takes_a_dtype(self, name):
        x = torch.tensor([0, 1, 2], dtype=dtype_of(name))
        assert x.dtype == dtype_of(name)
        assert x.tolist() == ([False, True, True] if name == "bool" else [0, 1, 2])

    def test_of_tensors_and_numpy_scalars(self):
        x = torch.tensor([torch.tensor(1), torch.tensor(2)])
        assert x.tolist() == [1, 2]
        assert torch.tensor([np.float32(1.5), np.float32(2)]).dtype == torch.float32
        assert torch.tensor(np.int16(3)).dtype == torch.int16
        assert torch.tensor(np.float64(3)).dtype == torch.float64
        assert torch.tensor([np.int32(3), 1.5]).tolist() == [3, 1.5]

    def test_copies_arrays(self):
        a = np.arange(6, dtype=np.int16).reshape(2, 3).T
        x = torch.tensor(a)
        assert x.dtype == torch.int16 and x.tolist() == [[0, 3], [1, 4], [2, 5]]
        a[0, 0] = 9
        assert x[0, 0] == 0
        assert_same(torch.tensor(a[::2], dtype=torch.float32), torch.tensor([[9.0, 3], [2, 5]]))
        assert torch.tensor(np.array(2.5)).shape == ()

    def test_arguments(self):
        x = torch.tensor([1.0], requires_grad=True, device="cpu")
        assert x.requires_grad and x.device == torch.device("cpu")
        with pytest.raises(TypeError):
            torch.tensor([1.0], torch.float32)  # dtype is keyword-only
        with pytest.raises(TypeError):
            torch.tensor()

    @pytest.mark.parametrize(
        "data, error, message",
        [
            ([[1, 2], [3]], ValueError, "length"),
            ([1, [2]], (TypeError, ValueError), None),
            ("text", TypeError, "str"),
            (["a"], (TypeError, ValueError), "str"),
            (None, (TypeError, RuntimeError), "None"),
            ([None], (TypeError, RuntimeError), "None"),
            ({1: 2}, (TypeError, RuntimeError), "dict"),
            (object(), (TypeError, RuntimeError), "object"),
            (2**64, (RuntimeError, OverflowError, ValueError), None),
            (np.array(["a"]), TypeError, "str"),
        ],
    )
    def test_refuses(self, data, error, message):
        with pytest.raises(error, match=message):
            torch.tensor(data)

    @pytest.mark.parametrize("dtype, value", [("uint8", 300), ("int8", 200), ("int32", 2**40)])
    def test_refuses_numbers_that_do_not_fit(self, dtype, value):
        with pytest.raises((RuntimeError, ValueError, OverflowError)):
            torch.tensor(value, dtype=dtype_of(dtype))

    def test_a_tensor_is_copied_with_a_warning(self):
        x = torch.ones(2)
        with pytest.warns(UserWarning, match="clone"):
            y = torch.tensor(x)
        y[0] = 5
        assert x.tolist() == [1, 1]


class TestLegacyConstructor:
    """`Tensor(...)`: integers are sizes, a sequence is data, always the default dtype."""

    def test_sizes(self):
        assert torch.Tensor(2, 3).shape == (2, 3)
        assert torch.Tensor(2).shape == (2,)
        assert torch.Tensor(torch.Size([2, 3])).shape == (2, 3)
        assert torch.Tensor().shape == (0,)
        assert torch.Tensor(2, 3).dtype == torch.float32

    def test_data(self):
        assert_same(torch.Tensor([1, 2]), torch.tensor([1.0, 2.0]))
        assert_same(torch.Tensor([[1], [2]]), torch.tensor([[1.0], [2.0]]))
        assert_same(torch.Tensor((1, 2)), torch.tensor([1.0, 2.0]))
        assert_same(torch.Tensor([]), torch.zeros(0))
        assert_same(torch.Tensor(np.array([1.0, 2.0])), torch.tensor([1.0, 2.0]))

    def test_of_a_tensor_is_the_same_memory(self):
        x = torch.ones(2)
        assert torch.Tensor(x).data_ptr() == x.data_ptr()

    @pytest.mark.parametrize("args", [(6.7,), (2, 3.5), ("text",), (None,)])
    def test_anything_else_is_a_type_error(self, args):
        with pytest.raises(TypeError):
            torch.Tensor(*args)

    def test_the_message_names_the_type(self):
        with pytest.raises(TypeError, match="float"):
            torch.Tensor(6.7)

    @pytest.mark.parametrize(
        "name, dtype",
        [
            ("FloatTensor", "float32"),
            ("DoubleTensor", "float64"),
            ("LongTensor", "int64"),
            ("IntTensor", "int32"),
            ("ByteTensor", "uint8"),
            ("BoolTensor", "bool"),
        ],
    )
    def test_named_after_a_dtype(self, name, dtype):
        make = getattr(torch, name)
        assert_same(make([1, 0]), torch.tensor([1, 0], dtype=dtype_of(dtype)))
        assert make(2, 3).shape == (2, 3) and make(2, 3).dtype == dtype_of(dtype)
        assert make(torch.Size([2, 3])).shape == make(size=(2, 3)).shape == (2, 3)
        assert make((2, 3)).shape == (2,) and make().shape == (0,)
        assert isinstance(make(2), torch.Tensor) and isinstance(make(2), make)
        assert not isinstance(torch.ones(1, dtype=torch.int8), make)
        assert torch.zeros(1, dtype=dtype_of(dtype)).type() == f"torch.{name}"
        assert torch.zeros(1).type(make).dtype == dtype_of(dtype) == make.dtype
        assert torch.typename(make) == f"torch.{name}"

    @pytest.mark.parametrize("name", [torch.Tensor, "torch.Tensor"])
    def test_the_type_tensor_is_that_of_the_default_dtype(self, name):
        assert torch.ones(1, dtype=torch.int8).type(name).dtype == torch.get_default_dtype()

    def test_named_after_a_dtype_shares_the_memory_of_a_tensor(self):
        x = torch.zeros(2)
        torch.FloatTensor(x)[0] = 1
        assert x.tolist() == [1, 0]
        with pytest.raises(TypeError, match="float64|double"):
            torch.FloatTensor(x.double())

    @pytest.mark.skipif(torch.cuda.is_available(), reason="needs a build without CUDA")
    def test_no_tensor_is_of_a_type_on_a_gpu(self):
        assert not isinstance(torch.ones(1), torch.cuda.FloatTensor)
        with pytest.raises(TypeError, match="not available"):
            torch.cuda.FloatTensor(2)
        with pytest.raises((ValueError, RuntimeError)):
            torch.ones(1).type(torch.cuda.FloatTensor)
        with pytest.raises(TypeError):
            torch.set_default_tensor_type(torch.cuda.DoubleTensor)

    @pytest.mark.parametrize("args", [(2.5,), (True,), ([2], [3])])
    def test_named_after_a_dtype_takes_sizes_or_one_sequence(self, args):
        with pytest.raises(TypeError):
            torch.FloatTensor(*args)


FILLS = {
    "zeros": (lambda *a, **k: torch.zeros(*a, **k), 0),
    "ones": (lambda *a, **k: torch.ones(*a, **k), 1),
    "full": (lambda *a, **k: torch.full(a if type(a[0]) is int else a[0], 7.0, **k), 7),
    "empty": (lambda *a, **k: torch.empty(*a, **k), None),
    "rand": (lambda *a, **k: torch.rand(*a, **k), None),
    "randn": (lambda *a, **k: torch.randn(*a, **k), None),
}


@pytest.mark.parametrize("name", FILLS)
class TestFilled:
    def test_shape_in_any_form(self, name):
        make, value = FILLS[name]
        for args in [(2, 3), ((2, 3),), ([2, 3],), (torch.Size([2, 3]),)]:
            x = make(*args)
            assert x.shape == (2, 3) and x.dtype == torch.float32 and x.is_contiguous()
            if value is not None:
                assert (x == value).all()
        assert make(()).shape == () and make((2, 0)).numel() == 0

    def test_keywords(self, name):
        make, _ = FILLS[name]
        x = make((2,), dtype=torch.float64, device="cpu", requires_grad=True)
        assert x.dtype == torch.float64 and x.requires_grad and x.is_leaf

    def test_negative_sizes_are_refused(self, name):
        with pytest.raises((RuntimeError, ValueError), match="negative"):
            FILLS[name][0]((3, -2))

    def test_other_bad_arguments(self, name):
        make, _ = FILLS[name]
        for size, kwargs in [(2.5, {}), ("a", {}), (2, {"dtype": 3}), (2, {"colour": 1})]:
            with pytest.raises(TypeError):
                make(size, **kwargs)


class TestLike:
    @pytest.mark.parametrize("name", ["zeros", "ones", "empty", "full", "rand", "randn"])
    def test_takes_shape_and_dtype_of_another(self, name):
        like = getattr(torch, name + "_like")
        value = (7,) if name == "full" else ()
        x = torch.ones(2, 3, dtype=torch.float64, requires_grad=True)
        y = like(x, *value)
        assert y.shape == (2, 3) and y.dtype == torch.float64 and not y.requires_grad
        assert like(x, *value, dtype=torch.float32).dtype == torch.float32
        assert like(x, *value, requires_grad=True).requires_grad

    def test_keeps_the_order_of_strides(self):
        x = torch.ones(2, 3).t()
        assert torch.zeros_like(x).stride() == x.stride() == (1, 3)

    def test_new(self):
        x = torch.ones(2, dtype=torch.int32)
        assert_same(x.new_zeros(2, 1), torch.tensor([[0], [0]], dtype=torch.int32))
        assert_same(x.new_ones((2,)), torch.tensor([1, 1], dtype=torch.int32))
        assert_same(x.new_full((2,), 5), torch.tensor([5, 5], dtype=torch.int32))
        assert_same(x.new_tensor([1, 2]), torch.tensor([1, 2], dtype=torch.int32))
        assert x.new_empty(3, dtype=torch.float64).dtype == torch.float64
        assert x.new_zeros(1, dtype=torch.float32, requires_grad=True).requires_grad

    def test_randint_like(self):
        y = torch.randint_like(torch.zeros(50), 3, 5)
        assert y.dtype == torch.float32 and set(y.tolist()) == {3, 4}


class TestFull:
    @pytest.mark.parametrize(
        "value, dtype", [(1, "int64"), (True, "bool"), (1.5, "float32"), (1j, "complex64")]
    )
    def test_infers_the_dtype(self, value, dtype):
        assert torch.full((2,), value).dtype == dtype_of(dtype)

    def test_full_like_converts(self):
        assert torch.full_like(torch.zeros(2, dtype=torch.int32), 2.9).tolist() == [2, 2]


class TestArange:
    @pytest.mark.parametrize(
        "args",
        [(5,), (2, 6), (0, 10, 3), (5, 0, -2), (0,), (3, 3), (0.5, 3.0), (0, 1, 0.25), (10.0,)],
    )
    def test_is_numpys(self, args):
        expected = np.arange(*args)
        x = torch.arange(*args)
        assert x.dtype == (torch.int64 if expected.dtype.kind == "i" else torch.float32)
        assert_close(x, expected, rtol=1e-6)

    def test_keywords(self):
        assert torch.arange(end=3).tolist() == [0, 1, 2]
        assert torch.arange(start=1, end=6, step=2).tolist() == [1, 3, 5]
        assert torch.arange(3, dtype=torch.float64).dtype == torch.float64
        assert torch.arange(3.0, requires_grad=True).requires_grad

    def test_rounding_does_not_add_an_element(self):
        assert torch.arange(0, 1, 0.1, dtype=torch.float64).shape == (10,)
        assert_close(torch.arange(1, 1.3, 0.1, dtype=torch.float64), np.arange(1, 1.3, 0.1))

    @pytest.mark.parametrize("args", [(0, 5, 0), (0, 5, -1), (5, 0, 1), (math.nan,), (math.inf,)])
    def test_refuses(self, args):
        with pytest.raises((RuntimeError, ValueError)):
            torch.arange(*args)


class TestLinspace:
    @pytest.mark.parametrize("args", [(0, 1, 5), (3, -2, 11), (1, 1, 3), (0, 1, 1), (0, 1, 0)])
    def test_is_numpys(self, args):
        assert_close(torch.linspace(*args, dtype=torch.float64), np.linspace(*args))
        assert torch.linspace(*args).dtype == torch.float32

    def test_ends_are_exact(self):
        x = torch.linspace(0.1, 0.7, 7, dtype=torch.float64)
        assert x[0] == 0.1 and x[-1] == 0.7

    def test_negative_steps_are_refused(self):
        with pytest.raises(RuntimeError, match="non-negative"):
            torch.linspace(0, 1, -1)


def test_eye():
    assert_same(torch.eye(2), torch.tensor([[1.0, 0], [0, 1]]))
    assert_same(torch.eye(2, 3, dtype=torch.int64), torch.tensor([[1, 0, 0], [0, 1, 0]]))
    assert torch.eye(0).shape == (0, 0)
    assert torch.eye(3, requires_grad=True).requires_grad
    with pytest.raises(RuntimeError, match="-1"):
        torch.eye(-1)


class TestFromOthers:
    def test_as_tensor_shares_where_it_can(self):
        x = torch.ones(2)
        assert torch.as_tensor(x) is x
        assert torch.as_tensor(x, dtype=torch.float64) is not x
        a = np.zeros(3)
        y = torch.as_tensor(a)
        a[0] = 1
        assert y.tolist() == [1, 0, 0] and y.dtype == torch.float64
        assert torch.as_tensor(a, dtype=torch.float32).data_ptr() != y.data_ptr()
        assert torch.as_tensor([1, 2]).dtype == torch.int64
        assert torch.as_tensor(3.5).shape == ()

    def test_from_numpy_shares(self):
        a = np.arange(6, dtype=np.float32).reshape(2, 3)
        x = torch.from_numpy(a.T)
        assert x.shape == (3, 2) and x.stride() == (1, 3)
        x[0, 1] = 50
        assert a[1, 0] == 50
        with pytest.raises(TypeError, match="list"):
            torch.from_numpy([1, 2])

    @pytest.mark.parametrize("name", [n for n in DTYPES if n != "bfloat16"] + COMPLEX)
    def test_from_numpy_of_every_dtype(self, name):
        a = np.array([0, 1, 1]).astype(name)
        x = torch.from_numpy(a)
        assert x.dtype == dtype_of(name)
        assert x.numpy().dtype == a.dtype and (x.numpy() == a).all()

    def test_clone_and_detach(self):
        x = torch.ones(2, 3).t()
        y = x.clone()
        assert y.stride() == x.stride() and y.data_ptr() != x.data_ptr()


class TestRandom:
    def test_the_seed_decides(self):
        def draw():
            return torch.rand(3), torch.randn(3), torch.randint(100, (9,)), torch.randperm(9)

        torch.manual_seed(7)
        first = draw()
        torch.manual_seed(7)
        assert all(torch.equal(a, b) for a, b in zip(first, draw(), strict=True))
        assert not all(torch.equal(a, b) for a, b in zip(first, draw(), strict=True))

    def test_generators_are_independent(self):
        def draw(seed):
            g = torch.Generator()
            assert g.manual_seed(seed) is g and g.initial_seed() == seed
            a = torch.randn(3, generator=g)
            torch.rand(5)  # draws from the global one
            return torch.cat([a, torch.rand(2, generator=g), torch.randperm(4, generator=g)])

        assert torch.equal(draw(1), draw(1))
        assert not torch.equal(draw(1), draw(2))

    def test_the_state_can_be_kept(self):
        torch.rand(3)
        state = torch.get_rng_state()
        assert state.dtype == torch.uint8
        a = torch.randn(4)
        torch.set_rng_state(state)
        assert torch.equal(torch.randn(4), a)
        g = torch.Generator().manual_seed(3)
        state = g.get_state()
        a = torch.rand(2, generator=g)
        g.set_state(state)
        assert torch.equal(torch.rand(2, generator=g), a)

    def test_rand_is_uniform(self):
        x = torch.rand(100_000, dtype=torch.float64)
        assert 0 <= x.min() and x.max() < 1
        # Standard errors: 0.0009 for the mean, 0.0007 for the variance.
        assert abs(x.mean() - 0.5) < 0.005 and abs(x.var() - 1 / 12) < 0.004

    def test_randn_is_normal(self):
        x = torch.randn(100_000, dtype=torch.float64)
        assert abs(x.mean()) < 0.016 and abs(x.var() - 1) < 0.025  # five standard errors
        assert abs((x < 1).double().mean() - 0.8413) < 0.006
        assert abs((x**4).mean() - 3) < 0.16

    @pytest.mark.parametrize("size", [1, 7, 15, 16, 17, 100])
    def test_randn_of_any_size_has_no_repeats(self, size):
        assert len(set(torch.randn(size).tolist())) == size

    def test_randint(self):
        x = torch.randint(-2, 3, (1000,))
        assert x.dtype == torch.int64 and set(x.tolist()) == {-2, -1, 0, 1, 2}
        assert torch.randint(5, (2, 3), dtype=torch.int32).dtype == torch.int32
        assert set(torch.randint(2, size=(100,)).tolist()) == {0, 1}
        for args in [(3, 3, (1,)), (5, 2, (1,)), (0, (1,))]:
            with pytest.raises(RuntimeError):
                torch.randint(*args)

    def test_randperm(self):
        x = torch.randperm(50)
        assert x.dtype == torch.int64 and sorted(x.tolist()) == list(range(50))
        assert x.tolist() != list(range(50))
        assert torch.randperm(0).shape == (0,)
        with pytest.raises((RuntimeError, ValueError)):
            torch.randperm(-1)

    def test_in_place(self):
        x = torch.zeros(20_000, dtype=torch.float64)
        assert x.uniform_(2, 4) is x
        assert x.min() >= 2 and x.max() < 4 and abs(x.mean() - 3) < 0.03
        x.normal_(10, 2)
        assert abs(x.mean() - 10) < 0.1 and abs(x.std() - 2) < 0.06
        x.bernoulli_(0.25)
        assert set(x.tolist()) == {0, 1} and abs(x.mean() - 0.25) < 0.02

    def test_refuses_what_makes_no_sense(self):
        with pytest.raises(RuntimeError):
            torch.zeros(2).uniform_(3, 1)
        with pytest.raises(RuntimeError):
            torch.zeros(2).normal_(0, -1)
        with pytest.raises(RuntimeError):
            torch.rand(2, dtype=torch.int64)

    def test_dropout(self):
        x = torch.ones(10_000)
        y = torch.nn.functional.dropout(x, 0.25)
        assert set(y.tolist()) == {0, y.max().item()}
        assert abs(y.mean() - 1) < 0.05 and abs(y.max() - 4 / 3) < 1e-6
        assert torch.equal(torch.nn.functional.dropout(x, 0.25, training=False), x)


class TestListsOfTensors:
    def test_one_element_counts_as_a_number(self):
        one = torch.tensor([1])
        assert_same(torch.tensor([one, torch.tensor([[2]])]), torch.tensor([1, 2]))
        assert_same(torch.tensor([[one, 2], [3, torch.tensor(4)]]), torch.tensor([[1, 2], [3, 4]]))
        assert_same(torch.tensor([one, 2.5]), torch.tensor([1, 2.5]))
        assert torch.tensor(one.tolist()).shape == (1,)

    def test_different_numbers_of_dims_are_refused(self):
        row, number = torch.tensor([1, 2]), torch.tensor(1)
        for data in ([row, number], [number, row], [[3, 4], number]):
            with pytest.raises((ValueError, TypeError)):
                torch.tensor(data)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e40, -1e19])
def test_numbers_beyond_all_integers_are_refused(value):
    for dtype in (torch.int64, torch.uint8):
        with pytest.raises(RuntimeError, match="without overflow"):
            torch.tensor(value, dtype=dtype)
