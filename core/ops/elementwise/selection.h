// One value or another, by a condition.
#pragma once
#include "ops/elementwise/base.h"

namespace adj {
inline namespace ADJ_ISA {

struct Where : Pointwise<3> {
  static constexpr bool complex = true;
  static constexpr Types types = Types::arithmetic;
  static constexpr unsigned unpromoted = 1;
  static constexpr bool mask = true;
  static constexpr bool in_place = false, is_method = false;
  static void check(const Args& args) { check_condition(args); }
  static constexpr bool f(bool c, bool x, bool y) { return choose_bool(c, x, y); }
  template <class V> static constexpr V f(V c, V x, V y) { return select(c != V(0), x, y); }
  template <class V> static constexpr V dx(V, V, V, V) { return V(0); }
  template <class V> static constexpr V dy(V c, V, V, V) { return choose(c != V(0), V(1), V(0)); }
  template <class V> static constexpr V dw(V c, V, V, V) { return choose(c != V(0), V(0), V(1)); }
};
ADJ_OP(Where, "where(condition: Tensor, input: Operand, other: Operand) -> Tensor", R"(
`input` where `condition` (a bool tensor) is true, else `other`, all three broadcast. Each of the
two gets the gradient where it was chosen, and zero elsewhere.

>>> adjoint.where(adjoint.tensor([True, False]), adjoint.tensor([1., 2.]), 0)
tensor([1., 0.])
)");

struct MaskedFill : Pointwise<3> {
  static constexpr bool complex = true;
  static constexpr Types types = Types::arithmetic;
  static constexpr unsigned unpromoted = 6;
  static constexpr bool mask = true;
  static constexpr bool f(bool x, bool m, bool v) { return choose_bool(m, v, x); }
  template <class V> static constexpr V f(V x, V m, V v) { return select(m != V(0), v, x); }
  template <class V> static constexpr V dx(V, V m, V, V) { return choose(m != V(0), V(0), V(1)); }
  template <class V> static constexpr V dy(V, V, V, V) { return V(0); }
  template <class V> static constexpr V dw(V, V m, V, V) { return choose(m != V(0), V(1), V(0)); }
};
ADJ_OP(MaskedFill, "_nodes.masked_fill(input: Tensor, mask: Tensor, value: Operand) -> Tensor", R"(
`masked_fill` with a value that broadcasts.

>>> adjoint.masked_fill(adjoint.tensor([1., 2.]), adjoint.tensor([True, False]), -1)
tensor([-1.,  2.])
)");

struct NanToNum : Pointwise<4, 1> {
  static constexpr bool mask = true;
  template <class V> static constexpr V f(V x, V nan, V high, V low) {
    return select(x != x, nan, select(x == V(kInfinity), high, select(x == V(-kInfinity), low, x)));
  }
  template <class V> static constexpr V dx(V x, V, V, V, V) {
    return choose(abs(x) < V(kInfinity), V(1), V(0));
  }
};
ADJ_OP(NanToNum,
       "_nodes.nan_to_num(input: Tensor, nan: float, posinf: float, neginf: float) -> Tensor", R"(
`nan_to_num` with all values given.

>>> adjoint.nan_to_num(adjoint.tensor([adjoint.nan, 1.]), nan=-1)
tensor([-1.,  1.])
)");

struct Threshold : Pointwise<3, 1> {
  static constexpr Types types = Types::arithmetic;
  static constexpr bool mask = true;
  template <class V> static constexpr V f(V x, V t, V v) { return select(x <= t, v, x); }
  template <class V> static constexpr V dx(V x, V t, V, V) { return choose(x <= t, V(0), V(1)); }
};
ADJ_OP(Threshold, "threshold(input: Tensor, threshold: Number, value: Number) -> Tensor", R"(
Elements that are not above `threshold` become `value`.

>>> adjoint.threshold(adjoint.tensor([0.5, 2.]), 1, -1)
tensor([-1.,  2.])
)");

struct Relu : Pointwise<1> {
  static constexpr Types types = Types::arithmetic;
  static constexpr bool mask = true;
  static void check(const Args& args) { check_numeric(args); }
  template <class V> static constexpr V f(V x) { return select(x < V(0), V(0), x); }
  template <class V> static constexpr V dx(V, V z) { return choose(z <= V(0), V(0), V(1)); }
};
ADJ_OP(Relu, "relu(input: Tensor) -> Tensor", R"(
Negative elements become 0. The derivative at 0 is taken to be 0.

>>> adjoint.relu(adjoint.tensor([-1., 2.]))
tensor([0., 2.])
)");

}  // namespace ADJ_ISA
}  // namespace adj
