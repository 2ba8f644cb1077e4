// Floating numbers as mantissas and powers of two, whole ones by their divisors.
#pragma once
#include "scalar/math.h"
#include "scalar/probe.h"

namespace adj {
inline namespace ADJ_ISA {

inline float neighbour(float x, float y) { return __builtin_nextafterf(x, y); }
inline double neighbour(double x, double y) { return __builtin_nextafter(x, y); }

inline double scaled_by_power(double x, double n) {
  if (n != floor(n)) return x * exp2(n);  // NaN too
  return __builtin_ldexp(x, (int)(n > 5000 ? 5000 : n < -5000 ? -5000 : n));
}
// By way of double, where nothing is rounded but the result.
inline float scaled_by_power(float x, float n) {
  return (float)scaled_by_power((double)x, (double)(n > 600 ? 600 : n < -600 ? -600 : n));
}
template <Real T>
T power_of_2(T n) {
  return scaled_by_power(T(1), n);
}

// e where |x| = m 2^e and 1/2 <= m < 1; 0 for zeros, infinities and NaN.
template <Real T>
T binary_exponent(T x) {
  if (x == T(0) || !isfinite(x)) return T(0);
  int e = 0;
  __builtin_frexp((double)x, &e);
  return T(e);
}

constexpr Probe scaled_by_power(Probe x, Probe n) { return exp2(x * n); }
constexpr Probe power_of_2(Probe n) { return exp2(n); }
constexpr Probe neighbour(Probe x, Probe y) { return x + y; }
constexpr Probe binary_exponent(Probe x) { return x; }

template <Integer T>
constexpr unsigned long long size_of(T x) {
  auto u = (unsigned long long)x;
  return x < T(0) ? 0 - u : u;
}
template <Integer T>
constexpr T greatest_common_divisor(T x, T y) {
  unsigned long long a = size_of(x), b = size_of(y);
  while (b) {
    unsigned long long r = a % b;
    a = b;
    b = r;
  }
  return T(a);
}
template <Integer T>
constexpr T least_common_multiple(T x, T y) {
  if (x == T(0) || y == T(0)) return T(0);
  T z = T(size_of(x) / size_of(greatest_common_divisor(x, y)) * size_of(y));
  return T(size_of(z));
}

}  // namespace ADJ_ISA
}  // namespace adj
