"""Names for annotations: numbers, sizes, devices, dtypes.

>>> from adjoint.types import Number
>>> isinstance(2.5, Number)
True
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any, TypeAlias, Union

from adjoint import Size, Tensor, device, dtype, layout
from adjoint._mode_switches import SymBool, SymFloat, SymInt
from adjoint.storage import UntypedStorage

__all__ = ["Device", "FileLike", "Number", "Storage"]

Number: TypeAlias = Union[builtins.int, builtins.float, builtins.bool]  # noqa: UP007
Device: TypeAlias = Union[device, str, builtins.int, None]  # noqa: UP007
FileLike: TypeAlias = Any  # a path, or a file opened in binary mode
Storage = UntypedStorage

_int, _float, _bool, _complex = builtins.int, builtins.float, builtins.bool, builtins.complex
_dtype, _device, _layout = dtype, device, layout
_size: TypeAlias = Union[Size, list[builtins.int], tuple[builtins.int, ...]]  # noqa: UP007
_TensorOrTensors: TypeAlias = Union[Tensor, Sequence[Tensor]]  # noqa: UP007
_TensorOrOptionalTensors: TypeAlias = Union[Tensor, Sequence[Union[Tensor, None]]]  # noqa: UP007
_dispatchkey, _symsize = str, _size

# Sizes are numbers here; torch allows symbols in their place too.
IntLikeType: TypeAlias = Union[builtins.int, SymInt]  # noqa: UP007
FloatLikeType: TypeAlias = Union[builtins.float, SymFloat]  # noqa: UP007
BoolLikeType: TypeAlias = Union[builtins.bool, SymBool]  # noqa: UP007
PySymType: TypeAlias = Union[SymInt, SymFloat, SymBool]  # noqa: UP007
py_sym_types = (SymInt, SymFloat, SymBool)
