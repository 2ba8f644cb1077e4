"""Where files come from and go to, and what torch's files hold besides tensors."""

import argparse
import gzip
import io
import os
import pickle
import sys
from collections import OrderedDict, defaultdict, namedtuple

import numpy as np
import pytest
from _backend import NAME, torch
from _torch_files import (
    LEGACY,
    REBUILD,
    TWO,
    archive,
    floats,
    integer,
    memory,
    row,
    tensor,
    text,
)
from hypothesis import given, settings
from hypothesis import strategies as st

if NAME != "adjoint":
    pytest.skip("the files are adjoint's", allow_module_level=True)
nn = torch.nn
serialization = torch.serialization
FORMATS = [{}, {"format": "torch"}, {"_use_new_zipfile_serialization": False}]


def saved(obj, **kwargs):
    file = io.BytesIO()
    torch.save(obj, file, **kwargs)
    return file.getvalue()


def load(data, **kwargs):
    return torch.load(io.BytesIO(data), **kwargs)


def stored(obj, protocol=2):
    """An archive with Python's own pickle of what holds no tensors."""
    return archive(
        pickle.dumps(obj, protocol)[2:] if protocol == 2 else pickle.dumps(obj, protocol)
    )


@pytest.mark.parametrize("kwargs", FORMATS, ids=str)
class TestEveryFormat:
    def test_what_is_kept(self, kwargs):
        x = torch.arange(6.0).reshape(2, 3)
        obj = {
            "x": x,
            "row": x[1],
            "turned": x.t(),
            "part": x[:, 1],
            "far": x[0, :1],
            "n": [1, "a"],
        }
        again = load(saved(obj, **kwargs))
        assert again["n"] == [1, "a"]
        for name in ("x", "row", "turned", "part", "far"):
            assert again[name].tolist() == obj[name].tolist()
        again["x"].zero_()
        assert again["row"].tolist() == [0, 0, 0] and again["part"].tolist() == [0, 0]
        assert all(again[name]._base is None for name in ("x", "row", "turned"))

    def test_a_module_with_tied_weights(self, kwargs):
        model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Linear(3, 3))
        model[2].weight = model[0].weight
        state = load(saved(model.state_dict(), **kwargs))
        assert isinstance(state, OrderedDict) and state._metadata["1"] == {"version": 2}
        state["0.weight"].zero_()
        assert state["2.weight"].abs().sum() == 0

    def test_paths(self, kwargs, tmp_path):
        path = tmp_path / "file"
        torch.save([torch.ones(2)], path, **kwargs)
        for f in (path, str(path)):
            assert torch.load(f)[0].tolist() == [1, 1]
        assert os.listdir(tmp_path) == ["file"]

    def test_behind_other_data_in_an_open_file(self, kwargs, tmp_path):
        path = tmp_path / "file"
        with open(path, "wb") as file:
            file.write(b"before")
            torch.save([torch.ones(2)], file, **kwargs)
        with open(path, "rb") as file:
            assert file.read(6) == b"before"
            assert torch.load(file)[0].tolist() == [1, 1]
        file = io.BytesIO(path.read_bytes())
        file.seek(6)
        assert torch.load(file)[0].tolist() == [1, 1]

    def test_compressed_streams(self, kwargs, tmp_path):
        with gzip.open(tmp_path / "file.gz", "wb") as file:
            torch.save([torch.ones(2)], file, **kwargs)
        with gzip.open(tmp_path / "file.gz") as file:
            assert torch.load(file)[0].tolist() == [1, 1]

    def test_objects_that_only_read_and_write(self, kwargs):
        class Pipe:
            def __init__(self):
                self.parts = []

            def write(self, data):
                self.parts.append(bytes(data))

            def read(self):
                return b"".join(self.parts)

        pipe = Pipe()
        torch.save([torch.ones(2)], pipe, **kwargs)
        assert torch.load(pipe)[0].tolist() == [1, 1]

    def test_nothing_is_written_where_something_cannot_be_saved(self, kwargs, tmp_path):
        path = tmp_path / "file"
        torch.save("old", path, **kwargs)
        for wrong in (
            nn.Linear(1, 1),
            {"a": [object()]},
            namedtuple("P", "x")(1),
            {torch.ones(1): 1},
        ):
            with pytest.raises(TypeError, match="cannot save the object"):
                torch.save([torch.ones(2), wrong], path, **kwargs)
            file = io.BytesIO()
            with pytest.raises(TypeError):
                torch.save([torch.ones(2), wrong], file, **kwargs)
            assert not file.getvalue()
        assert os.listdir(tmp_path) == ["file"] and torch.load(path) == "old"

    def test_values_that_contain_themselves_or_are_too_deep(self, kwargs):
        endless = [1]
        endless.append(endless)
        with pytest.raises(ValueError, match="itself"):
            saved(endless, **kwargs)
        deep = []
        for _ in range(100_000):
            deep = [deep]
        with pytest.raises(ValueError, match="deep"):
            saved(deep, **kwargs)

    def test_a_directory_in_the_place_of_a_file(self, kwargs, tmp_path):
        with pytest.raises(IsADirectoryError):
            torch.save(1, tmp_path, **kwargs)
        with pytest.raises(IsADirectoryError):
            torch.load(tmp_path)


