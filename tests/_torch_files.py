"""Files in torch's formats, made byte by byte."""

import io
import struct
import zipfile

import numpy as np

NO_HOOKS = b"ccollections\nOrderedDict\n)R"
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"
# What stands before the value in the format from before 1.6: the magic number, the protocol, and
# what is told of the machine.
LEGACY = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e80024de9032e80027d2e")


def archive(program, storages=(), **records):
    """A zip file with this pickle, these memories, and other records."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as z:
        z.writestr("a/data.pkl", b"\x80\x02" + program)
        for i, data in enumerate(storages):
            z.writestr(f"a/data/{i}", data)
        for name, data in records.items():
            z.writestr(f"a/{name}", data)
    return file.getvalue()


def text(value):
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def integer(value):
    return b"\x8a\x08" + struct.pack("<q", value)


def row(*values):
    return b"(" + b"".join(map(integer, values)) + b"t"


def memory(kind="Float", count=2, key="0", location="cpu", end=b""):
    """The reference to a memory; `end` is what the older format has there besides."""
    name = f"ctorch\n{kind}Storage\n".encode()
    return b"(" + text("storage") + name + text(key) + text(location) + integer(count) + end + b"tQ"


def tensor(source=None, size=(2,), stride=(1,), offset=0, metadata=b""):
    layout = integer(offset) + row(*size) + row(*stride)
    return REBUILD + b"(" + (source or memory()) + layout + b"\x89" + NO_HOOKS + metadata + b"tR"


def floats(*values, order="<"):
    return np.array(values, f"{order}f4").tobytes()


TWO = floats(1, 2)
