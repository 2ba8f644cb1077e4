"""Objects over a pipe between processes, with tensors beside the pickle.

The memory of large tensors is written to the pipe as it is, and read into that of new ones: one
copy by the system on each side, and no shared memory that a killed process could leave behind.
"""

from __future__ import annotations

import ctypes
import io
import os
import pickle
from multiprocessing.connection import Connection
from typing import Any

import adjoint
from adjoint import Tensor

__all__ = ["dumps", "receive", "send"]

_SMALL = 1 << 12  # bytes; less than that is part of the pickle


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.tensors: list[Tensor] = []
        self.known: dict[int, int] = {}  # id to place; a tensor that is there twice goes once

    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, Tensor) and obj.requires_grad and not obj.is_leaf:
            raise RuntimeError(
                "a tensor that was computed and requires grad cannot leave a worker, since its "
                "history would stay behind: detach() it first"
            )
        if type(obj) is not Tensor or obj.requires_grad or obj.__dict__ or obj.nbytes < _SMALL:
            return None
        place = self.known.setdefault(id(obj), len(self.tensors))
        if place == len(self.tensors):
            # kept here, so that no other object gets its id
            self.tensors.append(obj)
        return place, str(obj.dtype)[6:], tuple(obj.shape)


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.tensors: list[Tensor] = []

    def persistent_load(self, pid: Any) -> Tensor:
        place, dtype, shape = pid
        if place == len(self.tensors):
            self.tensors.append(adjoint.empty(shape, dtype=getattr(adjoint, dtype)))
        return self.tensors[place]


Message = tuple[bytes, list[Tensor]]


def dumps(obj: Any) -> Message:
    """What :func:`send` sends; the errors of an object that cannot be pickled are raised here."""
    file = io.BytesIO()
    pickler = _Pickler(file)
    pickler.dump(obj)
    return file.getvalue(), [tensor.contiguous() for tensor in pickler.tensors]


def send(pipe: Connection, message: Message) -> None:
    """Raises OSError if nobody is at the other end."""
    head, tensors = message
    pipe.send_bytes(head)
    for tensor in tensors:
        left = _memory(tensor)
        while left:
            left = left[os.write(pipe.fileno(), left) :]


def receive(pipe: Connection) -> Any:
    """Raises EOFError or OSError if the message ends too early."""
    unpickler = _Unpickler(io.BytesIO(pipe.recv_bytes()))
    obj = unpickler.load()
    for tensor in unpickler.tensors:
        left = _memory(tensor)
        while left:
            count = os.readv(pipe.fileno(), [left])
            if count == 0:
                raise EOFError
            left = left[count:]
    return obj


def _memory(tensor: Tensor) -> memoryview:
    """The bytes of a contiguous tensor, for as long as there is the tensor."""
    block = (ctypes.c_char * tensor.nbytes).from_address(tensor.data_ptr())
    return memoryview(block).cast("B")
