"""To and from Python numbers, NumPy, DLPack, buffers, pickles: what is shared, what is copied."""

import array
import copy
import io
import pickle
import weakref

import numpy as np
import pytest
from _backend import assert_same, torch

NUMPY_DTYPES = [
    *["bool", "uint8", "int8", "int16", "int32", "int64"],
    *["float16", "float32", "float64", "complex64", "complex128"],
]


def leaf(*values):
    return torch.tensor(values, requires_grad=True)


class TestToPython:
    def test_tolist(self):
        assert torch.tensor(2.5).tolist() == 2.5
        assert torch.tensor([[1, 2], [3, 4]]).t().tolist() == [[1, 3], [2, 4]]
        assert torch.zeros(2, 0).tolist() == [[], []] and torch.zeros(0, 2).tolist() == []
        assert leaf(1.0).tolist() == [1.0]

    @pytest.mark.parametrize(
        "dtype, kind", [("bool", bool), ("int8", int), ("float32", float), ("complex64", complex)]
    )
    def test_tolist_and_item_give_python_numbers(self, dtype, kind):
        x = torch.ones(1, dtype=getattr(torch, dtype))
        assert type(x.item()) is type(x.tolist()[0]) is kind

    def test_float32_values_are_not_prettified(self):
        assert torch.tensor(0.1).item() == float(np.float32(0.1)) != 0.1

    def test_round_trip_of_nested_lists(self):
        data = [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]
        assert torch.tensor(data).tolist() == data


class TestToNumpy:
    @pytest.mark.parametrize("dtype", NUMPY_DTYPES)
    def test_every_dtype_shares_memory(self, dtype):
        x = torch.zeros(2, 3, dtype=getattr(torch, dtype))
        a = x.numpy()
        assert a.dtype == dtype and a.shape == (2, 3) and a.flags.writeable
        a[0, 1] = 1
        x[1, 2] = 1
        assert x.tolist() == a.tolist() == [[0, 1, 0], [0, 0, 1]]

    def test_strides_and_offsets(self):
        x = torch.arange(24).view(2, 3, 4)
        for view in (x.permute(2, 0, 1), x[1, :, ::2], x[:, 1:], x[:1].expand(5, 3, 4)):
            a = view.numpy()
            assert a.strides == tuple(8 * s for s in view.stride())
            assert a.ctypes.data == view.data_ptr()
            assert_same(view, a)

    def test_0d_and_empty(self):
        assert torch.tensor(2.5).numpy().shape == () and torch.zeros(0, 3).numpy().shape == (0, 3)

    def test_not_when_it_requires_grad(self):
        for x in (leaf(1.0), leaf(1.0) * 2):
            with pytest.raises(RuntimeError, match=r"detach\(\)"):
                x.numpy()
            with pytest.raises(RuntimeError, match=r"detach\(\)"):
                np.asarray(x)
            assert x.detach().numpy().shape == x.numpy(force=True).shape == (1,)

    def test_bfloat16_has_no_numpy_dtype(self):
        with pytest.raises(TypeError, match="(?i)bfloat16"):
            torch.ones(2, dtype=torch.bfloat16).numpy()
        assert torch.ones(2, dtype=torch.bfloat16).float().numpy().tolist() == [1, 1]

    def test_array_protocol(self):
        x = torch.arange(3)
        assert np.shares_memory(np.asarray(x), x.numpy())
        converted = np.asarray(x, dtype=np.float64)
        assert converted.dtype == np.float64 and converted.tolist() == [0, 1, 2]
        assert np.concatenate([x, x]).tolist() == [0, 1, 2, 0, 1, 2]
        assert np.array([torch.tensor(1.0).item(), 2.0]).tolist() == [1, 2]
        np.testing.assert_array_equal(x, [0, 1, 2])

    def test_writes_through_numpy_are_not_counted(self):
        x = torch.zeros(2)
        x.numpy()[0] = 5
        assert x._version == 0 and x[0] == 5

    def test_numpy_numbers_in_arithmetic(self):
        x = torch.ones(2)
        for number in (np.float64(2), np.float32(2), np.int64(2)):
            assert_same(x * number, torch.tensor([2.0, 2.0]))
        assert_same(np.float64(2) * x, torch.tensor([2.0, 2.0]))
        assert torch.full((2,), np.float32(3)).tolist() == [3, 3]
        assert torch.zeros(np.int64(2), np.int32(3)).shape == (2, 3)
        assert x.sum(np.int64(0)) == 2 and x.view(np.int64(2), 1).shape == (2, 1)


