"""float16 and bfloat16: every operator that takes floats takes them, and computes in float32."""

import numpy as np
import pytest
from _backend import NAME

if NAME != "adjoint":
    pytest.skip("the operators of adjoint's own registry", allow_module_level=True)

from ops import matrix
from ops.collect import cases, differentiable, kind
from ops.matrix import array, outputs, tensors_in

import adjoint

# Random numbers differ from dtype to dtype; complex numbers have no halves, nor has LAPACK.
EXCEPTIONS = ("random", "complex", "fft", "linalg", "attention", "rnn", "embedding")
OTHER = {
    "to_dtype", "nextafter", "frexp:tensor", "ldexp", "signbit", "float_power", "addcdiv",
    "quantile", "nanquantile", "quantile:number", "nanquantile:number", "view:dtype",
    "_nodes.nan_to_num",
    "nan_to_num", "igamma", "igammac",
}  # fmt: skip


def applies(case):
    if case.family.startswith(EXCEPTIONS) or case.name in OTHER or kind(case) in ("factory",):
        return False
    return any(x.dtype == adjoint.float64 for call in case.draw() for x in tensors_in(call))


def converted(call, dtype):
    return matrix.map_tensors(call, lambda x: x.to(dtype) if x.dtype == adjoint.float64 else x)


@pytest.mark.parametrize("dtype", [adjoint.float16, adjoint.bfloat16])
@cases(applies)
def test_results_are_those_of_float32_rounded_once(case, dtype):
    for call in case.draw()[:2]:
        low = converted(call, dtype)
        wide = matrix.map_tensors(low, lambda x: x.float() if x.dtype == dtype else x)
        for y, e in zip(outputs(matrix.run(case, low)), outputs(matrix.run(case, wide))):
            if e.dtype != adjoint.float32:
                assert y.dtype == e.dtype
                continue
            assert y.dtype in (dtype, adjoint.float32)
            tolerance = 4e-3 if dtype == adjoint.float16 else 2e-2
            np.testing.assert_allclose(array(y.float()), array(e), rtol=tolerance, atol=tolerance)


@cases(lambda c: applies(c) and differentiable(c))
def test_gradients_have_the_dtype_of_their_operands(case):
    call = converted(case.draw()[0], adjoint.bfloat16)
    xs = [x for x in tensors_in(call) if x.dtype == adjoint.bfloat16]
    for x in xs:
        x.requires_grad_()
    ys = [y for y in outputs(matrix.run(case, call)) if y.requires_grad]
    if not xs or not ys:
        return
    grads = adjoint.autograd.grad(ys, xs, [adjoint.ones_like(y) for y in ys], allow_unused=True)
    for x, g in zip(xs, grads):
        assert g is None or (g.dtype == x.dtype and g.shape == x.shape)


def test_sums_do_not_stop_where_a_half_can_count_no_further():
    for dtype in (adjoint.float16, adjoint.bfloat16):
        ones = adjoint.ones(5000, dtype=dtype)
        assert ones.sum().item() in (5000, 4992)
        assert ones.mean().item() == 1
        assert (ones @ ones).item() in (5000, 4992)
        assert ones.cumsum(0)[-1].item() in (5000, 4992)
        assert ones.norm().item() == pytest.approx(5000**0.5, rel=4e-3)
        assert ones.var().item() == 0


def test_a_layer_trains_in_bfloat16():
    adjoint.manual_seed(0)
    layer = adjoint.nn.Linear(4, 1).to(adjoint.bfloat16)
    x = adjoint.randn(64, 4).to(adjoint.bfloat16)
    target = x.sum(1, keepdim=True)
    optimizer = adjoint.optim.SGD(layer.parameters(), lr=0.1)
    for _ in range(60):
        optimizer.zero_grad()
        adjoint.nn.functional.mse_loss(layer(x), target).backward()
        optimizer.step()
    assert adjoint.nn.functional.mse_loss(layer(x), target).item() < 0.05
