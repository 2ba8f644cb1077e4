"""Files in torch's format, read and written without running a pickle."""

import io
import pickle
import struct
import tracemalloc
import zipfile
from collections import Counter, OrderedDict, defaultdict

import numpy as np
import pytest
from _backend import NAME, assert_same, torch
from hypothesis import given, settings
from hypothesis import strategies as st

if NAME != "adjoint":
    pytest.skip("compares with torch itself", allow_module_level=True)
nn = torch.nn

DTYPES = (
    "float32 float64 float16 bfloat16 int8 int16 int32 int64 uint8 bool complex64 complex128"
).split()


def saved(obj):
    file = io.BytesIO()
    torch.save(obj, file, format="torch")
    return file.getvalue()


def loaded(data, **kwargs):
    return torch.load(io.BytesIO(data), **kwargs)


def archive(program, storages=(), **records):
    """A file of torch's format with this pickle."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as z:
        z.writestr("a/data.pkl", program)
        for i, data in enumerate(storages):
            z.writestr(f"a/data/{i}", data)
        for name, data in records.items():
            z.writestr(f"a/{name}", data)
    return file.getvalue()


def pickled(**changes):
    """The pickle of a float32 tensor [2], with other parts in the place of its own."""
    parts = {
        "function": b"ctorch._utils\n_rebuild_tensor_v2\n",
        "kind": b"X\x07\0\0\0storage",
        "type": b"ctorch\nFloatStorage\n",
        "key": b"X\x01\0\0\x000",
        "location": b"X\x03\0\0\0cpu",
        "count": b"K\x02",
        "offset": b"K\0",
        "size": b"K\x02\x85",
        "stride": b"K\x01\x85",
    } | changes
    p = parts
    return (
        b"\x80\x02" + p["function"] + b"((" + p["kind"] + p["type"] + p["key"] + p["location"]
        + p["count"] + b"tQ" + p["offset"] + p["size"] + p["stride"]
        + b"\x89ccollections\nOrderedDict\n)RtR."
    )  # fmt: skip


TWO = struct.pack("<2f", 1, 2)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (2, 3)])
def test_tensors_of_every_dtype_and_shape(dtype, shape):
    x = torch.ones(shape, dtype=getattr(torch, dtype))
    y = loaded(saved(x))
    assert y.dtype == x.dtype and y.shape == x.shape and y.tolist() == x.tolist()


def test_values_that_are_not_tensors():
    value = {
        "constants": [None, True, False, (), [], {}],
        "numbers": (7, -1, 2**31, -(2**70), 10**700, 0.1, -0.0, 1 + 2j),
        "text": ["ü\n\ud800", b"\x00\xff", bytearray(b"x")],
        "sets": [{1, 2}, frozenset([3])],
        ("a", 1): OrderedDict([("b", 1), ("a", Counter({3: 2}))]),
        "torch": [torch.float64, torch.device("cpu"), torch.Size([2, 3]), torch.strided],
        None: slice(1, None, 2),
    }
    again = loaded(saved(value))
    assert again == value and repr(again) == repr(value)


def test_memory_is_shared_again():
    x = torch.arange(6.0).reshape(2, 3)
    a, row, turned, same = loaded(saved([x, x[1], x.t(), x]))
    assert same is a
    assert_same(turned, x.t())
    row.fill_(9)
    assert a.tolist() == [[0, 1, 2], [9, 9, 9]] and turned[0, 1] == 9


def test_a_module_and_its_optimizer():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(5, 3)).sum().backward()
    optimizer.step()
    again = loaded(saved({"model": model.state_dict(), "optimizer": optimizer.state_dict()}))
    assert again["model"]._metadata == model.state_dict()._metadata
    other = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    other.load_state_dict(again["model"])
    for p, q in zip(other.state_dict().values(), model.state_dict().values(), strict=True):
        assert_same(p, q)
    assert again["optimizer"]["param_groups"] == optimizer.state_dict()["param_groups"]
    parameter = loaded(saved(model[0].weight))
    assert isinstance(parameter, nn.Parameter) and parameter.requires_grad
    assert loaded(saved(torch.ones(2, requires_grad=True))).requires_grad


def test_two_values_in_one_open_file():
    legacy = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e80024de9032e80027d")
    first = legacy + b"(X\x0d\0\0\0little_endian\x88u." + b"\x80\x02K\x05." + b"\x80\x02]."
    file = io.BytesIO(b"before" + first + first)
    file.seek(6)
    assert [torch.load(file), torch.load(file)] == [5, 5]


def test_the_byte_order_of_another_machine():
    data = archive(pickled(), [struct.pack(">2f", 1, 2)], byteorder=b"big")
    assert loaded(data).tolist() == [1, 2]


def test_locations():
    data = archive(pickled(location=b"X\x06\0\0\0cuda:0"), [TWO])
    with pytest.raises(RuntimeError, match=r"cuda:0.*map_location"):
        loaded(data)
    for place in ("cpu", torch.device("cpu"), {"cuda:0": "cpu"}, lambda storage, place: storage):
        assert loaded(data, map_location=place).tolist() == [1, 2]


class Point:
    def __init__(self, x):
        self.x = x

    def __eq__(self, other):
        return self.x == other.x


def test_constructors_that_are_not_on_the_list_are_named_and_not_run():
    for value in (Point(3), print, io.BytesIO()):
        name = (value if callable(value) else type(value)).__name__
        with pytest.raises(pickle.UnpicklingError, match=name):
            loaded(archive(pickle.dumps(value, 2)))
    attack = b"cposix\nsystem\n(X\x05\0\0\0falsetR."
    with pytest.raises(pickle.UnpicklingError, match=r"posix\.system.*add_safe_globals"):
        loaded(archive(attack))
    with pytest.raises(pickle.UnpicklingError, match="getattr"):
        loaded(archive(b"c__builtin__\ngetattr\n."))


def test_classes_can_be_allowed():
    data = archive(pickle.dumps([Point(3)], 2))
    with torch.serialization.safe_globals([Point]):
        assert loaded(data) == [Point(3)]
        assert torch.serialization.get_safe_globals() == [Point]
    with pytest.raises(pickle.UnpicklingError, match="Point"):
        loaded(data)


@pytest.mark.parametrize(
    "changes",
    [
        {"count": b"K\x03"},
        {"size": b"K\x03\x85"},
        {"offset": b"K\x01"},
        {"offset": b"J\xff\xff\xff\xff"},
        {"stride": b"K\x09\x85"},
        {"stride": b"J\xff\xff\xff\xff\x85"},
        {"size": b"\x8a\x08\0\0\0\0\0\0\0\x7f\x85"},
        {"size": b"X\x01\0\0\0a\x85"},
        {"key": b"X\x01\0\0\x001"},
        {"key": b"K\x01"},
        {"kind": b"X\x06\0\0\0module"},
        {"type": b"ctorch\nfloat32\n"},
        {"type": b"ctorch\nDoubleStorage\n"},
        {"function": b"K\x01"},
        {"function": b"j\xff\xff\xff\xff"},
    ],
    ids=str,
)
def test_forged_tensors(changes):
    assert loaded(archive(pickled(), [TWO])).tolist() == [1, 2]
    with pytest.raises(RuntimeError, match="damaged"):
        loaded(archive(pickled(**changes), [TWO]))


@pytest.mark.parametrize(
    "program",
    [
        b"",
        b"\x80\x02",
        b".",
        b"t.",
        b"K\x01b.",
        b"K\x01)R.",
        b"N)\x81.",
        b"}(K\x01u.",
        b"ctorch\nSize\nK\x01R.",
        b"c__builtin__\nbytearray\n\x8a\x05\0\0\0\0\x7f\x85R.",
        b"\x8b\xff\xff\xff\x7f.",
        b"B\xff\xff\xff\x7fx.",
        # A list, copied again and again: memory that grows as the square of the file.
        b"](" + b"N" * 5000 + b"eq\0c__builtin__\nlist\nq\x010(" + b"h\x01h\0\x85R" * 900 + b"t.",
    ],
)  # fmt: skip
def test_forged_pickles(program):
    tracemalloc.start()
    with pytest.raises((RuntimeError, pickle.UnpicklingError)):
        loaded(archive(program))
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_compressed_and_encrypted_records_are_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("a/data.pkl", b"](" + b"N" * 10**6 + b"e.")
    with pytest.raises(RuntimeError, match="compressed"):
        loaded(file.getvalue())
    with pytest.raises(RuntimeError, match="TorchScript"):
        loaded(archive(b"N.", **{"constants.pkl": b"N."}))


def test_deep_nesting_is_an_error_or_a_value():
    data = archive(b"]" * 100_000 + b"a" * 99_999 + b".")
    value = loaded(data)
    while value:
        value = value[0]


VALUE = {"x": torch.arange(4.0), "y": [1, "a", (2.5, None)], "z": OrderedDict(w=torch.ones(2, 2))}
FILES = [saved(VALUE), archive(pickled(), [TWO])]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FILES), st.data())
def test_damaged_files_load_or_are_errors(file, draw):
    data = bytearray(file)
    for _ in range(draw.draw(st.integers(1, 4))):
        at = draw.draw(st.integers(0, len(data) - 1))
        data[at] = draw.draw(st.integers(0, 255))
    if draw.draw(st.booleans()):
        del data[draw.draw(st.integers(0, len(data))) :]
    try:
        loaded(bytes(data))
    except (RuntimeError, pickle.UnpicklingError):
        pass


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_pickles_load_or_are_errors(draw):
    """Below the checksums of the archive."""
    program = bytearray(draw.draw(st.sampled_from([pickled(), pickle.dumps(VALUE["y"], 2)])))
    for _ in range(draw.draw(st.integers(1, 4))):
        at = draw.draw(st.integers(0, len(program) - 1))
        program[at : at + 1] = draw.draw(st.binary(max_size=3))
        if not program:
            return
    try:
        loaded(archive(bytes(program), [TWO]))
    except (RuntimeError, pickle.UnpicklingError):
        pass


# Against torch itself.

try:
    import torch as oracle
except ImportError:
    oracle = None
beside_torch = pytest.mark.skipif(oracle is None, reason="torch is not installed")


def theirs(legacy=False):
    """A checkpoint by torch, and what it holds."""
    oracle.manual_seed(0)
    model = oracle.nn.Sequential(oracle.nn.Linear(3, 4), oracle.nn.BatchNorm1d(4))
    optimizer = oracle.optim.Adam(model.parameters())
    model(oracle.randn(5, 3)).sum().backward()
    optimizer.step()
    x = oracle.arange(6.0).reshape(2, 3)
    value = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "views": [x, x[1], x.t()],
        "parameter": model[0].weight,
        "dtypes": {n: oracle.ones(2, dtype=getattr(oracle, n)) for n in DTYPES},
        "other": (1, 2.5, "a", None, {1}, oracle.float32, oracle.device("cpu"), x.shape, b"b", 1j),
        "rng": oracle.get_rng_state(),
        "conj": oracle.tensor([1 + 2j]).conj(),
        "scalar": np.float64(2.5),
    }
    file = io.BytesIO()
    oracle.save(value, file, _use_new_zipfile_serialization=not legacy)
    return value, file.getvalue()


def compare(mine, yours):
    if isinstance(yours, oracle.Tensor):
        assert str(mine.dtype) == str(yours.dtype) and tuple(mine.shape) == tuple(yours.shape)
        assert mine.requires_grad == yours.requires_grad and mine.stride() == yours.stride()
        assert mine.tolist() == yours.tolist()
    elif isinstance(yours, dict):
        assert type(mine) is type(yours) and list(mine) == list(yours)
        for key, value in yours.items():
            compare(mine[key], value)
    elif isinstance(yours, (list, tuple)):
        assert len(mine) == len(yours)
        for m, y in zip(mine, yours, strict=True):
            compare(m, y)
    else:
        assert str(mine) == str(yours)


@beside_torch
@pytest.mark.parametrize("legacy", [False, True])
def test_a_checkpoint_written_by_torch_loads(legacy):
    value, data = theirs(legacy)
    mine = loaded(data, weights_only=True)
    compare(mine, value)
    mine["views"][1].fill_(7)
    assert mine["views"][0][1].tolist() == [7, 7, 7]
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    model.load_state_dict(mine["model"])
    optimizer = torch.optim.Adam(model.parameters())
    optimizer.load_state_dict(mine["optimizer"])


@beside_torch
@pytest.mark.parametrize("legacy", [False, True])
def test_a_damaged_checkpoint_of_torch_is_an_error(legacy):
    _, data = theirs(legacy)
    for length in range(0, len(data), 211):
        with pytest.raises(RuntimeError):
            loaded(data[:length])


@beside_torch
def test_torch_loads_what_is_written_in_its_format():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    x = torch.arange(6.0).reshape(2, 3)
    value = {
        "model": model.state_dict(),
        "views": [x, x[1], x.t()],
        "parameter": model[0].weight,
        "dtypes": {n: torch.ones(2, dtype=getattr(torch, n)) for n in DTYPES},
        "other": (1, 2.5, "a", None, {1}, torch.float32, torch.device("cpu"), x.shape, b"b", 1j),
        "counts": Counter({3: 2}),
    }
    yours = oracle.load(io.BytesIO(saved(value)), weights_only=True)
    compare(value, yours)
    assert isinstance(yours["parameter"], oracle.nn.Parameter)
    yours["views"][1].fill_(7)
    assert yours["views"][0][1].tolist() == [7, 7, 7]
    assert yours["model"]._metadata == value["model"]._metadata


@beside_torch
def test_a_default_dict_of_torchs():
    file = io.BytesIO()
    oracle.save(defaultdict(list, a=[1]), file)
    value = loaded(file.getvalue())
    assert value == {"a": [1]} and value["b"] == []
