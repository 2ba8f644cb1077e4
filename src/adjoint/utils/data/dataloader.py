"""DataLoader: batches of a dataset."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

import adjoint
from adjoint import Generator, Tensor

from .collate import default_collate, default_convert
from .dataset import IterableDataset, index_tensor, tensors_of
from .fetch import Fetcher
from .sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    draw_seed,
)
from .worker_info import get_worker_info as get_worker_info

__all__ = ["DataLoader"]

T = TypeVar("T", covariant=True)

# What others of a loader's attributes are made of.
_FIXED = {"batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"}


class DataLoader(Generic[T]):
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
        worker_init_fn: called in each worker process, with its number, when it has begun.
        multiprocessing_context: the start method of processes, or a context; "thread" for
            threads, which share the dataset and the random numbers, and are good for data made by
            code that lets other threads run. One thread reads an IterableDataset.
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
        if multiprocessing_context == "thread" and worker_init_fn is not None:
            raise ValueError("worker_init_fn is for processes: threads have no state of their own")
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
        self.prefetch_factor = 2 if num_workers > 0 and prefetch_factor is None else prefetch_factor
        self.persistent_workers = persistent_workers
        self.pin_memory_device = pin_memory_device
        self.in_order = in_order
        self._pool: Any = None
        self._position = 0  # batches given in the pass at hand
        self._begin: Any = None  # the states of the random numbers before it
        self._resume: dict[str, Any] | None = None
        self._is_made = True

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIXED and "_is_made" in self.__dict__:
            raise ValueError(f"{name} cannot be set once there is the DataLoader: make another one")
        super().__setattr__(name, value)

    def __iter__(self) -> Iterator[Any]:
        return self._get_iterator()

    def _get_iterator(self) -> _BaseDataLoaderIter:
        if self.num_workers == 0:
            return _SingleProcessDataLoaderIter(self)
        return _MultiProcessingDataLoaderIter(self)

    def _begin_pass(self) -> Iterator[Any]:
        resume, self._resume = self._resume, None
        generators = self._generators()
        if resume is None or resume["position"] is None:
            if resume is not None:
                _set_states(generators, resume["generators"])
            self._begin, self._position = _states(generators), 0
            # A seed for workers is drawn first, as in torch, so that a program sees its order.
            seed = draw_seed(self.generator)
            indices, tensors = self._indices()
            return self._pass(seed, _drawn(indices), tensors)
        self._begin, self._position = resume["generators"], resume["position"]
        now = adjoint.default_generator.get_state()
        _set_states(generators, resume["generators"])
        seed = draw_seed(self.generator)
        indices, tensors = self._indices()
        if self._iterable:
            batches = self._pass(seed, indices, tensors)
            for _ in itertools.islice(batches, resume["position"]):
                self._position -= 1
            adjoint.default_generator.set_state(now)
            return batches
        for _ in itertools.islice(indices, resume["position"]):
            pass
        indices = _drawn(indices)
        adjoint.default_generator.set_state(now)  # the program's own position in it
        return self._pass(seed, indices, tensors)

    def _generators(self) -> dict[str, Generator]:
        """What the order comes from."""
        found = {"default": adjoint.default_generator}
        own: Any = {"loader": self.generator, "sampler": None}
        source: Any = self._index_sampler
        if not isinstance(getattr(source, "generator", None), Generator):
            source = getattr(source, "sampler", None)
        own["sampler"] = getattr(source, "generator", None)
        for name, generator in own.items():
            if isinstance(generator, Generator) and all(
                generator is not other for other in found.values()
            ):
                found[name] = generator
        return found

    def state_dict(self) -> dict[str, Any]:
        """The position: how many batches the pass at hand has given, and the states that the
        generators of the order (the default one, this loader's, the sampler's) had at its
        beginning. Between passes the position is None, for the beginning of the next.

        >>> data = adjoint.utils.data.TensorDataset(adjoint.arange(4))
        >>> loader = adjoint.utils.data.DataLoader(data)
        >>> batch = next(iter(loader))
        >>> loader.load_state_dict(loader.state_dict())
        >>> [x.item() for (x,) in loader]
        [1, 2, 3]
        """
        if self._resume is not None:
            return dict(self._resume)
        if self._begin is None:
            generators = self._generators()
            del generators["default"]  # that is the program's to save
            return {"position": None, "generators": _states(generators)}
        return {"position": self._position, "generators": self._begin}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Lets the next pass go on where another one was: with the same order, behind the batches
        that it gave.

        Raises:
            KeyError: for what `state_dict` has not made.
            ValueError: the other loader had generators where this has none, or the other way.
        """
        state = {key: state_dict[key] for key in ("position", "generators")}
        own, others = set(self._generators()), set(state["generators"])
        if own != others | {"default"}:
            raise ValueError(
                f"the state is that of a loader with the generators {sorted(others)}, "
                f"this one has {sorted(own)}"
            )
        self._resume = state

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        """What gives the indices of each batch."""
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    @property
    def _dataset_kind(self) -> int:
        return _DatasetKind.Iterable if self._iterable else _DatasetKind.Map

    def __len__(self) -> int:
        if self._iterable:
            n = len(self.dataset)
            if self.batch_size is None:
                return n
            full, rest = divmod(n, self.batch_size)
            return full if self.drop_last or rest == 0 else full + 1
        return len(self._index_sampler)

    def _indices(self) -> tuple[Iterator[Any], tuple[Tensor, ...] | None]:
        """What makes each batch; and if those are tensors of indices, what they choose from."""
        if self._iterable:
            return itertools.repeat(None), None
        if self.batch_sampler is None:
            return iter(self.sampler), None  # type: ignore[arg-type]
        if self.num_workers == 0 and (source := self._gather_from()) is not None:
            tensors, order = source
            return self.batch_sampler.tensors(order), tensors  # type: ignore[attr-defined]
        return iter(self.batch_sampler), None

    def _gather_from(self) -> tuple[tuple[Tensor, ...], Tensor | None] | None:
        """Tensors from which batches are gathered by indices that no code of the user's sees."""
        batches = self.batch_sampler
        if self.collate_fn is not default_collate or type(batches) is not BatchSampler:
            return None
        sampler: Any = batches.sampler
        if type(sampler) is SubsetRandomSampler:
            if index_tensor(sampler.indices, len(self.dataset)) is None:
                return None
        elif type(sampler) not in (RandomSampler, SequentialSampler):
            return None
        elif sampler.data_source is not self.dataset:
            return None
        return tensors_of(self.dataset)

    def _pass(
        self, seed: int, indices: Iterator[Any], tensors: tuple[Tensor, ...] | None
    ) -> Iterator[Any]:
        if tensors is not None:
            for wanted in indices:
                self._position += 1
                yield [tensor.index_select(0, wanted) for tensor in tensors]
        else:
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
        prefetch = self.prefetch_factor
        if self.num_workers == 0 or prefetch is None:
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


