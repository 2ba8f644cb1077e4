"""The same layers in torch, where it is installed: signatures, reprs, state, outputs."""

import inspect

import pytest
from _backend import NAME, assert_close, torch

if NAME != "adjoint":
    pytest.skip("compares adjoint with torch", allow_module_level=True)
oracle = pytest.importorskip("torch")
nn = torch.nn

CLASSES = sorted(
    name for name in nn.__all__ if isinstance(getattr(nn, name), type) and name != "Buffer"
)

LAYERS = [
    "Linear(3, 4)",
    "Linear(3, 4, bias=False)",
    "Bilinear(2, 3, 4)",
    "Identity(3)",
    "LinearCrossEntropyLoss(3, 5, out_features=(2, 4), bias=True)",
    "Conv1d(2, 4, 3)",
    "Conv2d(2, 4, (3, 2), 2, (1, 0), 2, 2, False)",
    "Conv2d(2, 4, 3, padding='same', padding_mode='reflect')",
    "Conv3d(2, 4, 3, stride=(1, 2, 3))",
    "ConvTranspose1d(2, 4, 3, 2, output_padding=1)",
    "ConvTranspose2d(2, 4, 3, groups=2, dilation=2, bias=False)",
    "ConvTranspose3d(2, 4, (1, 2, 3))",
    "Unfold((2, 3), padding=1)",
    "Fold((4, 5), 2, stride=(1, 2))",
    "Embedding(5, 3)",
    "Embedding(5, 3, padding_idx=-1, max_norm=1.0, norm_type=3.0, scale_grad_by_freq=True)",
    "EmbeddingBag(5, 3)",
    "EmbeddingBag(5, 3, max_norm=1.0, norm_type=3.0, mode='sum', sparse=True, padding_idx=-1)",
    "LSTM(3, 4)",
    "LSTM(3, 4, 2, False, True, 0.5, True, 2)",
    "GRU(3, 4, 2, bidirectional=True)",
    "RNN(3, 4)",
    "RNN(3, 4, nonlinearity='relu')",
    "LSTMCell(3, 4)",
    "GRUCell(3, 4, False)",
    "RNNCell(3, 4, nonlinearity='relu')",
    "MultiheadAttention(4, 2)",
    "MultiheadAttention(4, 2, bias=False, add_bias_kv=True, kdim=3, vdim=5)",
    "TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), 2, nn.LayerNorm(4))",
    "Transformer(4, 2, 1, 2, 8, batch_first=True)",
    "LayerNorm(4)",
    "LayerNorm([3, 4], eps=1e-3, bias=False)",
    "LayerNorm(4, elementwise_affine=False)",
    "Flatten()",
    "Unflatten(1, (2, 2))",
    "Dropout(0.2)",
    "Dropout1d(inplace=True)",
    "Dropout2d()",
    "Dropout3d()",
    "AlphaDropout()",
    "FeatureAlphaDropout()",
    "ReLU()",
    "ReLU(inplace=True)",
    "ReLU6()",
    "ReLU6(True)",
    "ELU()",
    "ELU(2.0, True)",
    "CELU(inplace=True)",
    "SELU(True)",
    "GELU()",
    "GELU('tanh')",
    "SiLU(True)",
    "Mish()",
    "Softplus()",
    "Softsign()",
    "Softmax(1)",
    "Softmax()",
    "Softmin(0)",
    "Softmax2d()",
    "LogSoftmax(-1)",
    "LogSigmoid()",
    "Sigmoid()",
    "Tanh()",
    "Hardtanh(-2, 2, True)",
    "Hardswish(True)",
    "Hardsigmoid(True)",
    "LeakyReLU(0.1, True)",
    "PReLU(3)",
    "GLU()",
    "Threshold(0.1, 20, True)",
    "MSELoss()",
    "CrossEntropyLoss(label_smoothing=0.1)",
    "Sequential(nn.Linear(2, 3), nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Tanh()]))",
    "ModuleDict({'a': nn.Sequential(nn.ReLU()), 'b': nn.Tanh()})",
    "ParameterList()",
    "ParameterDict()",
]


def make(library, text):
    return eval(f"nn.{text}", {"nn": library.nn})


@pytest.mark.parametrize("name", CLASSES)
def test_arguments_and_defaults(name):
    def arguments(cls):
        parameters = inspect.signature(cls.__init__).parameters.values()
        return [(p.name, p.kind, default_of(p)) for p in parameters]

    def default_of(p):  # functions by their names
        return p.default.__name__ if p.name == "activation" else p.default

    if name in ("ModuleDict", "ParameterDict", "ParameterList"):  # the names of the only argument
        assert len(arguments(getattr(nn, name))) == len(arguments(getattr(oracle.nn, name)))
    elif name in ("Parameter", "RNN", "LSTM", "GRU"):  # in torch *args and **kwargs
        pass
    elif name == "LazyModuleMixin":  # torch keeps it in nn.modules.lazy
        assert arguments(nn.LazyModuleMixin) == arguments(oracle.nn.modules.lazy.LazyModuleMixin)
    else:
        assert arguments(getattr(nn, name)) == arguments(getattr(oracle.nn, name))


@pytest.mark.parametrize("text", LAYERS)
def test_repr_and_state(text):
    mine, theirs = make(torch, text), make(oracle, text)
    assert repr(mine) == repr(theirs)
    shapes = [(name, tuple(value.shape)) for name, value in mine.state_dict().items()]
    assert shapes == [(name, tuple(value.shape)) for name, value in theirs.state_dict().items()]
    assert mine.state_dict()._metadata == theirs.state_dict()._metadata


@pytest.mark.parametrize(
    "name", [n for n in nn.init.__all__ if n.endswith("_") or n == "calculate_gain"]
)
def test_initialisers_have_the_arguments(name):
    mine = inspect.signature(getattr(nn.init, name)).parameters.values()
    theirs = inspect.signature(getattr(oracle.nn.init, name)).parameters.values()
    assert [(p.name, p.default) for p in mine] == [(p.name, p.default) for p in theirs]


@pytest.mark.parametrize(
    "name",
    [n for n in vars(nn.Module) if not n.startswith("_") and inspect.isfunction(vars(nn.Module)[n])]
    + ["to", "state_dict", "load_state_dict", "register_forward_hook", "register_forward_pre_hook"],
)
def test_methods_of_modules_have_the_arguments(name):
    def arguments(cls):
        parameters = inspect.signature(getattr(cls, name)).parameters.values()
        named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        return [(p.name, p.default) for p in named]

    assert arguments(nn.Module) == arguments(oracle.nn.Module)


def test_a_network_computes_the_same():
    text = "Sequential(nn.Linear(3, 5), nn.LayerNorm(5), nn.Tanh(), nn.Linear(5, 2))"
    mine, theirs = make(torch, text).double(), make(oracle, text).double()
    state = {
        name: torch.tensor(v.tolist(), dtype=torch.float64)
        for name, v in theirs.state_dict().items()
    }
    mine.load_state_dict(state)
    x = [[0.1, -0.2, 0.3], [1.0, 2.0, 3.0]]
    out = mine(torch.tensor(x, dtype=torch.float64))
    expected = theirs(oracle.tensor(x, dtype=oracle.float64))
    assert_close(out, expected.tolist())
    target = [1, 0]
    nn.CrossEntropyLoss()(out, torch.tensor(target)).backward()
    oracle.nn.CrossEntropyLoss()(expected, oracle.tensor(target)).backward()
    for p, q in zip(mine.parameters(), theirs.parameters()):
        assert_close(p.grad, q.grad.tolist())
