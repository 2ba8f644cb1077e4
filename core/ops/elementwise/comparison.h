// Comparisons and tests: results are bool, and have no gradient.
#pragma once
#include "ops/elementwise/base.h"

namespace adj {
inline namespace ADJ_ISA {

struct Eq : Predicate<2> {
  static constexpr bool complex = true;
  template <class V> static constexpr bool f(V x, V y) { return x == y; }
};
ADJ_OP(Eq, "eq(input: Operand, other: Operand) -> Tensor", R"(
Where `input` and `other` are equal, broadcasting.

>>> adjoint.eq(adjoint.tensor([1, 2]), 2)
tensor([False,  True])
)");

struct Ne : Predicate<2> {
  static constexpr bool complex = true;
  template <class V> static constexpr bool f(V x, V y) { return x != y; }
};
ADJ_OP(Ne, "ne(input: Operand, other: Operand) -> Tensor", R"(
Where `input` and `other` differ, broadcasting.

>>> adjoint.ne(adjoint.tensor([1, 2]), 2)
tensor([ True, False])
)");

struct Lt : Predicate<2> {
  template <class V> static constexpr bool f(V x, V y) { return x < y; }
};
ADJ_OP(Lt, "lt(input: Operand, other: Operand) -> Tensor", R"(
Where `input` is less than `other`, broadcasting.

>>> adjoint.lt(adjoint.tensor([1, 2]), 2)
tensor([ True, False])
)");

struct Le : Predicate<2> {
  template <class V> static constexpr bool f(V x, V y) { return x <= y; }
};
ADJ_OP(Le, "le(input: Operand, other: Operand) -> Tensor", R"(
Where `input` is less than or equal to `other`, broadcasting.

>>> adjoint.le(adjoint.tensor([1, 3]), 2)
tensor([ True, False])
)");

struct Gt : Predicate<2> {
  template <class V> static constexpr bool f(V x, V y) { return x > y; }
};
ADJ_OP(Gt, "gt(input: Operand, other: Operand) -> Tensor", R"(
Where `input` is greater than `other`, broadcasting.

>>> adjoint.gt(adjoint.tensor([1, 3]), 2)
tensor([False,  True])
)");

struct Ge : Predicate<2> {
  template <class V> static constexpr bool f(V x, V y) { return x >= y; }
};
ADJ_OP(Ge, "ge(input: Operand, other: Operand) -> Tensor", R"(
Where `input` is greater than or equal to `other`, broadcasting.

>>> adjoint.ge(adjoint.tensor([1, 2]), 2)
tensor([False,  True])
)");

struct IsNan : Predicate<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr bool f(V x) { return isnan(x); }
};
ADJ_OP(IsNan, "isnan(input: Tensor) -> Tensor", R"(
Where elements are NaN.

>>> adjoint.isnan(adjoint.tensor([1., adjoint.nan]))
tensor([False,  True])
)");

struct IsInf : Predicate<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr bool f(V x) { return isinf(x); }
};
ADJ_OP(IsInf, "isinf(input: Tensor) -> Tensor", R"(
Where elements are infinite.

>>> adjoint.isinf(adjoint.tensor([1., -adjoint.inf]))
tensor([False,  True])
)");

struct IsFinite : Predicate<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr bool f(V x) { return isfinite(x); }
};
ADJ_OP(IsFinite, "isfinite(input: Tensor) -> Tensor", R"(
Where elements are neither infinite nor NaN.

>>> adjoint.isfinite(adjoint.tensor([1., adjoint.inf]))
tensor([ True, False])
)");

struct IsPosInf : Predicate<1> {
  template <class V> static constexpr bool f(V x) { return isinf(x) & (x > V(0)); }
};
ADJ_OP(IsPosInf, "isposinf(input: Tensor) -> Tensor", R"(
Where elements are positive infinity.

>>> adjoint.isposinf(adjoint.tensor([adjoint.inf, -adjoint.inf]))
tensor([ True, False])
)");

struct IsNegInf : Predicate<1> {
  template <class V> static constexpr bool f(V x) { return isinf(x) & (x < V(0)); }
};
ADJ_OP(IsNegInf, "isneginf(input: Tensor) -> Tensor", R"(
Where elements are negative infinity.

>>> adjoint.isneginf(adjoint.tensor([adjoint.inf, -adjoint.inf]))
tensor([False,  True])
)");

struct SignBit : Predicate<1> {
  template <class V> static constexpr bool f(V x) {
    if constexpr (is_real<V>) return copysign(V(1), x) < V(0);
    else return x < V(0);
  }
};
ADJ_OP(SignBit, "signbit(input: Tensor) -> Tensor", R"(
Where the sign bit is set: of negative elements, and of -0.

>>> adjoint.signbit(adjoint.tensor([1., -0.]))
tensor([False,  True])
)");

struct Logical : Predicate<2> {
  static constexpr Types types = Types::logical;
};

struct LogicalAnd : Logical {
  template <class V> static constexpr V f(V x, V y) { return V(x & y); }
};
ADJ_OP(LogicalAnd, "logical_and(input: Tensor, other: Tensor) -> Tensor", R"(
Where both are true; what is not 0 counts as true.

>>> adjoint.logical_and(adjoint.tensor([0, 1, 2]), adjoint.tensor([1, 1, 1]))
tensor([False,  True,  True])
)");

struct LogicalOr : Logical {
  template <class V> static constexpr V f(V x, V y) { return V(x | y); }
};
ADJ_OP(LogicalOr, "logical_or(input: Tensor, other: Tensor) -> Tensor", R"(
Where at least one is true; what is not 0 counts as true.

>>> adjoint.logical_or(adjoint.tensor([0, 1, 2]), adjoint.tensor([0, 0, 1]))
tensor([False,  True,  True])
)");

struct LogicalXor : Logical {
  template <class V> static constexpr V f(V x, V y) { return V(x ^ y); }
};
ADJ_OP(LogicalXor, "logical_xor(input: Tensor, other: Tensor) -> Tensor", R"(
Where exactly one is true; what is not 0 counts as true.

>>> adjoint.logical_xor(adjoint.tensor([0, 1, 2]), adjoint.tensor([0, 0, 1]))
tensor([False,  True, False])
)");

struct LogicalNot : Predicate<1> {
  static constexpr Types types = Types::logical;
  template <class V> static constexpr V f(V x) { return V(!x); }
};
ADJ_OP(LogicalNot, "logical_not(input: Tensor) -> Tensor", R"(
Where elements are 0.

>>> adjoint.logical_not(adjoint.tensor([0., 2.]))
tensor([ True, False])
)");

}  // namespace ADJ_ISA
}  // namespace adj
