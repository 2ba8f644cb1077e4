"""Tensors beside NumPy's arrays and scalars: conversion, arithmetic, indices, NumPy's functions.

test_dlpack.py has dtypes, layouts and lifetimes of shared memory.
"""

import array

import numpy as np
import pytest
from _backend import assert_same, torch

ADJOINT = pytest.mark.adjoint_only
# NumPy 2 warns of torch's `__array__` and `__array_wrap__`, which lack newer arguments.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*__array_wrap__:DeprecationWarning",
    "ignore:.*__array__:DeprecationWarning",
    "ignore:Creating a tensor from a list of numpy:UserWarning",
)


class TestFromArrays:
    MAKERS = ["from_numpy", "asarray", "as_tensor"]

    @pytest.mark.parametrize("name", MAKERS)
    def test_on_one_memory(self, name):
        a = np.arange(3.0)
        x = getattr(torch, name)(a)
        a[0] = 9
        x[1] = 8
        assert x.tolist() == a.tolist() == [9, 8, 2]

    @pytest.mark.parametrize(
        "a",
        [
            np.array(2.5),
            np.zeros((0, 3), np.float32),
            np.asfortranarray(np.arange(6).reshape(2, 3)),
            np.arange(10)[::3],
            np.arange(24).reshape(2, 3, 4)[:, 1:, ::2],
            np.ma.array([1.0, 2.0]),
        ],
        ids=lambda a: f"{a.shape} {a.strides}",
    )
    def test_shapes_and_strides_are_kept(self, a):
        x = torch.from_numpy(a)
        assert tuple(x.shape) == a.shape and x.tolist() == a.tolist()
        if x.numel():
            assert tuple(s * a.itemsize for s in x.stride()) == a.strides

    def test_copies(self):
        a = np.arange(3.0)
        for x in (
            torch.tensor(a),
            torch.asarray(a, copy=True),
            torch.as_tensor(a, dtype=torch.float32),
            torch.asarray(a, dtype=torch.float32),
        ):
            x[0] = 5
        assert a[0] == 0

    def test_no_copy_is_an_error_where_one_is_needed(self):
        a = np.arange(3.0)
        assert torch.asarray(a, copy=False).data_ptr() == a.ctypes.data
        x = torch.zeros(2)
        assert torch.asarray(x, copy=False).data_ptr() == x.data_ptr()
        with pytest.raises(ValueError):
            torch.asarray(a, dtype=torch.float32, copy=False)
        with pytest.raises(ValueError):
            torch.asarray([1, 2], copy=False)
        with pytest.raises(ValueError):
            torch.asarray(x, dtype=torch.int64, copy=False)

    @pytest.mark.parametrize("name", [*MAKERS, "tensor"])
    def test_arrays_that_run_backwards(self, name):
        with pytest.raises(ValueError, match="negative"):
            getattr(torch, name)(np.arange(3)[::-1])

    @pytest.mark.parametrize("name", [*MAKERS, "tensor"])
    @pytest.mark.parametrize("dtype", ["object", "S3", "U3", "longdouble"])
    def test_dtypes_that_tensors_do_not_have(self, name, dtype):
        with pytest.raises(TypeError):
            getattr(torch, name)(np.ones(2).astype(dtype))

    def test_dates(self):
        with pytest.raises(TypeError):
            torch.from_numpy(np.ones(2).astype("datetime64[s]"))

    def test_another_byte_order(self):
        with pytest.raises(ValueError, match="byte order"):
            torch.from_numpy(np.ones(2, ">f4"))
        assert torch.from_numpy(np.ones(2, ">f4").astype("=f4")).tolist() == [1, 1]

    @pytest.mark.parametrize("what", [[1, 2], np.float32(1), torch.ones(2)])
    def test_from_numpy_is_for_arrays(self, what):
        with pytest.raises(TypeError, match="expected np.ndarray"):
            torch.from_numpy(what)

    @ADJOINT  # torch warns once in a process
    def test_what_may_not_be_written(self):
        a = np.arange(3.0)
        a.flags.writeable = False
        with pytest.warns(UserWarning, match="not writable"):
            assert torch.from_numpy(a).tolist() == [0, 1, 2]
        assert torch.tensor(a).tolist() == [0, 1, 2]

    def test_scalars(self):
        for value, dtype in (
            (np.float32(1.5), torch.float32),
            (np.float64(1.5), torch.float64),
            (np.float16(1.5), torch.float16),
            (np.int16(3), torch.int16),
            (np.bool_(True), torch.bool),
            (np.complex64(1j), torch.complex64),
        ):
            for make in (torch.tensor, torch.as_tensor, torch.asarray):
                assert_same(make(value), torch.tensor(value.item(), dtype=dtype))

    def test_lists_of_arrays_and_scalars_keep_their_dtype(self):
        x = torch.tensor([np.float64(1), np.float64(2)])
        assert_same(x, torch.tensor([1, 2], dtype=torch.float64))
        x = torch.tensor([np.array([1, 2], "i4"), np.array([3, 4], "i4")])
        assert_same(x, torch.tensor([[1, 2], [3, 4]], dtype=torch.int32))
        assert torch.tensor([np.complex64(1j)]).dtype == torch.complex64

    def test_other_buffers(self):
        numbers = array.array("d", [1, 2])
        x = torch.frombuffer(numbers, dtype=torch.float64)
        x[0] = 7
        assert numbers[0] == 7
        assert torch.frombuffer(bytearray(b"abcd"), dtype=torch.uint8, offset=2).tolist() == [
            99,
            100,
        ]


