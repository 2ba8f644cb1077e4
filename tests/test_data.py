"""Datasets, samplers, collation, and the loader."""

import collections
import importlib

import numpy as np
import pytest
from _backend import NAME, assert_same, torch

data = pytest.importorskip(f"{NAME}.utils.data")


class Squares(data.Dataset):
    def __init__(self, n=10):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if not 0 <= i < self.n:
            raise IndexError(i)
        return i * i


class Stream(data.IterableDataset):
    def __init__(self, n=5):
        self.n = n

    def __iter__(self):
        return iter(range(self.n))

    def __len__(self):
        return self.n


def tensors(n=10):
    return data.TensorDataset(torch.arange(n), torch.arange(2.0 * n).reshape(n, 2))


def listed(loader):
    return [batch.tolist() for batch in loader]


def test_tensor_dataset():
    dataset = tensors()
    assert len(dataset) == 10
    number, row = dataset[3]
    assert number == 3 and row.tolist() == [6, 7]


@pytest.mark.adjoint_only  # torch asserts, and does not look at empty calls
def test_tensors_of_different_lengths_are_an_error():
    with pytest.raises(ValueError, match="first size"):
        data.TensorDataset(torch.ones(2), torch.ones(3))
    with pytest.raises(ValueError):
        data.TensorDataset(torch.tensor(1.0))
    with pytest.raises(ValueError):
        data.TensorDataset()


def test_joined_datasets():
    both = Squares(3) + Squares(2)
    assert len(both) == 5 and [both[i] for i in range(5)] == [0, 1, 4, 0, 1]
    assert both[-1] == 1
    with pytest.raises((IndexError, ValueError)):
        both[-6]
    assert list(Stream(2) + Stream(3)) == [0, 1, 0, 1, 2]
    stacked = data.StackDataset(x=Squares(), y=Squares())
    assert stacked[2] == {"x": 4, "y": 4} and len(stacked) == 10
    assert data.StackDataset(Squares(), Squares())[3] == (9, 9)
    assert stacked.__getitems__([1, 3]) == [{"x": 1, "y": 1}, {"x": 9, "y": 9}]
    assert data.StackDataset(Squares(), Squares()).__getitems__([1, 3]) == [(1, 1), (9, 9)]
    for wrong in (
        lambda: data.StackDataset(Squares(2), Squares(3)),
        lambda: data.StackDataset(),
        lambda: data.StackDataset(Squares(), y=Squares()),
    ):
        with pytest.raises(ValueError):
            wrong()


def test_subsets():
    subset = data.Subset(Squares(), [5, 2])
    assert len(subset) == 2 and list(subset) == [25, 4]
    assert data.Subset(subset, [1])[0] == 4


def test_random_split():
    parts = data.random_split(Squares(10), [7, 3])
    assert [len(part) for part in parts] == [7, 3]
    assert sorted(x for part in parts for x in part) == [i * i for i in range(10)]
    parts = data.random_split(Squares(10), [0.34, 0.33, 0.33])
    assert [len(part) for part in parts] == [4, 3, 3]
    one = data.random_split(range(10), [5, 5], torch.Generator().manual_seed(3))
    two = data.random_split(range(10), [5, 5], torch.Generator().manual_seed(3))
    assert list(one[0]) == list(two[0])
    with pytest.raises(ValueError):
        data.random_split(Squares(10), [5, 6])
    with pytest.warns(UserWarning, match="(?i)length of split|empty"):
        data.random_split(Squares(2), [0.9, 0.05, 0.05])


def test_samplers():
    assert list(data.SequentialSampler(range(3))) == [0, 1, 2]
    order = list(data.RandomSampler(range(50)))
    assert sorted(order) == list(range(50)) != order
    drawn = list(data.RandomSampler(range(3), replacement=True, num_samples=100))
    assert len(drawn) == 100 and set(drawn) == {0, 1, 2}
    assert len(list(data.RandomSampler(range(3), num_samples=8))) == 8
    assert sorted(data.SubsetRandomSampler([4, 7])) == [4, 7]
    drawn = list(data.WeightedRandomSampler([0.0, 1.0, 3.0], 400))
    assert drawn.count(0) == 0 and 50 < drawn.count(1) < 150  # 100 expected, deviation 9
    assert sorted(data.WeightedRandomSampler([1.0, 1.0, 1.0], 3, replacement=False)) == [0, 1, 2]


