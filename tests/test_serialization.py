"""save and load."""

import io
import json
import os
import pickle
import stat
import subprocess
import sys
from collections import Counter, OrderedDict

import pytest
from _backend import NAME, assert_same, torch

if NAME != "adjoint":
    pytest.skip("the files are adjoint's", allow_module_level=True)
nn = torch.nn

DTYPES = (
    "float32 float64 float16 bfloat16 int8 int16 int32 int64 uint8 bool complex64 complex128"
).split()


def round_trip(obj, **kwargs):
    file = io.BytesIO()
    torch.save(obj, file)
    file.seek(0)
    return torch.load(file, **kwargs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (2, 3)])
def test_tensors_of_every_dtype_and_shape(dtype, shape):
    x = torch.ones(shape, dtype=getattr(torch, dtype))
    y = round_trip(x)
    assert y.dtype == x.dtype and y.shape == x.shape
    assert y.tolist() == x.tolist()


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        7,
        -(2**70),
        0.1,
        -0.0,
        float("inf"),
        1 + 2j,
        "ü\n\ud800",
        b"\x00\xff",
        [],
        (),
        {},
        (1, [2, (3,)]),
        {1, "a", (2.5, None)},
        frozenset([1]),
        {"a": {"b": [None]}, 3: "x", (1, 2): 4, None: 5, 1.5: 6},
        OrderedDict([("b", 1), ("a", 2)]),
        Counter({3: 2}),
        torch.float64,
        torch.device("cpu"),
        torch.Size([2, 3]),
    ],
)
def test_values_that_are_not_tensors(value):
    loaded = round_trip(value)
    assert loaded == value and type(loaded) is type(value)
    if isinstance(value, dict):
        assert list(loaded) == list(value)


def test_not_a_number():
    x = round_trip(float("nan"))
    assert x != x
    assert str(round_trip(-0.0)) == "-0.0"


def test_tensors_in_containers():
    x = round_trip({"a": [torch.ones(2), (torch.zeros(1), 3)]})
    assert x["a"][0].tolist() == [1, 1] and x["a"][1][0].tolist() == [0] and x["a"][1][1] == 3


def test_names_that_collide():
    obj = {"a": {"b": torch.tensor(1)}, "a.b": torch.tensor(2), "__metadata__": torch.tensor(3),
           "": torch.tensor(4), 1: torch.tensor(5), "1": torch.tensor(6)}  # fmt: skip
    loaded = round_trip(obj)
    assert {key: str(value) for key, value in loaded.items()} == {
        key: str(value) for key, value in obj.items()
    }


def test_strides_do_not_matter():
    x = torch.arange(6.0).reshape(2, 3)
    assert_same(round_trip(x.t()), x.t())
    assert_same(round_trip(x[:, 1]), x[:, 1])


def test_parameters_and_requires_grad_are_kept():
    loaded = round_trip(
        {
            "p": nn.Parameter(torch.ones(2)),
            "frozen": nn.Parameter(torch.ones(2), requires_grad=False),
            "leaf": torch.ones(2, requires_grad=True),
            "result": torch.ones(2, requires_grad=True) * 2,
            "plain": torch.ones(2),
        }
    )
    assert type(loaded["p"]) is nn.Parameter and loaded["p"].requires_grad
    assert type(loaded["frozen"]) is nn.Parameter and not loaded["frozen"].requires_grad
    assert type(loaded["leaf"]) is torch.Tensor and loaded["leaf"].requires_grad
    assert loaded["result"].is_leaf and loaded["result"].requires_grad
    assert not loaded["plain"].requires_grad


def test_tied_weights_stay_tied_and_are_written_once():
    model = nn.Module()
    model.a, model.b = nn.Linear(50, 50, bias=False), nn.Linear(50, 50, bias=False)
    model.b.weight = model.a.weight
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    assert file.tell() < 1.5 * 50 * 50 * 4
    file.seek(0)
    state = torch.load(file)
    state["a.weight"].zero_()
    assert state["b.weight"].abs().sum() == 0


