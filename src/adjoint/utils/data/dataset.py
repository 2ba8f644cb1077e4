"""Datasets: things with ``dataset[i]`` and ``len(dataset)``, or things to iterate over."""

from __future__ import annotations

import itertools
import math
import warnings
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import adjoint
from adjoint import Tensor

__all__ = [
    "ChainDataset",
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "StackDataset",
    "Subset",
    "TensorDataset",
    "random_split",
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """Base class of datasets with samples by index: a subclass defines ``__getitem__``, and
    ``__len__``, which samplers need.

    With ``__getitems__(indices)``, a list of samples, it fetches a whole batch at once.

    >>> class Squares(adjoint.utils.data.Dataset):
    ...     def __len__(self):
    ...         return 5
    ...     def __getitem__(self, i):
    ...         return i**2
    >>> [batch.tolist() for batch in adjoint.utils.data.DataLoader(Squares(), batch_size=3)]
    [[0, 1, 4], [9, 16]]
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError(f"{type(self).__name__} does not define __getitem__()")

    def __add__(self, other: Dataset[Any]) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """Base class of datasets that are streams: a subclass defines ``__iter__``.

    >>> class Count(adjoint.utils.data.IterableDataset):
    ...     def __iter__(self):
    ...         return iter(range(3))
    >>> [batch.tolist() for batch in adjoint.utils.data.DataLoader(Count(), batch_size=2)]
    [[0, 1], [2]]
    """

    def __add__(self, other: Dataset[Any]) -> Any:
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Sample ``i`` is the tuple of the ``i``-th entries of all tensors.

    Raises:
        ValueError: the tensors differ in their first size, or one has no dimension.

    >>> data = adjoint.utils.data.TensorDataset(adjoint.arange(3), adjoint.arange(3) * 10)
    >>> data[2]
    (tensor(2), tensor(20))
    """

    tensors: tuple[Tensor, ...]

    def __init__(self, *tensors: Tensor) -> None:
        shapes = [tuple(tensor.shape) for tensor in tensors]
        if not tensors or () in shapes or len({shape[0] for shape in shapes}) > 1:
            raise ValueError(
                f"the tensors of a TensorDataset must have the same first size, got shapes {shapes}"
            )
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return self.tensors[0].size(0)


class StackDataset(Dataset[Any]):
    """Sample ``i`` joins the samples ``i`` of several datasets: a tuple of them if the datasets are
    given by position, a dictionary if by keyword.

    Raises:
        ValueError: both ways at once, no dataset, or different lengths.

    >>> data = adjoint.utils.data.StackDataset(x=[1, 2], y=[3, 4])
    >>> data[1]
    {'x': 2, 'y': 4}
    """

    datasets: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if bool(args) == bool(kwargs):
            raise ValueError("StackDataset takes datasets either by position or by keyword")
        self.datasets = args or kwargs
        lengths = [len(dataset) for dataset in (args or kwargs.values())]
        if len(set(lengths)) > 1:
            raise ValueError(f"the datasets must have the same length, got {lengths}")
        self._length = lengths[0]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __getitems__(self, indices: list[int]) -> list[Any]:
        if isinstance(self.datasets, dict):
            columns = [samples(dataset, indices) for dataset in self.datasets.values()]
            return [dict(zip(self.datasets, row)) for row in zip(*columns)]
        return list(zip(*(samples(dataset, indices) for dataset in self.datasets)))

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset[Any]):
    """Datasets one after the other; negative indices count from the end.

    Raises:
        ValueError: no datasets, or one that is an IterableDataset.

    >>> data = adjoint.utils.data.ConcatDataset([[1, 2], [3]])
    >>> data[2], data[-3]
    (3, 1)
    """

    datasets: list[Any]
    cumulative_sizes: list[int]

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset needs at least one dataset")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise ValueError("an IterableDataset has no indices: use ChainDataset")
        self.cumulative_sizes = self.cumsum(self.datasets)

    @staticmethod
    def cumsum(sequence: Iterable[Any]) -> list[int]:
        """The running totals of lengths."""
        return list(itertools.accumulate(map(len, sequence)))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} is out of range for {len(self)} samples")
        index %= len(self)
        i = bisect_right(self.cumulative_sizes, index)
        start = self.cumulative_sizes[i - 1] if i > 0 else 0
        return self.datasets[i][index - start]


