// Signs and rounding: functions that are flat, or have a kink.
#pragma once
#include "ops/elementwise/base.h"

namespace adj {
inline namespace ADJ_ISA {

struct Abs : Elementwise<1> {
  static constexpr bool complex = true, real_result = true;
  static constexpr Types types = Types::arithmetic;
  template <class V> static constexpr auto f(V x) { return abs(x); }
  template <class V> static constexpr V dx(V x, V) { return conj(sign(x)); }
};
ADJ_OP(Abs, "abs(input: Tensor) -> Tensor", R"(
The absolute value of each element: of complex ones the distance from 0, a real tensor. Its derivative
at 0 is taken to be 0.

>>> adjoint.abs(adjoint.tensor([-1.5, 2.0]))
tensor([1.5000, 2.0000])
)");

// What is flat between its jumps.
struct Flat : Pointwise<1> {
  static constexpr Types types = Types::arithmetic;
  static constexpr bool mask = true;
  template <class V> static constexpr V dx(V, V) { return V(0); }
};

struct Sign : Flat {
  template <class V> static constexpr V f(V x) { return sign(x); }
};
ADJ_OP(Sign, "sign(input: Tensor) -> Tensor", R"(
-1, 0 or 1, as each element is negative, zero (or NaN) or positive.

>>> adjoint.sign(adjoint.tensor([-2., 0., 3.]))
tensor([-1.,  0.,  1.])
)");

struct Floor : Flat {
  template <class V> static constexpr V f(V x) { return floor(x); }
};
ADJ_OP(Floor, "floor(input: Tensor) -> Tensor", R"(
The greatest whole number that is not above each element. Its gradient is zero.

>>> adjoint.floor(adjoint.tensor([1.5, -1.5]))
tensor([ 1., -2.])
)");

struct Ceil : Flat {
  template <class V> static constexpr V f(V x) { return ceil(x); }
};
ADJ_OP(Ceil, "ceil(input: Tensor) -> Tensor", R"(
The least whole number that is not below each element. Its gradient is zero.

>>> adjoint.ceil(adjoint.tensor([1.5, -1.5]))
tensor([ 2., -1.])
)");

struct Trunc : Flat {
  template <class V> static constexpr V f(V x) { return trunc(x); }
};
ADJ_OP(Trunc, "trunc(input: Tensor) -> Tensor", R"(
The whole part of each element. Its gradient is zero.

>>> adjoint.trunc(adjoint.tensor([1.5, -1.5]))
tensor([ 1., -1.])
)");

struct Round : Flat {
  template <class V> static constexpr V f(V x) { return round(x); }
};
ADJ_OP(Round, "round(input: Tensor) -> Tensor", R"(
The nearest whole number, the even one of two that are as near. Its gradient is zero.

>>> adjoint.round(adjoint.tensor([0.5, 1.5, -1.2]))
tensor([ 0.,  2., -1.])
)");

// One of `up` and `down` is a power of ten, the other is 1.
struct RoundTo : Pointwise<3, 1> {
  static constexpr bool mask = true;
  static constexpr const char* node = "RoundBackward1";
  template <class V> static constexpr V f(V x, V up, V down) {
    return round(x * up / down) / up * down;
  }
  template <class V> static constexpr V dx(V, V, V, V) { return V(0); }
};
ADJ_OP(RoundTo, "_nodes.round(input: Tensor, up: float, down: float) -> Tensor", R"(
Rounds to multiples of `down / up`.

>>> adjoint.round(adjoint.tensor([1.26]), decimals=1)
tensor([1.3000])
)");

struct Frac : Elementwise<1> {
  template <class V> static constexpr V f(V x) { return x - trunc(x); }
  template <class V> static constexpr V dx(V, V) { return V(1); }
};
ADJ_OP(Frac, "frac(input: Tensor) -> Tensor", R"(
The part of each element behind the point, with its sign.

>>> adjoint.frac(adjoint.tensor([1.25, -1.25]))
tensor([ 0.2500, -0.2500])
)");

struct Copysign : Pointwise<2> {
  static constexpr bool mask = true;
  template <class V> static constexpr V f(V x, V y) { return copysign(x, y); }
  template <class V> static constexpr V dx(V x, V, V z) { return sign(x) * sign(z); }
  template <class V> static constexpr V dy(V, V, V) { return V(0); }
};
ADJ_OP(Copysign, "copysign(input: Tensor, other: Operand) -> Tensor", R"(
The magnitude of `input` with the sign of `other`.

>>> adjoint.copysign(adjoint.tensor([1., 2.]), adjoint.tensor([-1., 0.]))
tensor([-1.,  2.])
)");

}  // namespace ADJ_ISA
}  // namespace adj
