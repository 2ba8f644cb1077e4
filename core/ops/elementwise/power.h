// Powers and roots.
#pragma once
#include "ops/elementwise/base.h"

namespace adj {
inline namespace ADJ_ISA {

// x^0 is constant; 0^y is constant for y >= 0.
struct Pow : Elementwise<2> {
  static constexpr bool complex = true;
  static constexpr Types types = Types::arithmetic;
  static void check(const Args& args) { check_exponent(args); }
  template <class V> static constexpr V f(V x, V y) { return pow(x, y); }
  template <class V> static constexpr V dx(V x, V y, V) {
    return select(y == V(0), V(0), y * pow(x, y - V(1)));
  }
  template <class V> static constexpr V dy(V x, V y, V z) {
    return select((x == V(0)) & not_negative(y), V(0), z * log_as(x, z));
  }
};
ADJ_OP(Pow, "pow(input: Operand, exponent: Operand) -> Tensor", R"(
`input` to the power of `exponent`. Whole numbers are raised exactly (they wrap around where they do
not fit); for them a negative number as the exponent is a RuntimeError.

>>> adjoint.pow(adjoint.tensor([1, 2, 3]), 2)
tensor([1, 4, 9])
)");

struct Sqrt : Elementwise<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x) { return sqrt(x); }
  template <class V> static constexpr V dx(V, V z) { return V(0.5) / z; }
};
ADJ_OP(Sqrt, "sqrt(input: Tensor) -> Tensor", R"(
The square root of each element; NaN for negative ones.

>>> adjoint.sqrt(adjoint.tensor([4., 9.]))
tensor([2., 3.])
)");

struct Rsqrt : Elementwise<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x) { return rsqrt(x); }
  template <class V> static constexpr V dx(V, V z) { return V(-0.5) * z * z * z; }
};
ADJ_OP(Rsqrt, "rsqrt(input: Tensor) -> Tensor", R"(
`1 / sqrt(input)`.

>>> adjoint.rsqrt(adjoint.tensor([4., 0.25]))
tensor([0.5000, 2.0000])
)");

struct Hypot : Elementwise<2> {
  template <class V> static constexpr V f(V x, V y) { return hypot(x, y); }
  template <class V> static constexpr V dx(V x, V, V z) { return x / z; }
  template <class V> static constexpr V dy(V, V y, V z) { return y / z; }
};
ADJ_OP(Hypot, "hypot(input: Tensor, other: Tensor) -> Tensor", R"(
`sqrt(input**2 + other**2)`, without overflow on the way.

>>> adjoint.hypot(adjoint.tensor([3.]), adjoint.tensor([4.]))
tensor([5.])
)");

}  // namespace ADJ_ISA
}  // namespace adj
