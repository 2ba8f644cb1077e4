"""Large tensors: loops over elements, reductions, copies and matrix products."""

from benchmarks.harness import workload

MILLIONS = 4 * 1024 * 1024


@workload(goal=1 / 2)
def tanh(torch):
    """tanh of 4M floats"""
    x = torch.randn(MILLIONS)
    return lambda: torch.tanh(x)


@workload(goal=1 / 2)
def exp(torch):
    """exp of 4M floats"""
    x = torch.randn(MILLIONS)
    return lambda: torch.exp(x)


@workload(goal=1 / 2.5)
def chain(torch):
    """(x*2+1).tanh().exp().sin().sum() of 4M floats, backward too"""
    x = torch.randn(MILLIONS, requires_grad=True)

    def step():
        x.grad = None
        (x * 2 + 1).tanh().exp().sin().sum().backward()

    return step


@workload(goal=1 / 1.5)
def matmul(torch):
    """1024 x 1024 by 1024 x 1024"""
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    return lambda: a @ b


@workload(goal=1 / 1.3)
def layer_norm_gelu(torch):
    """layer_norm, then gelu, 2048 x 1024, forward and backward"""
    F = torch.nn.functional
    x = torch.randn(2048, 1024, requires_grad=True)
    weight = torch.ones(1024, requires_grad=True)
    bias = torch.zeros(1024, requires_grad=True)
    g = torch.randn(2048, 1024)

    def step():
        x.grad = weight.grad = bias.grad = None
        F.gelu(F.layer_norm(x, (1024,), weight, bias)).backward(g)

    return step


@workload(goal=1 / 1.2)
def softmax(torch):
    """softmax, 2048 x 1024, forward and backward"""
    x = torch.randn(2048, 1024, requires_grad=True)
    g = torch.randn(2048, 1024)

    def step():
        x.grad = None
        torch.softmax(x, 1).backward(g)

    return step


def reduction(title, reduce):
    """Register one row for each axis of a 2048 x 2048 tensor."""
    for dim in (0, 1):

        def make(torch, dim=dim):
            x = torch.randn(2048, 2048)
            return lambda: reduce(torch, x, dim)

        make.__name__ = f"{title}_{dim}"
        make.__doc__ = f"{title} of 2048 x 2048 over dim {dim}"
        workload(goal=1 / 1.5)(make)


reduction("sum", lambda torch, x, dim: torch.sum(x, dim))
reduction("amax", lambda torch, x, dim: torch.amax(x, dim))
reduction("var", lambda torch, x, dim: torch.var(x, dim))


@workload(goal=1 / 1.2)
def transposed_copy(torch):
    """A contiguous copy of a transposed 2048 x 2048"""
    x = torch.randn(2048, 2048).t()
    return lambda: x.contiguous()


@workload(goal=1 / 1.5)
def gather_scatter(torch):
    """10,000 rows gathered from 10,000 x 64 and scattered back"""
    table = torch.randn(10_000, 64)
    rows = torch.randint(0, 10_000, (10_000,))
    back = torch.zeros(10_000, 64)
    return lambda: back.index_add_(0, rows, table.index_select(0, rows))
