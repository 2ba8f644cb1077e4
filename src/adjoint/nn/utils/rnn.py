"""Sequences of different lengths in one batch: padded, or packed step by step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import adjoint
from adjoint import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class _Fields(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Fields):
    """The steps of several sequences one after the other, longest sequence first.

    ``data`` [sum of the lengths, ...] holds the first element of every sequence, then the second
    of those that have one, and so on; ``batch_sizes`` (int64) says how many there are at each step.
    ``sorted_indices`` is the order that makes lengths decrease, ``unsorted_indices`` its inverse;
    None where they were sorted already. Made by :func:`pack_padded_sequence` and
    :func:`pack_sequence`.

    >>> packed = adjoint.nn.utils.rnn.pack_sequence([adjoint.tensor([1, 2]), adjoint.tensor([3])])
    >>> packed.data, packed.batch_sizes
    (tensor([1, 3, 2]), tensor([2, 1]))
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Tensor,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        if batch_sizes is None:  # (data, batch_sizes) as one argument
            assert isinstance(data, (list, tuple)) and len(data) == 2, (
                "Expected data to be a list or tuple of length 2, (data, batch_sizes)"
            )
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def _with_data(self, data: Tensor) -> PackedSequence:
        if data is self.data:
            return self
        return type(self)(data, self.batch_sizes, self.sorted_indices, self.unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """``data`` through ``Tensor.to``; self where that changes nothing.

        >>> packed = adjoint.nn.utils.rnn.pack_sequence([adjoint.ones(2)])
        >>> packed.to(adjoint.float64).data.dtype
        torch.float64
        """
        return self._with_data(self.data.to(*args, **kwargs))

    def cpu(self) -> PackedSequence:
        return self.to("cpu")

    def double(self) -> PackedSequence:
        return self.to(dtype=adjoint.float64)

    def float(self) -> PackedSequence:
        return self.to(dtype=adjoint.float32)

    def half(self) -> PackedSequence:
        return self.to(dtype=adjoint.float16)

    def long(self) -> PackedSequence:
        return self.to(dtype=adjoint.int64)

    def int(self) -> PackedSequence:
        return self.to(dtype=adjoint.int32)

    def short(self) -> PackedSequence:
        return self.to(dtype=adjoint.int16)

    def char(self) -> PackedSequence:
        return self.to(dtype=adjoint.int8)

    def byte(self) -> PackedSequence:
        return self.to(dtype=adjoint.uint8)

    def pin_memory(self) -> PackedSequence:
        return self

    @property
    def is_cuda(self) -> bool:
        return False

    def is_pinned(self) -> bool:
        return False


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes another one; None of None.

    >>> adjoint.nn.utils.rnn.invert_permutation(adjoint.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    output = adjoint.empty_like(permutation)
    output[permutation] = adjoint.arange(permutation.numel(), dtype=permutation.dtype)
    return output


def pack_padded_sequence(
    input: Tensor,
    lengths: Tensor | Sequence[int],
    batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:
    """Pack a padded batch [T, B, ...] (or [B, T, ...] with ``batch_first``) of these lengths.

    With ``enforce_sorted`` lengths have to decrease; otherwise the batch is sorted first, and
    results are sorted back by :func:`pad_packed_sequence`.

    Raises:
        RuntimeError: a length is not positive, there is not one for each sequence, or lengths do
            not decrease although ``enforce_sorted``.

    >>> padded = adjoint.tensor([[1, 3], [2, 0]])
    >>> adjoint.nn.utils.rnn.pack_padded_sequence(padded, [2, 1]).data
    tensor([1, 3, 2])
    """
    given = lengths if isinstance(lengths, Tensor) else adjoint.tensor(list(lengths))
    given = given.to(adjoint.int64)
    sorted_indices = None
    if not enforce_sorted:
        given, sorted_indices = adjoint.sort(given, descending=True)
        input = input.index_select(0 if batch_first else 1, sorted_indices)
    if batch_first:
        input = input.transpose(0, 1)
    counts: list[int] = given.tolist()
    batch = input.shape[1]
    if len(counts) != batch:
        raise RuntimeError(
            "Expected `len(lengths)` to be equal to batch_size, "
            f"but got {len(counts)} (batch_size={batch})"
        )
    if not counts or min(counts) <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, "
            f"but found an element in 'lengths' that is <= 0: {counts}"
        )
    if max(counts) > input.shape[0]:
        raise RuntimeError(f"the lengths {counts} exceed the padded length {input.shape[0]}")
    if any(a < b for a, b in zip(counts, counts[1:], strict=False)):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You "
            "can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence; "
            f"got {counts}"
        )
    # Runs of steps that have the same number of sequences are taken in one piece.
    parts, sizes, start = [], [], 0
    for end, count in sorted((length, sum(c >= length for c in counts)) for length in set(counts)):
        end = min(end, input.shape[0])
        steps = end - start
        parts.append(input[start:end, :count].reshape(steps * count, *input.shape[2:]))
        sizes += [count] * steps
        start = end
    data = parts[0] if len(parts) == 1 else adjoint.cat(parts)
    return PackedSequence(data, adjoint.tensor(sizes, dtype=adjoint.int64), sorted_indices, None)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """The padded batch [T, B, ...] of a packed one, and the lengths; in the original order.

    T is the longest length, or ``total_length``.

    Raises:
        ValueError: ``total_length`` is less than the longest length.

    >>> rnn = adjoint.nn.utils.rnn
    >>> rnn.pad_packed_sequence(rnn.pack_sequence([adjoint.tensor([1, 2]), adjoint.tensor([3])]))
    (tensor([[1, 3],
            [2, 0]]), tensor([2, 1]))
    """
    sizes: list[int] = sequence.batch_sizes.tolist()
    longest, batch = len(sizes), sizes[0]
    if total_length is not None and total_length < longest:
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, but "
            f"got total_length={total_length} and max sequence length being {longest}"
        )
    steps = longest if total_length is None else total_length
    # Where the rows of `data` go in a batch [steps * batch, ...].
    places = [t * batch + i for t, count in enumerate(sizes) for i in range(count)]
    data = sequence.data
    padded = adjoint.full((steps * batch, *data.shape[1:]), padding_value, dtype=data.dtype)
    padded = padded.index_copy(0, adjoint.tensor(places), data).view(steps, batch, *data.shape[1:])
    lengths = adjoint.tensor([sum(count > i for count in sizes) for i in range(batch)])
    if sequence.unsorted_indices is not None:
        padded = padded.index_select(1, sequence.unsorted_indices)
        lengths = lengths[sequence.unsorted_indices]
    return (padded.transpose(0, 1) if batch_first else padded), lengths


