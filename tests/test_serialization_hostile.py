"""Forged files: each is an error that is documented, quickly and without much memory."""

import io
import pickle
import resource
import struct
import time
import tracemalloc
import zipfile

import pytest
from _backend import NAME, torch
from _torch_files import (
    LEGACY,
    TWO,
    archive,
    floats,
    integer,
    memory,
    row,
    tensor,
    text,
)

if NAME != "adjoint":
    pytest.skip("the reader is adjoint's", allow_module_level=True)

MANY = 20_000
DEEP_TUPLE = b")" + b"\x85" * 100_000
WIDE_TUPLE = b")q\0" + b"h\0h\0\x86q\0" * 60  # a tree of 2**60 leaves


def load(data):
    """The value, with the memory that reading takes bounded by the size of the file."""
    tracemalloc.start()
    begin = time.process_time()
    try:
        return torch.load(io.BytesIO(data))
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 300 * len(data) + 2_000_000
        assert time.process_time() - begin < 20


def call(name, *arguments):
    module, _, last = name.rpartition(".")
    return f"c{module}\n{last}\n".encode() + b"(" + b"".join(arguments) + b"tR"


def copies(name, argument):
    """A call of a function with one large argument, again and again."""
    module, _, last = name.rpartition(".")
    function = f"c{module}\n{last}\n".encode()
    return b"(" + argument + b"\x85q\0" + function + b"q\1" + b"h\1h\0R" * MANY + b"t."


