// The zeta function of Hurwitz, and what follows from it: the derivatives of digamma.
#pragma once
#include "scalar/jet.h"

namespace adj {
inline namespace ADJ_ISA {

// The sum of (q + k)^-s over k = 0, 1, ..., for q > 0 and s > 1, by Euler and Maclaurin (Abramowitz
// & Stegun 23.1.30). s is a number, or a series: derivatives by s.
template <class T>
T hurwitz_zeta(const T& s, double q) {
  T sum = pow(q, -s);
  for (int k = 1; k < 12 || q < 12; ++k) {
    q += 1;
    T term = pow(q, -s);
    sum = sum + term;
    if (magnitude(term) < 1e-18 * magnitude(sum)) return sum;
  }
  q += 1;
  T power = pow(q, -s);
  sum = sum + power * q / (s - 1.0) + power * 0.5;
  // B(2j) / (2j)!
  const double b[] = {0.083333333333333333,    -0.0013888888888888889,  3.3068783068783069e-5,
                      -8.2671957671957672e-7,  2.0876756987868099e-8,   -5.2841901386874932e-10,
                      1.3382536530684679e-11,  -3.3896802963225829e-13, 8.5860620562778446e-15,
                      -2.1748686985580619e-16, 5.5090028283602295e-18,  -1.3954464685812523e-19};
  T rising = s;  // s (s+1) ... (s+2j)
  power = power / q;
  for (int j = 0; j < 12; ++j) {
    T term = rising * power * b[j];
    sum = sum + term;
    if (magnitude(term) < 1e-18 * magnitude(sum)) break;
    rising = rising * (s + (2.0 * j + 1)) * (s + (2.0 * j + 2));
    power = power / (q * q);
  }
  return sum;
}

// Of any q: a sum to the left of 0 is one to its right, of terms of the sign (-1)^s, less the part
// beyond q. Poles are infinite.
template <class T>
T zeta_of(const T& s, double q) {
  double order = value_of(s);
  if (q != q || order != order) return T(kNaN);
  if (order == 1) return T(kInfinity);
  if (order < 1) return T(kNaN);
  if (order == kInfinity && q > 0) return T(q > 1 ? 0 : q == 1 ? 1 : kInfinity);
  if (q > 0) return q == kInfinity ? T(0) : hurwitz_zeta(s, q);
  if (q == floor(q)) return T(kInfinity);
  if (order != floor(order) || order == kInfinity) return T(kNaN);
  double above = q - floor(q), below = ceil(q) - q, sign = fmod(order, 2.0) == 0 ? 1 : -1;
  T left = hurwitz_zeta(s, below) - hurwitz_zeta(s, 1 - q);
  return hurwitz_zeta(s, above) + left * sign;
}

inline double zeta(double s, double q) { return zeta_of(s, q); }
inline float zeta(float s, float q) { return (float)zeta_of((double)s, (double)q); }

// The n-th derivative of zeta by s, n from 0 to 5; of q > 0 alone.
inline double zeta_slope(double s, double q, double n) {
  if (!(n <= 5)) return kNaN;
  if (n < 0) return 0;  // of a term that has the factor n + 1
  if (n == 0) return zeta_of(s, q);
  if (!(s > 1) || !(q > 0)) return kNaN;
  if (n == 1) return zeta_of(Jet<1>::variable(s), q).c[1];
  return zeta_of(Jet<5>::variable(s), q).derivative((int)n);
}
inline float zeta_slope(float s, float q, float n) {
  return (float)zeta_slope((double)s, (double)q, (double)n);
}

// The n-th derivative of digamma, n >= 1: (-1)^(n+1) n! zeta(n+1, x).
inline double polygamma(int n, double x) {
  if (n == 0) return digamma(x);
  if (x <= 0 && x == floor(x)) return n % 2 ? kInfinity : kNaN;
  double factorial = 1;
  for (int k = 2; k <= n; ++k) factorial *= k;
  return (n % 2 ? 1 : -1) * factorial * zeta_of((double)(n + 1), x);
}
inline float polygamma(int n, float x) { return (float)polygamma(n, (double)x); }

}  // namespace ADJ_ISA
}  // namespace adj
