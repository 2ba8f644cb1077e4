"""Workers of a DataLoader, and positions that are saved."""

import os
import signal
import threading
import time

import pytest
from _backend import NAME, torch

if NAME != "adjoint":
    pytest.skip("adjoint's own workers", allow_module_level=True)
data = torch.utils.data

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(autouse=True)
def nothing_hangs():
    """A test that takes a minute has hung."""

    def give_up(*_):
        raise TimeoutError("the test hangs")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


class Squares(data.Dataset):
    def __init__(self, n, act=None):
        self.n, self.act = n, act

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if self.act is not None:
            self.act(i)
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


EXPECTED = [[0, 1, 4], [9, 16, 25], [36, 49, 64], [81]]


@pytest.mark.parametrize("context", ["fork", "spawn", "forkserver", "thread"])
def test_batches_come_in_order_whatever_makes_them(context):
    loader = data.DataLoader(Squares(10), 3, num_workers=2, multiprocessing_context=context)
    assert listed(loader) == EXPECTED
    assert listed(loader) == EXPECTED


@pytest.mark.parametrize("context", [None, "thread"])
def test_more_workers_than_batches_single_samples_and_batches_as_they_arrive(context):
    def loader(*args, **kwargs):
        return data.DataLoader(*args, multiprocessing_context=context, **kwargs)

    assert listed(loader(Squares(2), num_workers=4)) == [[0], [1]]
    assert listed(loader(Squares(0), num_workers=2)) == []
    assert listed(loader(Squares(3), None, num_workers=1)) == [0, 1, 4]
    unordered = loader(Squares(10, lambda i: time.sleep(0.2 * (i == 0))), 3, num_workers=2,
                       in_order=False, prefetch_factor=1)  # fmt: skip
    batches = listed(unordered)
    assert sorted(batches) == EXPECTED and batches[0] != EXPECTED[0]


def test_streams_are_shared_out():
    loader = data.DataLoader(Stream(7), 2, num_workers=2)
    assert sorted(listed(loader)) == [[0, 2], [1, 3], [4, 6], [5]]
    assert listed(data.DataLoader(Stream(5), 2, num_workers=1, drop_last=True)) == [[0, 1], [2, 3]]
    threads = data.DataLoader(Stream(5), 2, num_workers=3, multiprocessing_context="thread")
    assert listed(threads) == [[0, 1], [2, 3], [4]]


def test_every_worker_has_a_seed_of_its_own():
    class Draws(Squares):
        def __getitem__(self, i):
            info = data.get_worker_info()
            return info.id, info.seed, torch.rand(()).item(), info.dataset is self

    def draw():
        torch.manual_seed(3)
        loader = data.DataLoader(Draws(4), 1, num_workers=2, worker_init_fn=inits.append)
        return [tuple(x.item() for x in batch) for batch in loader]

    inits = []
    first = draw()
    assert inits == []  # the workers have copies
    assert [d[0] for d in first] == [0, 1, 0, 1] and all(d[3] for d in first)
    assert first[1][1] == first[0][1] + 1
    assert len({d[2] for d in first}) == 4 and draw() == first
    assert data.get_worker_info() is None


def fail(i):
    if i == 4:
        raise LookupError("nothing at 4")


@pytest.mark.parametrize("context", ["fork", "thread"])
def test_an_exception_arrives_with_its_traceback(context):
    loader = data.DataLoader(Squares(9, fail), 3, num_workers=2, multiprocessing_context=context)
    batches = iter(loader)
    next(batches)
    with pytest.raises(LookupError, match="nothing at 4") as error:
        next(batches)
    if context == "fork":
        assert "worker process 1" in str(error.value) and "in fail" in str(error.value)


def test_an_exception_in_a_workers_beginning_and_one_of_many_arguments():
    def begin(worker):
        raise KeyError("begin")

    with pytest.raises(KeyError, match="in begin"):
        next(iter(data.DataLoader(Squares(3), num_workers=1, worker_init_fn=begin)))

    class TwoParts(Exception):
        def __init__(self, a, b):
            super().__init__(a, b)

    def raise_it(i):
        raise TwoParts(1, 2)

    with pytest.raises(RuntimeError, match="Caught .*TwoParts"):
        next(iter(data.DataLoader(Squares(3, raise_it), num_workers=1)))


def test_a_batch_that_cannot_be_sent_is_an_error():
    loader = data.DataLoader([1, 2], num_workers=1, collate_fn=lambda batch: threading.Lock())
    with pytest.raises(TypeError, match="pickle"):
        next(iter(loader))


@pytest.mark.parametrize("how", [lambda: os._exit(3), lambda: os.kill(os.getpid(), 9)])
def test_a_worker_that_is_killed_is_an_error_at_once(how):
    loader = data.DataLoader(Squares(9, lambda i: i == 4 and how()), 1, num_workers=2)
    start = time.monotonic()
    with pytest.raises(RuntimeError, match=r"worker \(pid\(s\) \d+\) exited unexpectedly"):
        listed(loader)
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("context", ["fork", "thread"])
def test_a_timeout(context):
    loader = data.DataLoader(Squares(2, lambda i: time.sleep(0.6)), num_workers=1, timeout=0.1,
                             multiprocessing_context=context)  # fmt: skip
    with pytest.raises(RuntimeError, match="timed out after 0.1 seconds"):
        next(iter(loader))


def children():
    import multiprocessing

    return multiprocessing.active_children()


def test_workers_end_with_the_pass_or_when_it_is_given_up():
    before = len(children())
    listed(data.DataLoader(Squares(4), num_workers=2))
    assert len(children()) == before
    batches = iter(data.DataLoader(Squares(100), num_workers=2))
    next(batches)
    assert len(children()) == before + 2
    del batches
    assert len(children()) == before


def test_workers_that_stay():
    loader = data.DataLoader(Squares(10), 3, num_workers=2, persistent_workers=True)
    before = children()
    assert listed(loader) == EXPECTED
    workers = set(children()) - set(before)
    assert len(workers) == 2
    next(iter(loader))  # a pass that is given up
    assert listed(loader) == EXPECTED
    assert set(children()) - set(before) == workers
    del loader
    assert not set(children()) & workers


def test_large_batches_and_long_lists_of_indices_do_not_block():
    n = 200_000
    loader = data.DataLoader(data.TensorDataset(torch.arange(4 * n)), n, shuffle=True,
                             num_workers=1, prefetch_factor=4)  # fmt: skip
    total = sum(x.sum().item() for (x,) in loader)
    assert total == sum(range(4 * n))


@pytest.mark.parametrize(
    "wrong",
    [
        {"num_workers": 0, "multiprocessing_context": "fork"},
        {"num_workers": 1, "multiprocessing_context": "fire"},
        {"num_workers": 1, "prefetch_factor": 0},
        {"num_workers": 0, "persistent_workers": True},
    ],
)
def test_options_that_make_no_sense(wrong):
    with pytest.raises(ValueError):
        data.DataLoader([1], **wrong)
    with pytest.raises(TypeError):
        data.DataLoader([1], num_workers=1, multiprocessing_context=3)


# Positions.


@pytest.mark.parametrize("workers", [0, 2])
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


def test_a_stream_goes_on_where_it_was():
    first = data.DataLoader(Stream(7), 2)
    batches = iter(first)
    next(batches)
    again = data.DataLoader(Stream(7), 2)
    again.load_state_dict(first.state_dict())
    assert listed(again) == [[2, 3], [4, 5], [6]]
    assert listed(again) == [[0, 1], [2, 3], [4, 5], [6]]


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
