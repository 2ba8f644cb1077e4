// Complex numbers for the loops of elementwise operators: the vocabulary of scalar/math.h.
// Products and quotients are the plain formulas (std::complex checks each for infinities).
#pragma once
#include <complex>

#include "scalar/math.h"

namespace adj {
inline namespace ADJ_ISA {

template <class T>
struct Complex {
  T re, im;

  Complex() = default;
  template <Scalar C>
  explicit constexpr Complex(C c) : re(static_cast<T>(c)), im(0) {}
  constexpr Complex(T re, T im) : re(re), im(im) {}
  Complex(const std::complex<T>& z) : re(z.real()), im(z.imag()) {}
  std::complex<T> std() const { return {re, im}; }

  friend constexpr Complex operator+(Complex x, Complex y) { return {x.re + y.re, x.im + y.im}; }
  friend constexpr Complex operator-(Complex x, Complex y) { return {x.re - y.re, x.im - y.im}; }
  friend constexpr Complex operator-(Complex x) { return {-x.re, -x.im}; }
  friend constexpr Complex operator*(Complex x, Complex y) {
    return {x.re * y.re - x.im * y.im, x.re * y.im + x.im * y.re};
  }
  // Smith's method: no overflow on the way.
  friend constexpr Complex operator/(Complex x, Complex y) {
    T c = y.re < 0 ? -y.re : y.re, d = y.im < 0 ? -y.im : y.im;
    if (c >= d) {
      if (c == 0) return {x.re / c, x.im / c};
      T r = y.im / y.re, s = T(1) / (y.re + y.im * r);
      return {(x.re + x.im * r) * s, (x.im - x.re * r) * s};
    }
    T r = y.re / y.im, s = T(1) / (y.re * r + y.im);
    return {(x.re * r + x.im) * s, (x.im * r - x.re) * s};
  }
  friend constexpr bool operator==(Complex x, Complex y) { return x.re == y.re && x.im == y.im; }
  friend constexpr bool operator!=(Complex x, Complex y) { return !(x == y); }
  // A magnitude against a constant.
  friend constexpr bool operator<(T x, Complex y) { return x < y.re; }
};

template <class T>
Complex<T> select(bool c, Complex<T> a, Complex<T> b) {
  return c ? a : b;
}
template <class T>
T abs(Complex<T> x) {
  return std::abs(x.std());
}
template <class T>
Complex<T> conj(Complex<T> x) {
  return {x.re, -x.im};
}
template <class T>
bool not_negative(Complex<T> x) {
  return x.re >= 0;
}
template <class T>
bool isnan(Complex<T> x) {
  return isnan(x.re) || isnan(x.im);
}
template <class T>
bool isinf(Complex<T> x) {
  return isinf(x.re) || isinf(x.im);
}
template <class T>
bool isfinite(Complex<T> x) {
  return isfinite(x.re) && isfinite(x.im);
}

#define ADJ_COMPLEX_1(NAME)       \
  template <class T>              \
  Complex<T> NAME(Complex<T> x) { \
    return std::NAME(x.std());    \
  }
ADJ_COMPLEX_1(exp)
ADJ_COMPLEX_1(log)
ADJ_COMPLEX_1(log10)
ADJ_COMPLEX_1(sqrt)
ADJ_COMPLEX_1(sin)
ADJ_COMPLEX_1(cos)
ADJ_COMPLEX_1(tan)
ADJ_COMPLEX_1(asin)
ADJ_COMPLEX_1(acos)
ADJ_COMPLEX_1(atan)
ADJ_COMPLEX_1(sinh)
ADJ_COMPLEX_1(cosh)
ADJ_COMPLEX_1(tanh)
ADJ_COMPLEX_1(asinh)
ADJ_COMPLEX_1(acosh)
ADJ_COMPLEX_1(atanh)
#undef ADJ_COMPLEX_1

template <class T>
Complex<T> exp2(Complex<T> x) {
  return exp(Complex<T>(x.re * T(kLn2), x.im * T(kLn2)));
}
template <class T>
Complex<T> log2(Complex<T> x) {
  Complex<T> z = log(x);
  return {z.re * T(1 / kLn2), z.im * T(1 / kLn2)};
}
// Exact near 0, as the real functions are.
template <class T>
Complex<T> expm1(Complex<T> x) {
  T s = sin(x.im / 2);
  return {expm1(x.re) * cos(x.im) - 2 * s * s, exp(x.re) * sin(x.im)};
}
template <class T>
Complex<T> log1p(Complex<T> x) {
  T square = x.re * (T(2) + x.re) + x.im * x.im;
  T re = abs(x.re) < T(0.5) && abs(x.im) < T(0.5) ? T(0.5) * log1p(square)
                                                  : log(hypot(x.re + T(1), x.im));
  return {re, atan2(x.im, x.re + T(1))};
}
template <class T>
Complex<T> rsqrt(Complex<T> x) {
  return Complex<T>(1) / sqrt(x);
}
template <class T>
Complex<T> sigmoid(Complex<T> x) {
  return Complex<T>(1) / (Complex<T>(1) + exp(-x));
}
// The usual exponents exactly.
template <class T>
Complex<T> pow(Complex<T> x, Complex<T> y) {
  if (y.im == 0) {
    if (y.re == T(0)) return Complex<T>(1);
    if (y.re == T(1)) return x;
    if (y.re == T(2)) return x * x;
    if (y.re == T(3)) return x * x * x;
    if (y.re == T(0.5)) return sqrt(x);
    if (y.re == T(-0.5)) return rsqrt(x);
    if (y.re == T(-1)) return Complex<T>(1) / x;
    if (y.re == T(-2)) return Complex<T>(1) / (x * x);
  }
  return std::pow(x.std(), y.std());
}

}  // namespace ADJ_ISA
}  // namespace adj