class ChainDataset(IterableDataset[Any]):
    """IterableDatasets one after the other.

    >>> class Count(adjoint.utils.data.IterableDataset):
    ...     def __iter__(self):
    ...         return iter(range(2))
    >>> list(adjoint.utils.data.ChainDataset([Count(), Count()]))
    [0, 1, 0, 1]
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        super().__init__()
        self.datasets = datasets

    def __iter__(self) -> Iterator[Any]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise TypeError(
                    f"ChainDataset joins IterableDatasets, got {type(dataset).__name__}"
                )
            yield from dataset

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self.datasets)


class Subset(Dataset[T_co]):
    """The samples of ``dataset`` at ``indices``.

    >>> adjoint.utils.data.Subset("abcd", [3, 1])[0]
    'd'
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: list[int]) -> list[Any]:
        return samples(self.dataset, [self.indices[i] for i in indices])

    def __len__(self) -> int:
        return len(self.indices)


def random_split(
    dataset: Any, lengths: Sequence[int | float], generator: Any = None
) -> list[Subset[Any]]:
    """Split into parts of the given lengths, or fractions that sum to 1, at random.

    What rounding down leaves over of fractions goes to the parts in turn, one each.

    Raises:
        ValueError: the lengths do not sum to that of the dataset, or a fraction is not between
            0 and 1.

    >>> train, test = adjoint.utils.data.random_split(range(10), [0.8, 0.2])
    >>> len(train), len(test), sorted([*train, *test])
    (8, 2, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    total = len(dataset)
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        for i, fraction in enumerate(lengths):
            if not 0 <= fraction <= 1:
                raise ValueError(f"the fraction at position {i} must be in [0, 1], got {fraction}")
        sizes = [math.floor(total * fraction) for fraction in lengths]
        for i in range(total - sum(sizes)):
            sizes[i % len(sizes)] += 1
        for i, size in enumerate(sizes):
            if size == 0:
                warnings.warn(f"random_split: the part at position {i} is empty", stacklevel=2)
    else:
        sizes = [int(length) for length in lengths]
    if sum(sizes) != total:
        raise ValueError(
            f"the lengths {list(lengths)} sum to {sum(lengths)}, the dataset has {total} samples"
        )
    order = adjoint.randperm(total, generator=generator).tolist()
    ends = list(itertools.accumulate(sizes))
    return [Subset(dataset, order[end - size : end]) for size, end in zip(sizes, ends)]


def samples(dataset: Any, indices: list[int]) -> list[Any]:
    """The list of samples at ``indices``."""
    if hasattr(dataset, "__getitems__") and dataset.__getitems__:
        return dataset.__getitems__(indices)
    return [dataset[i] for i in indices]


def gather(dataset: Any, indices: Sequence[int]) -> list[Tensor] | None:
    """The collated batch of a TensorDataset, or of a Subset of one: one ``index_select`` a tensor.

    None for any other dataset, and for subclasses that define what a sample is.
    """
    while type(dataset) is Subset:
        own = dataset.indices
        indices = [own[i] for i in indices]
        dataset = dataset.dataset
    if not _is_plain(dataset):
        return None
    n = len(dataset)
    if indices and not -n <= min(indices) <= max(indices) < n:
        wrong = next(i for i in indices if not -n <= i < n)
        raise IndexError(f"index {wrong} is out of range for {n} samples")
    if indices and min(indices) < 0:
        indices = [i % n for i in indices]
    wanted = adjoint.tensor(indices, dtype=adjoint.int64)
    return [tensor.index_select(0, wanted) for tensor in dataset.tensors]


def tensors_of(dataset: Any) -> tuple[tuple[Tensor, ...], Tensor | None] | None:
    """The tensors of a TensorDataset, and where in them the samples of Subsets of it are (None for
    a TensorDataset itself). None for anything else, and for indices that need a closer look."""
    chosen: list[Any] = []
    while type(dataset) is Subset:
        chosen.append(dataset.indices)
        dataset = dataset.dataset
    if not _is_plain(dataset):
        return None
    order = None
    for indices in reversed(chosen):
        own = index_tensor(indices, len(dataset) if order is None else len(order))
        if own is None:
            return None
        order = own if order is None else order[own]
    return dataset.tensors, order


def index_tensor(indices: Any, n: int) -> Tensor | None:
    """``indices`` below ``n`` as a tensor; None if they are anything else, or negative."""
    if not isinstance(indices, (list, range)) or not indices:
        return None
    try:
        numbers = array("q", indices)  # quicker than tensor(), which looks for nested lists
    except (TypeError, OverflowError):
        return None
    tensor = adjoint.frombuffer(numbers, dtype=adjoint.int64)
    return tensor if tensor.min() >= 0 and tensor.max() < n else None


def _is_plain(dataset: Any) -> bool:
    """Whether samples are what TensorDataset says, not a subclass."""
    return (
        isinstance(dataset, TensorDataset)
        and type(dataset).__getitem__ is TensorDataset.__getitem__
        and not hasattr(dataset, "__getitems__")
    )
