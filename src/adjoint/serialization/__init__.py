"""Saving and loading: tensors, and containers of them, as files.

`save` writes safetensors files, or torch's own format; `load` reads both. Nothing in a file is
ever executed: torch's files hold a pickle, of which a closed list of constructors is understood.
"""

from __future__ import annotations

from typing import Any

from adjoint.serialization import _files
from adjoint.serialization._files import File
from adjoint.serialization._pickle import (
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    safe_globals,
)

__all__ = [
    "add_safe_globals",
    "clear_safe_globals",
    "get_safe_globals",
    "load",
    "safe_globals",
    "save",
]

_FORMATS = ("safetensors", "torch")


def save(
    obj: Any,
    f: File,
    pickle_module: Any = None,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
    *,
    format: str = "safetensors",
) -> None:
    """Write ``obj`` to a file.

    Args:
        obj: tensors, None, bools, numbers, strings, bytes, dtypes, devices, sizes, and dicts,
            OrderedDicts, Counters, lists, tuples and sets of these, nested: the ``state_dict()`` of
            a module, an optimizer or a scheduler, for example.
        f: a path, or an object with ``write``. The file at a path is replaced in one go: it is
            the old one or the whole new one, whatever happens.
        format: "safetensors", or "torch" for a file that ``torch.load`` reads.
        pickle_module, pickle_protocol and the rest: accepted, without effect.

    Tensors that share memory (tied weights, views of one tensor) are written once and share memory
    again when loaded. Of a tensor, ``requires_grad`` and whether it is a Parameter are kept, its
    history and its gradient are not.

    Raises:
        TypeError: something that cannot be saved (the message tells where it is), or ``f`` is
            neither a path nor a file.
        ValueError: a container that contains itself, or an unknown format.

    >>> import io
    >>> file = io.BytesIO()
    >>> adjoint.save({"weight": adjoint.ones(2), "epoch": 3}, file)
    >>> _ = file.seek(0)
    >>> adjoint.load(file)
    {'weight': tensor([1., 1.]), 'epoch': 3}
    """
    _files.check_writable(f)
    if format == "safetensors":
        from adjoint.serialization import _native

        data = _native.write(obj)
    elif format == "torch":
        from adjoint.serialization import _torch_write

        data = _torch_write.write(obj)
    else:
        raise ValueError(f"format must be one of {_FORMATS}, got {format!r}")
    _files.write(f, data)


def load(
    f: File,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Read what :func:`save` or ``torch.save`` wrote, or any safetensors file as a dict of tensors.

    Args:
        f: a path, or an object with ``read``, opened in binary mode, which is read from where it
            stands.
        map_location: the device to load to; None for the one that a tensor was saved from; a dict
            from saved devices to others, ``{"cuda:0": "cpu"}``; or a function of a storage and the
            saved device that returns a storage, or None to leave it to the default.
        weights_only, mmap, pickle_module and the rest: accepted, without effect. Loading never
            executes what a file says, so ``weights_only=False`` reads no more than ``True``.

    Raises:
        FileNotFoundError: there is no such file.
        RuntimeError: the file is not of a known format, is cut short, or says what cannot be.
        pickle.UnpicklingError: a file of torch's asks for something that is not on the list of
            what is understood: the message names it. Classes of your own can be added to the list
            with :func:`add_safe_globals`.

    >>> import io
    >>> file = io.BytesIO()
    >>> adjoint.save([1, (2.5, None), adjoint.tensor(4)], file)
    >>> _ = file.seek(0)
    >>> adjoint.load(file)
    [1, (2.5, None), tensor(4)]
    """
    from adjoint.serialization._locations import Locations

    locations = Locations(map_location)
    with _files.opened(f) as file:
        where = _files.name_of(f)
        start = file.read(9)
        file.seek(0)
        safetensors = start[8:] == b"{"  # behind the length of the header
        if start[:4] == b"PK\x03\x04" and not safetensors:
            from adjoint.serialization import _torch_zip

            return _torch_zip.read(file, where, locations)
        if start[:1] == b"\x80" and not safetensors:
            from adjoint.serialization import _torch_legacy

            return _torch_legacy.read(file, where, locations)
        from adjoint.serialization import _native

        return _native.read(file.read(), where, locations)