def test_batches_of_indices():
    batches = data.BatchSampler(data.SequentialSampler(range(5)), 2, drop_last=False)
    assert list(batches) == [[0, 1], [2, 3], [4]] and len(batches) == 3
    batches = data.BatchSampler(data.SequentialSampler(range(5)), 2, drop_last=True)
    assert list(batches) == [[0, 1], [2, 3]] and len(batches) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: data.RandomSampler(range(3), num_samples=0),
        lambda: data.RandomSampler([]),
        lambda: data.WeightedRandomSampler([1.0], 0),
        lambda: data.WeightedRandomSampler([[1.0]], 1),
        lambda: data.BatchSampler(range(3), 0, False),
        lambda: data.BatchSampler(range(3), 2, "no"),
        lambda: data.DataLoader(Squares(), num_workers=-1),
        lambda: data.DataLoader(Squares(), timeout=-1),
        lambda: data.DataLoader(Squares(), prefetch_factor=2),
        lambda: data.DataLoader(Squares(), persistent_workers=True),
        lambda: data.DataLoader(Squares(), shuffle=True, sampler=range(3)),
        lambda: data.DataLoader(Squares(), batch_sampler=[[0]], batch_size=2),
        lambda: data.DataLoader(Squares(), batch_sampler=[[0]], shuffle=True),
        lambda: data.DataLoader(Squares(), batch_size=None, drop_last=True),
        lambda: data.DataLoader(Squares(), batch_size=0),
        lambda: data.DataLoader(Stream(), shuffle=True),
        lambda: data.DataLoader(Stream(), sampler=range(3)),
        lambda: data.DataLoader(Stream(), batch_sampler=[[0]]),
    ],
)
def test_options_that_make_no_sense(wrong):
    with pytest.raises(ValueError):
        wrong()


def test_batches_in_order():
    assert listed(data.DataLoader(Squares(5), 2)) == [[0, 1], [4, 9], [16]]
    loader = data.DataLoader(Squares(5), 2, drop_last=True)
    assert listed(loader) == [[0, 1], [4, 9]] and len(loader) == 2
    assert len(data.DataLoader(Squares(5), 2)) == 3


def test_shuffled_batches_cover_everything_in_a_new_order_each_time():
    loader = data.DataLoader(Squares(30), 7, shuffle=True)
    first, second = sum(listed(loader), []), sum(listed(loader), [])
    assert sorted(first) == sorted(second) == [i * i for i in range(30)]
    assert first != second


def test_a_seed_gives_the_same_batches():
    def run(**kwargs):
        return listed(data.DataLoader(Squares(20), 6, shuffle=True, **kwargs))

    torch.manual_seed(5)
    first = run()
    torch.manual_seed(5)
    assert run() == first
    with_generator = run(generator=torch.Generator().manual_seed(5))
    torch.manual_seed(6)
    assert run(generator=torch.Generator().manual_seed(5)) == with_generator


def test_the_draws_are_those_of_torch():
    # a seed for workers, then one for the order; with a generator, that one for both
    torch.manual_seed(5)
    order = sum(listed(data.DataLoader(data.TensorDataset(torch.arange(9)), shuffle=True,
                                       collate_fn=lambda b: b[0][0].reshape(1))), [])  # fmt: skip
    torch.manual_seed(5)
    seeds = [int(torch.empty((), dtype=torch.int64).random_().item()) for _ in range(2)]
    generator = torch.Generator()
    generator.manual_seed(seeds[1])
    assert order == torch.randperm(9, generator=generator).tolist()


def test_a_sampler_or_batches_of_ones_own():
    assert listed(data.DataLoader(Squares(), 2, sampler=[3, 1, 2])) == [[9, 1], [4]]
    loader = data.DataLoader(Squares(), batch_sampler=[[1, 2], [3]])
    assert listed(loader) == [[1, 4], [9]]
    assert loader.batch_size is None and len(loader) == 2


def test_without_batches():
    assert list(data.DataLoader(Squares(3), batch_size=None)) == [0, 1, 4]
    assert list(data.DataLoader(Stream(3), batch_size=None)) == [0, 1, 2]


def test_streams():
    assert listed(data.DataLoader(Stream(5), 2)) == [[0, 1], [2, 3], [4]]
    loader = data.DataLoader(Stream(5), 2, drop_last=True)
    assert listed(loader) == [[0, 1], [2, 3]] and len(loader) == 2


def test_a_collate_function_of_ones_own():
    loader = data.DataLoader(tensors(4), 3, collate_fn=lambda batch: len(batch))
    assert list(loader) == [3, 1]


def test_tensor_batches_equal_those_made_sample_by_sample():
    def plain(batch):
        return data.default_collate(batch)

    dataset = tensors()
    for each in (dataset, data.Subset(dataset, [7, 1, 1, 4]), data.Subset(
        data.Subset(dataset, [9, 8, 7]), [2, 0])):  # fmt: skip
        fast = list(data.DataLoader(each, 3))
        slow = list(data.DataLoader(each, 3, collate_fn=plain))
        assert len(fast) == len(slow)
        for mine, expected in zip(fast, slow):
            assert type(mine) is type(expected) is list
            for a, b in zip(mine, expected):
                assert_same(a, b)


@pytest.mark.adjoint_only
def test_tensor_batches_are_gathered_not_made_sample_by_sample(monkeypatch):
    def fail(*_):
        raise AssertionError("the samples were joined one by one")

    monkeypatch.setattr(torch, "stack", fail)
    batches = list(data.DataLoader(data.Subset(tensors(), range(1, 9)), 4, shuffle=True))
    assert [len(x) for x, _ in batches] == [4, 4]
    with pytest.raises(IndexError, match="99"):
        list(data.DataLoader(tensors(), 2, sampler=[0, 99]))


