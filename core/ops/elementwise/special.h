// The error function, the gamma function, and their kin.
#pragma once
#include "ops/elementwise/base.h"
#include "scalar/normal.h"
#include "scalar/polygamma.h"

namespace adj {
inline namespace ADJ_ISA {

inline constexpr double kTwoOverSqrtPi = 1.12837916709551257390;

struct Erf : Elementwise<1> {
  template <class V> static constexpr V f(V x) { return erf(x); }
  template <class V> static constexpr V dx(V x, V) { return V(kTwoOverSqrtPi) * exp(-(x * x)); }
};
ADJ_OP(Erf, "erf(input: Tensor) -> Tensor", R"(
The error function: `2 / sqrt(pi)` times the integral of `exp(-t**2)` from 0 to each element.

>>> adjoint.erf(adjoint.tensor([0., 1.]))
tensor([0.0000, 0.8427])
)");

struct Erfc : Elementwise<1> {
  template <class V> static constexpr V f(V x) { return erfc(x); }
  template <class V> static constexpr V dx(V x, V) { return V(-kTwoOverSqrtPi) * exp(-(x * x)); }
};
ADJ_OP(Erfc, "erfc(input: Tensor) -> Tensor", R"(
`1 - erf(input)`, exact to the last digits for large elements.

>>> adjoint.erfc(adjoint.tensor([0., 1.]))
tensor([1.0000, 0.1573])
)");

struct Erfinv : Elementwise<1> {
  template <class V> static constexpr V f(V x) { return inverse_erf(x); }
  template <class V> static constexpr V dx(V, V z) { return V(1 / kTwoOverSqrtPi) * exp(z * z); }
};
ADJ_OP(Erfinv, "erfinv(input: Tensor) -> Tensor", R"(
The inverse of `erf`; NaN outside [-1, 1].

>>> adjoint.erfinv(adjoint.tensor([0., 0.5]))
tensor([0.0000, 0.4769])
)");

struct Lgamma : Elementwise<1> {
  template <class V> static constexpr V f(V x) { return lgamma(x); }
  template <class V> static constexpr V dx(V x, V) { return psi(x); }
};
ADJ_OP(Lgamma, "lgamma(input: Tensor) -> Tensor", R"(
The logarithm of the absolute value of the gamma function.

>>> adjoint.lgamma(adjoint.tensor([1., 5.]))
tensor([0.0000, 3.1781])
)");

struct Digamma : Elementwise<1> {
  template <class V> static constexpr V f(V x) { return psi(x); }
  template <class V> static constexpr V dx(V x, V) { return polygamma(V(1), x); }
};
ADJ_OP(Digamma, "digamma(input: Tensor) -> Tensor", R"(
The derivative of `lgamma`.

>>> adjoint.digamma(adjoint.tensor([1., 2.]))
tensor([-0.5772,  0.4228])
)");

struct Polygamma : Elementwise<2, 1> {
  template <class V> static constexpr V f(V x, V n) { return polygamma(n, x); }
  template <class V> static constexpr V dx(V x, V n, V) { return polygamma(n + V(1), x); }
};
ADJ_OP(Polygamma, "_nodes.polygamma(input: Tensor, n: int) -> Tensor", R"(
`polygamma`, its operands in the other order.

>>> adjoint.polygamma(1, adjoint.tensor([1.]))
tensor([1.6449])
)");

}  // namespace ADJ_ISA
}  // namespace adj
