// Sums and products.
#pragma once
#include "ops/elementwise/base.h"

namespace adj {
inline namespace ADJ_ISA {

struct Add : Elementwise<2> {
  static constexpr bool complex = true;
  static constexpr Types types = Types::arithmetic;
  template <class V> static constexpr V f(V x, V y) { return V(x + y); }
  template <class V> static constexpr V dx(V, V, V) { return V(1); }
  template <class V> static constexpr V dy(V, V, V) { return V(1); }
};
ADJ_OP(Add, "add(input: Operand, other: Operand) -> Tensor", R"(
Adds `other` to `input`, broadcasting and promoting dtypes.

>>> adjoint.add(adjoint.tensor([1., 2.]), 10)
tensor([11., 12.])
)");

struct AddScaled : Elementwise<3, 2> {
  static constexpr bool complex = true;
  static constexpr Types types = Types::arithmetic;
  static void check(const Args& args) { check_alpha(args); }
  template <class V> static constexpr V f(V x, V y, V a) { return V(x + a * y); }
  template <class V> static constexpr V dx(V, V, V, V) { return V(1); }
  template <class V> static constexpr V dy(V, V, V a, V) { return a; }
};
ADJ_OP(AddScaled, "add:alpha(input: Operand, other: Operand, *, alpha: Number = 1) -> Tensor", R"(
`input + alpha * other`. A RuntimeError if `alpha` is a float and both operands are whole.

>>> adjoint.add(adjoint.tensor([1., 2.]), adjoint.tensor([3., 4.]), alpha=2)
tensor([ 7., 10.])
)");

struct Sub : Elementwise<2> {
  static constexpr bool complex = true;
  static constexpr Types types = Types::arithmetic;
  static void check(const Args& args) { check_no_bool(args); }
  template <class V> static constexpr V f(V x, V y) { return V(x - y); }
  template <class V> static constexpr V dx(V, V, V) { return V(1); }
  template <class V> static constexpr V dy(V, V, V) { return V(-1); }
};
ADJ_OP(Sub, "sub(input: Operand, other: Operand) -> Tensor", R"(
Subtracts `other` from `input`, broadcasting and promoting dtypes. A RuntimeError for bools.

>>> adjoint.sub(adjoint.tensor([1., 2.]), 1)
tensor([0., 1.])
)");

struct SubScaled : Elementwise<3, 2> {
  static constexpr bool complex = true;
  static constexpr Types types = Types::arithmetic;
  static void check(const Args& args) { check_alpha_no_bool(args); }
  template <class V> static constexpr V f(V x, V y, V a) { return V(x - a * y); }
  template <class V> static constexpr V dx(V, V, V, V) { return V(1); }
  template <class V> static constexpr V dy(V, V, V a, V) { return -a; }
};
ADJ_OP(SubScaled, "sub:alpha(input: Operand, other: Operand, *, alpha: Number = 1) -> Tensor", R"(
`input - alpha * other`. A RuntimeError if `alpha` is a float and both operands are whole.

>>> adjoint.sub(adjoint.tensor([1., 2.]), adjoint.tensor([3., 4.]), alpha=2)
tensor([-5., -6.])
)");

struct Rsub : Elementwise<3, 2> {
  static constexpr bool complex = true;
  static constexpr Types types = Types::arithmetic;
  static void check(const Args& args) { check_alpha_no_bool(args); }
  template <class V> static constexpr V f(V x, V y, V a) { return V(y - a * x); }
  template <class V> static constexpr V dx(V, V, V a, V) { return -a; }
  template <class V> static constexpr V dy(V, V, V, V) { return V(1); }
};
ADJ_OP(Rsub, "rsub:/1(input: Tensor, other: Operand, *, alpha: Number = 1) -> Tensor", R"(
`other - alpha * input`.

>>> adjoint.rsub(adjoint.tensor([1., 2.]), 10)
tensor([9., 8.])
)");

struct Mul : Elementwise<2> {
  static constexpr bool complex = true;
  static constexpr Types types = Types::arithmetic;
  template <class V> static constexpr V f(V x, V y) { return V(x * y); }
  template <class V> static constexpr V dx(V, V y, V) { return y; }
  template <class V> static constexpr V dy(V x, V, V) { return x; }
};
ADJ_OP(Mul, "mul(input: Operand, other: Operand) -> Tensor", R"(
Multiplies `input` by `other`, broadcasting and promoting dtypes.

>>> adjoint.mul(adjoint.tensor([1., 2.]), 3)
tensor([3., 6.])
)");

struct Div : Elementwise<2> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x, V y) { return x / y; }
  template <class V> static constexpr V dx(V, V y, V) { return V(1) / y; }
  template <class V> static constexpr V dy(V x, V y, V) { return -x / y / y; }
};
ADJ_OP(Div, "div(input: Operand, other: Operand) -> Tensor", R"(
Divides `input` by `other`; whole numbers give floating results.

>>> adjoint.div(adjoint.tensor([1, 3]), 2)
tensor([0.5000, 1.5000])
)");

