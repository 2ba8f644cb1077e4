// The incomplete gamma functions P(a, x) and Q(a, x) = 1 - P(a, x), regularized.
//
// a is a number or a series (jet.h): derivatives by a come from the same formulas. Which of them is
// used where: Gautschi, ACM Transactions on Mathematical Software 5, 1979; for large a Temme, SIAM
// Journal on Mathematical Analysis 10, 1979.
#pragma once
#include "scalar/zeta.h"

namespace adj {
inline namespace ADJ_ISA {

// log gamma(1 + a), exact to the last digits for small a too.
inline double lgamma1p(double a) {
  if (abs(a) > 0.25) return lgamma(1 + a);
  // (-1)^k (zeta(k) - 1) / k, k = 2, 3, ...
  const double c[] = {0.32246703342411322,    -0.067352301053198095,   0.020580808427784548,
                      -0.0073855510286739853, 0.0028905103307415233,   -0.001192753911703261,
                      0.00050966952474304242, -0.00022315475845357938, 9.9457512781808534e-5,
                      -4.4926236738133142e-5, 2.0507212775670692e-5,   -9.4394882752683959e-6,
                      4.3748667899074878e-6,  -2.0392157538013662e-6,  9.5514121304074198e-7,
                      -4.492469198764566e-7,  2.1207184805554666e-7,   -1.00432248239681e-7};
  double sum = 0;
  for (int k = 17; k >= 0; --k) sum = c[k] + a * sum;
  return a * (0.42278433509846713939 + a * sum) - log1p(a);  // 1 - Euler's constant
}
// At the variable itself.
template <int N>
Jet<N> lgamma1p(const Jet<N>& a) {
  Jet<N> z(lgamma1p(a.c[0]));
  double factorial = 1;
  for (int k = 1; k <= N; ++k) z.c[k] = polygamma(k - 1, 1 + a.c[0]) / (factorial *= k);
  return z;
}

// log gamma(1 + a) - log(sqrt(2 pi a) (a/e)^a), for a >= 10 (DLMF 5.11.1).
template <class T>
T stirling_rest(const T& a) {
  const double c[] = {1. / 12,   -1. / 360,      1. / 1260, -1. / 1680,
                      1. / 1188, -691. / 360360, 1. / 156,  -3617. / 122400};
  T z = 1.0 / (a * a), sum = 0.0;
  for (int k = 7; k >= 0; --k) sum = sum * z + c[k];
  return sum / a;
}

// m - log(1 + m), divided by m^2 where `ratio`, for m = x / a - 1: the logarithm by its series in
// m / (2 + m), where it would cancel.
template <class T>
T excess(const T& m, bool ratio) {
  T w = 1.0 / (m + 2.0), r = m * w;
  if (abs(value_of(r)) > 0.3) {
    T e = m - log1p(m);
    return ratio ? e / (m * m) : e;
  }
  T z = r * r, sum = 0.0;
  for (int k = 16; k >= 0; --k) sum = sum * z + 1 / (2.0 * k + 3);
  T e = w - r * w * w * sum * 2.0;
  return ratio ? e : e * m * m;
}

// x^a exp(-x) / gamma(1 + a)
template <class T>
T gamma_peak(const T& a, double x) {
  double v = value_of(a);
  if (v < 10) {
    if (x > 1000) return 0.0;
    return pow(x, a) * exp(-x) / exp(lgamma1p(a));
  }
  T relative = x / a;
  T e = value_of(relative) < 0.3 ? relative - 1.0 - log(relative) : excess((x - a) / a, false);
  return exp(-(a * e) - stirling_rest(a)) / sqrt(a * (2 * kPi));
}

// P / gamma_peak (DLMF 8.11.4), until terms are below `tiny`.
template <class T>
T gamma_series(const T& a, double x, double tiny) {
  T sum = 1.0, term = 1.0;
  for (int n = 1; n < 10000; ++n) {
    term = term * x / (a + double(n));
    sum = sum + term;
    if (magnitude(term) < tiny * magnitude(sum)) break;
  }
  return sum;
}

// Q / (a gamma_peak), by the continued fraction (DLMF 8.9.2) from its front (Lentz).
template <class T>
T gamma_fraction(const T& a, double x, double tiny) {
  T b = x + 1.0 - a, c = 1e300, d = 1.0 / b, h = d;
  for (int n = 1; n < 10000; ++n) {
    T numerator = (a - double(n)) * double(n);
    b = b + 2.0;
    d = 1.0 / (numerator * d + b);
    c = b + numerator / c;
    T change = c * d;
    h = h * change;
    if (magnitude(change - 1.0) < tiny) break;
  }
  return h;
}

// Q for x below about 1: without the cancellation of 1 - P (DLMF 8.7.3).
template <class T>
T gamma_upper_series(const T& a, double x) {
  T scale = a * log(x) - lgamma1p(a), sum = 0.0;
  double power = 1;  // (-x)^n / n!
  for (int n = 1; n < 40; ++n) {
    power *= -x / n;
    sum = sum + power / (a + double(n));
    if (abs(power) < 1e-18) break;
  }
  return -expm1(scale) - exp(scale) * a * sum;
}

// P or Q for large a: uniformly in x by the error function and a correction (DLMF 8.12).
template <class T>
T gamma_uniform(const T& a, double x, bool upper) {
  constexpr int rows = 7, columns = 26;
  const int count[rows] = {26, 24, 22, 20, 18, 14, 12};
  const double c[rows][columns] = {
      {-0.33333333333333333,    0.083333333333333333,    -0.014814814814814815,
       0.0011574074074074074,   0.0003527336860670194,   -0.00017875514403292181,
       3.9192631785224378e-5,   -2.1854485106799922e-6,  -1.85406221071516e-6,
       8.296711340953086e-7,    -1.7665952736826079e-7,  6.7078535434014986e-9,
       1.0261809784240308e-8,   -4.3820360184533532e-9,  9.1476995822367902e-10,
       -2.551419399494625e-11,  -5.8307721325504251e-11, 2.4361948020667416e-11,
       -5.0276692801141756e-12, 1.1004392031956135e-13,  3.3717632624009854e-13,
       -1.3923887224181621e-13, 2.8534893807047443e-14,  -5.1391118342425726e-16,
       -1.9752288294349443e-15, 8.0995211567045613e-16},
      {-0.0018518518518518519,  -0.0034722222222222222,  0.0026455026455026455,
       -0.00099022633744855967, 0.00020576131687242798,  -4.0187757201646091e-7,
       -1.8098550334489978e-5,  7.6491609160811101e-6,   -1.6120900894563446e-6,
       4.6471278028074343e-9,   1.378633446915721e-7,    -5.752545603517705e-8,
       1.1951628599778147e-8,   -1.7543241719747648e-11, -1.0091543710600413e-9,
       4.1627929918425826e-10,  -8.5639070264929806e-11, 6.0672151016047586e-14,
       7.1624989648114854e-12,  -2.9331866437714371e-12, 5.9966963656836887e-13,
       -2.1671786527323314e-16, -4.9783399723692616e-14, 2.0291628823713425e-14},
      {0.0041335978835978836,  -0.0026813271604938272,  0.00077160493827160494,
       2.0093878600823045e-6,  -0.00010736653226365161, 5.2923448829120125e-5,
       -1.2760635188618728e-5, 3.4235787340961381e-8,   1.3721957309062933e-6,
       -6.298992138380055e-7,  1.4280614206064242e-7,   -2.0477098421990866e-10,
       -1.4092529910867521e-8, 6.228974084922022e-9,    -1.3670488396617113e-9,
       9.4283561590146782e-13, 1.2872252400089318e-10,  -5.5645956134363321e-11,
       1.1975935546366981e-11, -4.1689782251838635e-15, -1.0940640427884594e-12,
       4.6622399463901357e-13},
      {0.00064943415637860082,  0.00022947209362139918, -0.00046918949439525571,
       0.00026772063206283885,  -7.5618016718839764e-5, -2.3965051138672967e-7,
       1.1082654115347302e-5,   -5.6749528269915966e-6, 1.4230900732435884e-6,
       -2.7861080291528142e-11, -1.6958404091930277e-7, 8.0994649053880824e-8,
       -1.9111168485973654e-8,  2.3928620439808118e-12, 2.0620131815488798e-9,
       -9.4604966618551322e-10, 2.1541049775774908e-10, -1.388823336813903e-14,
       -2.1894761681963939e-11, 9.7909989511716851e-12},
      {-0.0008618882909167117, 0.00078403922172006663, -0.00029907248030319018,
       -1.4638452578843418e-6, 6.6414982154651222e-5, -3.9683650471794347e-5, 1.1375726970678419e-5,
       2.5074972262375328e-10, -1.6954149536558306e-6, 8.9075075322053097e-7,
       -2.2929348340008049e-7, 2.956794137544049e-11, 2.8865829742708784e-8, -1.4189739437803219e-8,
       3.4463580499464897e-9, -2.3024517174528067e-13, -3.9409233028046405e-10,
       1.8602338968504502e-10},
      {-0.00033679855336635815, -6.9728137583658578e-5, 0.00027727532449593921,
       -0.00019932570516188848, 6.7977804779372078e-5, 1.419062920643967e-7, -1.3594048189768693e-5,
       8.0184702563342015e-6, -2.2914811765080952e-6, -3.252473551298454e-10, 3.4652846491085265e-7,
       -1.8447187191171343e-7, 4.8240967037894181e-8, -1.7989466721743515e-14},
      {0.00053130793646399222, -0.00059216643735369388, 0.00027087820967180448,
       7.9023532326603279e-7, -8.1539693675619688e-5, 5.6116827531062497e-5, -1.8329116582843376e-5,
       -3.0796134506033048e-9, 3.4651553688036091e-6, -2.0291327396058604e-6, 5.7887928631490037e-7,
       2.338630673826657e-13},
  };
  T m = (x - a) / a, eta = m * sqrt(excess(m, true) * 2.0), outer = 0.0;
  for (int k = rows - 1; k >= 0; --k) {
    T inner = 0.0;
    for (int n = count[k] - 1; n >= 0; --n) inner = inner * eta + c[k][n];
    outer = outer / a + inner;
  }
  T rest = exp(-(a * eta * eta * 0.5)) / sqrt(a * (2 * kPi)) * outer;
  T root = eta * sqrt(a * 0.5);
  return upper ? erfc(root) * 0.5 + rest : erfc(-root) * 0.5 - rest;
}

template <class T>
T gamma_regularized(const T& a, double x, bool upper, double tiny) {
  double v = value_of(a);
  if (!(v >= 0) || !(x >= 0) || (v == 0 && x == 0)) return kNaN;
  if (v == kInfinity) return x == kInfinity ? kNaN : upper ? 1.0 : 0.0;
  if (x == 0) return upper ? 1.0 : 0.0;
  if (x == kInfinity) return upper ? 0.0 : 1.0;
  if (v >= 100 && x > 0.3 * v && x < 2.35 * v) return gamma_uniform(a, x, upper);
  bool below = x > 1.1 ? x < v : x <= 0.5 ? log(x) * v < -0.4 : x * 1.1 < v;
  if (below) {
    T p = gamma_peak(a, x) * gamma_series(a, x, tiny);
    return upper ? 1.0 - p : p;
  }
  if (!upper && x <= 1 && v > 0) return gamma_peak(a, x) * gamma_series(a, x, tiny);
  T q = x > 1.1 ? gamma_peak(a, x) * a * gamma_fraction(a, x, tiny) : gamma_upper_series(a, x);
  return upper ? q : 1.0 - q;
}

inline constexpr double kTinyDouble = 1e-16, kTinyFloat = 1e-10;

// Never beyond 1 by a last bit; NaN stays.
inline double gammainc(double a, double x, double tiny = kTinyDouble) {
  double p = gamma_regularized(a, x, false, tiny);
  return p > 1 ? 1 : p;
}
inline double gammaincc(double a, double x, double tiny = kTinyDouble) {
  double q = gamma_regularized(a, x, true, tiny);
  return q > 1 ? 1 : q;
}
inline float gammainc(float a, float x) { return (float)gammainc((double)a, x, kTinyFloat); }
inline float gammaincc(float a, float x) { return (float)gammaincc((double)a, x, kTinyFloat); }

// The n-th derivative of P by a, n from 1 to 5.
inline double gammainc_slope(double a, double x, double n, double tiny = kTinyDouble) {
  if (!(n <= 5)) return kNaN;
  if (n < 0) return 0;  // of a term that has the factor n + 1
  if (n == 1) return gamma_regularized(Jet<1>::variable(a), x, false, tiny).c[1];
  return gamma_regularized(Jet<5>::variable(a), x, false, tiny).derivative((int)n);
}
inline float gammainc_slope(float a, float x, float n) {
  return (float)gammainc_slope((double)a, x, n, kTinyFloat);
}

// The density of the gamma distribution: the derivative of P by x.
inline double gamma_density(double a, double x) {
  if (!(a >= 0) || !(x >= 0)) return kNaN;
  if (a == 0 || a == kInfinity || x == kInfinity) return 0;
  if (x == 0) return a < 1 ? kInfinity : a == 1 ? 1 : 0;
  return gamma_peak(a, x) * (a / x);
}
inline float gamma_density(float a, float x) { return (float)gamma_density((double)a, (double)x); }

}  // namespace ADJ_ISA
}  // namespace adj
