// Orthogonal polynomials and their derivatives, by their recurrences in the degree.
#pragma once
#include "scalar/math.h"

namespace adj {
inline namespace ADJ_ISA {

enum Family : int {
  kChebyshevT,
  kChebyshevU,
  kChebyshevV,
  kChebyshevW,
  kShiftedT,  // at 2x - 1
  kShiftedU,
  kShiftedV,
  kShiftedW,
  kHermiteH,
  kHermiteHe,
  kLaguerre,
  kLegendre
};

inline constexpr int kMostDerivatives = 8;

// The derivative of this order, at most 8, of the polynomial of degree n; 0 for negative n. With
// P(k+1) = (a x + b) P(k) - c P(k-1) (DLMF 18.9.1 and table 18.9.1), differentiated j times:
// P(k+1)[j] = (a x + b) P(k)[j] + j a P(k)[j-1] - c P(k-1)[j].
inline double orthogonal(double x, double n, double family, double order) {
  if (!(n > -1) || order < 0 || order > kMostDerivatives) return 0;
  if (n == kInfinity) return kNaN;
  int kind = (int)family, m = (int)order;
  bool shifted = kind >= kShiftedT && kind <= kShiftedW;
  double scale = shifted ? double(1 << m) : 1;
  if (shifted) {
    x = 2 * x - 1;
    kind -= kShiftedT;
  }
  const long long degree = (long long)n;
  double before[kMostDerivatives + 1] = {}, p[kMostDerivatives + 1] = {1};
  for (long long k = 0; k < degree; ++k) {
    double a = 2, b = 0, c = 1, d = double(k);
    if (kind == kChebyshevT) a = k ? 2 : 1;
    else if (kind == kChebyshevV) b = k ? 0 : -1;
    else if (kind == kChebyshevW) b = k ? 0 : 1;
    else if (kind == kHermiteH) c = 2 * d;
    else if (kind == kHermiteHe) a = 1, c = d;
    else if (kind == kLaguerre) a = -1 / (d + 1), b = (2 * d + 1) / (d + 1), c = d / (d + 1);
    else if (kind == kLegendre) a = (2 * d + 1) / (d + 1), c = d / (d + 1);
    for (int j = m; j >= 0; --j) {
      double next = (a * x + b) * p[j];
      if (j) next += j * a * p[j - 1];
      if (k) next -= c * before[j];
      before[j] = p[j];
      p[j] = next;
    }
  }
  return scale * p[m];
}
inline float orthogonal(float x, float n, float family, float order) {
  return (float)orthogonal((double)x, (double)n, (double)family, (double)order);
}

}  // namespace ADJ_ISA
}  // namespace adj
