"""Small tensors, where the cost of an operation is its overhead."""

from benchmarks.harness import workload


@workload(goal=1 / 4)
def add(torch):
    """a + b on 4 floats"""
    a, b = torch.randn(4), torch.randn(4)
    return lambda: a + b


@workload(goal=1 / 4)
def add_recording(torch):
    """a + b on 4 floats, recording"""
    a, b = torch.randn(4, requires_grad=True), torch.randn(4)
    return lambda: a + b


@workload(goal=1 / 8)
def scalar_graph(torch):
    """200 scalar operations and their backward"""
    x = torch.tensor(1.0, requires_grad=True)

    def step():
        y = x
        for _ in range(100):
            y = y * 1.01 + 0.1
        y.backward()

    return step


@workload(goal=1 / 4)
def one_layer(torch):
    """One layer, binary cross-entropy, forward and backward"""
    x, y = torch.ones(5), torch.zeros(3)
    w = torch.randn(5, 3, requires_grad=True)
    b = torch.randn(3, requires_grad=True)
    loss_of = torch.nn.functional.binary_cross_entropy_with_logits

    def step():
        loss_of(torch.matmul(x, w) + b, y).backward()

    return step


@workload(goal=1 / 4)
def small_network(torch):
    """8-64-64-2 tanh network, batch 32, a step of Adam"""
    nn = torch.nn
    network = nn.Sequential(
        nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 2)
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    x, y = torch.randn(32, 8), torch.randn(32, 2)

    def step():
        optimizer.zero_grad()
        nn.functional.mse_loss(network(x), y).backward()
        optimizer.step()

    return step


@workload(goal=1 / 20)
def adam(torch):
    """A step of Adam over 200 tensors of 1,000 floats"""
    parameters = [torch.nn.Parameter(torch.randn(1000)) for _ in range(200)]
    for p in parameters:
        p.grad = torch.randn(1000)
    optimizer = torch.optim.Adam(parameters, lr=1e-3)
    return optimizer.step
