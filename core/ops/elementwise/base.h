// What the operators of this folder share: two more things that a struct may state, their own
// checks of arguments, and functions beyond those of scalar/math.h.
#pragma once
#include "scalar/elementwise.h"

namespace adj {

struct Args;

// `mask = true`: where the derivative is 0, nothing passes, not even infinity or NaN.
// `node`: the name of the graph node, where it does not follow from the operator's.
template <int N, int G = N>
struct Pointwise : Elementwise<N, G> {
  template <class S>
  static void fill(Op& op);
};

// `conj` and its kin: linear in the real and imaginary parts, not a complex function.
struct Conjugation : Elementwise<1> {
  static constexpr Types types = Types::arithmetic;
  template <class S>
  static void fill(Op& op);
};

// The author's checks, run before the loops.
void check_no_bool(const Args& args);             // sub, neg: no operand is bool
void check_alpha(const Args& args);               // add(alpha=): a whole one for whole operands
void check_alpha_no_bool(const Args& args);
void check_divisor(const Args& args);             // no whole number is divided by 0
void check_exponent(const Args& args);            // no whole number to a negative number
void check_division_is_floating(const Args& args);
void check_shift(const Args& args);
void check_condition(const Args& args);           // where
void check_numeric(const Args& args);             // relu, hardtanh: the input is not bool
void check_lambda(const Args& args);              // softshrink

inline namespace ADJ_ISA {

template <Real T>
T sigmoid(T x) {
  return T(1) / (T(1) + exp(-x));
}
constexpr Probe sigmoid(Probe x) { return exp(x); }

// What complex numbers make of these: cpu/complex.h.
template <Scalar T>
constexpr T conj(T x) {
  return x;
}
constexpr Probe conj(Probe x) { return x; }
template <Scalar T>
constexpr bool not_negative(T x) {
  return x >= T(0);
}
constexpr Probe not_negative(Probe x) { return Probe(x.reads); }

// Of complex numbers on the branch of the root that acosh takes.
template <class V>
constexpr V acosh_slope(V x) {
  return rsqrt(x * x - V(1));
}
// log(x) as a number of the kind of z: of a negative base to a complex power.
template <class V>
constexpr V log_as(V x, V) {
  return log(x);
}

// A choice between bools that is vectorised.
constexpr bool choose_bool(bool c, bool a, bool b) { return b ^ (c & (a ^ b)); }

// x brought into [lo, hi]; NaN if any of the three is. Written so that compilers vectorise it,
// which they do not do for a minimum of a maximum.
template <Scalar V>
constexpr V clamped(V x, V lo, V hi) {
  V y = select((x < lo) | (lo != lo), lo, x);
  return select((y > hi) | (hi != hi), hi, y);
}
constexpr Probe clamped(Probe x, Probe lo, Probe hi) { return select(x, lo, hi); }

// One of two values that may both be constants. Of tensors that is more than `select`, which would
// give two constants the default dtype, in whatever dtype the derivative is computed.
template <class V, class M>
constexpr V choose(M c, V a, V b) {
  return select(c, a, b);
}

// log(1 + exp(x)), without overflow.
template <class V>
constexpr V softplus_of(V x) {
  return maximum(x, V(0)) + log1p(exp(-abs(x)));
}

}  // namespace ADJ_ISA
}  // namespace adj