class TestFromNumpy:
    def test_zero_copy_both_ways(self):
        a = np.arange(4.0)
        x = torch.from_numpy(a)
        assert x.data_ptr() == a.ctypes.data and np.shares_memory(x.numpy(), a)
        x.mul_(2)
        assert a.tolist() == [0, 2, 4, 6]

    def test_strides(self):
        a = np.arange(12.0).reshape(3, 4)
        for view in (a.T, a[:, 1], a[::2, 1::2], np.broadcast_to(np.ones(3), (2, 3)).copy()):
            x = torch.from_numpy(view)
            assert_same(x, view)
            assert x.stride() == tuple(s // 8 for s in view.strides)

    def test_what_has_no_tensor(self):
        swapped = np.ones(2, dtype=np.dtype("f4").newbyteorder())
        for a in (np.ones(3)[::-1], np.array(["a"]), np.array([None]), swapped):
            with pytest.raises((TypeError, ValueError)):
                torch.from_numpy(a)

    def test_an_array_that_is_read_only(self):
        a = np.ones(2)
        a.flags.writeable = False
        try:
            x = torch.from_numpy(a)
        except (ValueError, UserWarning):
            return  # to refuse it is as good as to warn; the warning is an error here
        assert x.tolist() == [1, 1]

    def test_gradients_with_numpy_data(self):
        w = leaf(1.0, 2.0)
        (w * torch.from_numpy(np.array([3.0, 4.0], dtype=np.float32))).sum().backward()
        assert w.grad.numpy().tolist() == [3, 4]


class TestDlpack:
    def test_between_the_library_and_numpy(self):
        x = torch.arange(6.0).view(2, 3)
        a = np.from_dlpack(x)
        assert a.ctypes.data == x.data_ptr() and a.tolist() == x.tolist()
        b = np.arange(3.0)
        y = torch.from_dlpack(b)
        y[0] = 9
        assert b[0] == 9 and y.dtype == torch.float64

    @pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "bfloat16", "float32", "bool"])
    def test_round_trip_of_every_dtype(self, dtype):
        x = torch.tensor([[0, 1], [1, 0]], dtype=getattr(torch, dtype)).t()
        y = torch.from_dlpack(x)
        assert y.dtype == x.dtype and y.data_ptr() == x.data_ptr() and y.stride() == x.stride()
        assert y.tolist() == x.tolist()

    def test_offset_and_0d(self):
        x = torch.arange(6.0)
        assert torch.from_dlpack(x[2:]).tolist() == [2, 3, 4, 5]
        assert torch.from_dlpack(x[3]).tolist() == 3 and torch.from_dlpack(x[:0]).shape == (0,)

    def test_keeps_the_memory_alive(self):
        x = torch.arange(3.0)
        ref = weakref.ref(x)
        y = torch.from_dlpack(x)
        del x
        assert y.tolist() == [0, 1, 2]
        del y
        assert ref() is None

    def test_protocol(self):
        x = torch.ones(2)
        assert tuple(int(n) for n in x.__dlpack_device__()) == (1, 0)
        assert type(x.__dlpack__()).__name__ == "PyCapsule"  # never taken: freed by its destructor
        with pytest.raises((RuntimeError, BufferError), match="grad"):
            leaf(1.0).__dlpack__()

    def test_another_library(self):
        """Anything that speaks the protocol, here an object that does nothing else."""

        class Carrier:
            def __init__(self, x):
                self.x = x

            def __dlpack__(self, **kwargs):
                return self.x.__dlpack__(**kwargs)

            def __dlpack_device__(self):
                return self.x.__dlpack_device__()

        x = torch.arange(3)
        y = torch.from_dlpack(Carrier(x))
        y[0] = 7
        assert x.tolist() == [7, 1, 2]