class TestToArrays:
    def test_on_one_memory(self):
        x = torch.arange(3)
        for a in (x.numpy(), np.asarray(x), x.__array__()):
            a[0] += 1
        assert x[0] == 3

    def test_copies_and_dtypes(self):
        x = torch.arange(3)
        for a in (np.array(x), np.asarray(x, dtype="f8"), x.__array__(np.dtype("f4"))):
            a[0] = 9
        assert x[0] == 0
        assert np.asarray(x, dtype="f8").dtype == "f8" and x.__array__("float32").dtype == "f4"

    @ADJOINT  # torch's `__array__` knows no `copy`
    def test_no_copy(self):
        x = torch.arange(3)
        np.asarray(x, copy=False)[0] = 7
        assert x[0] == 7
        with pytest.raises(ValueError, match="memory"):
            np.asarray(x, dtype="f8", copy=False)

    def test_lists_of_tensors(self):
        assert np.array([torch.tensor(1.0), torch.tensor(2.0)]).tolist() == [1, 2]
        assert np.stack([torch.ones(2), torch.zeros(2)]).tolist() == [[1, 1], [0, 0]]
        assert np.concatenate([torch.ones(2), np.zeros(1)]).tolist() == [1, 1, 0]

    def test_gradients_are_not_dropped_silently(self):
        x = torch.ones(2, requires_grad=True)
        for convert in (x.numpy, lambda: np.asarray(x), lambda: np.array([x, x]),
                        lambda: np.sin(x), lambda: np.from_dlpack(x)):  # fmt: skip
            with pytest.raises((RuntimeError, BufferError), match="grad"):
                convert()
        assert x.numpy(force=True).tolist() == x.detach().numpy().tolist() == [1, 1]

    def test_numbers(self):
        assert complex(torch.tensor(1 + 2j)) == 1 + 2j
        assert np.float64(torch.tensor(1.5)) == 1.5 and np.int64(torch.tensor(3)) == 3
        assert [1, 2, 3][torch.tensor(1)] == 2 and list(range(torch.tensor(2))) == [0, 1]


class TestArithmetic:
    @pytest.mark.parametrize("scalar", [np.float64(2), np.float32(2), np.int64(2), np.int8(2)])
    def test_with_scalars(self, scalar):
        for x in (torch.tensor([2.0, 3.0]), torch.tensor([2.0, 3.0], dtype=torch.float16)):
            for f in (lambda a, b: a * b, lambda a, b: a + b, lambda a, b: a - b,
                      lambda a, b: a / b, lambda a, b: a**b):  # fmt: skip
                # A scalar counts as the number that it is: the tensor's dtype stays.
                assert_same(f(x, scalar), f(x, scalar.item()))
                assert_same(f(scalar, x), f(scalar.item(), x))
            assert_same(scalar > x, scalar.item() > x)
            assert_same(x == scalar, x == scalar.item())

    def test_a_scalar_keeps_the_history(self):
        x = torch.ones(2, requires_grad=True)
        (np.float64(2) * x + x * np.float32(3)).sum().backward()
        assert x.grad.tolist() == [5, 5]

    def test_a_tensor_and_an_array(self):
        x, a = torch.tensor([2.0, 3.0]), np.array([1.0, 2.0])
        for f in (lambda a, b: a * b, lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a / b):
            assert_same(f(x, a), f(x.double(), torch.from_numpy(a)))
        assert_same(x @ a.astype("f4"), torch.tensor(8.0))

    def test_equality(self):
        x, a = torch.tensor([2.0, 3.0]), np.array([2.0, 1.0])
        assert (x == a).tolist() == (a == x).tolist() == [True, False]
        assert torch.tensor(3) in np.arange(5)

    @ADJOINT  # torch refuses arrays on the left, and arrays beside what requires grad
    def test_arrays_are_operands_that_gradients_pass_by(self):
        a = np.array([1.0, 2.0])
        x = torch.tensor([2.0, 4.0], dtype=torch.float64, requires_grad=True)
        for f in (lambda p, q: p * q, lambda p, q: p - q, lambda p, q: p / q, lambda p, q: p**q):
            for pair in ((x, a), (a, x)):
                y = f(*pair)
                assert_same(y, f(*(torch.as_tensor(v) for v in pair)))
                y.sum().backward()
        assert x.grad is not None
        assert (a < x).tolist() == (x > a).tolist() == [True, True]
        y = torch.zeros(2)
        y += a  # in place: torch binds y to a new tensor
        assert_same(y, torch.tensor([1.0, 2.0]))

    def test_an_array_takes_a_tensor_into_itself(self):
        a = np.zeros(3)
        a[:2] = torch.tensor([1.0, 2.0])
        a[2] = torch.tensor(3.0)
        assert a.tolist() == [1, 2, 3]