def test_views_of_one_memory_share_it_again():
    x = torch.arange(6.0).reshape(2, 3)
    a, b, c = round_trip([x, x[1], x.t()])
    assert_same(c, x.t())
    b.fill_(9)
    assert a.tolist() == [[0, 1, 2], [9, 9, 9]] and c[0, 1] == 9
    assert b._base is None


def test_a_module_and_its_optimizer():
    def build():
        model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
        return model, optimizer, torch.optim.lr_scheduler.MultiStepLR(optimizer, [1, 5])

    def train(model, optimizer, scheduler):
        optimizer.zero_grad()
        model(torch.arange(6.0).reshape(2, 3)).sum().backward()
        optimizer.step()
        scheduler.step()

    first = build()
    train(*first)
    names = ("model", "optimizer", "scheduler")
    state = round_trip({name: x.state_dict() for name, x in zip(names, first)})
    assert isinstance(state["model"], OrderedDict) and state["model"]._metadata[""]
    second = build()
    for name, x in zip(names, second):
        x.load_state_dict(state[name])
    for each in (first, second):
        train(*each)
    for p, q in zip(first[0].parameters(), second[0].parameters()):
        assert_same(p, q)
    assert first[2].state_dict() == second[2].state_dict()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1, object()]}, r"\['a'\]\[1\].*object"),
        (nn.Linear(1, 1), "state_dict"),
        (range(3), "range"),
        (lambda: None, "function"),
        ({torch.ones(1): 2}, "key"),
    ],
)
def test_what_cannot_be_saved_is_named(value, message, tmp_path):
    path = tmp_path / "file"
    with pytest.raises(TypeError, match=message):
        torch.save(value, path)
    assert not path.exists()


def test_a_list_that_contains_itself():
    a = [1]
    a.append(a)
    with pytest.raises(ValueError, match="itself"):
        round_trip(a)
    shared = [1]
    assert round_trip([shared, shared]) == [[1], [1]]


def test_paths(tmp_path):
    path = tmp_path / "state.safetensors"
    torch.save({"x": torch.ones(2)}, path)
    assert torch.load(str(path))["x"].tolist() == [1, 1]
    with open(path, "rb") as file:
        assert torch.load(file)["x"].tolist() == [1, 1]
    with pytest.raises(FileNotFoundError):
        torch.load(tmp_path / "other")
    with pytest.raises(FileNotFoundError):
        torch.save(1, tmp_path / "no" / "such")
    for wrong in (3, None):
        with pytest.raises(TypeError, match="path"):
            torch.save(1, wrong)
        with pytest.raises(TypeError, match="path"):
            torch.load(wrong)
    with pytest.raises(TypeError, match="binary"):
        torch.load(io.StringIO("x"))


def test_a_file_is_replaced_in_one_go(tmp_path, monkeypatch):
    path = tmp_path / "state"
    torch.save(1, path)
    os.chmod(path, 0o640)

    def fail(*_):
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="full"):
            torch.save(2, path)
    assert torch.load(path) == 1
    assert os.listdir(tmp_path) == ["state"]
    torch.save(3, path)
    assert torch.load(path) == 3
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    torch.save(1, target)
    link.symlink_to(target)
    torch.save(2, link)
    assert link.is_symlink() and torch.load(target) == 2


def test_devices():
    for place in (None, "cpu", torch.device("cpu"), {"cuda:0": "cpu"}):
        assert round_trip(torch.ones(1), map_location=place).device.type == "cpu"
    assert round_trip(torch.ones(1), map_location=lambda storage, place: storage).item() == 1
    assert round_trip(torch.ones(1), map_location=lambda storage, place: None).item() == 1
    assert round_trip([1], weights_only=False) == [1]


