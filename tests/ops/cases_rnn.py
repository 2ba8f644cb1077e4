"""Recurrent layers and cells."""

import numpy as np

import adjoint
from ops.case import S, case

ones, tensor = adjoint.ones, adjoint.tensor


def squash(x):
    return 1 / (1 + np.exp(-x))


def linear(x, w, b=None):
    return x @ w.T + (0 if b is None else b)


def lstm_step(x, own, state):
    i, f, g, o = np.split(x + own, 4, 1)
    gates = np.concatenate([squash(i), squash(f), np.tanh(g), squash(o)], 1)
    c = squash(f) * state[1] + squash(i) * np.tanh(g)
    return (squash(o) * np.tanh(c), c), gates


def gru_step(x, own, state):
    (xr, xz, xn), (hr, hz, hn) = np.split(x, 3, 1), np.split(own, 3, 1)
    r, z = squash(xr + hr), squash(xz + hz)
    n = np.tanh(xn + r * hn)
    return ((1 - z) * n + z * state[0],), np.concatenate([r, z, n, hn], 1)


def plain_step(f):
    return lambda x, own, state: ((f(x + own),), None)


def relu(x):
    return np.maximum(x, 0)


def run(step, x, states, w, bias, sizes, reverse):
    """h and what a step keeps, of all steps; the last states, and c of all steps."""
    states = [s.copy() for s in states]
    ends = np.cumsum(sizes)
    rows = [None] * len(sizes)
    for t in range(len(sizes))[:: -1 if reverse else 1]:
        b = sizes[t]
        before = [s[:b] for s in states]
        after, kept = step(x[ends[t] - b : ends[t]], linear(before[0], w, bias), before)
        rows[t] = (*after, kept)
        for s, new in zip(states, after):
            s[:b] = new
    h, *c, kept = zip(*rows)
    return np.concatenate(h), states, kept, c


def lstm_layer(x, h, c, w, sizes, reverse):
    out, last, gates, (cells,) = run(lstm_step, x, (h, c), w, None, sizes, reverse)
    return out, *last, np.concatenate(gates), np.concatenate(cells)


def gru_layer(x, h, w, b, sizes, reverse):
    out, last, gates, _ = run(gru_step, x, (h,), w, b, sizes, reverse)
    return out, *last, np.concatenate(gates)


def plain_layer(f):
    def layer(x, h, w, sizes, reverse):
        out, last, _, _ = run(plain_step(f), x, (h,), w, None, sizes, reverse)
        return out, *last

    return layer


def layers(r, gates, states, bias=()):
    """Two hidden units; a whole batch, one that gets smaller, and both from the end."""
    calls = []
    for sizes in ([3, 3], [3, 2, 1]):
        for reverse in (False, True):
            start = [r.normal(3, 2) for _ in range(states)]
            extra = [r.normal(3 * 2) for _ in bias]
            x, w = r.normal(sum(sizes), gates * 2), r.normal(gates * 2, 2)
            calls.append(S(x, *start, w, *extra, sizes, reverse))
    if bias:
        calls.append(S(r.normal(4, 6), r.normal(2, 2), r.normal(6, 2), None, [2, 2], False))
    return calls


def kept_apart(r):
    """Inputs of relu: its argument stays off the kink."""
    w = tensor([[0.5, -0.3], [0.2, 0.1]], dtype=adjoint.float64)
    x = tensor([[2.0, -2.0], [-3.0, 2.0], [2.0, 3.0], [-4.0, 2.0]], dtype=adjoint.float64)
    return [S(x, r.uniform(0, 1, 2, 2), w, [2, 2], reverse) for reverse in (False, True)]


case("_nodes.lstm_layer", lambda r: layers(r, 4, 2), reference=lstm_layer, torch_name=None)
case("_nodes.gru_layer", lambda r: layers(r, 3, 1, (1,)), reference=gru_layer, torch_name=None)
case(
    "_nodes.rnn_tanh_layer",
    lambda r: layers(r, 1, 1),
    reference=plain_layer(np.tanh),
    torch_name=None,
)
case("_nodes.rnn_relu_layer", kept_apart, reference=plain_layer(relu), torch_name=None)