class TestIndices:
    def test_tensors_by_arrays_and_scalars(self):
        x = torch.arange(6).reshape(2, 3)
        for dtype in ("i8", "i4"):
            assert x[:, np.array([2, 0], dtype)].tolist() == [[2, 0], [5, 3]]
        assert x[np.array([0, 1]), torch.tensor([1, 2])].tolist() == [1, 5]
        assert x[np.array([True, False])].tolist() == [[0, 1, 2]]
        assert x[np.int64(1), np.uint8(2)] == 5 and x[np.int64(1) :].tolist() == [[3, 4, 5]]
        assert x[np.array(1), np.array(2)] == 5
        assert x[np.newaxis].shape == (1, 2, 3) and x[np.array([], np.int64)].shape == (0, 3)

    def test_arrays_by_tensors(self):
        a = np.arange(6.0).reshape(2, 3)
        assert a[torch.tensor([0, 1]), torch.tensor([1, 2])].tolist() == [1, 5]
        assert a[torch.tensor([True, False])].tolist() == [[0, 1, 2]]
        assert a[torch.tensor(1), torch.tensor(0) :].tolist() == [3, 4, 5]
        a[torch.tensor([0, 1]), 0] = torch.tensor([7.0, 8.0])
        assert a[:, 0].tolist() == [7, 8]

    def test_membership(self):
        assert np.int64(3) in torch.arange(5) and np.float32(9) not in torch.arange(5)


class TestNumpysFunctions:
    def test_ufuncs_give_tensors(self):
        x = torch.tensor([0.0, 1.0])
        for f in (np.sin, np.exp, np.abs, lambda v: np.add(v, 1), lambda v: np.maximum(v, 0.5)):
            found = f(x)
            assert isinstance(found, torch.Tensor) and found.dtype == torch.float32
            np.testing.assert_array_equal(found.numpy(), f(x.numpy()))
        assert_same(np.sin(torch.tensor(0.0)), torch.tensor(0.0))

    def test_others(self):
        x = torch.tensor([[1.0, 3.0], [2.0, 0.0]])
        assert np.linalg.norm(x) == pytest.approx(14**0.5)
        assert np.allclose(x, x) and np.shape(x) == (2, 2) and np.ndim(x) == 2
        assert np.where(x > 1, 1, 0).tolist() == [[0, 1], [1, 0]]
        np.testing.assert_allclose(x, x.numpy())


class TestDlpack:
    def test_arguments(self):
        x = torch.ones(2)
        for kind in ({}, {"copy": False}, {"dl_device": (1, 0)}, {"max_version": (0, 8)}):
            y = torch.from_dlpack(x.__dlpack__(**kind))
            assert y.data_ptr() == x.data_ptr()
        y = torch.from_dlpack(x, copy=True)
        y[0] = 5
        a = np.ones(2)
        torch.from_dlpack(a, device="cpu")[0] = 3
        torch.from_dlpack(a, copy=True)[0] = 4
        assert x[0] == 1 and a[0] == 3
        assert_same(torch.from_dlpack(torch.to_dlpack(x)), x)

    def test_refused(self):
        with pytest.raises(BufferError, match="grad"):
            torch.from_dlpack(torch.ones(2, requires_grad=True))
        with pytest.raises(AssertionError, match="stream"):
            torch.ones(2).__dlpack__(stream=1)
        with pytest.raises((BufferError, NotImplementedError)):
            torch.ones(2).__dlpack__(dl_device=(2, 0))
