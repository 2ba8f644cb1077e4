"""Memory shared with NumPy and others: DLPack and the buffer protocol."""

import gc
import weakref

import numpy as np
import pytest
from _backend import NAME, assert_same, torch

DTYPES = ["uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64",
          "complex64", "complex128", "bool"]  # fmt: skip


def make(name):
    return torch.tensor([[0, 1, 2], [3, 4, 5]]).to(getattr(torch, name))


@pytest.mark.parametrize("name", DTYPES)
class TestDtypes:
    def test_to_numpy(self, name):
        x = make(name)
        for a in (np.from_dlpack(x), x.numpy(), np.asarray(x)):
            assert a.dtype == name and a.shape == (2, 3) and a.tolist() == x.tolist()

    def test_from_numpy(self, name):
        a = np.arange(6).reshape(2, 3).astype(name)
        for x in (torch.from_dlpack(a), torch.from_numpy(a), torch.as_tensor(a)):
            assert x.dtype == getattr(torch, name) and x.tolist() == a.tolist()

    def test_there_and_back(self, name):
        x = make(name)
        y = torch.from_dlpack(x.__dlpack__())
        assert y.data_ptr() == x.data_ptr()
        assert_same(y, x)


def test_bfloat16_by_dlpack_alone():
    x = make("bfloat16")
    y = torch.from_dlpack(x.__dlpack__())
    assert y.dtype == torch.bfloat16 and y.tolist() == x.tolist()
    with pytest.raises(TypeError, match="BFloat16"):
        x.numpy()


@pytest.mark.parametrize(
    "view",
    [
        lambda x: x.t(),
        lambda x: x[:, ::2],
        lambda x: x[1:, 1],
        lambda x: x[1, 2],
        lambda x: x[:0],
        lambda x: x[0].expand(4, 3),
        lambda x: x[None, :, None],
    ],
)
class TestLayouts:
    def test_strides_and_offsets(self, view):
        x = view(make("float32"))
        for a in (x.numpy(), np.from_dlpack(x)):
            assert a.shape == tuple(x.shape) and a.tolist() == x.tolist()
            y = torch.from_dlpack(a) if a.flags.writeable else torch.from_dlpack(a.copy())
            assert_same(y, x)

    def test_dlpack_back(self, view):
        x = view(make("float32"))
        y = torch.from_dlpack(x.__dlpack__())
        assert_same(y, x)
        if x.numel():
            assert y.stride() == x.stride()


class TestSharing:
    def test_writes_show_on_both_sides(self):
        x = torch.zeros(3)
        a, b = x.numpy(), np.from_dlpack(x)
        x[0] = 1
        a[1] = 2
        y = torch.from_dlpack(a)
        y[2] = 3
        assert x.tolist() == a.tolist() == b.tolist() == [1, 2, 3]

    def test_the_memory_outlives_the_tensor(self):
        a, b = torch.full((1000,), 7.0).numpy(), np.from_dlpack(torch.full((1000,), 8.0))
        y = torch.from_dlpack(torch.full((1000,), 9.0).__dlpack__())
        torch.zeros(1000), torch.zeros(1000)
        assert (a == 7).all() and (b == 8).all() and (y == 9).all()

    def test_the_memory_outlives_the_array(self):
        class Array(np.ndarray):
            pass

        a = np.arange(4.0).view(Array)
        alive = weakref.ref(a)
        y = torch.from_dlpack(a)
        del a
        gc.collect()
        assert alive() is not None and y.tolist() == [0, 1, 2, 3]
        del y
        gc.collect()
        assert alive() is None

    def test_a_capsule_that_nobody_takes(self):
        x = torch.zeros(3)
        alive = weakref.ref(x)
        capsule = x.__dlpack__()
        del x, capsule
        gc.collect()
        assert alive() is None

    def test_a_capsule_is_taken_once(self):
        capsule = torch.zeros(3).__dlpack__()
        torch.from_dlpack(capsule)
        with pytest.raises((RuntimeError, ValueError)):
            torch.from_dlpack(capsule)

    def test_device(self):
        assert tuple(map(int, torch.zeros(1).__dlpack_device__())) == (1, 0)

    def test_a_copy(self):
        x = torch.zeros(3)
        y = torch.from_dlpack(x.__dlpack__(copy=True))
        y[0] = 1
        assert x[0] == 0


class TestRefused:
    def test_what_requires_grad(self):
        x = torch.zeros(3, requires_grad=True)
        with pytest.raises((BufferError, RuntimeError), match="grad"):
            x.__dlpack__()
        with pytest.raises(RuntimeError, match="grad"):
            x.numpy()
        assert x.numpy(force=True).tolist() == [0, 0, 0]

    @pytest.mark.skipif(NAME == "torch", reason="torch has other words")
    def test_under_a_transform(self):
        for f in (lambda x: x.numpy(), lambda x: x.__dlpack__()):
            with pytest.raises(RuntimeError, match="transform"):
                torch.func.vmap(f)(torch.zeros(2))

    @pytest.mark.parametrize("what", [5, "text", object()])
    def test_what_is_no_array(self, what):
        with pytest.raises((TypeError, AttributeError, RuntimeError)):
            torch.from_dlpack(what)

    @pytest.mark.adjoint_only  # torch takes them
    def test_an_array_that_runs_backwards(self):
        with pytest.raises((ValueError, BufferError), match="negative"):
            torch.from_dlpack(np.arange(3)[::-1])

    def test_a_dtype_that_tensors_do_not_have(self):
        with pytest.raises((TypeError, RuntimeError, BufferError)):
            torch.from_dlpack(np.array(["a"]))


def test_versioned_capsules():
    x = torch.ones(2)
    assert "dltensor_versioned" in repr(x.__dlpack__(max_version=(1, 0)))
    assert "dltensor_versioned" not in repr(x.__dlpack__())
    y = torch.from_dlpack(x.__dlpack__(max_version=(1, 2)))
    assert y.data_ptr() == x.data_ptr()
    copy = torch.from_dlpack(x.__dlpack__(max_version=(1, 0), copy=True))
    assert copy.data_ptr() != x.data_ptr() and copy.tolist() == x.tolist()