def test_a_file_without_a_buffer(tmp_path):
    with open(tmp_path / "file", "wb", buffering=0) as file:
        torch.save([torch.ones(2)], file)
    with open(tmp_path / "file", "rb", buffering=0) as file:
        assert torch.load(file)[0].tolist() == [1, 1]
        with pytest.raises(RuntimeError, match="seek"):
            torch.load(file)


def test_an_unknown_format(tmp_path):
    with pytest.raises(ValueError, match="safetensors"):
        torch.save(1, tmp_path / "file", format="hdf5")
    assert not os.listdir(tmp_path)


def test_one_object_stays_one_object_in_torchs_format():
    shared, x = [1], torch.ones(2)
    a, b, c, d = load(saved([shared, shared, x, x], format="torch"))
    assert a is b and c is d


def test_a_memory_is_written_once():
    x = torch.ones(1000)
    assert len(saved([x, x[1:], x.reshape(10, 100)], format="torch")) < 6000
    assert len(saved([x, x[1:], x.reshape(10, 100)])) < 6000
    # views that do not overlap need nothing of each other, and nothing of what lies between
    assert len(saved([x[:5], x[990:]])) < 1000


def test_other_tools_find_the_owner_of_a_memory_under_its_name():
    tools = pytest.importorskip("safetensors.numpy")
    x = torch.arange(6.0).reshape(2, 3)
    assert tools.load(saved({"row": x[1], "x": x}))["x"].shape == (2, 3)


def test_several_values_in_one_file_of_the_older_format():
    file = io.BytesIO()
    for value in (torch.ones(2), "second"):
        torch.save(value, file, _use_new_zipfile_serialization=False)
    file.seek(0)
    assert torch.load(file).tolist() == [1, 1] and torch.load(file) == "second"


def test_memory_mapped_files(tmp_path):
    dtypes = [torch.float32, torch.bfloat16, torch.complex64, torch.bool, torch.int8, torch.float64]
    torch.save(
        [torch.ones(3, dtype=d) for d in dtypes] + [torch.ones(0)], tmp_path / "f", format="torch"
    )
    before = (tmp_path / "f").read_bytes()
    value = torch.load(tmp_path / "f", mmap=True)
    assert [x.dtype for x in value[:-1]] == dtypes
    for x in value:
        x.zero_()
    assert value[0].tolist() == [0, 0, 0]
    assert (tmp_path / "f").read_bytes() == before
    assert torch.load(tmp_path / "f", mmap=True)[0].tolist() == [1, 1, 1]
    assert load(before, mmap=True)[0].tolist() == [1, 1, 1]
    torch.save([torch.ones(2)], tmp_path / "native")
    assert torch.load(tmp_path / "native", mmap=True)[0].tolist() == [1, 1]


