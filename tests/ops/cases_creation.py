"""Creation and copies."""

import numpy as np

import adjoint
from ops.case import S, case

f64, i64 = adjoint.float64, adjoint.int64


def shapes(r):
    return [S((2, 3), dtype=f64), S((), dtype=f64), S((0, 2), dtype=f64)]


def likes(r):
    return [S(r.normal(2, 3)), S(r.normal()), S(r.normal(0, 2))]


case("zeros", shapes, reference=lambda size, dtype: np.zeros(size))
case("ones", shapes, reference=lambda size, dtype: np.ones(size))
case("full", lambda r: [S((2, 3), 1.5, dtype=f64)], reference=lambda s, v, dtype: np.full(s, v))
case("empty", lambda r: [S((0, 3), dtype=f64)], reference=lambda size, dtype: np.zeros(size))
case("zeros_like", likes, reference=np.zeros_like)
case("ones_like", likes, reference=np.ones_like)
case("full_like", lambda r: [S(r.normal(2, 3), 2.5)], reference=np.full_like)
case("empty_like", lambda r: [S(r.normal(0, 3))], reference=np.zeros_like)
case(
    "arange:end", lambda r: [S(5), S(2.5, dtype=f64)], reference=lambda e, dtype=None: np.arange(e)
)
case(
    "arange",
    lambda r: [S(1, 7, 2), S(5, 0, -2), S(0.5, 2.0, 0.25, dtype=f64)],
    reference=lambda a, b, s, dtype=None: np.arange(a, b, s),
)
case(
    "linspace",
    lambda r: [S(0.0, 1.0, 5, dtype=f64), S(3.0, -1.0, 1, dtype=f64), S(0.0, 1.0, 0, dtype=f64)],
    reference=lambda a, b, n, dtype: np.linspace(a, b, n),
)
case(
    "eye",
    lambda r: [S(3, dtype=f64), S(2, 4, dtype=f64)],
    reference=lambda n, m=None, dtype=None: np.eye(n, m),
)

case(
    "copy",
    lambda r: [S(r.normal(2, 3), r.normal(3))],
    reference=lambda x, y: np.broadcast_to(y, x.shape),
    torch_name=None,
)
case(
    "copy:number",
    lambda r: [S(r.normal(2, 3), 2.5), S(r.normal(), 3)],
    reference=np.full_like,
    torch_name=None,
)
case("clone", likes, reference=np.copy)
case("contiguous", likes, reference=np.copy, torch_name="Tensor.contiguous")
case("contiguous_copy", likes, reference=np.copy, torch_name=None)
case("to_dtype", lambda r: [S(r.normal(2, 3), f64)], reference=lambda x, t: x, torch_name=None)
case("zero", likes, reference=np.zeros_like, torch_name=None)
case("fill", lambda r: [S(r.normal(2, 3), 2.0), S(r.normal(2), r.normal())],
     reference=lambda x, v: np.full_like(x, v))  # fmt: skip