class _DatasetKind:
    """Whether a dataset has indices or is a stream."""

    Map = 0
    Iterable = 1


class _BaseDataLoaderIter:
    """One pass over a loader's batches."""

    def __init__(self, loader: DataLoader) -> None:
        self._loader = loader
        self._batches = loader._begin_pass()

    def __iter__(self) -> _BaseDataLoaderIter:
        return self

    def __next__(self) -> Any:
        return next(self._batches)

    def __len__(self) -> int:
        return len(self._loader)


class _SingleProcessDataLoaderIter(_BaseDataLoaderIter):
    """A pass without workers."""


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    """A pass whose batches workers make."""


class _InfiniteConstantSampler(Sampler[None]):
    """None for ever: the indices of a stream."""

    def __iter__(self) -> Iterator[None]:
        return itertools.repeat(None)


def _drawn(indices: Iterator[Any]) -> Iterator[Any]:
    """The same: samplers draw their order when they are first asked, so that happens here."""
    return itertools.chain(list(itertools.islice(indices, 1)), indices)


def _states(generators: dict[str, Generator]) -> dict[str, Tensor]:
    return {name: generator.get_state() for name, generator in generators.items()}


def _set_states(generators: dict[str, Generator], states: dict[str, Tensor]) -> None:
    for name, state in states.items():
        generators[name].set_state(state)


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