def test_records_are_aligned():
    data = saved([torch.ones(3), torch.ones(5)], format="torch")
    assert data.index(floats(1, 1, 1)) % 64 == 0 and data.index(floats(1, 1, 1, 1, 1)) % 64 == 0


@pytest.mark.parametrize(
    "kind",
    "Float:f4 Double:f8 Half:f2 BFloat16:u2 Long:i8 Int:i4 Short:i2 Char:i1 Byte:u1 Bool:b1 "
    "ComplexFloat:c8 ComplexDouble:c16".split(),
)
def test_storages_of_torch_in_both_byte_orders(kind):
    kind, code = kind.split(":")
    one = 0x3F80 if kind == "BFloat16" else 1  # the bits of 1.0
    for order, name in (("<", b"little"), (">", b"big")):
        content = np.array([one, 0], order + code).tobytes()
        x = load(archive(tensor(memory(kind)) + b".", [content], byteorder=name))
        assert x.tolist() == [1, 0]


def test_the_byte_order_of_files_that_do_not_tell_it():
    data = archive(tensor() + b".", [floats(1, 2, order=">")])
    assert serialization.get_default_load_endianness() is None
    serialization.set_default_load_endianness(serialization.LoadEndianness.BIG)
    try:
        assert load(data).tolist() == [1, 2]
    finally:
        serialization.set_default_load_endianness(None)
    with pytest.raises(TypeError):
        serialization.set_default_load_endianness("big")


def test_map_location():
    data = archive(
        b"](" + tensor() + tensor(memory(key="1", location="cuda:1")) + b"e.", [TWO, TWO]
    )
    seen = []

    def place(storage, location):
        seen.append((storage.nbytes(), location))
        return storage if location == "cuda:1" else None

    assert load(data, map_location=place)[1].tolist() == [1, 2]
    assert seen == [(8, "cpu"), (8, "cuda:1")]
    assert load(data, map_location={"cuda:1": "cpu"})[1].tolist() == [1, 2]
    with pytest.raises(RuntimeError, match=r"'cuda:1'.*map_location='cpu'"):
        load(data)
    with pytest.raises(RuntimeError, match="map_location"):
        load(data, map_location=lambda storage, location: 3)
    with pytest.raises(RuntimeError, match=r"map_location failed.*division"):
        load(data, map_location=lambda storage, location: 1 / 0)
    with pytest.raises(RuntimeError, match="toaster"):
        load(data, map_location="toaster")
    with pytest.raises(RuntimeError, match="cannot load to the device 'meta'"):
        load(data, map_location="meta")


def test_views_of_storages_from_before_0_4():
    program = tensor(memory(count=4, end=b"(" + text("v") + integer(1) + integer(2) + b"t"))
    data = LEGACY + b"\x80\x02" + program + b".\x80\x02](" + text("0") + b"e."
    assert load(data + (4).to_bytes(8, "little") + floats(1, 2, 3, 4)).tolist() == [2, 3]


def test_numpys_values():
    value = {
        "array": np.arange(6.0).reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "empty": np.zeros((0, 3)),
        "text": np.array(["ab", "c"]),
        "numbers": [np.float32(2.5), np.int64(3), np.bool_(True), np.complex64(1j)],
        "dtypes": [np.dtype(">i4"), np.dtype("float16"), np.dtype("U3")],
    }
    for protocol in (2, 4, 5):
        again = load(stored(value, protocol))
        assert repr(again) == repr(value)
        assert again["fortran"].flags.f_contiguous and again["array"].flags.writeable
    for refused in (np.array([1, "a"], object), np.zeros(2, [("x", "f4")]), np.datetime64("2020")):
        with pytest.raises((pickle.UnpicklingError, RuntimeError), match="NumPy"):
            load(stored(refused))


def test_pythons_values_in_every_protocol():
    containers = [defaultdict(list, a=[1]), {1}, frozenset([2]), (1, 2, 3, 4), OrderedDict(a=1)]
    plain = [slice(1, None), range(3), 1j, b"", b"x", bytearray(b"y"), True, None, -(2**200), "ü"]
    value = [containers, plain, 70000]
    for protocol in (2, 3, 4, 5):
        again = load(stored(value, protocol))
        assert again == value and repr(again) == repr(value)


