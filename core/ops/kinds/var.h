// A tensor or a constant, with the vocabulary of scalar functions: the reading of a derivative that
// can itself be differentiated, batched and made dual.
#pragma once
#include "ops/vocabulary.h"

namespace adj {

struct Var {
  Tensor t;
  double c = 0;

  Var() = default;
  Var(Tensor x) : t(std::move(x)) {}
  explicit constexpr Var(double c) : c(c) {}
  explicit Var(int c) : c(c) {}
  explicit Var(float c) : c(c) {}
  explicit Var(bool c) : c(c) {}
  bool constant() const { return !t.defined(); }
  bool is(double value) const { return constant() && c == value; }
  operator Value() const { return constant() ? Value(c) : Value(t); }
};

inline Var operator+(const Var& x, const Var& y) {
  if (x.constant() && y.constant()) return Var(x.c + y.c);
  return x.is(0) ? y : y.is(0) ? x : Var(ops::add(x, y));
}
inline Var operator-(const Var& x, const Var& y) {
  if (x.constant() && y.constant()) return Var(x.c - y.c);
  if (y.is(0)) return x;
  return x.is(0) ? Var(ops::neg(y)) : Var(ops::sub(x, y));
}
inline Var operator*(const Var& x, const Var& y) {
  if (x.constant() && y.constant()) return Var(x.c * y.c);
  if (x.is(0) || y.is(0)) return Var(0.0);
  return x.is(1) ? y : y.is(1) ? x : Var(ops::mul(x, y));
}
inline Var operator/(const Var& x, const Var& y) {
  if (x.constant() && y.constant()) return Var(x.c / y.c);
  if (x.is(0)) return x;
  return y.is(1) ? x : Var(ops::div(x, y));
}
inline Var operator-(const Var& x) { return x.constant() ? Var(-x.c) : Var(ops::neg(x.t)); }

#define ADJ_VAR_COMPARE(SIGN, NAME)                                                             \
  inline Var operator SIGN(const Var& x, const Var& y) {                                        \
    if (x.constant() && y.constant()) return Var(double(x.c SIGN y.c));                         \
    return x.constant() ? Var(ops::NAME(ops::full_like(y.t, x.c), y.t)) : Var(ops::NAME(x, y)); \
  }
ADJ_VAR_COMPARE(<, lt)
ADJ_VAR_COMPARE(<=, le)
ADJ_VAR_COMPARE(>, gt)
ADJ_VAR_COMPARE(>=, ge)
ADJ_VAR_COMPARE(==, eq)
ADJ_VAR_COMPARE(!=, ne)
#undef ADJ_VAR_COMPARE

inline Var operator&(const Var& x, const Var& y) {
  if (x.constant() && y.constant()) return Var(double(x.c != 0 && y.c != 0));
  if (x.constant()) return x.c != 0 ? y : x;
  return y.constant() ? (y.c != 0 ? x : y) : Var(ops::logical_and(x, y));
}
inline Var operator|(const Var& x, const Var& y) {
  if (x.constant() && y.constant()) return Var(double(x.c != 0 || y.c != 0));
  if (x.constant()) return x.c != 0 ? x : y;
  return y.constant() ? (y.c != 0 ? y : x) : Var(ops::logical_or(x, y));
}
inline Var operator!(const Var& x) {
  return x.constant() ? Var(double(x.c == 0)) : Var(ops::logical_not(x));
}

inline Var select(const Var& condition, const Var& a, const Var& b) {
  if (condition.constant()) return condition.c != 0 ? a : b;
  return Var(ops::where(condition, a, b));
}

double var_constant(const Fn& f, double x);  // f of a constant
double var_constant(const Fn& f, double x, double y);

// clang-format off
#define ADJ_VAR1(NAME)                                                           \
  inline Var NAME(const Var& x) {                                                \
    return x.constant() ? Var(var_constant(ops::NAME, x.c)) : Var(ops::NAME(x)); \
  }
ADJ_VAR1(exp)
ADJ_VAR1(log)
ADJ_VAR1(log1p) ADJ_VAR1(expm1) ADJ_VAR1(exp2) ADJ_VAR1(log2) ADJ_VAR1(log10) ADJ_VAR1(sqrt)
ADJ_VAR1(rsqrt) ADJ_VAR1(sin) ADJ_VAR1(cos) ADJ_VAR1(tan) ADJ_VAR1(asin) ADJ_VAR1(acos)
ADJ_VAR1(atan) ADJ_VAR1(sinh) ADJ_VAR1(cosh) ADJ_VAR1(tanh) ADJ_VAR1(asinh) ADJ_VAR1(acosh)
ADJ_VAR1(atanh) ADJ_VAR1(erf) ADJ_VAR1(erfc) ADJ_VAR1(lgamma) ADJ_VAR1(digamma)
ADJ_VAR1(abs) ADJ_VAR1(floor) ADJ_VAR1(ceil) ADJ_VAR1(trunc) ADJ_VAR1(round)
ADJ_VAR1(isnan) ADJ_VAR1(isinf) ADJ_VAR1(isfinite)
#undef ADJ_VAR1

inline bool is_complex(const Var& x) { return !x.constant() && is_complex(x.t.dtype()); }
inline Var conj(const Var& x) { return is_complex(x) ? Var(ops::conj(x.t)) : x; }
inline Var sign(const Var& x) {
  if (x.constant()) return Var(double(x.c > 0) - double(x.c < 0));
  return is_complex(x) ? Var(ops::sgn(x.t)) : Var(ops::sign(x.t));
}
inline Var not_negative(const Var& x) {
  return is_complex(x) ? Var(ops::real(x.t)) >= Var(0.0) : x >= Var(0.0);
}

#define ADJ_VAR2(NAME)                                                               \
  inline Var NAME(const Var& x, const Var& y) {                                      \
    if (x.constant() && y.constant()) return Var(var_constant(ops::NAME, x.c, y.c)); \
    return Var(ops::NAME(x, y));                                                     \
  }
ADJ_VAR2(pow) ADJ_VAR2(atan2) ADJ_VAR2(fmod) ADJ_VAR2(hypot)
ADJ_VAR2(copysign) ADJ_VAR2(maximum) ADJ_VAR2(minimum)
#undef ADJ_VAR2
// clang-format on

}  // namespace adj
