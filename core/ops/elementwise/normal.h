// The normal distribution, and functions of information theory.
#pragma once
#include "ops/elementwise/special_readings.h"
#include "scalar/erfcx.h"
#include "scalar/normal.h"

namespace adj {
inline namespace ADJ_ISA {

inline constexpr double kSqrtHalf = 0.70710678118654752440;
inline constexpr double kSqrtTwoPi = 2.50662827463100050242;

struct Ndtr : Special<1> {
  template <class V> static constexpr V f(V x) { return V(0.5) * erfc(x * V(-kSqrtHalf)); }
  template <class V> static constexpr V dx(V x, V) {
    return V(1 / kSqrtTwoPi) * exp(V(-0.5) * x * x);
  }
};
ADJ_OP(Ndtr, "special.ndtr(input: Tensor) -> Tensor", R"(
The distribution function of the standard normal distribution.

>>> adjoint.special.ndtr(adjoint.tensor([-3., 0., 1.]))
tensor([0.0013, 0.5000, 0.8413])
)");

struct LogNdtr : Special<1> {
  template <class V> static constexpr V f(V x) { return log_ndtr(x); }
  template <class V> static constexpr V dx(V x, V) {
    return V(2 / kSqrtTwoPi) / erfcx(x * V(-kSqrtHalf));
  }
};
ADJ_OP(LogNdtr, "special.log_ndtr(input: Tensor) -> Tensor", R"(
The logarithm of `special.ndtr`, where that underflows too.

>>> adjoint.special.log_ndtr(adjoint.tensor([-100., 0.]))
tensor([-5.0055e+03, -6.9315e-01])
)");

struct Ndtri : Special<1> {
  template <class V> static constexpr V f(V p) { return normal_quantile(p); }
  template <class V> static constexpr V dx(V, V z) { return V(kSqrtTwoPi) * exp(V(0.5) * z * z); }
};
ADJ_OP(Ndtri, "special.ndtri(input: Tensor) -> Tensor", R"(
The inverse of `special.ndtr`: the quantiles of the standard normal distribution (Wichura, algorithm
AS 241, 1988); NaN outside [0, 1].

>>> adjoint.special.ndtri(adjoint.tensor([0., 0.25, 0.5]))
tensor([   -inf, -0.6745,  0.0000])
)");

struct Erfcx : Special<1> {
  template <class V> static constexpr V f(V x) { return erfcx(x); }
  template <class V> static constexpr V dx(V x, V z) {
    return V(2) * x * z - V(2 * kInverseSqrtPi);
  }
};
ADJ_OP(Erfcx, "special.erfcx(input: Tensor) -> Tensor", R"(
`exp(input**2) * erfc(input)`, where the factors overflow and underflow too.

>>> adjoint.special.erfcx(adjoint.tensor([0., 1., 100.]))
tensor([1.0000, 0.4276, 0.0056])
)");

struct Entr : Special<1> {
  template <class V> static constexpr V f(V x) {
    V other = select(x == V(0), V(0), select(x < V(0), V(-kInfinity), x));
    return select(x > V(0), -x * log(x), other);
  }
  template <class V> static constexpr V dx(V x, V) { return V(-1) - log(x); }
};
ADJ_OP(Entr, "special.entr(input: Tensor) -> Tensor", R"(
`-input * log(input)`, a term of an entropy: 0 at 0, and minus infinity below.

>>> adjoint.special.entr(adjoint.tensor([-0.5, 0., 0.5]))
tensor([  -inf, 0.0000, 0.3466])
)");

struct Xlog1py : Pointwise<2> {
  static constexpr bool mask = true;
  static constexpr bool in_place = false;
  template <class V> static constexpr V f(V x, V y) {
    return select((x == V(0)) & (y == y), V(0), x * log1p(y));
  }
  template <class V> static constexpr V dx(V x, V y, V) {
    return choose((x == V(0)) & (y <= V(-1)), V(0), log1p(y));
  }
  template <class V> static constexpr V dy(V x, V y, V) { return x / (y + V(1)); }
};
ADJ_OP(Xlog1py, "special.xlog1py(input: Operand, other: Operand) -> Tensor", R"(
`input * log1p(other)`, which is 0 where `input` is 0, whatever `other` is but NaN.

>>> adjoint.special.xlog1py(adjoint.tensor([0., 2.]), adjoint.tensor([-1., 0.5]))
tensor([0.0000, 0.8109])
)");

}  // namespace ADJ_ISA
}  // namespace adj
