// The incomplete gamma functions and the zeta function.
#pragma once
#include "ops/elementwise/special_readings.h"
#include "scalar/gamma_incomplete.h"
#include "scalar/polygamma.h"

namespace adj {

void check_order(const Args& args);  // the number of derivatives that there are formulas for

inline namespace ADJ_ISA {

struct GammaDensity : Special<2> {
  template <class V> static constexpr V f(V a, V x) { return gamma_density(a, x); }
  template <class V> static constexpr V dx(V a, V x, V z) {
    return choose(z == V(0), V(0), z * (log(x) - psi(a)));
  }
  template <class V> static constexpr V dy(V a, V x, V z) {
    return choose(z == V(0), V(0), z * ((a - V(1)) / x - V(1)));
  }
};
ADJ_OP(GammaDensity, "_nodes.gamma_density(input: Tensor, other: Tensor) -> Tensor", R"(
`x**(a - 1) * exp(-x) / gamma(a)`, where `a` is `input` and `x` is `other`.

>>> adjoint._core._namespaces["_nodes"]["gamma_density"](adjoint.ones(1), adjoint.zeros(1))
tensor([1.])
)");

// d/dx of the n-th derivative of P by a: the n-th derivative of the density by a.
struct GammaincSlope : Special<3, 2> {
  static void check(const Args& args) { check_order(args); }
  template <class V> static constexpr V f(V a, V x, V n) { return gammainc_slope(a, x, n); }
  template <class V> static constexpr V dx(V a, V x, V n, V) {
    return gammainc_slope(a, x, n + V(1));
  }
  template <class V> static constexpr V dy(V a, V x, V n, V) {
    V l = log(x) - psi(a), p = polygamma(V(1), a);
    V r = polygamma(V(2), a), second = l * l - p, third = l * (second - V(2) * p) - r;
    V fourth = l * (third - V(3) * r) - V(3) * p * second - polygamma(V(3), a);
    V later = choose(n == V(3), third, fourth);
    V factor = choose(n == V(1), l, choose(n == V(2), second, later));
    return gamma_density(a, x) * factor;
  }
};
ADJ_OP(GammaincSlope, "_nodes.gammainc_slope(input: Tensor, other: Tensor, n: int) -> Tensor", R"(
The n-th derivative of `special.gammainc` by `input`; n is from 1 to 4.

>>> adjoint._core._namespaces["_nodes"]["gammainc_slope"](adjoint.ones(1), adjoint.ones(1), 1)
tensor([-0.4317])
)");

struct MvPolygamma : Elementwise<3, 1> {
  template <class V> static constexpr V f(V x, V p, V order) { return mvpolygamma(x, p, order); }
  template <class V> static constexpr V dx(V x, V p, V order, V) {
    return mvpolygamma(x, p, order + V(1));
  }
};
ADJ_OP(MvPolygamma, "_nodes.mvpolygamma(input: Tensor, p: int, order: int) -> Tensor", R"(
The derivative of `mvlgamma` of that order.

>>> adjoint._core._namespaces["_nodes"]["mvpolygamma"](adjoint.tensor([2.]), 1, 1)
tensor([0.4228])
)");

struct Igamma : Elementwise<2> {
  template <class V> static constexpr V f(V a, V x) { return gammainc(a, x); }
  template <class V> static constexpr V dx(V a, V x, V) { return gammainc_slope(a, x, V(1)); }
  template <class V> static constexpr V dy(V a, V x, V) { return gamma_density(a, x); }
};
ADJ_OP(Igamma, "igamma(input: Tensor, other: Tensor) -> Tensor", R"(
The regularized lower incomplete gamma function: the integral of `t**(a - 1) * exp(-t)` from 0 to
`x`, divided by `gamma(a)`, where `a` is `input` and `x` is `other`. NaN if either is negative or
both are 0. It has derivatives by both (by `a` those of the series and the continued fraction that
give the value, DLMF 8.7 to 8.12).

>>> adjoint.igamma(adjoint.tensor([4.]), adjoint.tensor([3., 4., 5.]))
tensor([0.3528, 0.5665, 0.7350])
)");

struct Igammac : Elementwise<2> {
  template <class V> static constexpr V f(V a, V x) { return gammaincc(a, x); }
  template <class V> static constexpr V dx(V a, V x, V) { return -gammainc_slope(a, x, V(1)); }
  template <class V> static constexpr V dy(V a, V x, V) { return -gamma_density(a, x); }
};
ADJ_OP(Igammac, "igammac(input: Tensor, other: Tensor) -> Tensor", R"(
The regularized upper incomplete gamma function: `1 - igamma(input, other)`, exact to the last
digits where that is small.

>>> adjoint.igammac(adjoint.tensor([4.]), adjoint.tensor([3., 4., 5.]))
tensor([0.6472, 0.4335, 0.2650])
)");

// By q: -s zeta(s + 1, q), differentiated n times by s.
struct ZetaSlope : Special<3, 2> {
  static void check(const Args& args) { check_order(args); }
  template <class V> static constexpr V f(V s, V q, V n) { return zeta_slope(s, q, n); }
  template <class V> static constexpr V dx(V s, V q, V n, V) { return zeta_slope(s, q, n + V(1)); }
  template <class V> static constexpr V dy(V s, V q, V n, V) {
    return -s * zeta_slope(s + V(1), q, n) - n * zeta_slope(s + V(1), q, n - V(1));
  }
};
ADJ_OP(ZetaSlope, "_nodes.zeta_slope(input: Tensor, other: Tensor, n: int) -> Tensor", R"(
The n-th derivative of `special.zeta` by `input`; n is at most 4.

>>> adjoint._core._namespaces["_nodes"]["zeta_slope"](adjoint.tensor([2.]), adjoint.ones(1), 1)
tensor([-0.9375])
)");

struct Zeta : Special<2> {
  template <class V> static constexpr V f(V s, V q) { return zeta(s, q); }
  template <class V> static constexpr V dx(V s, V q, V) { return zeta_slope(s, q, V(1)); }
  template <class V> static constexpr V dy(V s, V q, V) {
    return -s * zeta_slope(s + V(1), q, V(0));
  }
};
ADJ_OP(Zeta, "special.zeta(input: Operand, other: Operand) -> Tensor", R"(
The zeta function of Hurwitz: the sum of `(k + other)**-input` over k = 0, 1, 2, ...; with `other` 1
that of Riemann. NaN for `input` below 1. It has derivatives by both (by `input` for positive
`other`).

>>> adjoint.special.zeta(adjoint.tensor([2., 4.]), 1)
tensor([1.6449, 1.0823])
)");

}  // namespace ADJ_ISA
}  // namespace adj
