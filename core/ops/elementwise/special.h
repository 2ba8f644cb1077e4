// The error function, the gamma function, and their kin.
#pragma once
#include "ops/elementwise/base.h"

namespace adj {
inline namespace ADJ_ISA {

inline constexpr double kTwoOverSqrtPi = 1.12837916709551257390;

// digamma; below 0 by reflection, with the distance to the nearest pole exact.
template <Real T>
T psi(T x) {
  if (x < T(0) && x != floor(x)) {
    double y = x;
    return T(digamma(1 - y) - kPi / tan(kPi * (y - round(y))));
  }
  return digamma(x);
}
constexpr Probe psi(Probe x) { return digamma(x); }

// The derivative of digamma: shifted up to x >= 10, then the asymptotic series (Abramowitz & Stegun
// 6.4.12); below 1/2 by reflection.
inline double trigamma_of(double x) {
  if (x < 0.5) {
    double s = sin(kPi * (x - round(x)));
    return s == 0 ? kInfinity : kPi * kPi / (s * s) - trigamma_of(1 - x);
  }
  double result = 0;
  for (; x < 10; x += 1) result += 1 / (x * x);
  double z = 1 / (x * x);
  double series =
      1. / 6 -
      z * (1. / 30 -
           z * (1. / 42 - z * (1. / 30 - z * (5. / 66 - z * (691. / 2730 - z * (7. / 6))))));
  return result + 1 / x + z / 2 + series * z / x;
}

// The order as a value, as kernels have it.
template <Real T>
T polygamma(T n, T x) {
  return n == T(1) ? T(trigamma_of(x)) : polygamma(static_cast<int>(n), x);
}
constexpr Probe polygamma(Probe n, Probe x) { return digamma(n + x); }

// c0 + c1 x + c2 x^2 + ...
template <Real T>
constexpr T polynomial(T, double c) {
  return T(c);
}
template <Real T, class... C>
constexpr T polynomial(T x, double c, C... rest) {
  return T(c) + x * polynomial(x, rest...);
}

// erfinv(y) = q((1 + y) / 2) / sqrt(2) with the quantiles q of the normal distribution, by the
// rational functions of Wichura (algorithm AS 241, Applied Statistics 37, 1988).
template <Real T>
[[gnu::always_inline]] inline T inverse_erf(T y) {  // a loop with a call in it is not vectorised
  T half = y * T(0.5), u = T(0.180625) - half * half;
  T center = half *
             polynomial(u, 3.3871328727963666080e0, 1.3314166789178437745e2,
                        1.9715909503065514427e3, 1.3731693765509461125e4, 4.5921953931549871457e4,
                        6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3) /
             polynomial(u, 1, 4.2313330701600911252e1, 6.8718700749205790830e2,
                        5.3941960214247511077e3, 2.1213794301586595867e4, 3.9307895800092710610e4,
                        2.8729085735721942674e4, 5.2264952788528545610e3);
  T r = sqrt(-log((T(1) - abs(y)) * T(0.5))), v = r - T(1.6), w = r - T(5);
  T near =
      polynomial(v, 1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
                 3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
                 2.27238449892691845833e-2, 7.74545014278341407640e-4) /
      polynomial(v, 1, 2.05319162663775882187e0, 1.67638483018380384940e0,
                 6.89767334985100004550e-1, 1.48103976427480074590e-1, 1.51986665636164571966e-2,
                 5.47593808499534494600e-4, 1.05075007164441684324e-9);
  T far =
      polynomial(w, 6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
                 2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                 2.71155556874348757815e-5, 2.01033439929228813265e-7) /
      polynomial(w, 1, 5.99832206555887937690e-1, 1.36929880922735805310e-1,
                 1.48753612908506148525e-2, 7.86869131145613259100e-4, 1.84631831751005468180e-5,
                 1.42151175831644588870e-7, 2.04426310338993978564e-15);
  T tail = copysign(select(r <= T(5), near, far), y);
  tail = select(abs(y) == T(1), y * T(kInfinity), tail);
  return select(abs(half) <= T(0.425), center, tail) * T(0.70710678118654752440);
}
constexpr Probe inverse_erf(Probe y) { return erfinv(y); }

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
