"""Storages: the memory of tensors, in bytes and in elements."""

import pytest
from _backend import torch


def test_bytes():
    x = torch.tensor([1, 258], dtype=torch.int16)
    s = x[1:].untyped_storage()
    assert (s.nbytes(), s.size(), len(s), s.tolist()) == (4, 4, 4, [1, 0, 2, 1])
    assert s.data_ptr() == x.data_ptr() and s.element_size() == 1
    s[0] = 7
    assert x[0] == 7


def test_one_storage_per_memory():
    x = torch.ones(4)
    assert x.untyped_storage() == x[2:].untyped_storage()
    assert x.untyped_storage().data_ptr() != x.clone().untyped_storage().data_ptr()


def test_made_of_bytes():
    s = torch.UntypedStorage([1, 2, 3])
    assert s.tolist() == [1, 2, 3] and torch.is_storage(s) and not torch.is_storage([1])
    assert s.clone().tolist() == s.tolist() and s.clone().data_ptr() != s.data_ptr()
    assert torch.UntypedStorage(8).fill_(3).tolist() == [3] * 8
    with pytest.raises(RuntimeError, match="size does not match"):
        s.copy_(torch.UntypedStorage(2))


@pytest.mark.filterwarnings("ignore:TypedStorage")
def test_elements():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    s = x.t().storage()
    assert isinstance(s, torch.FloatStorage) and not isinstance(s, torch.LongStorage)
    assert (s.size(), s.nbytes(), s[3], s.tolist()) == (4, 16, 4.0, [1.0, 2.0, 3.0, 4.0])
    assert s.dtype is torch.float32 and s.type() == "torch.FloatStorage"
    s[0] = 9.0
    assert x[0, 0] == 9
    assert s.double().dtype is torch.float64 and s.untyped() == x.untyped_storage()


@pytest.mark.filterwarnings("ignore:TypedStorage")
@pytest.mark.parametrize("name", ["Bool", "Half", "Long", "Byte"])
def test_classes_of_dtypes(name):
    kind = getattr(torch, f"{name}Storage")
    s = kind([1, 0])
    assert isinstance(s, kind) and s.tolist() == [1, 0] and kind(3).size() == 3


class TestSet:
    def test_to_a_storage(self):
        x = torch.arange(6.0)
        y = torch.empty(0).set_(x.untyped_storage(), 1, (2, 2), (2, 1))
        assert y.tolist() == [[1.0, 2.0], [3.0, 4.0]] and y.storage_offset() == 1
        y[0, 0] = 9
        assert x[1] == 9

    def test_to_the_whole(self):
        x = torch.arange(3.0)
        assert torch.empty(0).set_(x.untyped_storage()).tolist() == [0.0, 1.0, 2.0]

    def test_to_a_tensor(self):
        x, y = torch.zeros(2), torch.ones(3)
        assert x.set_(y) is x and x.data_ptr() == y.data_ptr() and x.shape == (3,)

    @pytest.mark.adjoint_only  # torch makes the storage larger
    def test_beyond_the_memory(self):
        with pytest.raises(RuntimeError, match="out of bounds|setStorage"):
            torch.empty(0).set_(torch.ones(2).untyped_storage(), 1, (2,), (1,))