class TestBuffers:
    def test_anything_with_a_buffer_is_data(self):
        assert_same(torch.tensor(array.array("f", [1, 2])), torch.tensor([1.0, 2.0]))
        assert_same(torch.tensor(array.array("q", [1, 2])), torch.tensor([1, 2]))
        assert torch.as_tensor(memoryview(np.ones(2))).tolist() == [1, 1]

    def test_frombuffer_shares(self):
        data = bytearray(np.array([1.0, 2.0, 3.0], dtype=np.float32).tobytes())
        x = torch.frombuffer(data, dtype=torch.float32)
        x[0] = 5
        assert np.frombuffer(data, dtype=np.float32).tolist() == [5, 2, 3]
        assert torch.frombuffer(data, dtype=torch.float32, count=1, offset=4).tolist() == [2]
        assert torch.frombuffer(data, dtype=torch.uint8).shape == (12,)
        for kwargs in [{"count": 4}, {"offset": 12}, {"offset": 2, "count": 3}]:
            with pytest.raises(ValueError):
                torch.frombuffer(data, dtype=torch.float32, **kwargs)


class TestCopies:
    def test_deepcopy(self):
        x = leaf(1.0, 2.0)
        x.grad = torch.ones(2)
        x.note = ["kept"]
        y = copy.deepcopy(x)
        assert y is not x and y.data_ptr() != x.data_ptr() and y.requires_grad and y.is_leaf
        assert y.grad.tolist() == [1, 1] and y.grad is not x.grad
        assert y.note == ["kept"] and y.note is not x.note

    def test_deepcopy_keeps_sharing_within(self):
        x = torch.zeros(4)
        a, tail, again = copy.deepcopy([x, x[1:], x])
        a[1] = 5
        assert tail.tolist() == [5, 0, 0] and again is a

    def test_deepcopy_of_a_result_is_refused(self):
        with pytest.raises(RuntimeError, match="leaves|leaf"):
            copy.deepcopy(leaf(1.0) * 2)

    def test_deepcopy_of_a_parameter_and_of_strides(self):
        p = copy.deepcopy(torch.nn.Parameter(torch.ones(2, 3).t()))
        assert type(p) is torch.nn.Parameter and p.requires_grad and p.stride() == (1, 3)

    def test_copy_shares_memory(self):
        x = torch.zeros(2)
        assert copy.copy(x).data_ptr() == x.data_ptr() and copy.copy(x) is not x


class TestPickle:
    def again(self, thing):
        return pickle.loads(pickle.dumps(thing))

    @pytest.mark.parametrize("dtype", [*NUMPY_DTYPES, "bfloat16"])
    def test_every_dtype(self, dtype):
        x = torch.tensor([[0, 1], [1, 0]], dtype=getattr(torch, dtype))
        y = self.again(x)
        assert y.dtype == x.dtype and y.tolist() == x.tolist()

    def test_views_and_shapes(self):
        x = torch.arange(24.0).view(2, 3, 4)
        for view in (x.permute(2, 0, 1), x[1, :, ::2], x[0, 0, 0], x[:0]):
            assert_same(self.again(view), view)

    def test_flags_and_attributes(self):
        x = leaf(1.0)
        x.note = "kept"
        x.grad = torch.ones(1)
        y = self.again(x)
        assert y.requires_grad and y.note == "kept" and y.grad is None
        p = self.again(torch.nn.Parameter(torch.ones(1), requires_grad=False))
        assert type(p) is torch.nn.Parameter and not p.requires_grad

    def test_the_small_objects(self):
        for thing in (torch.float32, torch.int8, torch.device("cpu"), torch.Size([2, 3])):
            assert self.again(thing) == thing and type(self.again(thing)) is type(thing)
        assert self.again(torch.float32) is torch.float32
        assert copy.deepcopy(torch.int8) is torch.int8

    def test_the_same_tensor_twice_is_one(self):
        x = torch.ones(2)
        a, b = self.again([x, x])
        assert a is b

    def test_a_module_and_an_optimizer(self):
        net = torch.nn.Linear(2, 1)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        net(torch.ones(1, 2)).sum().backward()
        optimizer.step()
        twin = self.again(net)
        assert_same(twin.weight, net.weight)
        state = self.again(optimizer.state_dict())
        torch.optim.SGD(twin.parameters(), lr=1.0).load_state_dict(state)


def test_save_and_load(tmp_path):
    net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 1))
    path = tmp_path / "weights"
    torch.save(net.state_dict(), path)
    state = torch.load(path)
    assert list(state) == list(net.state_dict())
    twin = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 1))
    twin.load_state_dict(state)
    for p, q in zip(net.parameters(), twin.parameters(), strict=True):
        assert_same(p, q)
    buffer = io.BytesIO()
    torch.save({"step": torch.tensor(3)}, buffer)
    buffer.seek(0)
    assert torch.load(buffer)["step"] == 3
