"""The same workloads in JAX, each step compiled: functions of no library but JAX itself.

A step is one call of a jitted function that is waited for; parameters and the optimizer's state go
in and come out, as JAX has it.
"""

import importlib
from collections.abc import Callable
from functools import partial

from benchmarks.harness import Step, Workload

COMPILED: dict[str, Callable[[], Step]] = {}
MILLIONS = 4 * 1024 * 1024


def compiled(make: Callable[[], Step]) -> Callable[[], Step]:
    """Register the step of the workload of this name."""
    COMPILED[make.__name__] = make
    return make


def make(work: Workload) -> Step | None:
    """The step of a workload, None if it is not among these."""
    return COMPILED[work.name]() if work.name in COMPILED else None


def load():
    """JAX with its numpy and nn; an ImportError where it is not installed."""
    jax = importlib.import_module("jax")
    return jax, jax.numpy, jax.nn


def normal(*shape):
    jax, _, _ = load()
    return jax.random.normal(jax.random.key(sum(shape)), shape)


def whole_numbers(high, *shape):
    jax, _, _ = load()
    return jax.random.randint(jax.random.key(sum(shape)), shape, 0, high)


def waited_for(function, *args):
    """A step that calls the jitted function of these arguments."""
    jax, _, _ = load()
    function = jax.jit(function)
    return lambda: jax.block_until_ready(function(*args))


def forward_and_backward(function, g, *args):
    jax, _, _ = load()

    def both(*args):
        y, pull = jax.vjp(function, *args)
        return y, pull(g)

    return waited_for(both, *args)


def training(loss, parameters, *batch, rule):
    """Steps of an optimizer: `rule(gradient, p, state)` gives what p and its state become."""
    jax, jnp, _ = load()
    leaves, tree = jax.tree.flatten(parameters)
    state = [(jnp.zeros_like(p), jnp.zeros_like(p), jnp.zeros(())) for p in leaves]

    @partial(jax.jit, donate_argnums=(0, 1))
    def update(leaves, state, *batch):
        gradients = jax.tree.leaves(
            jax.grad(lambda ps: loss(jax.tree.unflatten(tree, ps), *batch))(leaves)
        )
        results = [rule(g, p, s) for g, p, s in zip(gradients, leaves, state, strict=True)]
        return [p for p, _ in results], [s for _, s in results]

    current = [leaves, state]

    def step():
        current[:] = jax.block_until_ready(update(*current, *batch))

    return step


def adam_rule(g, p, state, decay=0.0):
    _, jnp, _ = load()
    m, v, t = state
    m, v, t = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g, t + 1
    change = (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return p - 1e-3 * (change + decay * p), (m, v, t)


def sgd_rule(g, p, state):
    m, v, t = state
    m = 0.9 * m + g
    return p - 1e-3 * m, (m, v, t)


def linear(n, m):
    return {"w": normal(n, m) / n**0.5, "b": 0 * normal(m)}


def apply(layer, x):
    return x @ layer["w"] + layer["b"]


def cross_entropy(scores, y):
    jax, jnp, nn = load()
    return -jnp.take_along_axis(nn.log_softmax(scores), y[:, None], 1).mean()


def norm(layer, x):
    jax, _, _ = load()
    x = x - x.mean(-1, keepdims=True)
    return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5) * layer["w"] + layer["b"]


def norm_of(n):
    _, jnp, _ = load()
    return {"w": jnp.ones(n), "b": jnp.zeros(n)}


def convolved(x, w, padding):
    jax, _, _ = load()
    return jax.lax.conv_general_dilated(x, w, (1, 1), padding)  # [N, C, H, W], [C', C, 3, 3]


@compiled
def add():
    _, jnp, _ = load()
    return waited_for(jnp.add, normal(4), normal(4))


@compiled
def one_layer():
    jax, jnp, nn = load()
    x, y = jnp.ones(5), jnp.zeros(3)

    def loss(w, b):
        scores = x @ w + b
        return jnp.mean(nn.softplus(scores) - y * scores)

    return waited_for(jax.value_and_grad(loss, (0, 1)), normal(5, 3), normal(3))


