"""Recurrent layers and packed sequences."""

import pytest
from _backend import assert_close, assert_same, check_gradient, rand64, torch

nn, rnn = torch.nn, torch.nn.utils.rnn
LAYERS = (nn.LSTM, nn.GRU, nn.RNN)
CELLS = {nn.LSTM: nn.LSTMCell, nn.GRU: nn.GRUCell, nn.RNN: nn.RNNCell}


def first(hx):
    return hx[0] if isinstance(hx, tuple) else hx


def by_cells(layer, x, start=0, reverse=False):
    """One direction of the first layer, one cell per step: outputs [T, B, n] and the last h."""
    suffix = "_reverse" if reverse else ""
    cell = CELLS[type(layer)](layer.input_size, layer.hidden_size, dtype=x.dtype)
    for name, value in cell.named_parameters():
        value.data = getattr(layer, f"{name}_l0{suffix}").data
    state, out = None, []
    for step in reversed(x) if reverse else x:
        state = cell(step, state)
        out.append(first(state))
    return torch.stack(out[::-1] if reverse else out), first(state)


@pytest.mark.parametrize("Layer", LAYERS)
def test_a_layer_is_its_cell_step_by_step(Layer):
    layer = Layer(3, 4, bidirectional=True, dtype=torch.float64)
    x = rand64(5, 2, 3)
    out, hx = layer(x)
    forward, last = by_cells(layer, x)
    backward, last_reverse = by_cells(layer, x, reverse=True)
    assert_close(out, torch.cat([forward, backward], 2).detach())
    assert_close(first(hx), torch.stack([last, last_reverse]).detach())


@pytest.mark.parametrize("Layer", LAYERS)
def test_gradients(Layer):
    layer = Layer(2, 2, 2, bidirectional=True, dtype=torch.float64)
    names = [n for n, _ in layer.named_parameters()]

    def f(x, *parameters):
        state = dict(zip(names, parameters))
        out, hx = torch.func.functional_call(layer, state, (x,))
        return torch.cat([out.flatten(), first(hx).flatten()])

    check_gradient(f, rand64(3, 2, 2), *layer.parameters())


@pytest.mark.parametrize("Layer", LAYERS)
def test_the_batch_first(Layer):
    layer = Layer(3, 4, 2)
    flipped = Layer(3, 4, 2, batch_first=True)
    flipped.load_state_dict(layer.state_dict())
    x = torch.randn(5, 2, 3)
    out, hx = layer(x)
    other, other_hx = flipped(x.transpose(0, 1))
    assert_same(other.transpose(0, 1), out)
    assert_same(first(other_hx), first(hx))


@pytest.mark.parametrize("Layer", LAYERS)
def test_one_sequence_needs_no_batch(Layer):
    layer = Layer(3, 4)
    x = torch.randn(5, 3)
    out, hx = layer(x)
    batched, batched_hx = layer(x.unsqueeze(1))
    assert_close(out, batched.squeeze(1), 1e-6, 1e-7)
    assert first(hx).shape == (1, 4)
    assert_close(first(hx), first(batched_hx).squeeze(1), 1e-6, 1e-7)


@pytest.mark.parametrize("Layer", LAYERS)
def test_a_packed_batch_is_each_sequence_alone(Layer):
    layer = Layer(3, 4, 2, bidirectional=True, dtype=torch.float64)
    sequences = [rand64(n, 3) for n in (2, 4, 1)]
    packed = rnn.pack_sequence(sequences, enforce_sorted=False)
    out, hx = layer(packed)
    assert isinstance(out, rnn.PackedSequence)
    alone = [layer(x) for x in sequences]
    for mine, (expected, _) in zip(rnn.unpack_sequence(out), alone):
        assert_close(mine, expected.detach())
    assert_close(first(hx), torch.stack([first(h) for _, h in alone], 1).detach())
    out.data.sum().backward()
    grads = [x.grad.clone() for x in sequences]
    for x, grad in zip(sequences, grads):
        (expected,) = torch.autograd.grad(layer(x)[0].sum(), x)
        assert_close(grad, expected)


