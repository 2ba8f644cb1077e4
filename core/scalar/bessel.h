// Bessel functions of the orders 0 and 1: J and Y of the C library, the modified ones here.
#pragma once
#include "scalar/chebyshev.h"

namespace adj {
inline namespace ADJ_ISA {}  // namespace ADJ_ISA
}  // namespace adj

#if defined(ADJ_SIMD)  // where math.h declares what it needs of libm
extern "C" {
double j0(double) noexcept;
double j1(double) noexcept;
double y0(double) noexcept;
double y1(double) noexcept;
}
#endif

namespace adj {
inline namespace ADJ_ISA {

inline double bessel_j0(double x) { return isinf(x) ? 0 : ::j0(x); }
inline double bessel_j1(double x) { return isinf(x) ? 0 : ::j1(x); }
inline double bessel_y0(double x) {
  return x < 0 ? kNaN : x == 0 ? -kInfinity : isinf(x) ? 0 : ::y0(x);
}
inline double bessel_y1(double x) {
  return x < 0 ? kNaN : x == 0 ? -kInfinity : isinf(x) ? 0 : ::y1(x);
}

// The sum of (x^2 / 4)^k / (k! (k + order)!) (DLMF 10.25.2); all terms are positive.
inline double modified_series(int order, double x) {
  double z = x * x / 4, term = 1, sum = 1;
  for (int k = 1; term > 1e-17 * sum; ++k) sum += term *= z / (k * (k + order));
  return sum;
}

// exp(-|x|) I: above 8, sqrt(x) times it is a series in 1 / x (DLMF 10.40.1).
inline double i0e(double x) {
  const double c[] = {0.4022452055070544,      0.0033691164782556943,   6.889758346916825e-05,
                      2.8913705208347567e-06,  2.0489185894690638e-07,  2.266668990498178e-08,
                      3.3962320257083865e-09,  4.94060238822497e-10,    1.1889147107846439e-11,
                      -3.1499165279632416e-11, -1.3215811840447713e-11, -1.7941785315068062e-12,
                      7.180124451383666e-13,   3.8527783827421426e-13,  1.54008621752141e-14,
                      -4.150569347287222e-14,  -9.554846698828307e-15,  3.8116806693526224e-15,
                      1.7725601330565263e-15,  -3.425485619677219e-16,  -2.8276239805165836e-16,
                      3.461222867697461e-17,   4.46562142029676e-17,    -4.830504485944182e-18,
                      -7.233180487874754e-18,  9.921475412173699e-19,   1.193650890845982e-18};
  x = abs(x);
  if (x <= 8) return exp(-x) * modified_series(0, x);
  return isinf(x) ? 0 : chebyshev_sum(16 / x - 1, c) / sqrt(x);
}
inline double i1e(double x) {
  const double c[] = {0.38928811750914005,     -0.009761097491361469,   -0.00011058893876262371,
                      -3.882564808877691e-06,  -2.512236237870209e-07,  -2.6314688468895196e-08,
                      -3.835380385964237e-09,  -5.589743462196584e-10,  -1.8974958123505413e-11,
                      3.2526035830154884e-11,  1.4125807436613782e-11,  2.0356285441470896e-12,
                      -7.198551776245908e-13,  -4.0835511110921974e-13, -2.1015418427726643e-14,
                      4.272440016711951e-14,   1.0420276984128802e-14,  -3.8144030724370075e-15,
                      -1.8803547755107825e-15, 3.3082023109209285e-16,  2.96262899764595e-16,
                      -3.209525921993424e-17,  -4.6503053684893586e-17, 4.414348323071708e-18,
                      7.517296310842105e-18,   -9.314178867326884e-19,  -1.242193275194891e-18};
  double y = abs(x);
  if (y <= 8) return exp(-y) * x / 2 * modified_series(1, x);
  return isinf(x) ? copysign(0.0, x) : copysign(chebyshev_sum(16 / y - 1, c) / sqrt(y), x);
}
// I, without overflow of the factor alone.
inline double i0(double x) {
  double y = abs(x), half = exp(y / 2);
  return y <= 8 ? modified_series(0, x) : half == kInfinity ? half : half * i0e(x) * half;
}
inline double i1(double x) {
  double y = abs(x), half = exp(y / 2);
  if (y <= 8) return x / 2 * modified_series(1, x);
  return half == kInfinity ? copysign(half, x) : half * i1e(x) * half;
}

// K for x <= 2 (DLMF 10.31.1 and 2); p is psi(k + 1) + psi(k + 1 + order).
inline double k_near_0(int order, double x) {
  double z = x * x / 4, term = 1, sum = 0, euler = 0.57721566490153286061;
  double p = -2 * euler + order;
  for (int k = 0; k < 20; ++k) {
    sum += p * term;
    double n = k + 1;
    term *= z / (n * (n + order));
    p += 1 / n + 1 / (n + order);
  }
  double l = log(x / 2);
  if (order == 0) return sum / 2 - l * modified_series(0, x);
  return 1 / x + x / 2 * (l * modified_series(1, x) - sum / 2);
}

// exp(x) K: above 2, sqrt(x) times it is a series in 1 / x (DLMF 10.40.2).
inline double scaled_k0(double x) {
  const double c[] = {1.2201515410329777,      -0.0314481013119645,    0.0015698838857300533,
                      -0.00012849549581627802, 1.39498137188765e-05,   -1.8317555227191195e-06,
                      2.766813639445015e-07,   -4.660489897687948e-08, 8.574034017414225e-09,
                      -1.6975345093890614e-09, 3.5773972814003283e-10, -7.957489244477396e-11,
                      1.8559491149549264e-11,  -4.514597883374519e-12, 1.1403405882073441e-12,
                      -2.9800969231481784e-13, 8.032890775068375e-14,  -2.2275133267462965e-14,
                      6.340076476276646e-15,   -1.848593377920907e-15, 5.5120559994043335e-16,
                      -1.6782311257549006e-16, 5.2103917776435543e-17, -1.6475805939842632e-17,
                      5.3004337711773354e-18,  -1.7331712005821001e-18};
  if (!(x >= 0)) return kNaN;
  if (x == 0) return kInfinity;
  if (x <= 2) return exp(x) * k_near_0(0, x);
  return isinf(x) ? 0 : chebyshev_sum(4 / x - 1, c) / sqrt(x);
}
inline double scaled_k1(double x) {
  const double c[] = {1.3603130952422213,      0.10392373657681724,     -0.002857816859622779,
                      0.00019521551847135162,  -1.936197974166083e-05,  2.406484947837217e-06,
                      -3.5019606030878126e-07, 5.7410841254500495e-08,  -1.0345762465678097e-08,
                      2.0150497551970347e-09,  -4.1903547593419254e-10, 9.218315187605315e-11,
                      -2.129967838427791e-11,  5.139639673482343e-12,   -1.2891739609498229e-12,
                      3.348419666052243e-13,   -8.976705182010146e-14,  2.4771544242195988e-14,
                      -7.0198370892147685e-15, 2.038703166239861e-15,   -6.057047270643018e-16,
                      1.8380935752430455e-16,  -5.689462849193648e-17,  1.7940510478863572e-17,
                      -5.7567444820733025e-18, 1.8778651901623268e-18};
  if (!(x >= 0)) return kNaN;
  if (x == 0) return kInfinity;
  if (x <= 2) return exp(x) * k_near_0(1, x);
  return isinf(x) ? 0 : chebyshev_sum(4 / x - 1, c) / sqrt(x);
}
inline double bessel_k0(double x) {
  return x > 0 && x <= 2 ? k_near_0(0, x) : scaled_k0(x) * exp(-x);
}
inline double bessel_k1(double x) {
  return x > 0 && x <= 2 ? k_near_0(1, x) : scaled_k1(x) * exp(-x);
}

// The spherical ones: sin(x) / x, and minus its derivative (below 1 by its series, DLMF 10.53.1).
inline double spherical_j0(double x) { return x == 0 ? 1 : isinf(x) ? 0 : sin(x) / x; }
inline double spherical_j1(double x) {
  if (isinf(x)) return 0;
  if (abs(x) > 1) return (sin(x) / x - cos(x)) / x;
  double term = x / 3, sum = term;
  for (int k = 1; k < 12; ++k) sum += term *= -x * x / (2 * k * (2 * k + 3));
  return sum;
}

ADJ_BY_DOUBLE(bessel_j0)
ADJ_BY_DOUBLE(bessel_j1)
ADJ_BY_DOUBLE(bessel_y0)
ADJ_BY_DOUBLE(bessel_y1)
ADJ_BY_DOUBLE(i0)
ADJ_BY_DOUBLE(i0e)
ADJ_BY_DOUBLE(i1)
ADJ_BY_DOUBLE(i1e)
ADJ_BY_DOUBLE(scaled_k0)
ADJ_BY_DOUBLE(scaled_k1)
ADJ_BY_DOUBLE(bessel_k0)
ADJ_BY_DOUBLE(bessel_k1)
ADJ_BY_DOUBLE(spherical_j0)
ADJ_BY_DOUBLE(spherical_j1)

}  // namespace ADJ_ISA
}  // namespace adj
