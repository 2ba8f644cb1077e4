// The greater, the lesser, and bounds. Equal operands share the gradient.
#pragma once
#include "ops/elementwise/base.h"

namespace adj {
inline namespace ADJ_ISA {

// Half where x and y are equal, else 1 where `chosen`.
template <class V, class M>
constexpr V share(V x, V y, M chosen) {
  return choose(x == y, V(0.5), choose(chosen, V(1), V(0)));
}

struct Maximum : Pointwise<2> {
  static constexpr Types types = Types::arithmetic;
  static constexpr bool mask = true;
  template <class V> static constexpr V f(V x, V y) { return maximum(x, y); }
  template <class V> static constexpr V dx(V x, V y, V) { return share(x, y, !(x < y)); }
  template <class V> static constexpr V dy(V x, V y, V) { return share(x, y, !(y < x)); }
};
ADJ_OP(Maximum, "maximum(input: Operand, other: Operand) -> Tensor", R"(
The greater of two elements; NaN if either is. Equal ones get half the gradient each.

>>> adjoint.maximum(adjoint.tensor([1., 5.]), adjoint.tensor([3., 2.]))
tensor([3., 5.])
)");

struct Minimum : Pointwise<2> {
  static constexpr Types types = Types::arithmetic;
  static constexpr bool mask = true;
  template <class V> static constexpr V f(V x, V y) { return minimum(x, y); }
  template <class V> static constexpr V dx(V x, V y, V) { return share(x, y, !(x > y)); }
  template <class V> static constexpr V dy(V x, V y, V) { return share(x, y, !(y > x)); }
};
ADJ_OP(Minimum, "minimum(input: Operand, other: Operand) -> Tensor", R"(
The lesser of two elements; NaN if either is. Equal ones get half the gradient each.

>>> adjoint.minimum(adjoint.tensor([1., 5.]), adjoint.tensor([3., 2.]))
tensor([1., 2.])
)");

// Of these two the gradient goes to `input` where both are equal.
struct Fmax : Pointwise<2> {
  static constexpr Types types = Types::arithmetic;
  static constexpr bool mask = true;
  template <class V> static constexpr V f(V x, V y) { return select((x >= y) | (y != y), x, y); }
  template <class V> static constexpr V dx(V x, V y, V) {
    return choose((x >= y) | (y != y), V(1), V(0));
  }
  template <class V> static constexpr V dy(V x, V y, V) {
    return choose((x >= y) | (y != y), V(0), V(1));
  }
};
ADJ_OP(Fmax, "fmax(input: Operand, other: Operand) -> Tensor", R"(
The greater of two elements; the other one if one is NaN.

>>> adjoint.fmax(adjoint.tensor([1., adjoint.nan]), adjoint.tensor([3., 2.]))
tensor([3., 2.])
)");

struct Fmin : Pointwise<2> {
  static constexpr Types types = Types::arithmetic;
  static constexpr bool mask = true;
  template <class V> static constexpr V f(V x, V y) { return select((x <= y) | (y != y), x, y); }
  template <class V> static constexpr V dx(V x, V y, V) {
    return choose((x <= y) | (y != y), V(1), V(0));
  }
  template <class V> static constexpr V dy(V x, V y, V) {
    return choose((x <= y) | (y != y), V(0), V(1));
  }
};
ADJ_OP(Fmin, "fmin(input: Operand, other: Operand) -> Tensor", R"(
The lesser of two elements; the other one if one is NaN.

>>> adjoint.fmin(adjoint.tensor([1., adjoint.nan]), adjoint.tensor([3., 2.]))
tensor([1., 2.])
)");

// At a bound the gradient still goes to x.
struct ClampMin : Pointwise<2> {
  static constexpr Types types = Types::arithmetic;
  static constexpr bool mask = true;
  template <class V> static constexpr V f(V x, V lo) { return maximum(x, lo); }
  template <class V> static constexpr V dx(V x, V lo, V) { return choose(x >= lo, V(1), V(0)); }
  template <class V> static constexpr V dy(V x, V lo, V) { return choose(x < lo, V(1), V(0)); }
};
ADJ_OP(ClampMin, "clamp_min(input: Tensor, min: Operand) -> Tensor", R"(
Elements below `min` become `min`; NaN stays.

>>> adjoint.clamp_min(adjoint.tensor([-1., 2.]), 0)
tensor([0., 2.])
)");

struct ClampMax : Pointwise<2> {
  static constexpr Types types = Types::arithmetic;
  static constexpr bool mask = true;
  template <class V> static constexpr V f(V x, V hi) { return minimum(x, hi); }
  template <class V> static constexpr V dx(V x, V hi, V) { return choose(x <= hi, V(1), V(0)); }
  template <class V> static constexpr V dy(V x, V hi, V) { return choose(x > hi, V(1), V(0)); }
};
ADJ_OP(ClampMax, "clamp_max(input: Tensor, max: Operand) -> Tensor", R"(
Elements above `max` become `max`; NaN stays.

>>> adjoint.clamp_max(adjoint.tensor([-1., 2.]), 0)
tensor([-1.,  0.])
)");

struct ClampBoth : Pointwise<3> {
  static constexpr Types types = Types::arithmetic;
  static constexpr bool mask = true;
  template <class V> static constexpr V f(V x, V lo, V hi) { return clamped(x, lo, hi); }
  template <class V> static constexpr V dx(V x, V lo, V hi, V) {
    return choose((x >= lo) & (x <= hi), V(1), V(0));
  }
  template <class V> static constexpr V dy(V x, V lo, V hi, V) {
    return choose((x < lo) & (lo < hi), V(1), V(0));
  }
  template <class V> static constexpr V dw(V x, V lo, V hi, V) {
    return choose((x > hi) | (lo > hi), V(1), V(0));
  }
};
ADJ_OP(ClampBoth, "_nodes.clamp(input: Tensor, min: Operand, max: Operand) -> Tensor", R"(
`clamp` with both bounds.

>>> adjoint.tensor([-1., 0.5, 2.]).clamp(0, 1)
tensor([0.0000, 0.5000, 1.0000])
)");

}  // namespace ADJ_ISA
}  // namespace adj