def saved(obj):
    file = io.BytesIO()
    torch.save(obj, file)
    return file.getvalue()


def load_bytes(content):
    return torch.load(io.BytesIO(content))


def test_a_file_cut_short_anywhere_is_an_error():
    content = saved({"x": torch.ones(3), "y": [1, 2]})
    for length in range(len(content)):
        with pytest.raises(RuntimeError):
            load_bytes(content[:length])
    with pytest.raises(RuntimeError):
        load_bytes(content + b"x")


def test_pickles_that_are_not_torchs_are_refused():
    with pytest.raises(pickle.UnpicklingError, match="torch.save"):
        load_bytes(pickle.dumps({}))
    with pytest.raises(RuntimeError, match="zip"):
        load_bytes(b"PK\x03\x04" + bytes(100))


def forge(content, tensors=None):
    import safetensors

    x = torch.ones(2)
    spec = safetensors.TensorSpec(dtype="float32", shape=[2], data_ptr=x.data_ptr(), data_len=8)
    return safetensors.serialize({"x": spec}, {"adjoint": content})


def forged(content):
    return forge(json.dumps({"version": 1, "content": content}))


@pytest.mark.parametrize(
    "content",
    [
        "not json",
        "[]",
        "{}",
        '{"version": 99, "content": 1}',
        '{"version": "x", "content": 1}',
        "[" * 100000,
        '{"version": 1, "content": ' + "[" * 5000 + "]" * 5000 + "}",
    ],
)
def test_forged_skeletons(content):
    with pytest.raises(RuntimeError, match="the file is damaged"):
        load_bytes(forge(content))


@pytest.mark.parametrize(
    "node",
    [
        {"tensor": "other"},
        {"tensor": ["x"]},
        {"tensor": "x", "dtype": "complex128"},
        {"tensor": "x", "device": "toaster"},
        {"call": "os.system"},
        {},
        {"dict": [[1]]},
        {"dict": [[[1], 2]]},
        {"dict": 3},
        {"tuple": 3},
        {"float": "x"},
        {"complex": [1]},
        {"dtype": "nn"},
        {"dtype": "load"},
        {"bytes": "?"},
        {"size": ["a"]},
    ],
)
def test_forged_values(node):
    with pytest.raises(RuntimeError):
        load_bytes(forged(node))


def test_other_tools_read_the_files(tmp_path):
    numpy_tools = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "state.safetensors"
    torch.save({"layer.weight": torch.arange(4.0), "step": 3}, path)
    assert numpy_tools.load_file(path)["layer.weight"].tolist() == [0, 1, 2, 3]


def test_files_of_other_tools_are_read(tmp_path):
    numpy_tools = pytest.importorskip("safetensors.numpy")
    np = pytest.importorskip("numpy")
    path = tmp_path / "state.safetensors"
    numpy_tools.save_file({"w": np.arange(3, dtype=np.int16), "s": np.array(2.0)}, path)
    loaded = torch.load(path)
    assert_same(loaded["w"], torch.tensor([0, 1, 2], dtype=torch.int16))
    assert loaded["s"].item() == 2 and loaded["s"].dtype == torch.float64


def test_a_checkpoint_written_by_torch_loads(tmp_path):
    oracle = pytest.importorskip("torch")
    tools = pytest.importorskip("safetensors.torch")
    theirs = oracle.nn.Linear(3, 2)
    tools.save_file(theirs.state_dict(), tmp_path / "model.safetensors")
    mine = nn.Linear(3, 2)
    mine.load_state_dict(torch.load(tmp_path / "model.safetensors"))
    assert mine.weight.tolist() == theirs.weight.tolist()


def test_importing_it_imports_neither_numpy_nor_safetensors():
    code = (
        "import sys, adjoint; before = set(sys.modules); import adjoint.serialization; "
        "print([m for m in ('safetensors', 'numpy') if m in set(sys.modules) - before])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
