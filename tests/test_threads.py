"""Threads: modes are each thread's own, graphs run at once, and backward lets others run."""

import threading
import time

import pytest
from _backend import assert_close, rand64, torch


def in_threads(count, f):
    """Runs f(i) in `count` threads that start together; gives the results or raises an error."""
    results, errors = [None] * count, []
    barrier = threading.Barrier(count)

    def run(i):
        try:
            barrier.wait()
            results[i] = f(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


def test_modes_belong_to_a_thread():
    with torch.no_grad():
        assert in_threads(2, lambda i: torch.is_grad_enabled()) == [True, True]

        def other(i):
            with torch.inference_mode():
                return torch.is_inference_mode_enabled()

        assert in_threads(2, other) == [True, True]
        assert not torch.is_inference_mode_enabled() and not torch.is_grad_enabled()


def test_independent_graphs():
    def run(i):
        x = torch.full((50,), float(i + 1), dtype=torch.float64, requires_grad=True)
        for _ in range(20):
            x.grad = None
            y = x
            for _ in range(20):
                y = y * 1.01 + x.sin()
            y.sum().backward()
        return x.grad

    together = in_threads(4, run)
    for i, g in enumerate(together):
        assert_close(g, run(i), rtol=0)


def test_one_leaf_in_several_graphs():
    x = torch.zeros(1000, dtype=torch.float64, requires_grad=True)

    def run(i):
        for _ in range(50):
            (x * (i + 1)).sum().backward()

    in_threads(4, run)
    assert x.grad.tolist() == [50.0 * (1 + 2 + 3 + 4)] * 1000  # no addition is lost


def test_one_graph_from_several_threads():
    x = rand64(100)
    y = (x.exp() * x).sum()
    grads = in_threads(4, lambda i: torch.autograd.grad(y, x, retain_graph=True)[0])
    for g in grads:
        assert_close(g, (x.exp() * (1 + x)).detach())


def test_a_graph_made_in_one_thread_runs_in_another():
    x = rand64(3)
    (y,) = in_threads(1, lambda i: (x * x).sum())
    y.backward()
    assert_close(x.grad, 2 * x)


def test_hooks_run_in_the_thread_that_calls_backward():
    x = torch.ones(1, requires_grad=True)
    y = x * 2
    names = []
    y.register_hook(lambda g: names.append(threading.current_thread().name))
    in_threads(1, lambda i: (threading.current_thread().__setattr__("name", "mine"), y.backward()))
    assert names == ["mine"]


def test_an_error_stays_in_its_thread():
    def run(i):
        x = torch.ones(2, requires_grad=True)
        y = x * 2
        if i % 2 == 0:
            with pytest.raises(RuntimeError, match="scalar"):
                y.backward()
        else:
            y.sum().backward()
            return x.grad.tolist()

    assert in_threads(4, run) == [None, [2, 2], None, [2, 2]]


@pytest.mark.parametrize("work", ["forward", "backward"])
def test_python_runs_meanwhile(work):
    """A big kernel does not hold the interpreter: a thread that counts goes on counting."""
    x = torch.ones(2_000_000, dtype=torch.float64, requires_grad=True)
    y = x
    for _ in range(10):
        y = y.sin().exp()
    loss = y.sum()
    ticks, stop = [], threading.Event()

    def count():
        while not stop.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.0005)

    thread = threading.Thread(target=count)
    thread.start()
    while not ticks:
        time.sleep(0.001)
    start = time.perf_counter()
    if work == "backward":
        loss.backward()
    else:
        with torch.no_grad():
            x.sin().exp().cos().tanh().exp().sin().sum()
    end = time.perf_counter()
    stop.set()
    thread.join()
    assert sum(start < t < end for t in ticks) >= 5


def test_nested_backward_in_threads():
    class Inner(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            with torch.enable_grad():
                x = x.detach().requires_grad_()
                (inner,) = torch.autograd.grad((x**2).sum(), x)
            return g * inner

    def run(i):
        x = torch.full((5,), i + 1.0, requires_grad=True)
        Inner.apply(Inner.apply(x)).sum().backward()
        return x.grad[0].item()

    assert in_threads(4, run) == [4 * (i + 1.0) ** 3 for i in range(4)]


def test_tensors_are_shared_while_they_are_read():
    x = torch.arange(1000.0)

    def run(i):
        return [float((x[i:] * 2).sum()) for _ in range(200)][-1]

    assert in_threads(4, run) == [float(2 * sum(range(i, 1000))) for i in range(4)]


def trained(seed):
    """The parameters of a small network after some steps."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(64, 16, generator=generator)
    net = torch.nn.Sequential(
        torch.nn.Linear(16, 32), torch.nn.LayerNorm(32), torch.nn.GELU(), torch.nn.Linear(32, 4)
    )
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.randn(p.shape, generator=generator) * 0.2)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    for _ in range(30):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(x), x.argmax(1) % 4).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
    return [p.detach() for p in net.parameters()]


def test_eight_threads_train_what_one_trains():
    together = in_threads(8, trained)
    for i, found in enumerate(together):
        assert all(map(torch.equal, found, trained(i)))


def large_results():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(700, 900, generator=generator, requires_grad=True)
    w = torch.randn(300, 900, generator=generator, requires_grad=True)
    made = [
        x.sum(), x.mean(0), x.var(1), x.amax(0), x.logsumexp(1), x.softmax(0), x.cumsum(1),
        x.norm(), x.exp() * 2, x.t().contiguous(), x.sort(1).values, x.prod(1),
        torch.nn.functional.linear(x, w), torch.nn.functional.layer_norm(x, (900,)),
        torch.nn.functional.cross_entropy(x, torch.arange(700)), x[torch.arange(0, 700, 3)],
        torch.dropout(x, 0.5, True), x.index_add(0, torch.arange(699, -1, -1), x.sin()),
    ]  # fmt: skip
    total = sum((y * y).mean() for y in made)
    return [*made, *torch.autograd.grad(total, [x, w])]


def test_results_do_not_depend_on_the_number_of_threads():
    before = torch.get_num_threads()
    found = []
    try:
        for count in (1, 2, 5):
            torch.set_num_threads(count)
            torch.manual_seed(3)
            found.append(large_results())
    finally:
        torch.set_num_threads(before)
    for i, first in enumerate(found[0]):
        for other in found[1:]:
            assert torch.equal(first, other[i]), i
