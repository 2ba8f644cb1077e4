"""Attention and transformer layers."""

import math

import pytest
from _backend import assert_close, assert_same, rand64, torch

pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor")  # of torch
nn, F = torch.nn, torch.nn.functional
attend = F.scaled_dot_product_attention


def by_definition(q, k, v, mask=None):
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return torch.softmax(scores, -1) @ v


def with_grads(f, *inputs):
    inputs = [x.detach().clone().requires_grad_() for x in inputs]
    out = f(*inputs)
    weight = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view(out.shape)
    return [out.detach(), *torch.autograd.grad((out * weight).sum(), inputs)]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("length", [1, 47, 130])
def test_attention_in_blocks(causal, length):
    q, k, v = (rand64(2, n, 8, grad=False) for n in (length, 150, 150))
    mask = torch.ones(length, 150, dtype=torch.bool).tril() if causal else None
    mine = with_grads(lambda *x: attend(*x, is_causal=causal), q, k, v)
    expected = with_grads(lambda *x: by_definition(*x, mask), q, k, v)
    for a, b in zip(mine, expected):
        assert_close(a, b, 1e-9)


def test_heads_behind_time_in_memory():
    q, k, v = (rand64(2, 5, 3, 4).detach().transpose(1, 2) for _ in range(3))
    mine = with_grads(attend, q, k, v)
    expected = with_grads(attend, *(x.contiguous() for x in (q, k, v)))
    for a, b in zip(mine, expected):
        assert_close(a, b)
    assert mine[0].transpose(1, 2).is_contiguous()


def test_queries_that_see_nothing_give_zeros():
    q = rand64(1, 3, 2)
    mask = torch.tensor([[True, False, True], [False] * 3, [True] * 3])
    out = attend(q, q, q, mask)
    assert_same(out[0, 1], [0.0, 0.0])
    (grad,) = torch.autograd.grad(out.sum(), q)
    assert torch.isfinite(grad).all()


def test_dropout_drops_weights_and_keeps_their_mean():
    q, v = torch.zeros(1, 64, 4), torch.ones(1, 200, 1)
    k = torch.zeros(1, 200, 4)
    out = attend(q, k, v, dropout_p=0.25)
    assert out.std() > 0.01
    assert abs(out.mean() - 1) < 0.05  # 12,800 weights: a deviation of 0.005
    torch.manual_seed(1)
    one = attend(q, k, v, dropout_p=0.25)
    torch.manual_seed(1)
    assert_same(attend(q, k, v, dropout_p=0.25), one)
    assert not torch.equal(attend(q, k, v, dropout_p=0.25), one)
    assert_same(attend(q, k, v, dropout_p=1.0), torch.zeros(1, 64, 1))


@pytest.mark.adjoint_only
def test_the_backward_of_dropout_draws_the_same_weights():
    x = rand64(2, 60, 3)

    def gradient(**options):
        torch.manual_seed(2)
        out = attend(x, x, x, dropout_p=0.5).pow(2).sum()
        return torch.autograd.grad(out, x, **options)[0]

    assert_close(gradient(), gradient(create_graph=True).detach())


def test_multihead_attention_is_attention_of_projections():
    layer = nn.MultiheadAttention(6, 2, dtype=torch.float64)
    x, y = rand64(4, 3, 6), rand64(5, 3, 6)
    out, weights = layer(x, y, y)
    w, b = layer.in_proj_weight.chunk(3), layer.in_proj_bias.chunk(3)
    heads = (
        F.linear(z, w[i], b[i]).unflatten(-1, (2, 3)).permute(1, 2, 0, 3)
        for i, z in enumerate((x, y, y))
    )
    expected = by_definition(*heads).permute(2, 0, 1, 3).flatten(2)
    assert_close(out, layer.out_proj(expected).detach())
    assert weights.shape == (3, 4, 5)
    assert_close(weights.sum(-1), torch.ones(3, 4))
    assert_close(layer(x, y, y, need_weights=False)[0], out.detach())
    assert layer(x, y, y, average_attn_weights=False)[1].shape == (3, 2, 4, 5)


