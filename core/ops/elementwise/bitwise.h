// Operations on the bits of whole numbers and bools.
#pragma once
#include "ops/elementwise/base.h"

namespace adj {
inline namespace ADJ_ISA {

template <int N>
struct Bitwise : Elementwise<N, 0> {
  static constexpr Types types = Types::integral;
};

struct BitwiseAnd : Bitwise<2> {
  template <class V> static constexpr V f(V x, V y) { return V(x & y); }
};
ADJ_OP(BitwiseAnd, "bitwise_and(input: Operand, other: Operand) -> Tensor", R"(
The bits that both have; of bools, whether both are true.

>>> adjoint.bitwise_and(adjoint.tensor([12]), adjoint.tensor([10]))
tensor([8])
)");

struct BitwiseOr : Bitwise<2> {
  template <class V> static constexpr V f(V x, V y) { return V(x | y); }
};
ADJ_OP(BitwiseOr, "bitwise_or(input: Operand, other: Operand) -> Tensor", R"(
The bits that at least one has; of bools, whether one is true.

>>> adjoint.bitwise_or(adjoint.tensor([12]), adjoint.tensor([10]))
tensor([14])
)");

struct BitwiseXor : Bitwise<2> {
  template <class V> static constexpr V f(V x, V y) { return V(x ^ y); }
};
ADJ_OP(BitwiseXor, "bitwise_xor(input: Operand, other: Operand) -> Tensor", R"(
The bits that exactly one has; of bools, whether they differ.

>>> adjoint.bitwise_xor(adjoint.tensor([12]), adjoint.tensor([10]))
tensor([6])
)");

struct BitwiseNot : Bitwise<1> {
  static constexpr bool f(bool x) { return !x; }
  template <class V> static constexpr V f(V x) { return V(~x); }
};
ADJ_OP(BitwiseNot, "bitwise_not(input: Tensor) -> Tensor", R"(
All bits turned over; of bools, the opposite.

>>> adjoint.bitwise_not(adjoint.tensor([0, 1]))
tensor([-1, -2])
)");

// Counts that are negative or too large push all bits out.
template <class V>
constexpr bool shifts_all(V n) {
  return n < V(0) || n >= V(sizeof(V) * 8);
}

struct ShiftLeft : Bitwise<2> {
  static void check(const Args& args) { check_shift(args); }
  template <class V> static constexpr V f(V x, V n) {
    return shifts_all(n) ? V(0) : V((unsigned long long)x << n);
  }
};
ADJ_OP(ShiftLeft, "bitwise_left_shift(input: Operand, other: Operand) -> Tensor", R"(
The bits of `input` moved left by `other` places. A RuntimeError for bools.

>>> adjoint.bitwise_left_shift(adjoint.tensor([1, 3]), 2)
tensor([ 4, 12])
)");

struct ShiftRight : Bitwise<2> {
  static void check(const Args& args) { check_shift(args); }
  template <class V> static constexpr V f(V x, V n) {
    return shifts_all(n) ? (x < V(0) ? V(-1) : V(0)) : V(x >> n);
  }
};
ADJ_OP(ShiftRight, "bitwise_right_shift(input: Operand, other: Operand) -> Tensor", R"(
The bits of `input` moved right by `other` places, filling up with the sign. A RuntimeError for
bools.

>>> adjoint.bitwise_right_shift(adjoint.tensor([4, -4]), 1)
tensor([ 2, -2])
)");

}  // namespace ADJ_ISA
}  // namespace adj
