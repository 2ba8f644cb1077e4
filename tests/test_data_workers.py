"""Workers of a DataLoader."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from _backend import NAME, torch

if NAME != "adjoint":
    pytest.skip("adjoint's own workers", allow_module_level=True)
data = torch.utils.data

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.forks]


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


def test_a_worker_that_exits_does_not_exit_the_program():
    with pytest.raises(RuntimeError, match="SystemExit"):
        next(iter(data.DataLoader(Squares(3, sys.exit), num_workers=1)))


def test_workers_that_stay_begin_once_and_have_a_new_seed_in_each_pass():
    begun = []
    loader = data.DataLoader(
        [0],
        None,
        num_workers=1,
        persistent_workers=True,
        worker_init_fn=begun.append,
        collate_fn=lambda i: (data.get_worker_info().seed, list(begun)),
    )
    (first,), (second,) = list(loader), list(loader)
    assert first[1] == second[1] == [0] and first[0] != second[0]


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
        {"num_workers": 1, "multiprocessing_context": "thread", "worker_init_fn": print},
    ],
)
def test_options_that_make_no_sense(wrong):
    with pytest.raises(ValueError):
        data.DataLoader([1], **wrong)
    with pytest.raises(TypeError):
        data.DataLoader([1], num_workers=1, multiprocessing_context=3)


def test_closing_one_loader_does_not_wait_for_the_workers_of_another():
    one = iter(data.DataLoader(Squares(100), num_workers=2))
    next(one)
    two = iter(data.DataLoader(Squares(100), num_workers=2))  # has copies of all open files
    next(two)
    start = time.monotonic()
    del one
    assert time.monotonic() - start < 1.5  # workers that do not end are killed after 2
    assert next(two).tolist() == [1]


def test_tensors_of_all_kinds_pass_from_a_worker():
    def tensors():
        base = torch.arange(4000.0)
        return {
            "twice": (base, base),
            "complex": torch.complex(base, -base),
            "half": base.bfloat16(),
            "bool": base > 2,
            "transposed": base.view(40, 100).t(),
            "expanded": torch.ones(1).expand(4000),
            "part": base[::3],
            "empty": torch.empty(0, 3),
            "small": torch.tensor(3),
            "leaf": torch.ones(4000, requires_grad=True),
            "parameter": torch.nn.Parameter(base),
        }

    loader = data.DataLoader([0, 1], None, num_workers=1, collate_fn=lambda i: tensors())
    for batch in loader:
        one, two = batch.pop("twice")
        assert one is two and one.tolist() == list(range(4000))
        for name, expected in tensors().items():
            if name != "twice":
                x = batch[name]
                assert type(x) is type(expected) and x.requires_grad == expected.requires_grad
                assert x.dtype == expected.dtype and torch.equal(x, expected)


def test_a_tensor_with_a_history_cannot_leave_a_worker():
    x = torch.ones(4000, requires_grad=True)
    loader = data.DataLoader([0], num_workers=1, collate_fn=lambda i: x * 2)
    with pytest.raises(RuntimeError, match="detach"):
        next(iter(loader))


def test_workers_compute_on_one_thread_after_the_main_process_did_on_several():
    def compute(i):
        a = torch.ones(300, 300)
        return (a @ a).sum() + torch.ones(400_000).exp().sum() * 0, torch.get_num_threads()

    expected = compute(0)[0]  # starts the threads of the core and of BLAS
    loader = data.DataLoader(range(4), None, num_workers=2, collate_fn=compute)
    for value, threads in loader:
        assert value == expected and threads == 1


def test_interrupting_the_program_ends_its_workers():
    program = textwrap.dedent(
        f"""
        import multiprocessing, signal
        from {NAME}.utils import data
        # a shell that starts the tests in the background has it ignored
        signal.signal(signal.SIGINT, signal.default_int_handler)
        loader = data.DataLoader(range(10**6), num_workers=2, persistent_workers=True)
        for i, _ in enumerate(loader):
            if i == 3:
                print(*[p.pid for p in multiprocessing.active_children()], flush=True)
        """
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True,
                               stderr=subprocess.PIPE, start_new_session=True)  # fmt: skip
    workers = [int(pid) for pid in process.stdout.readline().split()]
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert error.strip().endswith("KeyboardInterrupt") and len(workers) == 2
    for pid in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_what_a_loader_is_made_of_is_not_changed_afterwards():
    loader = data.DataLoader([1, 2])
    with pytest.raises(ValueError, match="batch_size"):
        loader.batch_size = 2
    assert listed(loader) == [[1], [2]]
    assert data.DataLoader([1], num_workers=1).prefetch_factor == 2