def parameters(r, gates, layers=1, directions=1, bias=True, projection=0):
    def small(*shape):  # of derivatives that do not explode over the steps
        return r.uniform(-0.7, 0.7, *shape)

    found, out = [], projection or 2
    for layer in range(layers):
        for _ in range(directions):
            columns = 3 if layer == 0 else out * directions
            found += [small(gates * 2, columns), small(gates * 2, out)]
            found += [small(gates * 2), small(gates * 2)] if bias else []
            found += [small(projection, 2)] if projection else []
    return found


# (input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first)
def inputs(r, gates, state):
    plain = (True, 1, 0.0, False, False, False)
    deep = (False, 2, 0.0, False, True, True)
    return [
        S(r.normal(3, 2, 3), state(r, 1, 2), parameters(r, gates), *plain),
        S(r.normal(2, 3, 3), state(r, 4, 2), parameters(r, gates, 2, 2, False), *deep),
    ]


def packed(r, gates, state):
    sizes, rest = tensor([2, 2, 1]), (True, 1, 0.0, False, True)
    return [S(r.normal(5, 3), sizes, state(r, 2, 2), parameters(r, gates, 1, 2), *rest)]


def two(r, *shape):
    return [r.normal(*shape, 2), r.normal(*shape, 2)]


def one(r, *shape):
    return r.normal(*shape, 2)


x, h = ones(3, 2, 3), ones(1, 2, 2)
weights = [ones(2, 3), ones(2, 2), ones(2), ones(2)]
rest = (True, 1, 0.0, False, False, False)
bad = [
    (S(x, h, weights[:3], *rest), RuntimeError),
    (S(x[0], h, weights, *rest), RuntimeError),
    (S(x, h[0], weights, *rest), RuntimeError),
    (S(x[:0], h, weights, *rest), RuntimeError),
    (S(ones(3, 2, 4), h, weights, *rest), RuntimeError),
]
case(
    "lstm:input",
    lambda r: [
        *inputs(r, 4, two),
        S(r.normal(3, 2, 3), [r.normal(1, 2, 1), r.normal(1, 2, 2)],
          parameters(r, 4, projection=1), *rest),
    ],
    bad=[(S(x, [h], weights, *rest), RuntimeError)],
)  # fmt: skip
case("lstm:data", lambda r: packed(r, 4, two))
case("gru:input", lambda r: inputs(r, 3, one))
case("gru:data", lambda r: packed(r, 3, one))
case("rnn_tanh:input", lambda r: inputs(r, 1, one), bad=bad)
case("rnn_tanh:data", lambda r: packed(r, 1, one))
case("rnn_relu:input", lambda r: inputs(r, 1, one))
case("rnn_relu:data", lambda r: packed(r, 1, one))


def cells(r, gates, state):
    both = parameters(r, gates)
    return [S(r.normal(4, 3), state(r, 4), *both), S(r.normal(1, 3), state(r, 1), *both[:2])]


case(
    "lstm_cell",
    lambda r: cells(r, 4, two),
    reference=lambda x, hx, w, u, b=None, c=None: lstm_step(
        linear(x, w, b), linear(hx[0], u, c), hx
    )[0],
)
case(
    "gru_cell",
    lambda r: cells(r, 3, one),
    reference=lambda x, h, w, u, b=None, c=None: gru_step(linear(x, w, b), linear(h, u, c), (h,))[
        0
    ],
)
for _name, _f in (("tanh", np.tanh), ("relu", relu)):
    case(
        f"rnn_{_name}_cell",
        lambda r: cells(r, 1, one),
        reference=lambda x, h, w, u, b=None, c=None, f=_f: f(linear(x, w, b) + linear(h, u, c)),
        bad=[
            (S(ones(2, 4), ones(2, 2), ones(2, 3), ones(2, 2)), RuntimeError),
            (S(ones(2, 3), ones(3, 2), ones(2, 3), ones(2, 2)), RuntimeError),
            (S(ones(2, 3), ones(2, 4), ones(2, 3), ones(2, 2)), RuntimeError),
            (S(ones(2, 2, 3), ones(2, 2), ones(2, 3), ones(2, 2)), RuntimeError),
        ],
    )
