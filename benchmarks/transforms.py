"""Derivatives of derivatives, and derivatives of each sample."""

from benchmarks.harness import workload


@workload(goal=1 / 3)
def hessian_vector(torch):
    """Hessian-vector product of a 16-64-64-1 network"""
    nn = torch.nn
    network = nn.Sequential(
        nn.Linear(16, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1)
    )
    parameters = list(network.parameters())
    vectors = [torch.randn_like(p) for p in parameters]
    x, y = torch.randn(32, 16), torch.randn(32, 1)

    def step():
        loss = nn.functional.mse_loss(network(x), y)
        gradients = torch.autograd.grad(loss, parameters, create_graph=True)
        return torch.autograd.grad(gradients, parameters, vectors)

    return step


@workload(goal=1 / 5)
def hessian(torch):
    """Hessian of the 100-dimensional Rosenbrock function"""

    def rosenbrock(x):
        return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()

    x = torch.randn(100)
    hessian_of = torch.func.hessian(rosenbrock)
    return lambda: hessian_of(x)


@workload(goal=1 / 2)
def per_sample(torch):
    """Gradients of each of 64 samples, 64-128-10 network, vmap(grad)"""
    nn = torch.nn
    network = nn.Sequential(nn.Linear(64, 128), nn.Tanh(), nn.Linear(128, 10))
    parameters = {name: p.detach() for name, p in network.named_parameters()}

    def loss(parameters, x, y):
        scores = torch.func.functional_call(network, parameters, (x.unsqueeze(0),))
        return nn.functional.cross_entropy(scores, y.unsqueeze(0))

    each = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))
    x, y = torch.randn(64, 64), torch.randint(0, 10, (64,))
    return lambda: each(parameters, x, y)