@compiled
def small_network():
    _, jnp, _ = load()
    layers = [linear(8, 64), linear(64, 64), linear(64, 2)]

    def loss(layers, x, y):
        for layer in layers[:-1]:
            x = jnp.tanh(apply(layer, x))
        return jnp.mean((apply(layers[-1], x) - y) ** 2)

    return training(loss, layers, normal(32, 8), normal(32, 2), rule=adam_rule)


@compiled
def adam():
    _, jnp, _ = load()
    parameters, gradients = ([normal(1000) for _ in range(200)] for _ in range(2))

    def loss(parameters, *gradients):
        return sum(jnp.vdot(p, g) for p, g in zip(parameters, gradients, strict=True))

    return training(loss, parameters, *gradients, rule=adam_rule)


@compiled
def tanh():
    return waited_for(load()[1].tanh, normal(MILLIONS))


@compiled
def exp():
    return waited_for(load()[1].exp, normal(MILLIONS))


@compiled
def chain():
    jax, jnp, _ = load()
    function = jax.value_and_grad(lambda x: jnp.sin(jnp.exp(jnp.tanh(x * 2 + 1))).sum())
    return waited_for(function, normal(MILLIONS))


@compiled
def matmul():
    _, jnp, _ = load()
    return waited_for(jnp.matmul, normal(1024, 1024), normal(1024, 1024))


@compiled
def layer_norm_gelu():
    _, _, nn = load()

    def function(x, layer):
        return nn.gelu(norm(layer, x), approximate=False)

    return forward_and_backward(function, normal(2048, 1024), normal(2048, 1024), norm_of(1024))


@compiled
def softmax():
    return forward_and_backward(load()[2].softmax, normal(2048, 1024), normal(2048, 1024))


for _name in ("sum", "amax", "var"):
    for _dim in (0, 1):

        def reduction(name=_name, dim=_dim):
            _, jnp, _ = load()
            return waited_for(lambda x: getattr(jnp, name)(x, dim), normal(2048, 2048))

        reduction.__name__ = f"{_name}_{_dim}"
        compiled(reduction)


@compiled
def transposed_copy():
    return waited_for(lambda x: x.T + 0, normal(2048, 2048))


@compiled
def gather_scatter():
    rows = whole_numbers(10_000, 10_000)
    return waited_for(
        lambda back, table: back.at[rows].add(table[rows]), normal(10_000, 64), normal(10_000, 64)
    )


@compiled
def mlp():
    _, _, nn = load()
    layers = [linear(784, 512), linear(512, 256), linear(256, 10)]

    def loss(layers, x, y):
        for layer in layers[:-1]:
            x = nn.relu(apply(layer, x))
        return cross_entropy(apply(layers[-1], x), y)

    return training(loss, layers, normal(128, 784), whole_numbers(10, 128), rule=adam_rule)


@compiled
def digits_cnn():
    jax, jnp, nn = load()
    network = {
        "conv1": {"w": normal(32, 1, 3, 3) / 3, "b": jnp.zeros((32, 1, 1))},
        "conv2": {"w": normal(64, 32, 3, 3) / 17, "b": jnp.zeros((64, 1, 1))},
        "hidden": linear(9216, 128),
        "head": linear(128, 10),
    }

    def loss(network, x, y):
        for name in ("conv1", "conv2"):
            x = nn.relu(convolved(x, network[name]["w"], "VALID") + network[name]["b"])
        x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
        x = nn.relu(apply(network["hidden"], x.reshape(len(x), -1)))
        return cross_entropy(apply(network["head"], x), y)

    return training(loss, network, normal(64, 1, 28, 28), whole_numbers(10, 64), rule=adam_rule)


@compiled
def residual_block():
    jax, jnp, nn = load()
    block = [{"conv": normal(64, 64, 3, 3) / 24, **norm_of((64, 1, 1))} for _ in range(2)]

    def layer(part, x):
        x = convolved(x, part["conv"], "SAME")
        x = x - x.mean((0, 2, 3), keepdims=True)
        scale = jax.lax.rsqrt((x * x).mean((0, 2, 3), keepdims=True) + 1e-5)
        return x * scale * part["w"] + part["b"]

    def loss(block, x, y):
        z = nn.relu(x + layer(block[1], nn.relu(layer(block[0], x))))
        return jnp.mean((z - y) ** 2)

    return training(loss, block, normal(16, 64, 16, 16), normal(16, 64, 16, 16), rule=sgd_rule)


