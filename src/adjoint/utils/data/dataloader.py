"""DataLoader: batches of a dataset."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import adjoint

from .collate import default_collate, default_convert
from .dataset import IterableDataset, is_plain_tensor_dataset
from .fetch import Fetcher
from .sampler import BatchSampler, RandomSampler, SequentialSampler, draw_seed

__all__ = ["DataLoader"]


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
        num_workers: how many processes make batches ahead; 0 makes them when they are asked for.
        timeout: seconds to wait for a batch of a worker; 0 for ever.
        worker_init_fn: called in each worker, with its number, at the beginning of a pass.
        multiprocessing_context: the start method of processes, or a context; "thread" for
            threads, which share the dataset and are good for data made by code that lets other
            threads run.
        prefetch_factor: how many batches each worker is ahead, by default 2.
        persistent_workers: keep the processes for the next pass.
        in_order: False gives batches as they arrive.
        pin_memory, pin_memory_device: accepted, without effect.

    A batch of a TensorDataset, or of a Subset of one, is gathered with one ``index_select`` a
    tensor, not sample by sample. `state_dict` tells the position within a pass and
    `load_state_dict` goes there.

    Raises:
        ValueError: options that contradict each other.
        RuntimeError: while iterating, a worker was killed or took longer than `timeout`. An
            exception in a worker is raised with its traceback in its message.

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
        if num_workers == 0 and multiprocessing_context is not None:
            raise ValueError(
                "multiprocessing_context can only be used with multi-process loading "
                f"(num_workers > 0), but got num_workers={num_workers}"
            )
        if prefetch_factor is not None and prefetch_factor <= 0:
            raise ValueError(f"prefetch_factor must be positive, got {prefetch_factor}")
        if num_workers > 0 and multiprocessing_context not in (None, "thread"):
            from .processes import context_of

            context_of(multiprocessing_context)
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
        self._pool: Any = None
        self._position = 0  # batches given in the pass at hand
        self._begin: Any = None  # the state of the random numbers before it
        self._resume: dict[str, Any] | None = None

    def __iter__(self) -> Iterator[Any]:
        resume, self._resume = self._resume, None
        generator = adjoint.default_generator if self.generator is None else self.generator
        if resume is None:
            self._begin, self._position = generator.get_state(), 0
            # A seed for workers is drawn first, as in torch, so that a program sees its order.
            return self._pass(draw_seed(self.generator), _drawn(self._indices()))
        self._begin, self._position = resume["generator"], resume["position"]
        now = generator.get_state()
        generator.set_state(resume["generator"])
        seed, indices = draw_seed(self.generator), self._indices()
        if self._iterable:
            batches = self._pass(seed, indices)
            for _ in itertools.islice(batches, resume["position"]):
                self._position -= 1
            return batches
        for _ in itertools.islice(indices, resume["position"]):
            pass
        indices = _drawn(indices)
        if self.generator is None:
            generator.set_state(now)
        return self._pass(seed, indices)

    def state_dict(self) -> dict[str, Any]:
        """The position within the pass at hand: how many batches it has given, and the state that
        the generator of the order had at its beginning.

        >>> data = adjoint.utils.data.TensorDataset(adjoint.arange(4))
        >>> loader = adjoint.utils.data.DataLoader(data)
        >>> batch = next(iter(loader))
        >>> loader.load_state_dict(loader.state_dict())
        >>> [x.item() for (x,) in loader]
        [1, 2, 3]
        """
        return {"position": self._position, "generator": self._begin}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Lets the next pass go on where another one was: with the same order, behind the batches
        that it gave. Raises KeyError for what `state_dict` has not made."""
        state = {key: state_dict[key] for key in ("position", "generator")}
        self._resume = state if state["generator"] is not None else None

    def __len__(self) -> int:
        if self._iterable:
            n = len(self.dataset)
            if self.batch_size is None:
                return n
            full, rest = divmod(n, self.batch_size)
            return full if self.drop_last or rest == 0 else full + 1
        index_sampler: Any = self.sampler if self.batch_sampler is None else self.batch_sampler
        return len(index_sampler)

    def _indices(self) -> Iterator[Any]:
        """What makes each batch."""
        if self._iterable:
            return itertools.repeat(None)
        if self.batch_sampler is None:
            return iter(self.sampler)  # type: ignore[arg-type]
        if self.num_workers == 0 and self._is_gathered():
            return self.batch_sampler.tensors()  # type: ignore[attr-defined]
        return iter(self.batch_sampler)

    def _is_gathered(self) -> bool:
        """Whether batches are gathered by tensors of indices that no code of the user's sees."""
        batches = self.batch_sampler
        return (
            self.collate_fn is default_collate
            and type(batches) is BatchSampler
            and type(batches.sampler) in (RandomSampler, SequentialSampler)
            and is_plain_tensor_dataset(self.dataset)
        )

    def _pass(self, seed: int, indices: Iterator[Any]) -> Iterator[Any]:
        for batch in self._batches(seed, indices):
            self._position += 1
            yield batch
        self._position, self._begin = 0, None

    def _batches(self, seed: int, indices: Iterator[Any]) -> Iterator[Any]:
        fetcher = Fetcher(
            self.dataset,
            self.collate_fn,
            self.batch_size,
            self.drop_last,
            single=self.batch_sampler is None,
        )
        prefetch = 2 if self.prefetch_factor is None else self.prefetch_factor
        if self.num_workers == 0:
            return _one_by_one(fetcher, indices)
        if self.multiprocessing_context == "thread":
            from .threads import batches_of_threads

            return batches_of_threads(
                self.num_workers, fetcher, indices, prefetch, self.timeout, self.in_order
            )
        return self._of_processes(fetcher, prefetch, seed, indices)

    def _of_processes(
        self, fetcher: Fetcher, prefetch: int, seed: int, indices: Iterator[Any]
    ) -> Iterator[Any]:
        from .processes import ProcessPool

        pool = self._pool if self.persistent_workers else None
        if pool is None or not pool.close.alive:
            pool = ProcessPool(
                self.num_workers,
                fetcher,
                self.multiprocessing_context,
                self.worker_init_fn,
                prefetch,
                self.timeout,
                self.in_order,
            )
        self._pool = pool if self.persistent_workers else None
        try:
            yield from pool.batches(indices, seed)
        finally:
            if not self.persistent_workers:
                pool.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_pool": None}  # processes cannot be copied


def _drawn(indices: Iterator[Any]) -> Iterator[Any]:
    """The same: samplers draw their order when they are first asked, so that happens here."""
    return itertools.chain(list(itertools.islice(indices, 1)), indices)


def _one_by_one(fetcher: Fetcher, indices: Iterator[Any]) -> Iterator[Any]:
    fetcher.begin()
    for index in indices:
        try:
            batch = fetcher.fetch(index)
        except StopIteration:
            if fetcher.stream is None:
                raise RuntimeError("the dataset raised StopIteration") from None
            return
        yield batch
