// digamma and its derivatives, of any argument.
#pragma once
#include "scalar/probe.h"
#include "scalar/zeta.h"

namespace adj {
inline namespace ADJ_ISA {

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

// The derivative of this order of log gamma in p dims: p (p - 1) / 4 log(pi) and the sum of
// log gamma(x - j / 2) over j < p.
template <Real T>
T mvpolygamma(T x, T p, T order) {
  double sum = order == T(0) ? p * (p - 1) / 4.0 * 1.14472988584940017414 : 0.0;
  for (double j = 0; j < p; j += 1) {
    double y = x - j / 2;
    sum += order == T(0) ? lgamma(y) : order == T(1) ? psi(y) : polygamma(double(order) - 1, y);
  }
  return T(sum);
}

}  // namespace ADJ_ISA
}  // namespace adj