def pad_sequence(
    sequences: Tensor | Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Sequences [L_i, ...] as one batch [T, B, ...], filled up to the longest.

    Raises:
        RuntimeError: ``padding_side`` is neither "right" nor "left", or there is no sequence.

    >>> adjoint.nn.utils.rnn.pad_sequence([adjoint.tensor([1, 2]), adjoint.tensor([3])], True)
    tensor([[1, 2],
            [3, 0]])
    """
    if padding_side not in ("left", "right"):
        raise RuntimeError(
            f"Expected padding_side to be one of left or right, but got {padding_side}."
        )
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, got {type(sequences).__name__}"
        )
    sequences = sequences.unbind(0) if isinstance(sequences, Tensor) else tuple(sequences)
    if not sequences:
        raise RuntimeError("pad_sequence: received an empty list of sequences")
    longest = max(x.shape[0] for x in sequences)
    padded = []
    for x in sequences:
        missing = longest - x.shape[0]
        if missing:
            fill = x.new_full((missing, *x.shape[1:]), padding_value)
            x = adjoint.cat([x, fill] if padding_side == "right" else [fill, x])
        padded.append(x)
    return adjoint.stack(padded, 0 if batch_first else 1)


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False
) -> list[Tensor]:
    """The sequences of a padded batch of these lengths.

    >>> padded, lengths = adjoint.tensor([[1, 3], [2, 0]]), adjoint.tensor([2, 1])
    >>> adjoint.nn.utils.rnn.unpad_sequence(padded, lengths)
    [tensor([1, 2]), tensor([3])]
    """
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    counts: list[int] = lengths.tolist()
    return [x[:n] for x, n in zip(padded_sequences.unbind(0), counts, strict=True)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack a list of sequences [L_i, ...]; see :func:`pack_padded_sequence`.

    >>> adjoint.nn.utils.rnn.pack_sequence([adjoint.tensor([1, 2]), adjoint.tensor([3])]).data
    tensor([1, 3, 2])
    """
    lengths = [x.shape[0] for x in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences of a packed batch, in their original order.

    >>> rnn = adjoint.nn.utils.rnn
    >>> rnn.unpack_sequence(rnn.pack_sequence([adjoint.tensor([1, 2]), adjoint.tensor([3])]))
    [tensor([1, 2]), tensor([3])]
    """
    return unpad_sequence(*pad_packed_sequence(packed_sequences))
