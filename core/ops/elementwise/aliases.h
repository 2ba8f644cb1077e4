// Second names of elementwise operators. What they are is said where the first name is.
#pragma once
#include "ops/elementwise/var.h"

namespace adj {
namespace {

#define ADJ_ALIAS(STRUCT, OF, SIGNATURE, EXAMPLE) \
  struct STRUCT : Alias {                         \
    static constexpr const char* of = OF;         \
  };                                              \
  ADJ_OP(STRUCT, SIGNATURE, "\nThe same as `" OF "`.\n\n" EXAMPLE "\n")

ADJ_ALIAS(Subtract, "sub", "subtract(input: Operand, other: Operand) -> Tensor", R"(
>>> adjoint.subtract(adjoint.tensor([3.]), 1)
tensor([2.]))");
ADJ_ALIAS(SubtractScaled, "sub:alpha",
          "subtract:alpha(input: Operand, other: Operand, *, alpha: Number = 1) -> Tensor", R"(
>>> adjoint.subtract(adjoint.tensor([3.]), 1, alpha=2)
tensor([1.]))");
ADJ_ALIAS(Multiply, "mul", "multiply(input: Operand, other: Operand) -> Tensor", R"(
>>> adjoint.multiply(adjoint.tensor([3.]), 2)
tensor([6.]))");
ADJ_ALIAS(Divide, "div", "divide(input: Operand, other: Operand) -> Tensor", R"(
>>> adjoint.divide(adjoint.tensor([3.]), 2)
tensor([1.5000]))");
ADJ_ALIAS(TrueDivide, "div", "true_divide(input: Operand, other: Operand) -> Tensor", R"(
>>> adjoint.true_divide(adjoint.tensor([3]), 2)
tensor([1.5000]))");
ADJ_ALIAS(Negative, "neg", "negative(input: Tensor) -> Tensor", R"(
>>> adjoint.negative(adjoint.tensor([3.]))
tensor([-3.]))");
ADJ_ALIAS(Absolute, "abs", "absolute(input: Tensor) -> Tensor", R"(
>>> adjoint.absolute(adjoint.tensor([-3.]))
tensor([3.]))");
ADJ_ALIAS(Fix, "trunc", "fix(input: Tensor) -> Tensor", R"(
>>> adjoint.fix(adjoint.tensor([-1.5]))
tensor([-1.]))");

ADJ_ALIAS(Arcsin, "asin", "arcsin(input: Tensor) -> Tensor", R"(
>>> adjoint.arcsin(adjoint.tensor([1.]))
tensor([1.5708]))");
ADJ_ALIAS(Arccos, "acos", "arccos(input: Tensor) -> Tensor", R"(
>>> adjoint.arccos(adjoint.tensor([0.]))
tensor([1.5708]))");
ADJ_ALIAS(Arctan, "atan", "arctan(input: Tensor) -> Tensor", R"(
>>> adjoint.arctan(adjoint.tensor([1.]))
tensor([0.7854]))");
ADJ_ALIAS(Arctan2, "atan2", "arctan2(input: Tensor, other: Tensor) -> Tensor", R"(
>>> adjoint.arctan2(adjoint.tensor([1.]), adjoint.tensor([1.]))
tensor([0.7854]))");
ADJ_ALIAS(Arcsinh, "asinh", "arcsinh(input: Tensor) -> Tensor", R"(
>>> adjoint.arcsinh(adjoint.tensor([1.]))
tensor([0.8814]))");
ADJ_ALIAS(Arccosh, "acosh", "arccosh(input: Tensor) -> Tensor", R"(
>>> adjoint.arccosh(adjoint.tensor([2.]))
tensor([1.3170]))");
ADJ_ALIAS(Arctanh, "atanh", "arctanh(input: Tensor) -> Tensor", R"(
>>> adjoint.arctanh(adjoint.tensor([0.5]))
tensor([0.5493]))");

ADJ_ALIAS(NotEqual, "ne", "not_equal(input: Operand, other: Operand) -> Tensor", R"(
>>> adjoint.not_equal(adjoint.tensor([1, 2]), 2)
tensor([ True, False]))");
ADJ_ALIAS(Less, "lt", "less(input: Operand, other: Operand) -> Tensor", R"(
>>> adjoint.less(adjoint.tensor([1, 2]), 2)
tensor([ True, False]))");
ADJ_ALIAS(LessEqual, "le", "less_equal(input: Operand, other: Operand) -> Tensor", R"(
>>> adjoint.less_equal(adjoint.tensor([1, 3]), 2)
tensor([ True, False]))");
ADJ_ALIAS(Greater, "gt", "greater(input: Operand, other: Operand) -> Tensor", R"(
>>> adjoint.greater(adjoint.tensor([1, 3]), 2)
tensor([False,  True]))");
ADJ_ALIAS(GreaterEqual, "ge", "greater_equal(input: Operand, other: Operand) -> Tensor", R"(
>>> adjoint.greater_equal(adjoint.tensor([1, 2]), 2)
tensor([False,  True]))");

struct SgnReal : Alias {
  static constexpr const char *of = "sign", *node = "SgnBackward0";
};
ADJ_OP(SgnReal, "_nodes.sgn(input: Tensor) -> Tensor", R"(
The sign of each element: the same as `sign` for real tensors.

>>> adjoint.sgn(adjoint.tensor([-2., 3.]))
tensor([-1.,  1.])
)");

ADJ_ALIAS(FunctionalSigmoid, "sigmoid", "nn.functional.sigmoid(input: Tensor) -> Tensor", R"(
>>> adjoint.nn.functional.sigmoid(adjoint.tensor([0.]))
tensor([0.5000]))");
ADJ_ALIAS(FunctionalTanh, "tanh", "nn.functional.tanh(input: Tensor) -> Tensor", R"(
>>> adjoint.nn.functional.tanh(adjoint.tensor([0.]))
tensor([0.]))");
ADJ_ALIAS(FunctionalHardshrink, "hardshrink",
          "nn.functional.hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor", R"(
>>> adjoint.nn.functional.hardshrink(adjoint.tensor([-1., 0.2]))
tensor([-1.,  0.]))");
ADJ_ALIAS(FunctionalLogSigmoid, "_nodes.log_sigmoid",
          "nn.functional.logsigmoid(input: Tensor) -> Tensor", R"(
>>> adjoint.nn.functional.logsigmoid(adjoint.tensor([0.]))
tensor([-0.6931]))");

#undef ADJ_ALIAS

}  // namespace
}  // namespace adj
