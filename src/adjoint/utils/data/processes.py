"""Worker processes of a DataLoader.

Each worker has a pipe of its own, so that one that is killed in the middle of a message harms
nobody else, and its end is seen at once.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import queue
import signal
import threading
import time
import traceback
import warnings
import weakref
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

import adjoint

from . import messages
from .fetch import Fetcher
from .worker_info import WorkerInfo, start_worker

__all__ = ["ProcessPool", "context_of"]

_GRACE = 2.0  # seconds that a worker has to end by itself

_open_pipes: set[Connection] = set()  # the main process's ends of those of all workers


def context_of(given: Any) -> Any:
    """A multiprocessing context, by its name or itself."""
    if given is None:
        return multiprocessing.get_context()
    if isinstance(given, str):
        known = multiprocessing.get_all_start_methods()
        if given not in known:
            raise ValueError(
                "multiprocessing_context option should specify a valid start method in "
                f"{[*known, 'thread']}, but got multiprocessing_context={given!r}"
            )
        return multiprocessing.get_context(given)
    if not hasattr(given, "Process"):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string "
            f"specifying the start method, but got {given!r}"
        )
    return given


class _Failure:
    """An exception of a worker, on its way."""

    def __init__(self, error: BaseException, worker: int) -> None:
        # an exit of the worker is none of the program
        self.type = type(error) if isinstance(error, Exception) else RuntimeError
        self.message = (
            f"Caught {type(error).__name__} in DataLoader worker process {worker}.\n"
            f"Original {''.join(traceback.format_exception(error))}"
        )

    def raise_(self) -> None:
        try:
            error = self.type(_Text(self.message) if self.type is KeyError else self.message)
        except Exception:  # made of something else than a message
            raise RuntimeError(self.message) from None
        raise error


class _Text(str):
    """A KeyError shows the repr of its key."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class _End:
    """The stream of a worker has ended."""


