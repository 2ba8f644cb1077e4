"""Damaged files of every format: they load, or are one of the errors that are documented.

`ADJOINT_FUZZ=20000 pytest tests/test_serialization_fuzz.py` tries that many of each kind.
"""

import io
import json
import os
import pickle
import tracemalloc
from collections import Counter, OrderedDict, defaultdict

import numpy as np
import pytest
from _backend import NAME, torch
from _torch_files import LEGACY, TWO, archive, memory, tensor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if NAME != "adjoint":
    pytest.skip("the reader is adjoint's", allow_module_level=True)

settings.register_profile(
    "fuzz",
    max_examples=int(os.environ.get("ADJOINT_FUZZ", "150")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
fuzzed = settings.get_profile("fuzz")


def value():
    x = torch.arange(6.0).reshape(2, 3)
    return {
        "x": x,
        "views": [x[1], x.t()],
        "half": torch.ones(2, dtype=torch.bfloat16),
        "wide": torch.ones(1, dtype=torch.complex128),
        "p": torch.nn.Parameter(torch.ones(2)),
        "state": OrderedDict([("a", 1), ("b", (2.5, None, True))]),
        "others": [Counter({3: 2}), {1, "a"}, b"\x00\xff", 1j, -(2**70), torch.Size([1]), "ü"],
    }


def saved(**kwargs):
    file = io.BytesIO()
    torch.save(value(), file, **kwargs)
    return file.getvalue()


NATIVE = saved()
ZIP = saved(format="torch")
OLD = saved(format="torch", _use_new_zipfile_serialization=False)
PICKLES = [
    tensor() + b".",
    pickle.dumps(value()["state"], 2)[2:],
    pickle.dumps([defaultdict(list, a=[1]), {1}, frozenset([2]), slice(1), 1j, b"x", range(3)], 4),
    pickle.dumps([np.arange(3), np.float32(2), np.array(["ab"]), np.dtype(">i4")], 2)[2:],
]


@st.composite
def damaged(draw, files):
    """One of the files with bytes overwritten, removed, put in or moved, or cut short."""
    data = bytearray(draw(st.sampled_from(files)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        kind = draw(st.sampled_from(("overwrite", "overwrite", "remove", "insert", "move", "cut")))
        n = draw(st.integers(1, 8))
        if kind == "overwrite":
            data[at : at + n] = draw(st.binary(max_size=n))
        elif kind == "remove":
            del data[at : at + n]
        elif kind == "insert":
            data[at:at] = draw(st.binary(max_size=n))
        elif kind == "move":
            other = draw(st.integers(0, len(data)))
            data[at : at + n] = data[other : other + n]
        elif draw(st.booleans()):
            del data[at:]
    return bytes(data)


def use(value):
    """Reads the tensors."""
    if isinstance(value, torch.Tensor):
        if all(n < 100 for n in value.shape) and value.numel() < 1000:
            value.tolist()
    elif isinstance(value, dict):
        use(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for entry in value:
            use(entry)


def check(data):
    loaded = None
    tracemalloc.start()
    try:
        loaded = torch.load(io.BytesIO(data))
    except (RuntimeError, pickle.UnpicklingError) as error:
        assert str(error)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 300 * len(data) + 2_000_000
    use(loaded)


@fuzzed
@given(damaged([NATIVE, ZIP, OLD]))
def test_damaged_files(data):
    check(data)


@fuzzed
@given(damaged(PICKLES))
def test_damaged_pickles(program):
    """Below the checksums of the archive, and in the format that has none."""
    check(archive(program, [TWO]))
    check(LEGACY + b"\x80\x02" + program + b"\x80\x02].")


@fuzzed
@given(st.data())
def test_damaged_tensors(data):
    """Numbers of any size and sign where torch writes those of a tensor."""
    numbers = st.integers(-(2**63), 2**63 - 1) | st.integers(-1, 3)
    rows = st.lists(numbers, max_size=3)
    kind = data.draw(st.sampled_from(("Float", "Bool", "ComplexDouble", "Untyped")))
    source = memory(kind, data.draw(numbers | st.sampled_from((2, 8))))
    program = tensor(source, data.draw(rows), data.draw(rows), data.draw(numbers)) + b"."
    check(archive(program, [TWO]))


@fuzzed
@given(st.data())
def test_damaged_skeletons(data):
    """The text in files of the native format, with a header of the right length."""
    size = int.from_bytes(NATIVE[:8], "little")
    header = json.loads(NATIVE[8 : 8 + size])
    entry = data.draw(st.sampled_from(sorted(header)))
    if entry == "__metadata__":
        header[entry]["adjoint"] = data.draw(damaged([header[entry]["adjoint"].encode()])).decode(
            "utf-8", "replace"
        )
    else:
        part = data.draw(st.sampled_from(sorted(header[entry])))
        others = st.integers() | st.lists(st.integers(0, 2**64), max_size=3)
        header[entry][part] = data.draw(
            others | st.sampled_from(["F64", "I8", "BF16", "C64", "F4"])
        )
    text = json.dumps(header).encode()
    check(len(text).to_bytes(8, "little") + text + NATIVE[8 + size :])
