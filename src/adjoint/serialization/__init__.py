"""Saving and loading: tensors, and containers of them, as files.

`save` writes safetensors files, or torch's own format; `load` reads both. Nothing in a file is
ever executed: torch's files hold a pickle, of which a closed list of constructors is understood.

A file for torch, and one from torch:

>>> import os, tempfile
>>> model = adjoint.nn.Linear(2, 1)
>>> with tempfile.TemporaryDirectory() as folder:
...     path = os.path.join(folder, "model.pt")
...     adjoint.save(model.state_dict(), path, format="torch")  # torch.load(path) reads it
...     state = adjoint.load(path)  # as it reads the files of torch.save
>>> list(state)
['weight', 'bias']
>>> model.load_state_dict(state)
<All keys matched successfully>

A file is data from elsewhere: it may be cut short, damaged or made to harm. Then `load` raises a
RuntimeError (the file is damaged) or a pickle.UnpicklingError (it asks for something that is not
made, which the message names), and takes no more memory than the size of the file justifies.
"""

from __future__ import annotations

from typing import IO, Any

from adjoint.serialization import _files
from adjoint.serialization._files import File
from adjoint.serialization._options import (
    LoadEndianness,
    get_crc32_options,
    get_default_load_endianness,
    set_crc32_options,
    set_default_load_endianness,
)
from adjoint.serialization._safe_globals import (
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    safe_globals,
)

__all__ = [
    "LoadEndianness",
    "add_safe_globals",
    "clear_safe_globals",
    "get_crc32_options",
    "get_default_load_endianness",
    "get_safe_globals",
    "load",
    "safe_globals",
    "save",
    "set_crc32_options",
    "set_default_load_endianness",
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
        _use_new_zipfile_serialization: False for the format that torch had before 1.6.
        pickle_module, pickle_protocol and the rest: accepted, without effect.

    Tensors that share memory (tied weights, views of one tensor) are written once and share memory
    again when loaded. Of a tensor, ``requires_grad`` and whether it is a Parameter are kept, its
    history and its gradient are not.

    Raises:
        TypeError: something that cannot be saved (the message tells where it is), or ``f`` is
            neither a path nor a file. Whole modules are not saved: save their ``state_dict()``.
        ValueError: a container that contains itself, or an unknown format.

    >>> import io
    >>> file = io.BytesIO()
    >>> adjoint.save({"weight": adjoint.ones(2), "epoch": 3}, file)
    >>> _ = file.seek(0)
    >>> adjoint.load(file)
    {'weight': tensor([1., 1.]), 'epoch': 3}
    """
    if format not in _FORMATS:
        raise ValueError(f"format must be one of {_FORMATS}, got {format!r}")
    with _files.output(f) as file:
        if format == "torch" or not _use_new_zipfile_serialization:
            from adjoint.serialization import _torch_write

            if _use_new_zipfile_serialization:
                _torch_write.write(obj, file)
            else:
                _torch_write.write_legacy(obj, file)
        else:
            from adjoint.serialization import _native

            _native.write(obj, file)


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
        weights_only: accepted, without effect. Loading never executes what a file says, so False
            reads no more than True.
        mmap: whether the tensors of a torch file at a path stay on the disk until they are used.
            What is written to them does not reach the file, which must not be changed meanwhile.
        pickle_load_args: ``encoding``, of the strings that Python 2 wrote.
        pickle_module: accepted, without effect.

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
    encoding = pickle_load_args.get("encoding", "utf-8")
    with _files.opened(f) as file:
        where = _files.name_of(f)
        start = file.read(512)
        file.seek(0)
        if not start:
            raise RuntimeError(f"{where} is empty, or was read to its end: seek(0) first")
        if start[:2] == b"PK" and start[8:9] != b"{":
            from adjoint.serialization import _torch_zip

            return _torch_zip.read(
                file, where, locations, encoding, bool(mmap) and _is_mapped(file)
            )
        if start[:1] == b"\x80" and start[8:9] != b"{":
            from adjoint.serialization import _torch_legacy

            return _torch_legacy.read(file, where, locations, encoding)
        if start[257:262] == b"ustar":
            raise RuntimeError(
                f"{where} is a tar archive, as torch wrote before 0.1.10: load it there, and save "
                "it again"
            )
        from adjoint.serialization import _native

        return _native.read(file.read(), where, locations)


def _is_mapped(file: IO[bytes]) -> bool:
    """Whether the file is one of the disk, which memory can be mapped to."""
    import io

    return isinstance(file, io.BufferedReader) and isinstance(file.raw, io.FileIO)