def _work(
    pipe: Connection,
    id: int,
    count: int,
    fetcher: Fetcher,
    worker_init_fn: Callable[[int], None] | None,
) -> None:
    """The life of a worker: tasks (pass, number, indices) come in, (pass, number, batch) go out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process is interrupted, and ends us
    # A child of fork has copies of the other ends, which would keep workers from seeing their end.
    for other in list(_open_pipes):
        other.close()
    adjoint.set_num_threads(1)
    # Tasks are taken from the pipe at once: the main process never waits to put one in.
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def take() -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                tasks.put(pipe.recv())
        tasks.put(None)

    threading.Thread(target=take, daemon=True).start()
    failure: _Failure | None = None
    current = None
    ended = ready = False
    while (task := tasks.get()) is not None:
        number, index, what = task
        result: Any
        if current != number:  # `what` is the seed of a new pass
            current, ended, failure = number, False, None
            try:
                start_worker(WorkerInfo(id, count, what + id, fetcher.dataset))
                if worker_init_fn is not None and not ready:
                    worker_init_fn(id)
                ready = True
                fetcher.begin()
            except BaseException as error:
                failure = _Failure(error, id)
            continue
        if failure is not None:
            result = failure
        elif ended:
            result = _End()
        else:
            try:
                result = fetcher.fetch(what)
            except StopIteration as error:
                ended = fetcher.stream is not None
                result = _End() if ended else _Failure(error, id)
            except BaseException as error:
                result = _Failure(error, id)
        try:
            message = messages.dumps((number, index, result))
        except Exception as error:
            if isinstance(result, _Failure):  # its type is one that only the worker knows
                result.type = RuntimeError
            else:
                result = _Failure(error, id)
            message = messages.dumps((number, index, result))
        try:
            messages.send(pipe, message)
        except OSError:  # nobody waits for it any more
            break
        del result, message  # batches are large


def _end(owner: int, processes: list[Any], pipes: list[Connection]) -> None:
    if os.getpid() != owner:  # a child of fork has a copy of the pool
        return
    for pipe in pipes:
        pipe.close()
        _open_pipes.discard(pipe)
    deadline = time.monotonic() + _GRACE
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
    for process in processes:
        if process.is_alive():
            process.terminate()
            process.join(_GRACE)
        if process.is_alive():
            process.kill()
            process.join()


class ProcessPool:
    """The workers, and one pass over the data after the other."""

    def __init__(
        self,
        count: int,
        fetcher: Fetcher,
        context: Any,
        worker_init_fn: Callable[[int], None] | None,
        prefetch: int,
        timeout: float,
        in_order: bool,
    ) -> None:
        self._prefetch = prefetch
        self._timeout = timeout
        self._in_order = in_order
        self._pass = 0
        self._processes: list[Any] = []
        self._pipes: list[Connection] = []
        context = context_of(context)
        try:
            for i in range(count):
                ours, theirs = context.Pipe()
                _open_pipes.add(ours)
                self._pipes.append(ours)
                process = context.Process(
                    target=_work,
                    args=(theirs, i, count, fetcher, worker_init_fn),
                    daemon=True,
                )
                with warnings.catch_warnings():
                    # Python warns of other threads; those of the core start anew in the child.
                    warnings.simplefilter("ignore", DeprecationWarning)
                    process.start()
                theirs.close()
                self._processes.append(process)
        except BaseException:
            _end(os.getpid(), self._processes, self._pipes)
            raise
        self.close = weakref.finalize(self, _end, os.getpid(), self._processes, self._pipes)

    def batches(self, indices: Iterator[Any], seed: int) -> Iterator[Any]:
        """One pass: `indices` are what the fetchers are given, a batch each."""
        self._pass += 1
        for worker in range(len(self._pipes)):
            self._send(worker, (self._pass, -1, seed))
        active = list(range(len(self._pipes)))  # workers whose streams have not ended
        owner: dict[int, int] = {}  # of the batches that are under way
        arrived: dict[int, Any] = {}
        sent = wanted = turn = 0

        def send_more() -> None:
            nonlocal sent, turn
            load = dict.fromkeys(active, 0)
            for w in owner.values():
                load[w] = load.get(w, 0) + 1
            while active and any(load[w] < self._prefetch for w in active):
                turn %= len(active)
                worker = active[turn]
                turn += 1
                if load[worker] >= self._prefetch:
                    continue
                try:
                    index = next(indices)
                except StopIteration:
                    return
                self._send(worker, (self._pass, sent, index))
                owner[sent] = worker
                load[worker] += 1
                sent += 1

        send_more()
        while owner or arrived:
            if self._in_order and wanted in arrived:
                number = wanted
            elif not self._in_order and arrived:
                number = next(iter(arrived))
            else:
                for number, result in self._receive():
                    worker = owner.pop(number)
                    if isinstance(result, _End) and worker in active:
                        active.remove(worker)
                    arrived[number] = result
                send_more()
                continue
            result = arrived.pop(number)
            wanted += self._in_order
            if isinstance(result, _Failure):
                result.raise_()
            if not isinstance(result, _End):
                yield result

    def _send(self, worker: int, task: Any) -> None:
        try:
            self._pipes[worker].send(task)
        except OSError:
            self._died(worker)

    def _receive(self) -> list[tuple[int, Any]]:
        """The batches that have arrived, at least one of this pass."""
        deadline = time.monotonic() + self._timeout if self._timeout else None
        results: list[tuple[int, Any]] = []
        while not results:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            ready = multiprocessing.connection.wait(self._pipes, left)
            if not ready:
                raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds")
            for pipe in ready:
                try:
                    number, index, result = messages.receive(pipe)  # type: ignore[arg-type]
                except (EOFError, OSError):
                    self._died(self._pipes.index(pipe))  # type: ignore[arg-type]
                except BaseException:  # what is left of the message is in the pipe
                    self.close()
                    raise
                if number == self._pass:  # not of a pass that was given up
                    results.append((index, result))
        return results

    def _died(self, worker: int) -> None:
        process = self._processes[worker]
        process.join(_GRACE)
        pid, code = process.pid, process.exitcode
        self.close()
        how = ""
        if code is not None and code < 0:
            how = f" by signal {signal.Signals(-code).name}"
        elif code is not None:
            how = f" with exit code {code}"
        raise RuntimeError(
            f"DataLoader worker (pid(s) {pid}) exited unexpectedly{how}. Rerunning with "
            "num_workers=0 may give a better error trace."
        )