def test_a_state_goes_on_where_it_stopped():
    layer = nn.LSTM(3, 4, 2, dtype=torch.float64)
    x = rand64(6, 2, 3)
    whole, _ = layer(x)
    start, hx = layer(x[:2])
    rest, _ = layer(x[2:], hx)
    assert_close(torch.cat([start, rest]), whole.detach())


@pytest.mark.filterwarnings("ignore:LSTM with projections")  # of torch
def test_projections_are_narrower():
    out, (h, c) = nn.LSTM(3, 5, 2, proj_size=2, bidirectional=True)(torch.zeros(4, 1, 3))
    assert out.shape == (4, 1, 4)
    assert h.shape == (4, 1, 2)
    assert c.shape == (4, 1, 5)


def test_dropout_is_between_layers_in_training():
    layer = nn.GRU(3, 4, 2, dropout=0.5)
    x = torch.randn(5, 2, 3)
    assert not torch.equal(layer(x)[0], layer(x)[0])
    layer.eval()
    assert_same(layer(x)[0], layer(x)[0])
    everything = nn.GRU(3, 4, 2, dropout=1.0)  # the second layer sees zeros
    assert_same(everything(x)[0][:, 0], everything(x)[0][:, 1])


@pytest.mark.adjoint_only
def test_vmap_is_a_loop():
    layer = nn.LSTM(3, 4, dtype=torch.float64)
    x = rand64(5, 6, 2, 3, grad=False)
    out = torch.vmap(lambda x: layer(x)[0])(x)
    assert_close(out, torch.stack([layer(each)[0] for each in x]).detach())


def test_states_are_checked():
    layer, x = nn.LSTM(3, 4, 2), torch.zeros(5, 2, 3)
    good = torch.zeros(2, 2, 4)
    expected = r"input.size\(-1\) must be equal to input_size. Expected 3, got 4"
    with pytest.raises(RuntimeError, match=expected):
        layer(torch.zeros(5, 2, 4))
    with pytest.raises(
        RuntimeError, match=r"Expected hidden\[0\] size \(2, 2, 4\), got \[2, 3, 4\]"
    ):
        layer(x, (torch.zeros(2, 3, 4), good))
    with pytest.raises(
        RuntimeError, match=r"Expected hidden\[1\] size \(2, 2, 4\), got \[2, 2, 5\]"
    ):
        layer(x, (good, torch.zeros(2, 2, 5)))
    with pytest.raises(RuntimeError, match="hx and cx should also be 3-D"):
        layer(x, (good[0], good[0]))
    with pytest.raises(RuntimeError, match="hx should also be 2-D but got 3-D"):
        nn.GRU(3, 4)(x[0], good)
    with pytest.raises(RuntimeError, match=r"Expected hidden size \(1, 2, 4\), got \[1, 3, 4\]"):
        nn.RNN(3, 4)(x, torch.zeros(1, 3, 4))
    with pytest.raises(ValueError, match="Expected input to be 2D or 3D, got 1D"):
        layer(x[0, 0])
    with pytest.raises(ValueError, match="does not match weight dtype"):
        layer(x.double())


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="Unknown nonlinearity 'sin'"):
        nn.RNN(3, 4, nonlinearity="sin")
    with pytest.raises(ValueError, match=r"range \[0, 1\]"):
        nn.LSTM(3, 4, dropout=2)
    with pytest.warns(UserWarning, match="num_layers greater than 1"):
        nn.LSTM(3, 4, dropout=0.5)
    with pytest.raises(ValueError, match="proj_size has to be smaller"):
        nn.LSTM(3, 4, proj_size=4)
    with pytest.raises(ValueError, match="hidden_size must be greater"):
        nn.GRU(3, 0)
    with pytest.raises(ValueError, match="num_layers must be greater"):
        nn.GRU(3, 4, 0)
    with pytest.raises(TypeError, match="input_size should be of type int"):
        nn.GRU(3.0, 4)


