// Steps, neighbours, exponents, common divisors, for the registry; their loops are compiled in
// core/cpu/isa.
#include "ops/elementwise/special_var.h"
#include "ops/kinds/elementwise.h"

#include "ops/elementwise/steps.h"

namespace adj {

void check_one_dtype(const Args& args) {
  DType x = args[0].tensor->dtype, y = args[1].tensor->dtype;
  if (x != y) runtime_error(args.op.name, " expects tensors of one dtype, got ", x, " and ", y);
}

void check_neighbours(const Args& args) {
  for (int k = 0; k < 2; ++k) {
    DType t = args[k].tensor->dtype;
    if (t != DType::f32 && t != DType::f64)
      fail(ErrorKind::not_implemented, args.op.name, " takes float32 and float64, got ", t);
  }
}

void check_floating(const Args& args) {
  DType t = args[0].tensor->dtype;
  if (!is_differentiable(t) || is_complex(t))
    runtime_error("frexp() only supports floating-point dtypes, got ", t);
}

void check_not_bool(const Args& args) {
  if (args[0].tensor->dtype == DType::b8 && args[1].tensor->dtype == DType::b8)
    fail(ErrorKind::not_implemented, args.op.name, " is not implemented for 'Bool'");
}

namespace {

struct Frexp : Composite {
  static Outs define(Tensor x) {
    static const Fn binary_exponent{"_nodes.binary_exponent"}, ldexp{"ldexp"};
    Tensor exponent = binary_exponent(x);
    return {ldexp(x, ops::neg(exponent)), ops::to_dtype(exponent, DType::i32)};
  }
};
ADJ_OP(Frexp, "frexp(input: Tensor) -> (Tensor mantissa, Tensor exponent)", R"(
The mantissa, of a size in [1/2, 1), and the exponent (int32) of each element: `input = mantissa *
2**exponent`. The mantissa is differentiable. Zeros, infinities and NaN have the exponent 0. A
RuntimeError for whole numbers.

>>> mantissa, exponent = adjoint.frexp(adjoint.tensor([8., -0.75]))
>>> mantissa
tensor([ 0.5000, -0.7500])
>>> exponent
tensor([4, 0], dtype=torch.int32)
)");

}  // namespace

}  // namespace adj
