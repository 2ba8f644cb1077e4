// The error function times exp(x^2), and what of the normal distribution follows from it.
#pragma once
#include "scalar/chebyshev.h"

namespace adj {
inline namespace ADJ_ISA {

// exp(x^2), with what the square loses.
inline double exp_of_square(double x) {
  double square = x * x, rest = __builtin_fma(x, x, -square);
  if (square > 710) return kInfinity;
  return exp(square) * (1 + rest);
}

// exp(x^2) erfc(x): (1 + 2x) times it, of x >= 0, is a series in (x - 3.75) / (x + 3.75) (Shepherd
// & Laframboise, Mathematics of Computation 36, 1981; the coefficients are a fit of our own).
inline double erfcx(double x) {
  const double c[] = {1.1775789345674017,     -0.004590054580646478,   -0.08424913336651792,
                      0.05920993999819189,    -0.026658668435305753,   0.009074997670705265,
                      -0.002413163540417608,  0.0004907758365258086,   -6.916973302501207e-05,
                      4.13902798607301e-06,   7.74038306619849e-07,    -2.1886401049234397e-07,
                      1.076499946567091e-08,  4.521959811218287e-09,   -7.754400208831351e-10,
                      -6.318088340886684e-11, 2.86879501093067e-11,    1.9455868545777347e-13,
                      -9.65469674843344e-13,  3.25254814814874e-14,    3.3478119482868056e-14,
                      -1.864562880419313e-15, -1.2507950530688648e-15, 7.418235256624044e-17,
                      5.0681489047961116e-17, -2.2370566594359995e-18, -2.1873429443030175e-18};
  double y = abs(x);
  double z = y > 1e8 ? kInverseSqrtPi / y : chebyshev_sum((y - 3.75) / (y + 3.75), c) / (1 + 2 * y);
  return x < 0 ? 2 * exp_of_square(x) - z : z;
}

// log of half of erfc(-x / sqrt 2): below -1 by erfcx, as erfc underflows.
inline double log_ndtr(double x) {
  double t = x * 0.70710678118654752440;
  return x < -1 ? log(erfcx(-t) / 2) - t * t : log1p(-erfc(t) / 2);
}

ADJ_BY_DOUBLE(erfcx)
ADJ_BY_DOUBLE(log_ndtr)

}  // namespace ADJ_ISA
}  // namespace adj