def test_cells_are_checked():
    cell = nn.LSTMCell(3, 4)
    with pytest.raises(RuntimeError, match="inconsistent input_size: got 4 expected 3"):
        cell(torch.zeros(2, 4))
    with pytest.raises(RuntimeError, match="Input batch size 2 doesn't match hidden0 batch size 3"):
        cell(torch.zeros(2, 3), (torch.zeros(3, 4), torch.zeros(3, 4)))
    with pytest.raises(ValueError, match="Expected input to be 1D or 2D, got 3D"):
        cell(torch.zeros(2, 2, 3))
    h, c = cell(torch.zeros(3))
    assert h.shape == c.shape == (4,)


def test_packing():
    padded = torch.tensor([[1, 2, 3], [4, 5, 0], [6, 0, 0]])
    packed = rnn.pack_padded_sequence(padded, [3, 2, 1], batch_first=True)
    assert_same(packed.data, [1, 4, 6, 2, 5, 3])
    assert_same(packed.batch_sizes, [3, 2, 1])
    assert packed.sorted_indices is None
    back, lengths = rnn.pad_packed_sequence(packed, batch_first=True)
    assert_same(back, padded)
    assert_same(lengths, [3, 2, 1])
    longer, _ = rnn.pad_packed_sequence(packed, padding_value=-1, total_length=4)
    assert longer.shape == (4, 3)
    assert_same(longer[3], [-1, -1, -1])


def test_packing_sorts_and_sorts_back():
    sequences = [torch.arange(n) + 10 * n for n in (2, 4, 1)]
    packed = rnn.pack_sequence(sequences, enforce_sorted=False)
    assert_same(packed.sorted_indices, [1, 0, 2])
    assert_same(packed.unsorted_indices, [1, 0, 2])
    for mine, x in zip(rnn.unpack_sequence(packed), sequences):
        assert_same(mine, x)
    padded = rnn.pad_sequence(sequences, padding_side="left", padding_value=-1)
    assert_same(padded[:, 0], [-1, -1, 20, 21])
    unpadded = rnn.unpad_sequence(rnn.pad_sequence(sequences), torch.tensor([2, 4, 1]))
    assert_same(unpadded[1], sequences[1])


def test_gradients_pass_through_packing():
    x = rand64(3, 2, 2)

    def f(x):
        packed = rnn.pack_padded_sequence(x, [2, 3], enforce_sorted=False)
        return rnn.pad_packed_sequence(packed)[0]

    check_gradient(f, x)
    f(x).sum().backward()
    assert_same(x.grad[2, 0], [0.0, 0.0])  # padding


def test_packing_is_checked():
    padded = torch.ones(4, 2, 3)
    with pytest.raises(RuntimeError, match="sorted in decreasing order"):
        rnn.pack_padded_sequence(padded, [2, 3])
    with pytest.raises(RuntimeError, match="has to be greater than 0"):
        rnn.pack_padded_sequence(padded, [2, 0])
    with pytest.raises(RuntimeError, match="equal to batch_size, but got 3"):
        rnn.pack_padded_sequence(padded, [3, 2, 1])
    with pytest.raises(ValueError, match="got total_length=3 and max sequence length being 4"):
        rnn.pad_packed_sequence(rnn.pack_padded_sequence(padded, [4, 1]), total_length=3)
    with pytest.raises(RuntimeError, match="left or right"):
        rnn.pad_sequence([padded], padding_side="top")


def test_a_packed_sequence_changes_dtype():
    packed = rnn.pack_sequence([torch.ones(2), torch.ones(1)])
    assert packed.double().data.dtype == torch.float64
    assert packed.to(torch.float32) is packed
    assert not packed.is_cuda
    assert_same(packed.long().batch_sizes, packed.batch_sizes)


def test_bags_rescale_the_rows_they_use():
    bags = nn.EmbeddingBag(3, 2, max_norm=1.0, mode="sum")
    with torch.no_grad():
        bags.weight.copy_(torch.tensor([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]]))
    out = bags(torch.tensor([[0, 1]]))
    assert_close(out, [[0.9, 1.2]], 1e-6)
    assert_close(bags.weight, [[0.6, 0.8], [0.3, 0.4], [6.0, 8.0]], 1e-6)
