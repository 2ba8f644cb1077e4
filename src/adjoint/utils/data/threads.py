"""Worker threads of a DataLoader: for data that is made by code which lets other threads run."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError, wait
from typing import Any

from .fetch import Fetcher

__all__ = ["batches_of_threads"]


def batches_of_threads(
    count: int,
    fetcher: Fetcher,
    indices: Iterator[Any],
    prefetch: int,
    timeout: float,
    in_order: bool,
) -> Iterator[Any]:
    """Batches, of which `count` are made at a time. A stream is read by one thread, ahead."""
    fetcher.begin()
    executor = ThreadPoolExecutor(1 if fetcher.stream is not None else count, "DataLoader")
    under_way: deque[Future[Any]] = deque()
    more = True
    try:
        while True:
            while more and len(under_way) < count * prefetch:
                try:
                    index = next(indices)
                except StopIteration:
                    more = False
                    break
                under_way.append(executor.submit(_fetch, fetcher, index))
            if not under_way:
                return
            if not in_order:
                done = next(iter(wait(under_way, timeout or None, "FIRST_COMPLETED").done), None)
                if done is not None:
                    under_way.remove(done)
                    under_way.appendleft(done)
            try:
                ended, batch = under_way[0].result(timeout or None)
            except TimeoutError:
                if under_way[0].done():  # an error of the dataset's
                    raise
                raise RuntimeError(f"DataLoader timed out after {timeout} seconds") from None
            under_way.popleft()
            if ended:
                return
            yield batch
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _fetch(fetcher: Fetcher, index: Any) -> tuple[bool, Any]:
    """Whether the stream has ended, and the batch: StopIteration cannot pass through a future."""
    try:
        return False, fetcher.fetch(index)
    except StopIteration:
        if fetcher.stream is None:
            raise RuntimeError("the dataset raised StopIteration") from None
        return True, None
