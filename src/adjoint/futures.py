"""Values that come later: `concurrent.futures` under torch's names.

>>> from adjoint.futures import Future, collect_all
>>> first, second = Future(), Future()
>>> both = collect_all([first, second]).then(lambda done: [f.value() for f in done.value()])
>>> first.set_result(1), second.set_result(2)
(None, None)
>>> both.wait()
[1, 2]
"""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

__all__ = ["Future", "collect_all", "wait_all"]

T = TypeVar("T")
S = TypeVar("S")


class Future(Generic[T]):
    """A value that somebody sets once, and others wait for.

    Args:
        devices: Accepted; values are on the CPU.
    """

    def __init__(self, *, devices: Sequence[Any] | None = None) -> None:
        self._future: concurrent.futures.Future[T] = concurrent.futures.Future()

    def done(self) -> bool:
        """Whether the value, or an error in its place, is there."""
        return self._future.done()

    def wait(self) -> T:
        """The value, as soon as it is there; the error, if one was set."""
        return self._future.result()

    def value(self) -> T:
        """The value that is there already.

        Raises:
            RuntimeError: It is not there yet.
        """
        if not self.done():
            raise RuntimeError("the future has no value yet: wait() waits for it")
        return self._future.result()

    def set_result(self, result: T) -> None:
        """Sets the value, runs the callbacks and wakes those who wait.

        Raises:
            RuntimeError: There is one already.
        """
        self._set_once(lambda: self._future.set_result(result))

    def set_exception(self, result: BaseException) -> None:
        """Sets an error that `wait` and `value` raise."""
        if not isinstance(result, BaseException):
            raise AssertionError(f"{result!r} is no exception")
        self._set_once(lambda: self._future.set_exception(result))

    def _set_once(self, action: Callable[[], None]) -> None:
        try:
            action()
        except concurrent.futures.InvalidStateError:
            raise RuntimeError("the future was completed before: a value is set once") from None

    def then(self, callback: Callable[[Future[T]], S]) -> Future[S]:
        """A future of `callback(self)`, which runs when this one is done."""
        later: Future[S] = Future()

        def run(_: Any) -> None:
            try:
                later.set_result(callback(self))
            except Exception as error:
                later.set_exception(error)

        self._future.add_done_callback(run)
        return later

    def add_done_callback(self, callback: Callable[[Future[T]], None]) -> None:
        """Runs `callback(self)` when this is done: at once, if it is done already."""
        self._future.add_done_callback(lambda _: callback(self))


def collect_all(futures: Sequence[Future[Any]]) -> Future[list[Future[Any]]]:
    """A future of the list `futures`, done when all of them are."""
    everything: Future[list[Future[Any]]] = Future()
    futures = list(futures)
    if not futures:
        everything.set_result([])
    left, lock = len(futures), threading.Lock()

    def one_more(_: Future[Any]) -> None:
        nonlocal left
        with lock:
            left -= 1
            last = left == 0
        if last:
            everything.set_result(futures)

    for future in futures:
        future.add_done_callback(one_more)
    return everything


def wait_all(futures: Sequence[Future[Any]]) -> list[Any]:
    """The values of all `futures`; the first error among them."""
    return [future.wait() for future in collect_all(futures).wait()]
