// The checks of elementwise operators on their arguments.
#include "ops/elementwise/base.h"
#include "ops/kinds/elementwise.h"

namespace adj {

namespace {

DType dtype_of(const Value& v) { return v.tag == Tag::tensor ? v.tensor->dtype : v.number_dtype(); }

// Whether no operand is a floating one.
bool whole(const Args& args, int count) {
  for (int k = 0; k < count; ++k)
    if (is_differentiable(dtype_of(args[k]))) return false;
  return true;
}

bool all_bool(const Args& args, int count) {
  for (int k = 0; k < count; ++k)
    if (dtype_of(args[k]) != DType::b8) return false;
  return true;
}

}  // namespace

void check_no_bool(const Args& args) {
  int count = args.op.elementwise->arity < 2 ? 1 : 2;
  for (int k = 0; k < count; ++k)
    if (dtype_of(args[k]) == DType::b8) {
      if (count == 1)
        runtime_error(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying "
            "to invert a mask, use the `~` or `logical_not()` operator instead.");
      runtime_error(
          "Subtraction, the `-` operator, with a bool tensor is not supported. If you are "
          "trying to invert a mask, use the `~` or `logical_not()` operator instead.");
    }
}

void check_alpha(const Args& args) {
  const Value& alpha = args[2];
  if (alpha.tag == Tag::boolean && !all_bool(args, 2))
    runtime_error("Boolean alpha only supported for Boolean results.");
  if (alpha.tag == Tag::real && whole(args, 2))
    runtime_error(
        "For integral input tensors, argument alpha must not be a floating point number, "
        "got ",
        alpha.real);
}

void check_alpha_no_bool(const Args& args) {
  check_no_bool(args);
  check_alpha(args);
}

void check_divisor(const Args& args) {
  if (!whole(args, 2)) return;
  const Value& y = args[1];
  bool zero = y.tag == Tag::tensor
                  ? y.tensor->numel > 0 && !*ops::all(Tensor(y.tensor)).data<bool>()
                  : y.as_int() == 0;
  if (zero) runtime_error("ZeroDivisionError: ", args.op.name, " of whole numbers by 0");
}

void check_exponent(const Args& args) {
  const Value& y = args[1];
  if (whole(args, 2) && y.is_number() && y.as_int() < 0)
    runtime_error("Integers to negative integer powers are not allowed, got ", y.as_int());
}

void check_division_is_floating(const Args& args) {
  if (is_differentiable(dtype_of(args[1])) || is_differentiable(dtype_of(args[2]))) return;
  runtime_error("Integer division with addcdiv is not supported: got ", dtype_of(args[1]), " and ",
                dtype_of(args[2]), "; convert one of them to a floating dtype");
}

void check_shift(const Args& args) {
  if (all_bool(args, 2))
    fail(ErrorKind::not_implemented, args.op.name, " is not implemented for 'Bool'");
}

void check_condition(const Args& args) {
  if (args[0].tensor->dtype != DType::b8)
    runtime_error("where expected condition to be a boolean tensor, but got a tensor with dtype ",
                  scalar_name_of(args[0].tensor->dtype));
}

void check_numeric(const Args& args) {
  if (dtype_of(args[0]) == DType::b8)
    runtime_error(args.op.name, ": bool inputs are not supported");
}

void check_lambda(const Args& args) {
  if (args[1].as_double() < 0)
    runtime_error("lambda must be greater or equal to 0, but found to be ", args[1].as_double());
}

}  // namespace adj