def test_strings_of_python_2():
    data = archive(b"U\1\xe9.")
    with pytest.raises(RuntimeError, match="utf-8"):
        load(data)
    assert load(data, encoding="latin1") == "é" and load(data, encoding="bytes") == b"\xe9"


class Config:
    def __init__(self, width):
        self.width = width


class WithState(Config):
    def __setstate__(self, state):
        self.width = state["width"] + 1


class Point(tuple):
    __slots__ = ()


def test_classes_of_the_user():
    data = stored([Config(3), WithState(3), argparse.Namespace(a=1), Point([1, 2])])
    with pytest.raises(pickle.UnpicklingError, match=r"Config.*add_safe_globals\(\[Config\]\)"):
        load(data)
    with pytest.raises(pickle.UnpicklingError, match="Config"):
        load(data, weights_only=False)  # executes no more
    with serialization.safe_globals([Config, WithState, argparse.Namespace, Point]):
        config, other, names, point = load(data)
    assert (config.width, other.width, names.a, point) == (3, 4, 1, (1, 2))
    assert serialization.get_safe_globals() == []
    serialization.add_safe_globals([(Config, "elsewhere.Old")])
    assert load(archive(b"celsewhere\nOld\n)\x81}" + text("width") + b"K\5sb.")).width == 5
    serialization.clear_safe_globals()
    for wrong in ([3], [(Config,)], [(Config, 3)]):
        with pytest.raises(TypeError):
            serialization.add_safe_globals(wrong)


def test_what_executes_is_never_allowed():
    for function in (os.system, eval, exec, sys.exit, getattr, __import__):
        with pytest.raises(ValueError, match="cannot be allowed"):
            serialization.add_safe_globals([function])
    assert serialization.get_safe_globals() == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("posix\nsystem", r"posix\.system.*add_safe_globals"),
        ("torch.nn.modules.linear\nLinear", "state_dict"),
        ("torch._utils\n_rebuild_sparse_tensor", "dense"),
        ("torch\nuint16", r"torch\.uint16.*not supported"),
        ("torch\nfloat8_e4m3fn", r"torch\.float8_e4m3fn.*not supported"),
        ("torch\nload", r"torch\.load"),
        ("torch\nhub", r"torch\.hub"),
        ("torch\ninterpolate", r"asks for torch\.interpolate"),
        ("torch.storage\n_load_from_bytes", "_load_from_bytes"),
        ("builtins\ngetattr", r"builtins\.getattr"),
        ("numpy\nload", r"numpy\.load"),
        ("numpy.dtypes\nObjectDType", "NumPy"),
    ],
)
def test_names_that_are_refused(name, message):
    with pytest.raises(pickle.UnpicklingError, match=message):
        load(archive(f"c{name}\n".encode() + b")R."))


def test_attributes_of_tensors():
    attributes = b"}" + text("tag") + b"K\7s"
    x = load(archive(
        b"ctorch._tensor\n_rebuild_from_type_v2\n(" + REBUILD + b"ctorch\nTensor\n("
        + memory() + integer(0) + row(2) + row(1) + b"\x88Nt" + attributes + b"tR.",
        [TWO],
    ))  # fmt: skip
    assert x.tag == 7 and x.requires_grad
    p = load(archive(
        b"ctorch._utils\n_rebuild_parameter_with_state\n("
        + tensor() + b"\x89N" + attributes + b"tR.",
        [TWO],
    ))  # fmt: skip
    assert isinstance(p, nn.Parameter) and not p.requires_grad and p.tag == 7


