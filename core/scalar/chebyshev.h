// Chebyshev series, fitted to 18 digits: the functions they stand for are named where they are
// used.
#pragma once
#include "scalar/math.h"

namespace adj {
inline namespace ADJ_ISA {

// The sum of c[k] T_k(x), -1 <= x <= 1, by Clenshaw's recurrence.
template <int N>
constexpr double chebyshev_sum(double x, const double (&c)[N]) {
  double b = 0, before = 0;
  for (int k = N - 1; k > 0; --k) {
    double next = 2 * x * b - before + c[k];
    before = b;
    b = next;
  }
  return x * b - before + c[0];
}

// The float form of a function of doubles.
#define ADJ_BY_DOUBLE(NAME) \
  inline float NAME(float x) { return (float)NAME((double)x); }

}  // namespace ADJ_ISA
}  // namespace adj
