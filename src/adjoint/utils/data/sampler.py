"""Samplers: the order in which a loader takes the samples."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

import adjoint
from adjoint import Tensor

__all__ = [
    "BatchSampler",
    "DistributedSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """Base class: a subclass defines ``__iter__``, over indices or over lists of them.

    >>> class Backwards(adjoint.utils.data.Sampler):
    ...     def __iter__(self):
    ...         return iter([2, 1, 0])
    >>> list(adjoint.utils.data.DataLoader("abc", sampler=Backwards()))
    [['c'], ['b'], ['a']]
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} does not define __iter__()")


class SequentialSampler(Sampler[int]):
    """0, 1, 2, ...

    >>> list(adjoint.utils.data.SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def tensor(self) -> Tensor:
        """All indices."""
        return adjoint.arange(len(self.data_source))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """A random order; with ``replacement``, independent draws.

    Args:
        data_source: what has the length.
        num_samples: how many indices, as many as there are samples if None. More than that
            without replacement are several permutations.
        generator: for the draws; if None, one seeded from the default generator.

    Raises:
        TypeError: ``replacement`` is not a bool.
        ValueError: ``num_samples`` is not a positive int.

    >>> sorted(adjoint.utils.data.RandomSampler("abc"))
    [0, 1, 2]
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Any = None,
    ) -> None:
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement must be a bool, got {replacement!r}")
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(f"num_samples must be a positive int, got {self.num_samples!r}")

    @property
    def num_samples(self) -> int:
        """How many indices an iteration gives."""
        # read when needed: the dataset may have grown
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        for block in self._blocks():
            yield from block.tolist()

    def tensor(self) -> Tensor:
        """All indices of an iteration."""
        blocks = list(self._blocks())
        return blocks[0] if len(blocks) == 1 else adjoint.cat(blocks)

    def _blocks(self) -> Iterator[Tensor]:
        generator = self.generator
        if generator is None:
            generator = adjoint.Generator()
            generator.manual_seed(draw_seed(None))
        n, wanted = len(self.data_source), self.num_samples
        if self.replacement:
            # in blocks of 32, so that little memory is needed
            for start in range(0, wanted, 32):
                size = (min(32, wanted - start),)
                yield adjoint.randint(high=n, size=size, dtype=adjoint.int64, generator=generator)
            return
        for start in range(0, wanted, n):
            yield adjoint.randperm(n, generator=generator)[: wanted - start]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given indices in a random order.

    >>> sorted(adjoint.utils.data.SubsetRandomSampler([5, 7]))
    [5, 7]
    """

    def __init__(self, indices: Sequence[int], generator: Any = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for i in adjoint.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def tensor(self) -> Tensor:
        """All indices of an iteration."""
        order = adjoint.randperm(len(self.indices), generator=self.generator)
        return adjoint.tensor(self.indices)[order]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices drawn with probabilities proportional to ``weights``.

    Raises:
        ValueError: ``num_samples`` is not a positive int, ``replacement`` not a bool, or the
            weights are not a vector.

    >>> list(adjoint.utils.data.WeightedRandomSampler([0.0, 1.0], 3))
    [1, 1, 1]
    """

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Any = None,
    ) -> None:
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(f"num_samples must be a positive int, got {num_samples!r}")
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement must be a bool, got {replacement!r}")
        self.weights = adjoint.as_tensor(weights, dtype=adjoint.float64)
        if self.weights.dim() != 1:
            raise ValueError(f"weights must be a vector, got shape {tuple(self.weights.shape)}")
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        drawn = adjoint.multinomial(
            self.weights, self.num_samples, self.replacement, generator=self.generator
        )
        return iter(drawn.tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of ``batch_size`` indices of another sampler; the last may be shorter unless
    ``drop_last``.

    Raises:
        ValueError: ``batch_size`` is not a positive int, or ``drop_last`` not a bool.

    >>> list(adjoint.utils.data.BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(f"batch_size must be a positive int, got {batch_size!r}")
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last must be a bool, got {drop_last!r}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def tensors(self, dataset_order: Tensor | None = None) -> Iterator[Tensor]:
        """The same batches as tensors, of a sampler that has all its indices in one; as positions
        in ``dataset_order``, if there is one."""
        order = self.sampler.tensor()  # type: ignore[attr-defined]
        if dataset_order is not None:
            order = dataset_order[order]
        n = len(order)
        if self.drop_last:
            n -= n % self.batch_size
        return iter(order[:n].split(self.batch_size) if n else ())

    def __len__(self) -> int:
        full, rest = divmod(len(self.sampler), self.batch_size)  # type: ignore[arg-type]
        return full if self.drop_last or rest == 0 else full + 1


class DistributedSampler(Sampler[int]):
    """The share of one of several processes in the indices of a dataset, every `num_replicas`-th.

    Args:
        dataset: what has the length.
        num_replicas, rank: how many processes there are, and which this is. There are no process
            groups here to ask, so both have to be given.
        shuffle: a random order, the same in all processes, of `seed` and the epoch.
        drop_last: leave out indices so that all shares are equally long; otherwise the first are
            taken once more.

    Call `set_epoch` before each pass, or the order is the same in all. Raises ValueError for a rank
    that is not one, RuntimeError where one is missing.

    >>> list(adjoint.utils.data.DistributedSampler("abcde", 2, 1, shuffle=False))
    [1, 3, 0]
    """

    def __init__(
        self,
        dataset: Sized,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            raise RuntimeError(
                "DistributedSampler needs num_replicas and rank: there is no process group to ask"
            )
        if not 0 <= rank < num_replicas:
            raise ValueError(
                f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]"
            )
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.shuffle = shuffle
        self.seed = seed
        self.drop_last = drop_last
        self.epoch = 0
        full, rest = divmod(len(dataset), num_replicas)
        self.num_samples = full if drop_last or rest == 0 else full + 1
        self.total_size = self.num_samples * num_replicas

    def __iter__(self) -> Iterator[int]:
        n = len(self.dataset)
        indices = list(range(n))
        if self.shuffle:
            generator = adjoint.Generator()
            generator.manual_seed(self.seed + self.epoch)
            indices = adjoint.randperm(n, generator=generator).tolist()
        if n:
            indices = list(itertools.islice(itertools.cycle(indices), self.total_size))
        return iter(indices[self.rank :: self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Gives the next pass another order."""
        self.epoch = epoch


def draw_seed(generator: Any) -> int:
    """A seed drawn from ``generator``, or from the default one."""
    return int(adjoint.empty((), dtype=adjoint.int64).random_(generator=generator).item())