@compiled
def lstm():
    jax, jnp, nn = load()
    network = {
        "embed": normal(100, 64),
        "input": linear(64, 512),
        "state": linear(128, 512),
        "head": linear(128, 100),
    }

    def loss(network, tokens, y):
        gates = apply(network["input"], network["embed"][tokens.T])  # [T, B, 4 H]

        def cell(carry, gate):
            h, c = carry
            i, f, g, o = jnp.split(gate + apply(network["state"], h), 4, 1)
            c = nn.sigmoid(f) * c + nn.sigmoid(i) * jnp.tanh(g)
            h = nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        zero = jnp.zeros((tokens.shape[0], 128))
        _, hidden = jax.lax.scan(cell, (zero, zero), gates)  # [T, B, H]
        scores = apply(network["head"], hidden.swapaxes(0, 1))
        return cross_entropy(scores.reshape(-1, 100), y)

    tokens, targets = whole_numbers(100, 32, 50), whole_numbers(100, 1600)
    return training(loss, network, tokens, targets, rule=adam_rule)


@compiled
def transformer():
    jax, jnp, nn = load()
    width, heads, context, vocabulary = 128, 4, 64, 65
    network = {
        "tokens": normal(vocabulary, width),
        "positions": normal(context, width),
        "norm": norm_of(width),
        "head": linear(width, vocabulary),
        "blocks": [
            {
                "norm1": norm_of(width), "norm2": norm_of(width),
                "qkv": linear(width, 3 * width), "out": linear(width, width),
                "up": linear(width, 4 * width), "down": linear(4 * width, width),
            }
            for _ in range(4)
        ],
    }  # fmt: skip

    def block(part, x):  # [B, T, C]
        batch, time, _ = x.shape
        q, k, v = (
            t.reshape(batch, time, heads, -1)
            for t in jnp.split(apply(part["qkv"], norm(part["norm1"], x)), 3, 2)
        )
        y = nn.dot_product_attention(q, k, v, is_causal=True).reshape(batch, time, width)
        x = x + apply(part["out"], y)
        hidden = nn.gelu(apply(part["up"], norm(part["norm2"], x)), approximate=False)
        return x + apply(part["down"], hidden)

    def loss(network, tokens, y):
        x = network["tokens"][tokens] + network["positions"]
        for part in network["blocks"]:
            x = block(part, x)
        scores = apply(network["head"], norm(network["norm"], x))
        return cross_entropy(scores.reshape(-1, vocabulary), y)

    tokens, targets = whole_numbers(65, 12, context), whole_numbers(65, 12 * context)
    return training(loss, network, tokens, targets, rule=partial(adam_rule, decay=0.01))


@compiled
def hessian_vector():
    jax, jnp, _ = load()
    network = [linear(16, 64), linear(64, 64), linear(64, 1)]
    vectors = jax.tree.map(lambda p: normal(*p.shape), network)
    x, y = normal(32, 16), normal(32, 1)

    def loss(network):
        h = jnp.tanh(apply(network[1], jnp.tanh(apply(network[0], x))))
        return jnp.mean((apply(network[2], h) - y) ** 2)

    return waited_for(
        lambda network, vectors: jax.jvp(jax.grad(loss), (network,), (vectors,))[1],
        network,
        vectors,
    )


@compiled
def hessian():
    jax, _, _ = load()

    def rosenbrock(x):
        return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()

    return waited_for(jax.hessian(rosenbrock), normal(100))


@compiled
def per_sample():
    jax, jnp, _ = load()

    def loss(network, x, y):
        hidden = jnp.tanh(apply(network[0], x))
        return cross_entropy(apply(network[1], hidden)[None], y[None])

    each = jax.vmap(jax.grad(loss), in_axes=(None, 0, 0))
    network = [linear(64, 128), linear(128, 10)]
    return waited_for(each, network, normal(64, 64), whole_numbers(10, 64))
