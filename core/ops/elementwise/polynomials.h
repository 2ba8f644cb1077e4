// The orthogonal polynomials.
#pragma once
#include "ops/elementwise/special_readings.h"
#include "scalar/polynomial.h"

namespace adj {

void check_degree_and_order(const Args& args);  // derivatives there are only so many of

inline namespace ADJ_ISA {

struct Orthogonal : Special<4, 1> {
  static void check(const Args& args) { check_degree_and_order(args); }
  template <class V> static constexpr V f(V x, V n, V family, V order) {
    return orthogonal(x, n, family, order);
  }
  template <class V> static constexpr V dx(V x, V n, V family, V order, V) {
    return orthogonal(x, n, family, order + V(1));
  }
};
ADJ_OP(Orthogonal,
       "_nodes.orthogonal(input: Operand, n: Operand, family: int, order: int) -> Tensor", R"(
The derivative of this order of the orthogonal polynomial of degree `n`; the families are counted in
core/scalar/polynomial.h.

>>> adjoint._core._namespaces["_nodes"]["orthogonal"](adjoint.tensor([0.5]), 2, 0, 1)
tensor([2.])
)");

// By n there is no derivative.
template <int family>
struct Polynomial : Special<2, 1> {
  template <class V> static constexpr V f(V x, V n) { return orthogonal(x, n, V(family), V(0)); }
  template <class V> static constexpr V dx(V x, V n, V) {
    return orthogonal(x, n, V(family), V(1));
  }
};

struct ChebyshevT : Polynomial<kChebyshevT> {};
ADJ_OP(ChebyshevT, "special.chebyshev_polynomial_t(input: Operand, n: Operand) -> Tensor", R"(
The Chebyshev polynomial of the first kind: `cos(n * t)` at `input = cos(t)`. The degree `n` is a
whole number; below 0 the polynomial is 0. Derivatives are those by `input`.

>>> adjoint.special.chebyshev_polynomial_t(0.5, adjoint.tensor([2., 3.]))
tensor([-0.5000, -1.0000])
)");

struct ChebyshevU : Polynomial<kChebyshevU> {};
ADJ_OP(ChebyshevU, "special.chebyshev_polynomial_u(input: Operand, n: Operand) -> Tensor", R"(
The Chebyshev polynomial of the second kind: `sin((n + 1) * t) / sin(t)` at `input = cos(t)`.

>>> adjoint.special.chebyshev_polynomial_u(0.5, adjoint.tensor([2., 3.]))
tensor([ 0., -1.])
)");

struct ChebyshevV : Polynomial<kChebyshevV> {};
ADJ_OP(ChebyshevV, "special.chebyshev_polynomial_v(input: Operand, n: Operand) -> Tensor", R"(
The Chebyshev polynomial of the third kind: `cos((n + 1/2) * t) / cos(t / 2)` at
`input = cos(t)`.

>>> adjoint.special.chebyshev_polynomial_v(0.5, adjoint.tensor([2., 3.]))
tensor([-1., -1.])
)");

struct ChebyshevW : Polynomial<kChebyshevW> {};
ADJ_OP(ChebyshevW, "special.chebyshev_polynomial_w(input: Operand, n: Operand) -> Tensor", R"(
The Chebyshev polynomial of the fourth kind: `sin((n + 1/2) * t) / sin(t / 2)` at
`input = cos(t)`.

>>> adjoint.special.chebyshev_polynomial_w(0.5, adjoint.tensor([2., 3.]))
tensor([ 1., -1.])
)");

struct ShiftedT : Polynomial<kShiftedT> {};
ADJ_OP(ShiftedT, "special.shifted_chebyshev_polynomial_t(input: Operand, n: Operand) -> Tensor", R"(
`special.chebyshev_polynomial_t` at `2 * input - 1`.

>>> adjoint.special.shifted_chebyshev_polynomial_t(0.5, adjoint.tensor([2., 3.]))
tensor([-1., -0.])
)");

struct ShiftedU : Polynomial<kShiftedU> {};
ADJ_OP(ShiftedU, "special.shifted_chebyshev_polynomial_u(input: Operand, n: Operand) -> Tensor", R"(
`special.chebyshev_polynomial_u` at `2 * input - 1`.

>>> adjoint.special.shifted_chebyshev_polynomial_u(0.5, adjoint.tensor([2., 3.]))
tensor([-1., -0.])
)");

struct ShiftedV : Polynomial<kShiftedV> {};
ADJ_OP(ShiftedV, "special.shifted_chebyshev_polynomial_v(input: Operand, n: Operand) -> Tensor", R"(
`special.chebyshev_polynomial_v` at `2 * input - 1`.

>>> adjoint.special.shifted_chebyshev_polynomial_v(0.5, adjoint.tensor([2., 3.]))
tensor([-1.,  1.])
)");

struct ShiftedW : Polynomial<kShiftedW> {};
ADJ_OP(ShiftedW, "special.shifted_chebyshev_polynomial_w(input: Operand, n: Operand) -> Tensor", R"(
`special.chebyshev_polynomial_w` at `2 * input - 1`.

>>> adjoint.special.shifted_chebyshev_polynomial_w(0.5, adjoint.tensor([2., 3.]))
tensor([-1., -1.])
)");

struct HermiteH : Polynomial<kHermiteH> {};
ADJ_OP(HermiteH, "special.hermite_polynomial_h(input: Operand, n: Operand) -> Tensor", R"(
The Hermite polynomial as physicists have it: of leading coefficient `2**n`.

>>> adjoint.special.hermite_polynomial_h(0.5, adjoint.tensor([2., 3.]))
tensor([-1., -5.])
)");

struct HermiteHe : Polynomial<kHermiteHe> {};
ADJ_OP(HermiteHe, "special.hermite_polynomial_he(input: Operand, n: Operand) -> Tensor", R"(
The Hermite polynomial as statisticians have it: of leading coefficient 1.

>>> adjoint.special.hermite_polynomial_he(0.5, adjoint.tensor([2., 3.]))
tensor([-0.7500, -1.3750])
)");

struct Laguerre : Polynomial<kLaguerre> {};
ADJ_OP(Laguerre, "special.laguerre_polynomial_l(input: Operand, n: Operand) -> Tensor", R"(
The Laguerre polynomial, 1 at 0.

>>> adjoint.special.laguerre_polynomial_l(0.5, adjoint.tensor([2., 3.]))
tensor([ 0.1250, -0.1458])
)");

struct Legendre : Polynomial<kLegendre> {};
ADJ_OP(Legendre, "special.legendre_polynomial_p(input: Operand, n: Operand) -> Tensor", R"(
The Legendre polynomial, 1 at 1.

>>> adjoint.special.legendre_polynomial_p(0.5, adjoint.tensor([2., 3.]))
tensor([-0.1250, -0.4375])
)");

}  // namespace ADJ_ISA
}  // namespace adj
