// Division with remainder.
#pragma once
#include "ops/elementwise/base.h"

namespace adj {
inline namespace ADJ_ISA {

// From the remainder r of division rounded towards zero, which is exact: that of division rounded
// down, which has the sign of y, and its quotient.
template <Real T>
constexpr T floored(T r, T y) {
  return (r != T(0)) & ((r < T(0)) != (y < T(0))) ? r + y : r;
}
template <Real T>
T floor_quotient(T x, T y, T r) {
  T q = (x - r) / y;
  q = (r != T(0)) & ((r < T(0)) != (y < T(0))) ? q - T(1) : q;
  T f = floor(q);
  f = q - f > T(0.5) ? f + T(1) : f;  // where the division rounded q down
  f = q != T(0) ? f : copysign(T(0), x / y);
  return y == T(0) ? x / y : f;
}
template <Real T>
T floor_quotient(T x, T y) {
  return floor_quotient(x, y, fmod(x, y));
}
template <Integer T>
constexpr T floor_quotient(T x, T y) {
  return floor_divide(x, y);
}
constexpr Probe floored(Probe r, Probe y) { return Probe(r.reads | y.reads); }
constexpr Probe floor_quotient(Probe x, Probe y) { return Probe(x.reads | y.reads); }

struct FloorDivide : Pointwise<2> {
  static constexpr const char* node = "DivBackward2";
  static constexpr Types types = Types::arithmetic;
  static constexpr bool mask = true;
  static void check(const Args& args) { check_divisor(args); }
  template <class V> static constexpr V f(V x, V y) { return floor_quotient(x, y); }
  template <class V> static constexpr V dx(V, V, V) { return V(0); }
  template <class V> static constexpr V dy(V, V, V) { return V(0); }
};
ADJ_OP(FloorDivide, "floor_divide(input: Operand, other: Operand) -> Tensor", R"(
The quotient rounded down, as Python's `//`; its gradient is zero. Division of whole numbers by 0 is
a RuntimeError.

>>> adjoint.floor_divide(adjoint.tensor([7., -7.]), 2)
tensor([ 3., -4.])
)");

struct TruncDivide : Pointwise<2> {
  static constexpr const char* node = "DivBackward2";
  static constexpr Types types = Types::arithmetic;
  static constexpr bool mask = true;
  static void check(const Args& args) { check_divisor(args); }
  template <class V> static constexpr V f(V x, V y) {
    if constexpr (is_integer<V>) return trunc_divide(x, y);
    else return trunc(x / y);
  }
  template <class V> static constexpr V dx(V, V, V) { return V(0); }
  template <class V> static constexpr V dy(V, V, V) { return V(0); }
};
ADJ_OP(TruncDivide, "_nodes.div(input: Operand, other: Operand) -> Tensor", R"(
The quotient rounded towards zero: `div` with `rounding_mode="trunc"`.

>>> adjoint.div(adjoint.tensor([7., -7.]), 2, rounding_mode="trunc")
tensor([ 3., -3.])
)");

struct Remainder : Elementwise<2> {
  static constexpr Types types = Types::arithmetic;
  static void check(const Args& args) { check_divisor(args); }
  template <class V> static constexpr V f(V x, V y) {
    if constexpr (is_integer<V>) return remainder(x, y);
    else return floored(fmod(x, y), y);
  }
  template <class V> static constexpr V dx(V, V, V) { return V(1); }
  template <class V> static constexpr V dy(V x, V y, V) { return -floor_quotient(x, y); }
};
ADJ_OP(Remainder, "remainder(input: Operand, other: Operand) -> Tensor", R"(
The remainder of `floor_divide`, as Python's `%`: it has the sign of `other`. Division of whole
numbers by 0 is a RuntimeError.

>>> adjoint.remainder(adjoint.tensor([5., -5.]), 3)
tensor([2., 1.])
)");

struct Fmod : Elementwise<2> {
  static constexpr Types types = Types::arithmetic;
  static void check(const Args& args) { check_divisor(args); }
  template <class V> static constexpr V f(V x, V y) { return fmod(x, y); }
  template <class V> static constexpr V dx(V, V, V) { return V(1); }
  template <class V> static constexpr V dy(V x, V y, V) { return -trunc(x / y); }
};
ADJ_OP(Fmod, "fmod(input: Operand, other: Operand) -> Tensor", R"(
The remainder of division rounded towards zero, as C's `fmod`: it has the sign of `input`. Division
of whole numbers by 0 is a RuntimeError.

>>> adjoint.fmod(adjoint.tensor([5., -5.]), 3)
tensor([ 2., -2.])
)");

}  // namespace ADJ_ISA
}  // namespace adj
