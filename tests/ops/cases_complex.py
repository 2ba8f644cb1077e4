"""Cases of the operators on complex tensors: their parts, conjugates, phases."""

import numpy as np

import adjoint
from ops.case import S, alias, case

REAL, Z = adjoint.ones(3), adjoint.ones(3, dtype=adjoint.complex64)

case("conj", lambda r: [S(r.complex(3, 4)), S(r.complex()), S(r.normal(2))], reference=np.conj)
alias("conj_physical", "conj")
case("resolve_conj", lambda r: [S(r.complex(3))], reference=np.array)
alias("resolve_neg", "resolve_conj")
case(
    "_nodes.conj",
    lambda r: [S(r.complex(3, 4)), S(r.complex(2, 0))],
    reference=np.conj,
    torch_name="conj_physical",
    dtypes="complex tensors alone",
    special="complex tensors alone",
)
case(
    "adjoint",
    lambda r: [S(r.complex(3, 4)), S(r.complex(2, 3, 1)), S(r.normal(2, 3))],
    reference=lambda x: np.conj(np.swapaxes(x, -1, -2)),
    bad=[(S(REAL), RuntimeError)],
)
case(
    "view_as_real",
    lambda r: [S(r.complex(3, 4)), S(r.complex())],
    reference=lambda x: np.stack([x.real, x.imag], -1),
    bad=[(S(REAL), RuntimeError)],
)
case(
    "view_as_complex",
    lambda r: [S(r.normal(3, 2)), S(r.normal(2))],
    reference=lambda x: x[..., 0] + 1j * x[..., 1],
    vmap="the last dim must keep its stride of 1: not so behind a batch dim",
    bad=[
        (S(REAL), RuntimeError),
        (S(adjoint.ones(2, 2).T[:, ::2]), RuntimeError),
        (S(adjoint.ones(2, dtype=adjoint.int64)), RuntimeError),
        (S(adjoint.ones(3)[1:]), RuntimeError),
    ],
)
case("real", lambda r: [S(r.complex(3, 4)), S(r.normal(3))], reference=np.real)
case("imag", lambda r: [S(r.complex(3, 4))], reference=np.imag, bad=[(S(REAL), RuntimeError)])
case(
    "complex",
    lambda r: [S(r.normal(3, 4), r.normal(3, 4)), S(r.normal(3, 1), r.normal(4))],
    reference=lambda x, y: x + 1j * y,
    bad=[(S(REAL, REAL.double()), RuntimeError), (S(REAL, Z), RuntimeError)],
)
case(
    "polar",
    lambda r: [S(r.positive(3, 4), r.normal(3, 4)), S(r.positive(3, 1), r.normal(4))],
    reference=lambda x, y: x * np.exp(1j * y),
)
case("angle", lambda r: [S(r.complex(3, 4)), S(r.distinct(6))], reference=np.angle)
case(
    "sgn",
    lambda r: [S(r.complex(3, 4)), S(r.distinct(6))],
    reference=lambda x: x / np.abs(x),
)
case("isreal", lambda r: [S(r.complex(3)), S(r.normal(2))], reference=np.isreal)
