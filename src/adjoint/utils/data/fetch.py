"""Batches of a dataset: what a worker, or the main process, does for each of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from .collate import default_collate
from .dataset import IterableDataset, gather, samples

__all__ = ["Fetcher"]


class Fetcher:
    """Fetches one batch after the other.

    Args:
        dataset: with indices, or an IterableDataset, which is read as one stream.
        collate_fn: makes a batch of a list of samples, or converts a single sample.
        batch_size: of a stream: how many samples make a batch; None for single samples.
        drop_last: of a stream: leave out a last batch that is not full.
        single: with indices: one index at a time, not a list of them.
    """

    def __init__(
        self,
        dataset: Any,
        collate_fn: Callable[[Any], Any],
        batch_size: int | None,
        drop_last: bool,
        single: bool,
    ) -> None:
        self.dataset = dataset
        self.collate_fn = collate_fn
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.single = single
        self.stream: Iterator[Any] | None = None

    def begin(self) -> None:
        """At the beginning of each pass over the data."""
        self.stream = iter(self.dataset) if isinstance(self.dataset, IterableDataset) else None

    def fetch(self, indices: Any) -> Any:
        """The batch of these indices, or the next of the stream; StopIteration at its end."""
        if self.stream is not None:
            return self._next(self.stream)
        if self.single:
            return self.collate_fn(self.dataset[indices])
        if self.collate_fn is default_collate:
            batch = gather(self.dataset, indices)
            if batch is not None:
                return batch
        return self.collate_fn(samples(self.dataset, indices))

    def _next(self, stream: Iterator[Any]) -> Any:
        if self.batch_size is None:
            return self.collate_fn(next(stream))
        batch = list(itertools.islice(stream, self.batch_size))
        if not batch or (self.drop_last and len(batch) < self.batch_size):
            raise StopIteration
        return self.collate_fn(batch)
