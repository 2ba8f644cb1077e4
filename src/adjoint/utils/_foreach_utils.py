"""Lists of tensors in groups, for code that calls a function of lists once for each group.

>>> from adjoint.utils._foreach_utils import _group_tensors_by_device_and_dtype
>>> tensors = [adjoint.ones(1), adjoint.ones(1, dtype=adjoint.float64), adjoint.zeros(1)]
>>> groups = _group_tensors_by_device_and_dtype([tensors], with_indices=True)
>>> [(dtype, indices) for (device, dtype), (lists, indices) in groups.items()]
[(torch.float32, [0, 2]), (torch.float64, [1])]
"""

from __future__ import annotations

from typing import Any

from adjoint import Tensor

__all__ = [
    "_device_has_foreach_support",
    "_get_foreach_kernels_supported_devices",
    "_get_fused_kernels_supported_devices",
    "_group_tensors_by_device_and_dtype",
    "_has_foreach_support",
]

Lists = list[list[Tensor | None]]


def _group_tensors_by_device_and_dtype(
    tensorlistlist: Lists, with_indices: bool = False
) -> dict[tuple[Any, Any], tuple[Lists, list[int]]]:
    """The columns of lists of the same length by device and dtype of their first tensor.

    Returns:
        For each (device, dtype) the lists, and the indices of what is in them if `with_indices`.
    """
    first = tensorlistlist[0]
    for tensors in tensorlistlist:
        if tensors and len(tensors) != len(first):
            raise RuntimeError(f"the lists have {len(first)} and {len(tensors)} tensors")
    columns: dict[tuple[Any, Any], list[int]] = {}
    for i, x in enumerate(first):
        if x is None:
            raise RuntimeError(f"tensor {i} of the first list is None: it says the group")
        columns.setdefault((x.device, x.dtype), []).append(i)
    return {
        key: (
            [[tensors[i] for i in chosen] if tensors else [] for tensors in tensorlistlist],
            chosen if with_indices else [],
        )
        for key, chosen in columns.items()
    }


def _get_foreach_kernels_supported_devices() -> list[str]:
    """The devices with faster kernels for lists: none, a list is a loop here."""
    return []


def _get_fused_kernels_supported_devices() -> list[str]:
    """The devices on which an optimizer steps all its parameters in one call."""
    return ["cpu"]


def _device_has_foreach_support(device: Any) -> bool:
    """Whether there are faster kernels for lists: not on a CPU."""
    return False


def _has_foreach_support(tensors: list[Tensor], device: Any) -> bool:
    """Whether these could be taken by faster kernels for lists: not on a CPU."""
    return False
