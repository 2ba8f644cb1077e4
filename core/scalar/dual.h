// Dual numbers v + d e with e^2 = 0: a function evaluated on them gives its derivative in d.
//
// Under each function stands its derivative. `zero` says that d is known to be 0, so that constants
// cost nothing, read nothing (probe.h), and cannot make a NaN of 0 * infinity; in code without
// branches it is a compile-time constant.
#pragma once
#include "scalar/math.h"
#include "scalar/probe.h"
#include "scalar/zeta.h"

namespace adj {
inline namespace ADJ_ISA {

template <class T>
struct Dual {
  T v, d;
  bool zero;

  constexpr Dual() : v(), d(), zero(true) {}
  // A constant.
  explicit constexpr Dual(const T& v) : v(v), d(), zero(true) {}
  template <Scalar C>
  explicit constexpr Dual(C c) : v(T(c)), d(), zero(true) {}
  constexpr Dual(const T& v, const T& d);
  constexpr Dual(const T& v, const T& d, bool zero) : v(v), d(d), zero(zero) {}
};

template <class T>
constexpr bool known_zero(const T&) {
  return false;
}
constexpr bool known_zero(const float& d) { return d == 0; }
constexpr bool known_zero(const double& d) { return d == 0; }
constexpr bool known_zero(const Probe& d) { return d.zero; }
template <class T>
constexpr bool known_zero(const Dual<T>& d) {
  return d.zero && known_zero(d.v);
}

template <class T>
constexpr Dual<T>::Dual(const T& v, const T& d) : v(v), d(d), zero(known_zero(d)) {}

// The variable that is differentiated by (on), or one that is held constant.
template <bool on, class T>
constexpr Dual<T> seed(const T& x) {
  if constexpr (on) return {x, T(1), false};
  else return Dual<T>(x);
}

// z and the tangent that x has, times the derivative dz/dx, which is made only if it is needed.
template <class T, class F>
constexpr Dual<T> chain(const T& z, const Dual<T>& x, F derivative) {
  if (x.zero) return Dual<T>(z);
  return {z, derivative() * x.d, false};
}
template <class T, class F, class G>
constexpr Dual<T> chain(const T& z, const Dual<T>& x, F dx, const Dual<T>& y, G dy) {
  if (x.zero) return chain(z, y, dy);
  if (y.zero) return chain(z, x, dx);
  return {z, dx() * x.d + dy() * y.d, false};
}

template <class T>
constexpr Dual<T> operator+(const Dual<T>& x, const Dual<T>& y) {
  if (x.zero) return {x.v + y.v, y.d, y.zero};
  if (y.zero) return {x.v + y.v, x.d, false};
  return {x.v + y.v, x.d + y.d, false};
}
template <class T>
constexpr Dual<T> operator-(const Dual<T>& x) {
  if (x.zero) return Dual<T>(-x.v);
  return {-x.v, -x.d, false};
}
template <class T>
constexpr Dual<T> operator-(const Dual<T>& x, const Dual<T>& y) {
  if (y.zero) return {x.v - y.v, x.d, x.zero};
  if (x.zero) return {x.v - y.v, -y.d, false};
  return {x.v - y.v, x.d - y.d, false};
}
template <class T>
constexpr Dual<T> operator*(const Dual<T>& x, const Dual<T>& y) {
  return chain<T>(x.v * y.v, x, [&] { return y.v; }, y, [&] { return x.v; });
}
template <class T>
constexpr Dual<T> operator/(const Dual<T>& x, const Dual<T>& y) {
  T z = x.v / y.v;
  if (y.zero) return x.zero ? Dual<T>(z) : Dual<T>{z, x.d / y.v, false};
  if (x.zero) return {z, -z * y.d / y.v, false};
  return {z, (x.d - z * y.d) / y.v, false};
}

#define ADJ_DUAL_COMPARE(OP)                                       \
  template <class T>                                               \
  constexpr auto operator OP(const Dual<T>& x, const Dual<T>& y) { \
    return x.v OP y.v;                                             \
  }
ADJ_DUAL_COMPARE(<)
ADJ_DUAL_COMPARE(<=)
ADJ_DUAL_COMPARE(>)
ADJ_DUAL_COMPARE(>=)
ADJ_DUAL_COMPARE(==)
ADJ_DUAL_COMPARE(!=)
#undef ADJ_DUAL_COMPARE

template <class M, class T>
constexpr Dual<T> select(const M& c, const Dual<T>& a, const Dual<T>& b) {
  T v = select(c, a.v, b.v);
  if (a.zero && b.zero) return Dual<T>(v);
  if (a.zero) return {v, select(c, T(0), b.d), false};
  if (b.zero) return {v, select(c, a.d, T(0)), false};
  return {v, select(c, a.d, b.d), false};
}

// DX and DY are expressions in x and y, the values, and z, the result.
#define ADJ_DUAL_1(NAME, DX)                    \
  template <class T>                            \
  constexpr Dual<T> NAME(const Dual<T>& dual) { \
    const T& x = dual.v;                        \
    T z = NAME(x);                              \
    return chain(z, dual, [&] { return DX; });  \
  }
#define ADJ_DUAL_FLAT(NAME)                  \
  template <class T>                         \
  constexpr Dual<T> NAME(const Dual<T>& x) { \
    return Dual<T>(NAME(x.v));               \
  }
#define ADJ_DUAL_TEST(NAME)               \
  template <class T>                      \
  constexpr auto NAME(const Dual<T>& x) { \
    return NAME(x.v);                     \
  }
#define ADJ_DUAL_2(NAME, DX, DY)                                   \
  template <class T>                                               \
  constexpr Dual<T> NAME(const Dual<T>& a, const Dual<T>& b) {     \
    const T &x = a.v, &y = b.v;                                    \
    T z = NAME(x, y);                                              \
    return chain(z, a, [&] { return DX; }, b, [&] { return DY; }); \
  }

ADJ_DUAL_1(exp, z)
ADJ_DUAL_1(exp2, z* T(kLn2))
ADJ_DUAL_1(expm1, z + T(1))
ADJ_DUAL_1(log, T(1) / x)
ADJ_DUAL_1(log2, T(1 / kLn2) / x)
ADJ_DUAL_1(log10, T(1 / kLn10) / x)
ADJ_DUAL_1(log1p, T(1) / (x + T(1)))
ADJ_DUAL_1(sqrt, T(0.5) / z)
ADJ_DUAL_1(rsqrt, T(-0.5) * z * z * z)
ADJ_DUAL_1(sin, cos(x))
ADJ_DUAL_1(cos, -sin(x))
ADJ_DUAL_1(tan, T(1) + z * z)
ADJ_DUAL_1(asin, rsqrt(T(1) - x * x))
ADJ_DUAL_1(acos, -rsqrt(T(1) - x * x))
ADJ_DUAL_1(atan, T(1) / (T(1) + x * x))
ADJ_DUAL_1(sinh, cosh(x))
ADJ_DUAL_1(cosh, sinh(x))
ADJ_DUAL_1(tanh, T(1) - z * z)
ADJ_DUAL_1(asinh, rsqrt(x* x + T(1)))
ADJ_DUAL_1(acosh, rsqrt(x* x - T(1)))
ADJ_DUAL_1(atanh, T(1) / (T(1) - x * x))
ADJ_DUAL_1(erf, T(1.12837916709551257390) * exp(-(x * x)))
ADJ_DUAL_1(erfc, T(-1.12837916709551257390) * exp(-(x * x)))
ADJ_DUAL_1(erfinv, T(0.88622692545275801365) * exp(z * z))
ADJ_DUAL_1(lgamma, digamma(x))
ADJ_DUAL_1(digamma, polygamma(1, x))
ADJ_DUAL_1(abs, sign(x))
ADJ_DUAL_FLAT(sign)
ADJ_DUAL_FLAT(floor)
ADJ_DUAL_FLAT(ceil)
ADJ_DUAL_FLAT(trunc)
ADJ_DUAL_FLAT(round)
ADJ_DUAL_TEST(isnan)
ADJ_DUAL_TEST(isinf)
ADJ_DUAL_TEST(isfinite)
// x^0 is constant; 0^y is constant for y > 0
ADJ_DUAL_2(pow, select(y == T(0), T(0), y* pow(x, y - T(1))),
           select((x == T(0)) & (y >= T(0)), T(0), z* log(x)))
ADJ_DUAL_2(atan2, y / (x * x + y * y), -x / (x * x + y * y))
ADJ_DUAL_2(hypot, x / z, y / z)
ADJ_DUAL_2(fmod, T(1), -trunc(x / y))
ADJ_DUAL_2(remainder, T(1), -floor_divide(x, y))

template <class T>
constexpr Dual<T> polygamma(int n, const Dual<T>& x) {
  return chain(polygamma(n, x.v), x, [&] { return polygamma(n + 1, x.v); });
}
template <class T>
constexpr Dual<T> floor_divide(const Dual<T>& x, const Dual<T>& y) {
  return Dual<T>(floor_divide(x.v, y.v));
}
template <class T>
constexpr Dual<T> copysign(const Dual<T>& x, const Dual<T>& y) {
  T z = copysign(x.v, y.v);
  return chain(z, x, [&] { return sign(x.v) * sign(z); });
}
// Equal operands share the derivative.
template <class T>
constexpr Dual<T> maximum(const Dual<T>& x, const Dual<T>& y) {
  T half = T(0.5);
  return chain<T>(
      maximum(x.v, y.v), x, [&] { return select(x.v == y.v, half, select(y.v > x.v, T(0), T(1))); },
      y, [&] { return select(x.v == y.v, half, select(x.v > y.v, T(0), T(1))); });
}
template <class T>
constexpr Dual<T> minimum(const Dual<T>& x, const Dual<T>& y) {
  T half = T(0.5);
  return chain<T>(
      minimum(x.v, y.v), x, [&] { return select(x.v == y.v, half, select(y.v < x.v, T(0), T(1))); },
      y, [&] { return select(x.v == y.v, half, select(x.v < y.v, T(0), T(1))); });
}

#undef ADJ_DUAL_1
#undef ADJ_DUAL_2
#undef ADJ_DUAL_FLAT
#undef ADJ_DUAL_TEST

}  // namespace ADJ_ISA
}  // namespace adj
