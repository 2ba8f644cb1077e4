"""Positions of a DataLoader that are saved and resumed, and the order of samplers."""

import pytest
from _backend import NAME, torch

if NAME != "adjoint":
    pytest.skip("adjoint's own", allow_module_level=True)
data = torch.utils.data

WORKERS = [0, pytest.param(2, marks=pytest.mark.forks)]


class Squares(data.Dataset):
    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return torch.tensor(i**2)


class Stream(data.IterableDataset):
    """Every worker reads its share."""

    def __init__(self, n):
        self.n = n

    def __iter__(self):
        info = data.get_worker_info()
        return iter(range(info.id, self.n, info.num_workers) if info else range(self.n))


def listed(loader):
    return [batch.tolist() for batch in loader]


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("own_generator", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("steps", [0, 1, 3, 4])
def test_a_pass_goes_on_where_it_was(workers, own_generator, shuffle, steps):
    def loader():
        generator = torch.Generator().manual_seed(5) if own_generator else None
        return data.DataLoader(Squares(10), 3, shuffle=shuffle, num_workers=workers,
                               generator=generator)  # fmt: skip

    torch.manual_seed(0)
    first = loader()
    batches = iter(first)
    for _ in range(steps):
        next(batches)
        torch.rand(3)  # the program's own draws
    state, random = first.state_dict(), torch.get_rng_state()
    rest = [batch.tolist() for batch in batches]
    then = listed(first)  # the next pass

    torch.manual_seed(77)
    again = loader()
    again.load_state_dict(state)
    torch.set_rng_state(random)
    assert listed(again) == rest
    assert listed(again) == then


@pytest.mark.parametrize("workers", WORKERS)
def test_a_stream_goes_on_where_it_was(workers):
    first = data.DataLoader(Stream(7), 2, num_workers=workers)
    batches = iter(first)
    next(batches)
    again = data.DataLoader(Stream(7), 2, num_workers=workers)
    again.load_state_dict(first.state_dict())
    assert listed(again) == [batch.tolist() for batch in batches]
    assert listed(again) == listed(data.DataLoader(Stream(7), 2, num_workers=workers))


def generator(seed):
    return torch.Generator().manual_seed(seed)


SAMPLERS = {
    "random": lambda: data.RandomSampler(range(9), generator=generator(5)),
    "replacement": lambda: data.RandomSampler(range(9), True, 70, generator=generator(5)),
    "subset": lambda: data.SubsetRandomSampler(range(1, 9), generator=generator(5)),
    "weighted": lambda: data.WeightedRandomSampler([1.0] * 9, 9, generator=generator(5)),
    "default subset": lambda: data.SubsetRandomSampler(range(1, 9)),
}


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("own_generator", [False, True])
@pytest.mark.parametrize("dataset", [Squares(9), data.TensorDataset(torch.arange(9))])
def test_the_generator_of_a_sampler_is_part_of_the_position(name, own_generator, dataset):
    def loader():
        return data.DataLoader(dataset, 2, sampler=SAMPLERS[name](),
                               generator=generator(7) if own_generator else None)  # fmt: skip

    def all_of(batches):
        return [str(batch) for batch in batches]

    torch.manual_seed(0)
    first = loader()
    all_of(first)
    batches = iter(first)
    next(batches)
    state, random = first.state_dict(), torch.get_rng_state()
    rest, then = all_of(batches), all_of(first)

    torch.manual_seed(77)
    again = loader()
    again.load_state_dict(state)
    torch.set_rng_state(random)
    assert all_of(again) == rest
    assert all_of(again) == then


def test_between_passes_the_next_order_is_saved():
    first = data.DataLoader(Squares(20), 3, shuffle=True, generator=generator(3))
    orders = [listed(first)]
    state = first.state_dict()
    orders.append(listed(first))
    again = data.DataLoader(Squares(20), 3, shuffle=True, generator=generator(3))
    again.load_state_dict(state)
    assert again.state_dict() is not state and again.state_dict()["position"] is None
    assert listed(again) == orders[1] != orders[0]


def test_a_state_of_another_kind_of_loader_is_an_error():
    own = data.DataLoader(Squares(4), shuffle=True, generator=generator(0))
    for state in (own.state_dict(), _after_one(own)):
        with pytest.raises(ValueError, match="generators"):
            data.DataLoader(Squares(4), shuffle=True).load_state_dict(state)
    with pytest.raises(KeyError):
        own.load_state_dict({})


def _after_one(loader):
    batches = iter(loader)
    next(batches)
    return loader.state_dict()


def test_a_state_can_be_saved(tmp_path):
    first = data.DataLoader(Squares(6), 2, shuffle=True)
    batches = iter(first)
    next(batches)
    torch.save(first.state_dict(), tmp_path / "position")
    again = data.DataLoader(Squares(6), 2, shuffle=True)
    again.load_state_dict(torch.load(tmp_path / "position"))
    assert listed(again) == [batch.tolist() for batch in batches]


def test_shares_of_several_processes():
    parts = [list(data.DistributedSampler(range(10), 3, rank)) for rank in range(3)]
    assert {len(p) for p in parts} == {4} and set(sum(parts, [])) == set(range(10))
    sampler = data.DistributedSampler(range(10), 3, 1, drop_last=True)
    first = list(sampler)
    assert len(first) == len(sampler) == 3 and list(sampler) == first
    sampler.set_epoch(1)
    assert list(sampler) != first
    with pytest.raises(ValueError, match="rank"):
        data.DistributedSampler(range(3), 2, 2)
    with pytest.raises(RuntimeError, match="num_replicas"):
        data.DistributedSampler(range(3))


def test_shares_and_orders_as_in_torch():
    oracle = pytest.importorskip("torch.utils.data")
    for n in (1, 2, 5, 6, 11):
        for replicas in (1, 2, 3, 7):
            for rank in range(replicas):
                for drop_last in (False, True):
                    mine, theirs = (
                        library.DistributedSampler(range(n), replicas, rank, False,
                                                   drop_last=drop_last)
                        for library in (data, oracle)
                    )  # fmt: skip
                    assert list(mine) == list(theirs) and len(mine) == len(theirs)
    for fractions in ([0.5, 0.5], [0.34, 0.33, 0.33], [0.1, 0.2, 0.7]):
        for n in (3, 10, 17, 101):
            sizes = [[len(part) for part in library.random_split(range(n), fractions)]
                     for library in (data, oracle) if n * min(fractions) >= 1]  # fmt: skip
            assert sizes[:1] == sizes[1:]


def test_subsets_of_tensors_in_any_form_of_indices():
    tensors = data.TensorDataset(torch.arange(10))
    for indices in ([3, 1, 3], range(1, 8, 2), [-1, -10], (4, 5), torch.tensor([2, 0])):
        subset = data.Subset(tensors, indices)
        expected = [int(tensors[int(i)][0]) for i in indices]
        assert sum((x.tolist() for (x,) in data.DataLoader(subset, 2)), []) == expected
        shuffled = [x.item() for (x,) in data.DataLoader(subset, 1, shuffle=True)]
        assert sorted(shuffled) == sorted(expected)
        nested = data.Subset(subset, [1, 0])
        assert [x.tolist() for (x,) in data.DataLoader(nested, 2)] == [expected[1::-1]]
    for wrong in ([0, 10], [-11]):
        with pytest.raises(IndexError):
            list(data.DataLoader(data.Subset(tensors, wrong), 2))
        with pytest.raises(IndexError):
            list(data.DataLoader(tensors, 2, sampler=data.SubsetRandomSampler(wrong)))
    assert list(data.DataLoader(data.Subset(tensors, []), 2)) == []
