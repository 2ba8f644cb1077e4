"""Names of layouts and memory formats, which arguments take. Tensors are strided."""

from __future__ import annotations

__all__ = [
    "channels_last",
    "channels_last_3d",
    "contiguous_format",
    "layout",
    "memory_format",
    "preserve_format",
    "strided",
]


class _Name(str):
    """Text that prints as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class layout(_Name):
    """How the elements of a tensor lie in memory: `adjoint.strided`.

    >>> adjoint.zeros(2).layout
    torch.strided
    """

    __slots__ = ()


class memory_format(_Name):
    """An order of the dims in memory, as `clone` and its kin take: accepted, and not acted on."""

    __slots__ = ()


strided = layout("torch.strided")
contiguous_format = memory_format("torch.contiguous_format")
preserve_format = memory_format("torch.preserve_format")
channels_last = memory_format("torch.channels_last")
channels_last_3d = memory_format("torch.channels_last_3d")