struct Neg : Elementwise<1> {
  static constexpr bool complex = true;
  static constexpr Types types = Types::arithmetic;
  static void check(const Args& args) { check_no_bool(args); }
  template <class V> static constexpr V f(V x) { return V(-x); }
  template <class V> static constexpr V dx(V, V) { return V(-1); }
};
ADJ_OP(Neg, "neg(input: Tensor) -> Tensor", R"(
The negative of each element. A RuntimeError for bools: `~x` inverts a mask.

>>> adjoint.neg(adjoint.tensor([1., -2.]))
tensor([-1.,  2.])
)");

struct Reciprocal : Elementwise<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x) { return V(1) / x; }
  template <class V> static constexpr V dx(V, V z) { return -z * z; }
};
ADJ_OP(Reciprocal, "reciprocal(input: Tensor) -> Tensor", R"(
`1 / input`.

>>> adjoint.reciprocal(adjoint.tensor([2., -4.]))
tensor([ 0.5000, -0.2500])
)");

struct Square : Pointwise<1> {
  static constexpr bool complex = true;
  static constexpr Types types = Types::arithmetic;
  static constexpr const char* node = "PowBackward0";
  template <class V> static constexpr V f(V x) { return V(x * x); }
  template <class V> static constexpr V dx(V x, V) { return V(2) * x; }
};
ADJ_OP(Square, "square(input: Tensor) -> Tensor", R"(
The square of each element.

>>> adjoint.square(adjoint.tensor([1, -3]))
tensor([1, 9])
)");

struct Addcmul : Elementwise<4, 3> {
  static constexpr bool complex = true;
  static constexpr Types types = Types::arithmetic;
  template <class V> static constexpr V f(V x, V y, V w, V a) { return V(x + a * y * w); }
  template <class V> static constexpr V dx(V, V, V, V, V) { return V(1); }
  template <class V> static constexpr V dy(V, V, V w, V a, V) { return a * w; }
  template <class V> static constexpr V dw(V, V y, V, V a, V) { return a * y; }
};
ADJ_OP(Addcmul,
       "addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor",
       R"(
`input + value * tensor1 * tensor2`.

>>> adjoint.addcmul(adjoint.ones(2), adjoint.tensor([1., 2.]), adjoint.tensor([3., 4.]), value=10)
tensor([31., 81.])
)");

struct Addcdiv : Elementwise<4, 3> {
  static constexpr bool complex = true;
  static void check(const Args& args) { check_division_is_floating(args); }
  template <class V> static constexpr V f(V x, V y, V w, V a) { return x + a * (y / w); }
  template <class V> static constexpr V dx(V, V, V, V, V) { return V(1); }
  template <class V> static constexpr V dy(V, V, V w, V a, V) { return a / w; }
  template <class V> static constexpr V dw(V, V y, V w, V a, V) { return -a * (y / (w * w)); }
};
ADJ_OP(Addcdiv,
       "addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor",
       R"(
`input + value * tensor1 / tensor2`. A RuntimeError if both of these are whole.

>>> adjoint.addcdiv(adjoint.ones(2), adjoint.tensor([1., 2.]), adjoint.tensor([2., 4.]), value=10)
tensor([6., 6.])
)");

// The nearer end is the base, so that weights 0 and 1 give the ends exactly.
struct Lerp : Elementwise<3> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x, V y, V w) {
    return select(abs(w) < V(0.5), x + w * (y - x), y - (y - x) * (V(1) - w));
  }
  template <class V> static constexpr V dx(V, V, V w, V) { return V(1) - w; }
  template <class V> static constexpr V dy(V, V, V w, V) { return w; }
  template <class V> static constexpr V dw(V x, V y, V, V) { return y - x; }
};
ADJ_OP(Lerp, "lerp(input: Tensor, end: Tensor, weight: Operand) -> Tensor", R"(
`input + weight * (end - input)`; the weight is a number or a tensor.

>>> adjoint.lerp(adjoint.tensor([0., 10.]), adjoint.tensor([4., 20.]), 0.25)
tensor([ 1.0000, 12.5000])
)");

}  // namespace ADJ_ISA
}  // namespace adj
