"""DataLoader: batches of a dataset."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .collate import default_collate, default_convert
from .dataset import IterableDataset, gather, samples
from .sampler import BatchSampler, RandomSampler, SequentialSampler, draw_seed

__all__ = ["DataLoader", "get_worker_info"]

_warned_of_workers = False


def get_worker_info() -> None:
    """Information about the worker process: None, since loading is done in the main process."""
    return None


class DataLoader:
    """Iterates over the batches of a dataset.

    Args:
        dataset: with ``__getitem__`` and ``__len__``, or an IterableDataset.
        batch_size: samples in a batch; None to get single samples.
        shuffle: a new random order in each iteration.
        sampler: the order, instead of ``shuffle``: indices.
        batch_sampler: the batches, instead of ``batch_size``, ``shuffle``, ``sampler`` and
            ``drop_last``: lists of indices.
        collate_fn: makes a batch of a list of samples; :func:`default_collate` if None.
        drop_last: leave out the last batch if it is not full.
        generator: for the order.
        num_workers: accepted; loading is done in the main process all the same.
        pin_memory, timeout, worker_init_fn, multiprocessing_context, prefetch_factor,
            persistent_workers, pin_memory_device, in_order: accepted, without effect.

    A batch of a TensorDataset, or of a Subset of one, is gathered with one ``index_select`` a
    tensor, not sample by sample.

    Raises:
        ValueError: options that contradict each other.

    >>> data = adjoint.utils.data.TensorDataset(adjoint.arange(5))
    >>> loader = adjoint.utils.data.DataLoader(data, batch_size=2)
    >>> len(loader)
    3
    >>> for (x,) in loader:
    ...     print(x)
    tensor([0, 1])
    tensor([2, 3])
    tensor([4])
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[list[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        self._iterable = isinstance(dataset, IterableDataset)
        if num_workers < 0:
            raise ValueError(f"num_workers must not be negative, got {num_workers}")
        if timeout < 0:
            raise ValueError(f"timeout must not be negative, got {timeout}")
        if num_workers == 0 and prefetch_factor is not None:
            raise ValueError("prefetch_factor needs num_workers > 0")
        if persistent_workers and num_workers == 0:
            raise ValueError("persistent_workers=True needs num_workers > 0")
        if self._iterable:
            if shuffle or sampler is not None or batch_sampler is not None:
                raise ValueError(
                    "an IterableDataset has its own order: shuffle, sampler and batch_sampler "
                    "cannot be given"
                )
        if sampler is not None and shuffle:
            raise ValueError("sampler and shuffle exclude each other")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler excludes batch_size, shuffle, sampler and drop_last"
                )
            batch_size = None
            drop_last = False
        elif batch_size is None and drop_last:
            raise ValueError("drop_last needs a batch_size")

        if sampler is None and not self._iterable:
            if shuffle:
                sampler = RandomSampler(dataset, generator=generator)
            else:
                sampler = SequentialSampler(dataset)
        if batch_size is not None and not self._iterable:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)  # type: ignore[arg-type]
        elif batch_size is not None and batch_size <= 0:
            raise ValueError(f"batch_size must be a positive int, got {batch_size}")
        if collate_fn is None:
            batched = batch_size is not None or batch_sampler is not None
            collate_fn = default_collate if batched else default_convert

        self.dataset = dataset
        self.batch_size = batch_size
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.num_workers = num_workers
        self.collate_fn = collate_fn
        self.pin_memory = pin_memory
        self.drop_last = drop_last
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.generator = generator
        self.prefetch_factor = prefetch_factor
        self.persistent_workers = persistent_workers
        self.pin_memory_device = pin_memory_device
        self.in_order = in_order
        if num_workers > 0:
            _warn_of_workers()

    def __iter__(self) -> Iterator[Any]:
        # A seed for workers is drawn first, as in torch, so that a seeded program sees its order.
        draw_seed(self.generator)
        if self._iterable:
            return self._iterate_stream()
        if self.batch_sampler is not None:
            return map(self._fetch, iter(self.batch_sampler))
        return (self.collate_fn(self.dataset[i]) for i in self.sampler)  # type: ignore[union-attr]

    def __len__(self) -> int:
        if self._iterable:
            n = len(self.dataset)
            if self.batch_size is None:
                return n
            full, rest = divmod(n, self.batch_size)
            return full if self.drop_last or rest == 0 else full + 1
        index_sampler: Any = self.sampler if self.batch_sampler is None else self.batch_sampler
        return len(index_sampler)

    def _fetch(self, indices: list[int]) -> Any:
        if self.collate_fn is default_collate:
            batch = gather(self.dataset, indices)
            if batch is not None:
                return batch
        return self.collate_fn(samples(self.dataset, indices))

    def _iterate_stream(self) -> Iterator[Any]:
        stream = iter(self.dataset)
        if self.batch_size is None:
            for sample in stream:
                yield self.collate_fn(sample)
            return
        while batch := list(itertools.islice(stream, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield self.collate_fn(batch)


def _warn_of_workers() -> None:
    global _warned_of_workers
    if not _warned_of_workers:
        _warned_of_workers = True
        warnings.warn(
            "DataLoader(num_workers > 0): worker processes are not there yet, batches are made in "
            "the main process",
            stacklevel=3,
        )