def test_whole_modules_of_torch_can_be_allowed():
    oracle = pytest.importorskip("torch")
    theirs = oracle.nn.Sequential(oracle.nn.Linear(2, 3), oracle.nn.ReLU(), oracle.nn.Linear(3, 1))
    file = io.BytesIO()
    oracle.save(theirs, file)
    with pytest.raises(pickle.UnpicklingError, match="state_dict"):
        load(file.getvalue())
    with serialization.safe_globals([nn.Sequential, nn.Linear, nn.ReLU]):
        mine = load(file.getvalue())
    x = [[1.0, 2.0], [3.0, -1.0]]
    # float32, sums of three products: a few roundings
    np.testing.assert_allclose(
        mine(torch.tensor(x)).tolist(), theirs(oracle.tensor(x)).tolist(), rtol=1e-5
    )


@pytest.mark.parametrize("mmap", [False, True])
def test_torch_reads_what_is_written_for_it(tmp_path, mmap):
    oracle = pytest.importorskip("torch")
    value = {
        "x": torch.arange(6.0).reshape(2, 3).t(),
        "none": torch.zeros(0, 3),
        "b": [b"", 1j, 2**80],
        "layout": torch.strided,
        "dtype": torch.bool,
    }
    torch.save(value, tmp_path / "file.pt", format="torch")
    theirs = oracle.load(tmp_path / "file.pt", weights_only=True, mmap=mmap)
    assert theirs["x"].tolist() == value["x"].tolist() and theirs["x"].stride() == (1, 3)
    assert theirs["none"].shape == (0, 3) and theirs["b"] == value["b"]
    assert theirs["layout"] is oracle.strided and theirs["dtype"] is oracle.bool


def test_torch_reads_the_older_format():
    oracle = pytest.importorskip("torch")
    x = torch.arange(6.0)
    data = saved(
        {"x": x, "tail": x[4:], "p": nn.Parameter(x)}, _use_new_zipfile_serialization=False
    )
    theirs = oracle.load(io.BytesIO(data), weights_only=True)
    theirs["x"].zero_()
    assert theirs["tail"].tolist() == [0, 0] and isinstance(theirs["p"], oracle.nn.Parameter)


def test_files_of_torch_without_checksums():
    oracle = pytest.importorskip("torch")
    file = io.BytesIO()
    oracle.serialization.set_crc32_options(False)
    try:
        oracle.save(oracle.ones(2), file)
    finally:
        oracle.serialization.set_crc32_options(True)
    assert load(file.getvalue()).tolist() == [1, 1]


@st.composite
def layouts(draw):
    """Sizes, strides and an offset inside a memory of 24 elements."""
    size = draw(st.lists(st.integers(0, 3), max_size=3))
    stride = [draw(st.integers(0, 4)) for _ in size]
    last = sum(max(n - 1, 0) * step for n, step in zip(size, stride))
    return size, stride, draw(st.integers(0, max(23 - last, 0)))


@settings(max_examples=60, deadline=None)
@given(st.lists(layouts(), min_size=1, max_size=5), st.sampled_from(FORMATS))
def test_views_of_any_layout_share_their_elements_again(views, kwargs):
    memory = torch.arange(24.0, dtype=torch.complex128)
    mine = [memory.as_strided(*layout) for layout in views]
    again = load(saved(mine, **kwargs))
    assert [x.tolist() for x in again] == [x.tolist() for x in mine]
    for i, x in enumerate(mine):
        try:
            x.fill_(-1 - i)
        except RuntimeError:  # its own elements overlap: it cannot be written
            continue
        again[i].fill_(-1 - i)
        assert [x.tolist() for x in again] == [x.tolist() for x in mine]


def test_records_as_large_as_those_beyond_4_gigabytes(monkeypatch):
    """With the limit of small records moved, so that a small one has the form of a large one."""
    import zipfile

    from adjoint.serialization import _torch_write

    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 4000)
    monkeypatch.setattr(_torch_write, "_ZIP64_LIMIT", 4000 / 1.05)
    ones = floats(*[1] * 2000)
    data = saved(torch.ones(2000), format="torch")
    assert data.index(ones) % 64 == 0
    assert load(data).tolist() == [1] * 2000
    oracle = pytest.importorskip("torch")
    assert oracle.load(io.BytesIO(data)).sum() == 2000
