"""Records for TensorBoard, read back."""

import pathlib
import sys

import numpy as np
import pytest
from _backend import NAME, torch

if NAME != "adjoint":
    pytest.skip("adjoint's own writer", allow_module_level=True)


def test_without_the_library_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    monkeypatch.delitem(sys.modules, "adjoint.utils.tensorboard", raising=False)
    with pytest.raises(ImportError, match=r"adjoint\[tensorboard\]"):
        import adjoint.utils.tensorboard  # noqa: F401


@pytest.fixture
def writer(tmp_path):
    pytest.importorskip("tensorboardX")
    from adjoint.utils.tensorboard import SummaryWriter

    with SummaryWriter(tmp_path / "run") as writer:
        yield writer


def events(writer):
    from tensorboardX.proto.event_pb2 import Event

    writer.close()
    found = {}
    for file in sorted(pathlib.Path(writer.log_dir).rglob("events*")):
        data = file.read_bytes()
        while data:  # length, its checksum, the event, its checksum
            size = int.from_bytes(data[:8], "little")
            event = Event.FromString(data[12 : 12 + size])
            for value in event.summary.value:
                found.setdefault(value.tag, []).append((event.step, value))
            data = data[16 + size :]
    return found


def test_numbers_come_back(writer):
    for step in range(3):
        writer.add_scalar("loss", torch.tensor(0.5 * step, requires_grad=True), step)
    writer.add_scalar("half", torch.tensor(1.5, dtype=torch.bfloat16), global_step=torch.tensor(7))
    found = events(writer)
    assert [(step, v.simple_value) for step, v in found["loss"]] == [(0, 0), (1, 0.5), (2, 1)]
    assert [(step, v.simple_value) for step, v in found["half"]] == [(7, 1.5)]


def test_histograms_pictures_and_texts_come_back(writer):
    pytest.importorskip("PIL")
    writer.add_histogram("weights", torch.arange(10.0), 1)
    writer.add_image("picture", torch.rand(3, 4, 5), 1)
    writer.add_images("pictures", torch.rand(2, 1, 4, 5), 1)
    writer.add_text("note", "hello", 1)
    found = events(writer)
    assert found["weights"][0][1].histo.num == 10
    assert np.isclose(found["weights"][0][1].histo.sum, 45)
    picture = found["picture"][0][1].image
    assert (picture.height, picture.width) == (4, 5)
    assert any("note" in tag for tag in found)


def test_settings_and_groups_of_numbers(writer):
    writer.add_scalars("both", {"a": torch.tensor(1.0), "b": 2.0}, 3)
    writer.add_hparams({"lr": 0.1, "deep": True}, {"accuracy": torch.tensor(0.9)})
    found = events(writer)
    assert any("accuracy" in tag for tag in found)


def test_graphs_show_the_operators_of_a_run_in_the_scopes_of_modules(writer):
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.graph_pb2 import GraphDef

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = torch.nn.Linear(2, 3), torch.nn.Linear(3, 1)

        def forward(self, x, scale):
            return self.last(self.first(x).relu() * scale)

    model = Model()
    writer.add_graph(model, (torch.ones(4, 2), 2.0))
    assert not model.first._forward_hooks and model.first.weight.grad is None
    with pytest.raises(ValueError, match="input"):
        writer.add_graph(model)
    writer.close()
    (file,) = pathlib.Path(writer.log_dir).glob("events*")
    data, graphs = file.read_bytes(), []
    while data:
        size = int.from_bytes(data[:8], "little")
        event = Event.FromString(data[12 : 12 + size])
        graphs += [GraphDef.FromString(event.graph_def)] if event.graph_def else []
        data = data[16 + size :]
    (graph,) = graphs
    nodes = {node.name: node for node in graph.node}
    (first,) = [n for n in nodes if n.startswith("Model/first/Addmm")]
    (relu,) = [n for n in nodes if n.startswith("Model/Relu")]
    assert {"input/0", "Model/first/bias"} < set(nodes[first].input)
    assert list(nodes[relu].input) == [first]
    assert nodes["output/0"].input[0].startswith("Model/last/")
    sizes = nodes["Model/last/weight"].attr["_output_shapes"].list.shape[0].dim
    assert [dim.size for dim in sizes] == [1, 3]


def test_figures_and_embeddings(writer):
    pytest.importorskip("PIL")
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots()
    axes.plot([0, 1])
    writer.add_figure("curve", figure, 2)
    writer.add_embedding(torch.eye(3), metadata=["a", "b", "c"], global_step=4)
    writer.add_pr_curve("curve of hits", torch.tensor([0, 1, 1]), torch.tensor([0.1, 0.9, 0.4]), 1)
    found = events(writer)
    assert found["curve"][0][0] == 2 and found["curve"][0][1].image.height > 0
    assert "curve of hits" in {tag.rpartition("/")[0] or tag for tag in found}
    tables = list(pathlib.Path(writer.log_dir).rglob("tensors.tsv"))
    assert len(tables) == 1
    rows = [[float(v) for v in row.split("\t")] for row in tables[0].read_text().splitlines()]
    assert rows == torch.eye(3).tolist()