def test_masks_say_the_same_in_all_forms():
    layer = nn.MultiheadAttention(6, 2, add_bias_kv=True, add_zero_attn=True, dtype=torch.float64)
    x = rand64(4, 3, 6)
    mask = torch.ones(4, 4, dtype=torch.bool).triu(1)
    out, _ = layer(x, x, x, attn_mask=mask)
    floats = nn.Transformer.generate_square_subsequent_mask(4, dtype=torch.float64)
    assert_close(layer(x, x, x, attn_mask=floats)[0], out.detach())
    for_each = mask.expand(6, 4, 4)
    assert_close(layer(x, x, x, attn_mask=for_each, need_weights=False)[0], out.detach())
    padding = torch.tensor([[False] * 4, [False] * 2 + [True] * 2, [False] * 4])
    padded, _ = layer(x, x, x, key_padding_mask=padding)
    assert_close(padded[:, 1], layer(x[:, 1], x[:2, 1], x[:2, 1])[0].detach())
    assert_close(padded[:, 0], layer(x[:, 0], x[:, 0], x[:, 0])[0].detach())


def test_multihead_attention_is_checked():
    x = torch.zeros(4, 3, 6)
    layer = nn.MultiheadAttention(6, 2)
    with pytest.raises(AssertionError, match="divisible"):
        nn.MultiheadAttention(6, 4)
    with pytest.raises(ValueError, match="greater than 0"):
        nn.MultiheadAttention(0, 1)
    with pytest.raises(AssertionError, match="expecting embedding dimension of 6"):
        layer(x[..., :4], x, x)
    with pytest.raises(AssertionError, match="`key` and `value` to be 3-D"):
        layer(x, x[0], x[0])
    with pytest.raises(RuntimeError, match="2D attn_mask"):
        layer(x, x, x, attn_mask=torch.zeros(4, 3))
    with pytest.raises(RuntimeError, match="is_causal hint"):
        layer(x, x, x, is_causal=True)


@pytest.mark.parametrize("norm_first", [False, True])
def test_an_encoder_layer(norm_first):
    layer = nn.TransformerEncoderLayer(
        6, 2, 8, activation="gelu", norm_first=norm_first, batch_first=True, dtype=torch.float64
    ).eval()
    x = rand64(3, 4, 6)

    def attention(x):
        return layer.self_attn(x, x, x, need_weights=False)[0]

    def network(x):
        return layer.linear2(F.gelu(layer.linear1(x)))

    if norm_first:
        expected = x + attention(layer.norm1(x))
        expected = expected + network(layer.norm2(expected))
    else:
        expected = layer.norm1(x + attention(x))
        expected = layer.norm2(expected + network(expected))
    assert_close(layer(x), expected.detach())


def test_a_causal_decoder_does_not_look_ahead():
    model = nn.Transformer(8, 2, 1, 2, 16, dtype=torch.float64).eval()
    source, target = rand64(5, 2, 8), rand64(4, 2, 8)
    mask = model.generate_square_subsequent_mask(4, dtype=torch.float64)
    out = model(source, target, tgt_mask=mask)
    (grad,) = torch.autograd.grad(out[1, :, 0].sum(), target)
    assert (grad[:2] != 0).all()
    assert_same(grad[2:], torch.zeros(2, 2, 8, dtype=torch.float64))
    hinted = model(source, target, tgt_mask=mask, tgt_is_causal=True)
    assert_close(hinted, out.detach())
    assert_close(model(source, target[:2], tgt_mask=mask[:2, :2]), out[:2].detach())


def test_transformers_are_checked():
    model = nn.Transformer(8, 2, 1, 1, 16)
    with pytest.raises(RuntimeError, match="batch number"):
        model(torch.zeros(5, 2, 8), torch.zeros(4, 3, 8))
    with pytest.raises(RuntimeError, match="feature number"):
        model(torch.zeros(5, 2, 8), torch.zeros(4, 2, 6))
    with pytest.raises(RuntimeError, match="activation should be relu/gelu"):
        nn.TransformerEncoderLayer(8, 2, activation="sin")


def test_the_layers_of_a_stack_are_copies():
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 1, 8), 2, nn.LayerNorm(4))
    first, second = encoder.layers
    assert first.linear1.weight is not second.linear1.weight
    assert_same(first.linear1.weight, second.linear1.weight)


def test_a_small_transformer_learns_to_shift():
    torch.manual_seed(0)
    embed, head = nn.Embedding(8, 16), nn.Linear(16, 8)
    layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
    parameters = [p for m in (embed, head, layer) for p in m.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=1e-2)
    tokens = torch.randint(0, 8, (16, 6))
    mask = nn.Transformer.generate_square_subsequent_mask(6)
    for _ in range(60):
        scores = head(layer(embed(tokens), src_mask=mask, is_causal=True))
        loss = F.cross_entropy(scores.flatten(0, 1), tokens.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1
