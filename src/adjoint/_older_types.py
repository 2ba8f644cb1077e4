"""Tensor types named after a dtype, of the time before `dtype`: `FloatTensor(2, 3)`."""

from __future__ import annotations

import numbers
from typing import Any

from adjoint import _core
from adjoint._core import Tensor
from adjoint._size import Size

__all__ = [
    "BFloat16Tensor",
    "BoolTensor",
    "ByteTensor",
    "CharTensor",
    "DoubleTensor",
    "FloatTensor",
    "HalfTensor",
    "IntTensor",
    "LongTensor",
    "ShortTensor",
]


class _OlderType(type):
    """The type of these types: they make tensors, and have tensors of their dtype as instances."""

    dtype: Any

    def __new__(cls, name: str, dtype: Any) -> _OlderType:
        doc = f"A {str(dtype)[6:]} tensor of sizes or of a sequence: once `tensor`."
        return super().__new__(cls, name, (), {"__module__": "torch", "__doc__": doc})

    def __init__(self, name: str, dtype: Any) -> None:
        super().__init__(name, (), {})
        self.dtype = dtype

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is self.dtype

    def __call__(self, *args: Any, size: Any = None) -> Tensor:
        """Uninitialised where `args` are sizes or a `Size`; otherwise the values of a sequence.

        Raises:
            TypeError: a tensor of another dtype.
        """
        if size is not None:
            if args:
                raise TypeError(f"{self.__name__}(): sizes are given twice, as {args} and {size}")
            args = tuple(size)
        if not args or isinstance(args[0], numbers.Integral) and not isinstance(args[0], bool):
            return _core.empty(args or (0,), dtype=self.dtype)
        if len(args) > 1:
            raise TypeError(f"{self.__name__}(): sizes or one sequence expected, got {args}")
        (data,) = args
        if isinstance(data, Size):
            return _core.empty(data, dtype=self.dtype)
        if isinstance(data, Tensor):
            if data.dtype is not self.dtype:
                raise TypeError(
                    f"{self.__name__}(): expected a tensor of {self.dtype}, got {data.dtype}; "
                    f"x.to({self.dtype}) converts it"
                )
            return data.view_as(data)
        if isinstance(data, numbers.Number):
            raise TypeError(f"{self.__name__}(): sizes or a sequence expected, got {data}")
        return _core.tensor(data, dtype=self.dtype)


FloatTensor = _OlderType("FloatTensor", _core.float32)
DoubleTensor = _OlderType("DoubleTensor", _core.float64)
HalfTensor = _OlderType("HalfTensor", _core.float16)
BFloat16Tensor = _OlderType("BFloat16Tensor", _core.bfloat16)
ByteTensor = _OlderType("ByteTensor", _core.uint8)
CharTensor = _OlderType("CharTensor", _core.int8)
ShortTensor = _OlderType("ShortTensor", _core.int16)
IntTensor = _OlderType("IntTensor", _core.int32)
LongTensor = _OlderType("LongTensor", _core.int64)
BoolTensor = _OlderType("BoolTensor", _core.bool)


class _AbsentType(type):
    """The type of `cuda.FloatTensor` and the like: no tensor is one, and none can be made."""

    def __new__(cls, name: str) -> _AbsentType:
        doc = f"The type torch.{name} of tensors on a GPU: there are none."
        return super().__new__(cls, name, (), {"__module__": "torch.cuda", "__doc__": doc})

    def __init__(self, name: str) -> None:
        super().__init__(name, (), {})

    def __instancecheck__(self, instance: Any) -> bool:
        return False

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        raise TypeError(
            f"type torch.cuda.{self.__name__} is not available: adjoint has no CUDA devices"
        )


cuda_types = {name: _AbsentType(name) for name in __all__}
