"""Random programs of registered operators, views and in-place writes: is every gradient right?

A program is a list of steps on a pool of small float64 tensors, drawn by hypothesis. Steps that do
not apply (shapes, domains) are dropped while the program is planned. The gradient of what it
computes is then compared with a central difference along a random direction.
"""

import math
import os

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import adjoint as torch
from adjoint import _core

pytestmark = pytest.mark.filterwarnings("ignore:Using a target size")

EXAMPLES = int(os.environ.get("ADJOINT_EXAMPLES", "150"))
ints = st.integers(0, 1 << 16)
SKIPPED = {"where", "rrelu", "nextafter", "copysign"}


def operators(arity):
    """The public elementwise operators of so many tensors."""
    names = set()
    for op in _core._registry():
        signature = op["signature"]
        inside = signature[signature.index("(") + 1 : signature.rindex(")")].split(", ")
        required = [p for p in inside if p != "*" and "=" not in p]
        tensors = [p for p in required if p.split(": ")[-1] in ("Tensor", "Operand")]
        public = "." not in op["name"] and ":" not in op["name"] and op["name"] not in SKIPPED
        if op["elementwise"] and public and len(required) == len(tensors) == arity:
            names.add(op["name"])
    return sorted(names)


UNARY, BINARY, TERNARY = operators(1), operators(2), operators(3)


def dim_of(x, k):
    return k % x.dim() if x.dim() else 0