def test_a_subclass_that_defines_its_samples_is_respected():
    class Doubled(data.TensorDataset):
        def __getitem__(self, i):
            return 2 * self.tensors[0][i]

    assert listed(data.DataLoader(Doubled(torch.arange(4)), 4)) == [[0, 2, 4, 6]]


def test_a_dataset_may_fetch_whole_batches():
    class Batched(Squares):
        def __getitems__(self, indices):
            return [-i for i in indices]

    assert listed(data.DataLoader(Batched(4), 2)) == [[0, -1], [-2, -3]]
    assert listed(data.DataLoader(data.Subset(Batched(4), [3, 1]), 2)) == [[-3, -1]]


Point = collections.namedtuple("Point", ["x", "y"])


def test_collating():
    collate = data.default_collate
    assert_same(collate([torch.ones(2), torch.zeros(2)]), torch.tensor([[1.0, 1], [0, 0]]))
    assert_same(collate([1, 2]), torch.tensor([1, 2]))
    assert_same(collate([True, False]), torch.tensor([True, False]))
    assert_same(collate([0.5, 1.5]), torch.tensor([0.5, 1.5], dtype=torch.float64))
    assert collate(["a", "b"]) == ["a", "b"]
    joined = collate([{"a": 1, "b": (2, "x")}, {"a": 3, "b": (4, "y")}])
    assert joined["a"].tolist() == [1, 3]
    assert joined["b"][0].tolist() == [2, 4] and joined["b"][1] == ("x", "y")
    point = collate([Point(1, 2.0), Point(3, 4.0)])
    assert type(point) is Point and point.x.tolist() == [1, 3]
    pairs = collate([[1, 2], [3, 4]])
    assert type(pairs) is list and [p.tolist() for p in pairs] == [[1, 3], [2, 4]]
    with pytest.raises(RuntimeError):
        collate([[1], [1, 2]])
    with pytest.raises(TypeError):
        collate([object(), object()])


def test_collating_numpy():
    collate = data.default_collate
    assert_same(collate([np.float32(1), np.float32(2)]), torch.tensor([1.0, 2.0]))
    rows = collate([np.zeros(2, dtype=np.int64), np.ones(2, dtype=np.int64)])
    assert_same(rows, torch.tensor([[0, 0], [1, 1]]))
    with pytest.raises(TypeError):
        collate([np.array(["a"]), np.array(["b"])])


def test_converting():
    convert = data.default_convert
    converted = convert({"a": np.ones(2), "b": [1, "x", Point(np.zeros(1), 2)]})
    assert_same(converted["a"], torch.ones(2, dtype=torch.float64))
    assert converted["b"][:2] == [1, "x"] and isinstance(converted["b"][2].x, torch.Tensor)
    assert convert((1, 2)) == [1, 2]


def test_the_same_as_torch():
    if NAME != "adjoint":
        pytest.skip("compares adjoint with torch")
    oracle = pytest.importorskip("torch.utils.data")
    samples = [{"x": i, "y": (i / 2, [str(i), i % 2 == 0])} for i in range(5)]
    mine, theirs = data.default_collate(samples), oracle.default_collate(samples)
    assert str(mine) == str(theirs)
    assert set(oracle.__all__) >= set(data.__all__)


def test_types_that_default_collate_is_told_of():
    collating = importlib.import_module(f"{NAME}.utils.data._utils.collate" if NAME == "torch"
                                        else f"{NAME}.utils.data.collate")  # fmt: skip

    class Word(str):
        pass

    functions = collating.default_collate_fn_map
    before = dict(functions)
    functions[Word] = lambda batch, *, collate_fn_map: "".join(batch)
    try:
        batch = torch.utils.data.default_collate([(Word("a"), 1), (Word("b"), 2)])
    finally:
        functions.clear()
        functions.update(before)
    assert batch[0] == "ab" and batch[1].tolist() == [1, 2]
    assert collating.collate([[1], [2]], collate_fn_map=functions)[0].tolist() == [1, 2]
    with pytest.raises(TypeError):
        collating.collate([1, 2])


def test_a_pass_has_a_length_and_a_type():
    loading = importlib.import_module(f"{NAME}.utils.data.dataloader")
    loader = torch.utils.data.DataLoader(list(range(5)), batch_size=2)
    batches = iter(loader)
    assert isinstance(batches, loading._SingleProcessDataLoaderIter) and len(batches) == 3
    assert isinstance(batches, loading._BaseDataLoaderIter) and iter(batches) is batches
    assert [x.tolist() for x in batches] == [[0, 1], [2, 3], [4]]
    assert loader._index_sampler is loader.batch_sampler and loader._auto_collation
    assert torch.utils.data.DataLoader[int] is not None
