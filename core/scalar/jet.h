// Truncated Taylor series c[0] + c[1] h + ... + c[N] h^N: a function evaluated on them gives its
// first N derivatives, c[k] k!, where a formula is a loop and cannot be differentiated otherwise.
#pragma once
#include "scalar/math.h"

namespace adj {
inline namespace ADJ_ISA {

template <int N>
struct Jet {
  double c[N + 1] = {};

  constexpr Jet() = default;
  constexpr Jet(double value) { c[0] = value; }
  // The variable itself, at `value`.
  static constexpr Jet variable(double value) {
    Jet x(value);
    x.c[1] = 1;
    return x;
  }
  constexpr double derivative(int k) const {
    double d = c[k];
    for (int j = 2; j <= k; ++j) d *= j;
    return d;
  }
};

// The value, and the largest of the value and all coefficients: what a loop converges by.
constexpr double value_of(double x) { return x; }
inline double magnitude(double x) { return abs(x); }
template <int N>
constexpr double value_of(const Jet<N>& x) {
  return x.c[0];
}
template <int N>
double magnitude(const Jet<N>& x) {
  double m = 0;
  for (double c : x.c) m = abs(c) > m ? abs(c) : m;
  return m;
}

#define ADJ_JET_SUM(OP)                                     \
  template <int N>                                          \
  constexpr Jet<N> operator OP(Jet<N> x, const Jet<N>& y) { \
    for (int k = 0; k <= N; ++k) x.c[k] = x.c[k] OP y.c[k]; \
    return x;                                               \
  }                                                         \
  template <int N>                                          \
  constexpr Jet<N> operator OP(Jet<N> x, double y) {        \
    x.c[0] = x.c[0] OP y;                                   \
    return x;                                               \
  }                                                         \
  template <int N>                                          \
  constexpr Jet<N> operator OP(double x, const Jet<N>& y) { \
    return Jet<N>(x) OP y;                                  \
  }
ADJ_JET_SUM(+)
ADJ_JET_SUM(-)
#undef ADJ_JET_SUM
template <int N>
constexpr Jet<N> operator-(const Jet<N>& x) {
  return 0.0 - x;
}
template <int N>
constexpr Jet<N> operator*(const Jet<N>& x, const Jet<N>& y) {
  Jet<N> z;
  for (int k = 0; k <= N; ++k)
    for (int j = 0; j <= k; ++j) z.c[k] += x.c[j] * y.c[k - j];
  return z;
}
template <int N>
constexpr Jet<N> operator*(Jet<N> x, double y) {
  for (double& c : x.c) c *= y;
  return x;
}
template <int N>
constexpr Jet<N> operator*(double x, const Jet<N>& y) {
  return y * x;
}
template <int N>
constexpr Jet<N> operator/(Jet<N> x, const Jet<N>& y) {
  for (int k = 0; k <= N; ++k) {
    for (int j = 0; j < k; ++j) x.c[k] -= x.c[j] * y.c[k - j];
    x.c[k] /= y.c[0];
  }
  return x;
}
template <int N>
constexpr Jet<N> operator/(Jet<N> x, double y) {
  for (double& c : x.c) c /= y;
  return x;
}
template <int N>
constexpr Jet<N> operator/(double x, const Jet<N>& y) {
  return Jet<N>(x) / y;
}

// z' = w x', where the coefficients of w below the k-th are known when the k-th of z is made.
template <int N>
Jet<N> integral(double z0, const Jet<N>& w, const Jet<N>& x) {
  Jet<N> z(z0);
  for (int k = 1; k <= N; ++k) {
    for (int j = 1; j <= k; ++j) z.c[k] += j * x.c[j] * w.c[k - j];
    z.c[k] /= k;
  }
  return z;
}
template <int N>
Jet<N> exp(const Jet<N>& x) {
  Jet<N> z(exp(x.c[0]));
  for (int k = 1; k <= N; ++k) {
    for (int j = 1; j <= k; ++j) z.c[k] += j * x.c[j] * z.c[k - j];
    z.c[k] /= k;
  }
  return z;
}
template <int N>
Jet<N> expm1(const Jet<N>& x) {
  Jet<N> z = exp(x);
  z.c[0] = expm1(x.c[0]);
  return z;
}
template <int N>
Jet<N> log(const Jet<N>& x) {
  return integral(log(x.c[0]), 1.0 / x, x);
}
template <int N>
Jet<N> log1p(const Jet<N>& x) {
  return integral(log1p(x.c[0]), 1.0 / (x + 1.0), x);
}
template <int N>
Jet<N> sqrt(const Jet<N>& x) {
  Jet<N> z(sqrt(x.c[0]));
  for (int k = 1; k <= N; ++k) {
    z.c[k] = x.c[k];
    for (int j = 1; j < k; ++j) z.c[k] -= z.c[j] * z.c[k - j];
    z.c[k] /= 2 * z.c[0];
  }
  return z;
}
template <int N>
Jet<N> erfc(const Jet<N>& x) {
  return integral(erfc(x.c[0]), exp(-(x * x)) * -1.12837916709551257390, x);
}
// A constant to the power of a series: the value as exact as that of pow.
template <int N>
Jet<N> pow(double x, const Jet<N>& y) {
  Jet<N> exponent = y * log(x), z;
  exponent.c[0] = 0;
  return exp(exponent) * pow(x, y.c[0]);
}

}  // namespace ADJ_ISA
}  // namespace adj