# Each takes a tensor and a number from which it makes its choices.
VIEWS = [
    lambda x, k: x.transpose(dim_of(x, k), dim_of(x, k // 3)),
    lambda x, k: x.select(dim_of(x, k), k // 3 % x.size(dim_of(x, k))),
    lambda x, k: x.narrow(dim_of(x, k), k // 3 % x.size(dim_of(x, k)), 1),
    lambda x, k: x[..., :: 1 + k % 2],
    lambda x, k: x.unsqueeze(k % (x.dim() + 1)),
    lambda x, k: x.squeeze(),
    lambda x, k: x.view(-1),
    lambda x, k: x.expand(2, *x.shape),
    lambda x, k: x.diagonal(k % 2, 0, 1),
    lambda x, k: x.unbind(0)[k % x.size(0)],
    lambda x, k: x.split(1, dim_of(x, k))[-1],
    lambda x, k: x.unfold(0, 2, 1),
    lambda x, k: x.movedim(0, -1),
]
FUNCTIONS = [
    lambda x, k: x.sum(dim_of(x, k), keepdim=bool(k & 1)),
    lambda x, k: x.mean(),
    lambda x, k: x.prod(dim_of(x, k)),
    lambda x, k: x.logsumexp(dim_of(x, k)),
    lambda x, k: x.var(dim_of(x, k), correction=0),
    lambda x, k: x.amax(dim_of(x, k)),
    lambda x, k: x.norm(),
    lambda x, k: x.cumsum(dim_of(x, k)),
    lambda x, k: x.cumprod(dim_of(x, k)),
    lambda x, k: x.softmax(dim_of(x, k)),
    lambda x, k: x.log_softmax(dim_of(x, k)),
    lambda x, k: x.sort(dim_of(x, k)).values,
    lambda x, k: x.flip(dim_of(x, k)),
    lambda x, k: x.roll(k, dim_of(x, k)),
    lambda x, k: x.tril(k % 3 - 1),
    lambda x, k: x.repeat(2, *(1 for _ in x.shape)),
    lambda x, k: x.reshape(-1, 1),
    lambda x, k: x.contiguous().clone(),
    lambda x, k: torch.stack([x, x.sin()], dim_of(x, k)),
    lambda x, k: torch.nn.functional.layer_norm(x, x.shape[-1:]),
    lambda x, k: torch.nn.functional.pad(x, (1, k % 2), value=0.3),
    lambda x, k: x.index_select(dim_of(x, k), torch.tensor([0, 0, x.size(dim_of(x, k)) - 1])),
    lambda x, k: x[torch.tensor([0, -1, 0])],
    lambda x, k: x.gather(dim_of(x, k), torch.zeros(x.shape, dtype=torch.int64)),
    lambda x, k: x.masked_fill(x.detach() > 0.5, 0.1),
]
PAIRS = [
    torch.matmul,
    lambda x, y: torch.cat([x, y]),
    lambda x, y: torch.where(x.detach() > y.detach(), x * 2, y),
    lambda x, y: torch.einsum("i...,i...->...", x, y),
    lambda x, y: torch.nn.functional.linear(x, y),
    lambda x, y: torch.outer(x, y),
    lambda x, y: torch.nn.functional.mse_loss(x, y),
    lambda x, y: x.scatter_add(0, torch.zeros(y.shape, dtype=torch.int64), y),
    lambda x, y: x.index_add(0, torch.zeros(y.shape[0], dtype=torch.int64), y),
]
WRITES = [
    lambda x, y, k: x.copy_(y),
    lambda x, y, k: x.mul_(y),
    lambda x, y, k: x.add_(y, alpha=0.5),
    lambda x, y, k: x.sin_(),
    lambda x, y, k: x.zero_() if k % 5 == 0 else x.mul_(0.7),
    lambda x, y, k: x.__setitem__(k % x.size(0), y),
    lambda x, y, k: x.__setitem__((..., slice(None, None, 2)), y),
    lambda x, y, k: x.__setitem__(x.detach() > 0.4, 0.2 * y.sum()),
    lambda x, y, k: x.__setitem__(torch.tensor([0, -1][: x.size(0)]), y),
    lambda x, y, k: x.addcmul_(x, y),
    lambda x, y, k: x.clamp_(-0.8, 0.9),
    lambda x, y, k: x.index_add_(0, torch.tensor([0]), y[:1]),
    lambda x, y, k: x.masked_fill_(x.detach() < 0, 0.3),
]


def step(pool, what, i, j, k):
    """One step: what it makes joins the pool; a write changes a member, and all its views."""
    x, y, z = pool[i % len(pool)], pool[j % len(pool)], pool[(i + j) % len(pool)]
    kind = what % 8
    if kind == 0:
        return getattr(torch, UNARY[k % len(UNARY)])(x)
    if kind == 1:
        return getattr(torch, BINARY[k % len(BINARY)])(x, y)
    if kind == 2:
        return FUNCTIONS[k % len(FUNCTIONS)](x, k)
    if kind == 3:
        return PAIRS[k % len(PAIRS)](x, y)
    if kind in (4, 5):
        return VIEWS[k % len(VIEWS)](x, k // len(VIEWS))
    if kind == 6 and k % 4 == 0:
        return getattr(torch, TERNARY[k % len(TERNARY)])(x, y, z)
    WRITES[k % len(WRITES)](x, y, k)
    return None


def run(program, leaves, plan=None):
    """The sum of all that was made, weighted; `plan` collects the steps that apply."""
    pool = [x * 1.0 for x in leaves]
    for one in program:
        before = [x.clone() for x in pool] if plan is not None else ()
        try:
            made = step(pool, *one)
            fits = (
                made is None or (made.is_floating_point() and made.numel() <= 24 and made.dim() < 4)
            ) and all(bool(x.isfinite().all()) and float(x.abs().max()) < 20 for x in [*pool, made]
                      if x is not None and x.numel())  # fmt: skip
        except (RuntimeError, IndexError, ValueError, ZeroDivisionError, NotImplementedError):
            fits = False
            if plan is None:
                raise
        if plan is not None and not fits:
            # A write that led out of the domain is undone by starting again without it.
            return None if any(not torch.equal(a, b) for a, b in zip(before, pool)) else "skip"
        if made is not None:
            pool.append(made)
        if plan is not None:
            plan.append(one)
    total = torch.zeros((), dtype=torch.float64)
    for n, x in enumerate(pool):
        weights = torch.arange(x.numel(), dtype=torch.float64).add(n).cos().view(x.shape)
        total = total + (x * weights).sum()
    return total


def planned(program, leaves):
    """The steps of a program that can be run one after the other."""
    kept = []
    for one in program:
        with torch.no_grad():
            trial = []
            result = run([*kept, one], leaves, trial)
        if isinstance(result, torch.Tensor):
            kept = trial
    return kept


def difference(program, leaves, directions, size):
    def at(t):
        with torch.no_grad():
            moved = [x + t * v for x, v in zip(leaves, directions, strict=True)]
            return float(run(program, moved))

    return (at(size) - at(-size)) / (2 * size)


steps = st.lists(st.tuples(ints, ints, ints, ints), min_size=1, max_size=10)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(seed=ints, program=steps)
def test_gradients_of_random_programs(seed, program):
    generator = torch.Generator().manual_seed(seed)
    shapes = [(2, 3), (3,), (3, 3)]
    leaves, directions = (
        [torch.rand(s, dtype=torch.float64, generator=generator) * 0.8 + 0.1 for s in shapes]
        for _ in range(2)
    )
    program = planned(program, leaves)
    slope = difference(program, leaves, directions, 1e-6)
    # A kink within reach, or a result too steep, says nothing of the derivative.
    assume(math.isfinite(slope) and abs(slope) < 1e6)
    assume(abs(slope - difference(program, leaves, directions, 1e-5)) < 1e-5 * (1 + abs(slope)))

    for x in leaves:
        x.requires_grad_()
    try:
        total = run(program, leaves)
        grads = torch.autograd.grad(total, leaves, allow_unused=True, materialize_grads=True)
    except RuntimeError as error:
        # Programs may overwrite what a derivative reads: the error is the right answer.
        if "modified by an inplace operation" not in str(error):
            raise
        return
    found = sum(float((g * v).sum()) for g, v in zip(grads, directions, strict=True))
    # Central differences of step 1e-6 in float64: rounding 1e-10, times what the slope magnifies.
    assert found == pytest.approx(slope, rel=2e-5, abs=2e-5), program


def test_there_are_many_operators_to_draw_from():
    assert len(UNARY) > 30 and len(BINARY) > 5 and len(TERNARY) >= 2