FORGED = {
    "keys of deep tuples": b"}" + DEEP_TUPLE + b"Ns.",
    "pairs with deep tuples": call("collections.OrderedDict", b"](" + DEEP_TUPLE + b"N\x86e")
    + b".",
    "keys of wide tuples": b"}" + WIDE_TUPLE + b"Ns.",
    "sets of wide tuples": b"\x8f(" + WIDE_TUPLE + b"\x90.",
    "frozensets of wide tuples": b"(" + WIDE_TUPLE + b"\x91.",
    "defaultdicts in defaultdicts": b"ccollections\ndefaultdict\nq\0c__builtin__\nlist\nq\1\x85q\2R"
    + b"q\3h\0h\2R(K\0h\3u" * MANY
    + b".",
    "slices in slices": b"c__builtin__\nslice\nq\0N\x85R" + b"q\1h\0h\1\x85R" * MANY + b".",
    "copies of a list": copies("__builtin__.list", b"(" + b"N" * MANY + b"t"),
    "copies of a set": copies("__builtin__.set", b"](" + b"N" * MANY + b"e"),
    "copies of a text": b"(" + text("a" * MANY) + text("latin1") + b"\x86q\0c_codecs\nencode\nq\1"
    + b"h\1h\0R" * MANY
    + b"t.",
    "copies of a size": copies("torch.Size", b"(" + b"K\1" * MANY + b"t"),
    "a bytearray of a number": call("__builtin__.bytearray", integer(2**40)) + b".",
    "bytes of a number": call("__builtin__.bytes", integer(2**40)) + b".",
    "a list of a range": call("__builtin__.list", call("__builtin__.xrange", integer(2**40)))
    + b".",
    "a Counter of a text": call("collections.Counter", text("ab")) + b".",
    "a device of nothing": call("torch.device") + b".",
    "a number as function": b"K\1)R.",
    "arguments that are no tuple": b"ctorch\nSize\nK\1R.",
    "an object of a number": b"K\1)\x81.",
    "a state of a number": b"K\1}b.",
    "special attributes": call("collections.OrderedDict")
    + b"}"
    + text("__class__")
    + b"Nsb.",
    "marks alone": b"(" * MANY + b".",
    "a memo that is empty": b"j\xff\xff\xff\xff.",
    "an empty stack": b"0.",
    "two values": b"NN.",
    "no value": b".",
    "no end": b"N",
    "nothing": b"",
    "a long text": b"X\xff\xff\xff\xffa.",
    "long bytes": b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7fa.",
    "a long number": b"\x8b\xff\xff\xff\x7fa.",
    "a number of negative length": b"\x8b\xff\xff\xff\xffa.",
    "text that is none": b"X\1\0\0\0\xff.",
    "an opcode that is none": b"\xff.",
    "an opcode for extensions": b"\x82\1.",
    "a name without end": b"cos" + b"a" * MANY,
    "a protocol that is none": b"\x80\x63N.",
    "appending to a tuple": b")Na.",
    "a key without value": b"}(Nu.",
    "a key that is a list": b"}]Ns.",
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_forged_pickles(name):
    with pytest.raises((RuntimeError, pickle.UnpicklingError)):
        load(archive(FORGED[name]))
    with pytest.raises((RuntimeError, pickle.UnpicklingError)):
        load(LEGACY + b"\x80\x02" + FORGED[name] + b"\x80\x02].")


LARGE = 2**62
FORGED_TENSORS = {
    "a size beyond the memory": tensor(size=(3,)),
    "an offset beyond the memory": tensor(offset=1),
    "a negative offset": tensor(offset=-1),
    "a negative size": tensor(size=(-2,)),
    "a negative stride": tensor(stride=(-1,)),
    "a stride that overflows": tensor(size=(3,), stride=(2**63 - 1,)),
    "strides that overflow": tensor(size=(5, 5), stride=(LARGE, LARGE)),
    "sizes that overflow": tensor(size=(2**32, 2**32), stride=(0, 0)),
    "sizes that overflow beside 0": tensor(size=(0, LARGE, LARGE), stride=(1, 1, 1)),
    "an offset that overflows": tensor(size=(0,), offset=LARGE),
    "many dims": tensor(size=(1,) * 1000, stride=(1,) * 1000),
    "more strides than sizes": tensor(stride=(1, 1)),
    "a size of text": tensor().replace(row(2), b"(" + text("2") + b"t"),
    "a size that is a number": tensor().replace(row(2), integer(2)),
    "a memory that is not there": tensor(memory(key="1")),
    "a memory outside": tensor(memory(key="../data.pkl")),
    "a memory of no name": tensor(memory().replace(text("0"), integer(0))),
    "a memory of another size": tensor(memory(count=3)),
    "a memory of negative size": tensor(memory(count=-2)),
    "a memory that is too large": tensor(memory(count=LARGE)),
    "a memory of another dtype": tensor(memory("Double")),
    "a memory of no dtype": tensor(memory().replace(b"FloatStorage", b"float32")),
    "a module in the place of a memory": tensor(memory().replace(text("storage"), text("module"))),
    "no memory": tensor(integer(1)),
    "one memory of two dtypes": b"(" + tensor() + tensor(memory("Int")) + b"t",
    "a large conjugate": tensor(
        memory("ComplexFloat", 1), (2**40,), (0,), metadata=b"}" + text("conj") + b"\x88s"
    ),
    "a parameter of nothing": call("torch._utils._rebuild_parameter", b"N", b"\x88", b"N"),
    "a tensor by set": call(
        "torch._tensor._rebuild_from_type_v2",
        b"c__builtin__\nset\n",
        b"ctorch\nTensor\n",
        b")",
        b"}",
    ),
}


@pytest.mark.parametrize("name", FORGED_TENSORS)
def test_forged_tensors(name):
    assert load(archive(tensor() + b".", [TWO])).tolist() == [1, 2]
    with pytest.raises((RuntimeError, pickle.UnpicklingError)):
        load(archive(FORGED_TENSORS[name] + b".", [TWO]))


def legacy(program, keys=("0",), contents=struct.pack("<q", 2) + TWO):
    row_of_keys = b"\x80\x02](" + b"".join(map(text, keys)) + b"e."
    return LEGACY + b"\x80\x02" + program + b"." + row_of_keys + contents


def test_forged_files_from_before_1_6():
    assert load(legacy(tensor(memory(end=b"N")))).tolist() == [1, 2]
    whole = legacy(tensor(memory(end=b"N")))
    forged = [
        legacy(tensor(memory(count=2**40, end=b"N"))),
        legacy(b"(" + b"".join(tensor(memory(key=str(i), count=200)) for i in range(100)) + b"t"),
        legacy(tensor(memory(end=b"N")), ()),
        legacy(tensor(memory(end=b"N")), ("0", "0")),
        legacy(tensor(memory(end=b"N")), ("1",)),
        legacy(tensor(memory(end=b"N")), contents=struct.pack("<q", 3) + TWO),
        legacy(tensor(memory(end=b"N")), contents=struct.pack("<q", -2) + TWO),
        legacy(tensor(memory(end=row(1, 2, 2)))),
        legacy(tensor(memory(end=b"K\1"))),
        LEGACY[:-2] + tensor() + b".",
        whole.replace(b"M\xe9\x03", b"M\xe8\x03"),
        *(whole[:length] for length in range(2, len(whole))),
    ]
    for data in forged:
        with pytest.raises((RuntimeError, pickle.UnpicklingError)):
            load(data)
    with pytest.raises(pickle.UnpicklingError, match=r"torch\.save"):
        load(pickle.dumps({"a": 1}))


def test_records_that_overlap():
    """One record under many names: reading all of them would take far more than the file."""
    count, floats_each = 200, 2000
    program = b"".join(tensor(memory(key=str(i), count=floats_each)) for i in range(count))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as z:
        z.writestr("a/data.pkl", b"\x80\x02(" + program + b"t.")
        z.writestr("a/data/0", floats(*range(floats_each)))
        first = z.filelist[1]
        for i in range(1, count):
            info = zipfile.ZipInfo(f"a/data/{i}")
            info.header_offset, info.CRC = first.header_offset, first.CRC
            info.file_size = info.compress_size = first.file_size
            z.filelist.append(info)
    with pytest.raises(RuntimeError, match="overlap"):
        load(file.getvalue())


def changed(offset, form, value, magic=b"PK\x01\x02"):
    """An archive with one field of the last entry of its directory overwritten."""
    data = bytearray(archive(tensor() + b".", [TWO]))
    struct.pack_into(form, data, data.rindex(magic) + offset, value)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (changed(8, "<H", 1), "encrypted"),
        (changed(10, "<H", 8), "compressed"),
        (changed(20, "<I", 2**31), "compressed"),
        (changed(42, "<I", 2**31), "damaged"),
        (changed(42, "<I", 7), "damaged"),
        (changed(16, "<I", 7), "checksum"),
        (changed(16, "<I", 2**31, b"PK\x05\x06"), "damaged"),
        (archive(b"N.")[:-30], "zip"),
        (archive(b"N.", byteorder=b"middle"), "byte order"),
        (archive(b"N.", **{"constants.pkl": b""}), "TorchScript"),
        (b"PK\x05\x06" + bytes(18), "data.pkl"),
        (bytes(257) + b"ustar\0" + bytes(300), "tar archive"),
        (b"", "empty"),
    ],
)
def test_forged_archives(data, message):
    with pytest.raises(RuntimeError, match=message):
        load(data)


def test_a_record_with_other_data():
    data = archive(tensor() + b".", [TWO])
    with pytest.raises(RuntimeError, match="checksum"):
        load(data.replace(TWO, floats(1, 3)))
    # torch.serialization.set_crc32_options(False) writes 0 for the checksums
    forgotten = bytearray(data)
    for at in range(len(data)):
        if data[at : at + 4] == b"PK\x01\x02":
            struct.pack_into("<I", forgotten, at + 16, 0)
    assert load(bytes(forgotten)).tolist() == [1, 2]


def test_archives_of_compressed_records():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("a/data.pkl", b"\x80\x02](" + b"N" * 10**7 + b"e.")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(RuntimeError, match="compressed"):
        load(file.getvalue())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 5000


def test_bools_are_bools():
    x = load(archive(tensor(memory("Bool", 3), (3,)) + b".", [b"\0\2\xff"]))
    assert x.tolist() == [False, True, True] and x.to(torch.int64).sum() == 2


def test_deep_values_are_values():
    for program in (b"]" * 100_000 + b"a" * 99_999 + b".", b")" + b"\x85" * 100_000 + b"."):
        value = load(archive(program))
        depth = 1
        while value:
            value = value[0]
            depth += 1
        assert depth in (100_000, 100_001)
