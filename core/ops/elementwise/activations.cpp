// Activations under their Python names, with the argument `inplace`.
#include "ops/elementwise/forwarding.h"

namespace adj {

namespace {

const Fn threshold{"threshold"}, selu{"selu"}, hardtanh{"_nodes.hardtanh"}, elu{"_nodes.elu"},
    celu{"_nodes.celu"}, leaky_relu{"_nodes.leaky_relu"}, gelu{"_nodes.gelu"},
    gelu_tanh{"_nodes.gelu_tanh"}, silu{"_nodes.silu"}, mish{"_nodes.mish"},
    hardsigmoid{"_nodes.hardsigmoid"}, hardswish{"_nodes.hardswish"};

// `inplace` is the last argument: the result overwrites `input`, and is that tensor.
bool inplace(const Args& a) { return a[a.size() - 1].as_bool(); }

struct FunctionalRelu : Composite {
  static constexpr bool in_place = true;
  static Tensor define(const Args& a) { return forward_to(ops::relu, a, {a[0]}, inplace(a)); }
};
ADJ_OP(FunctionalRelu, "nn.functional.relu(input: Tensor, inplace: bool = False) -> Tensor", R"(
Negative elements become 0. The derivative at 0 is taken to be 0.

>>> adjoint.nn.functional.relu(adjoint.tensor([-1., 2.]))
tensor([0., 2.])
)");

struct Relu6 : Composite {
  static Tensor define(const Args& a) {
    return forward_to(hardtanh, a, {a[0], int64_t{0}, int64_t{6}}, inplace(a));
  }
};
ADJ_OP(Relu6, "nn.functional.relu6(input: Tensor, inplace: bool = False) -> Tensor", R"(
Elements clamped to [0, 6]. The derivative at both ends is taken to be 0.

>>> adjoint.nn.functional.relu6(adjoint.tensor([-1., 2., 8.]))
tensor([0., 2., 6.])
)");

struct FunctionalHardtanh : Composite {
  static constexpr bool in_place = true;
  static Tensor define(const Args& a) {
    if (a[1].as_double() > a[2].as_double())
      value_error("min_val cannot be greater than max_val: got ", a[1].as_double(), " and ",
                  a[2].as_double());
    return forward_to(hardtanh, a, {a[0], a[1], a[2]}, inplace(a));
  }
};
ADJ_OP(FunctionalHardtanh,
       "nn.functional.hardtanh(input: Tensor, min_val: Number = -1.0, max_val: Number = 1.0, "
       "inplace: bool = False) -> Tensor",
       R"(
Elements clamped to `[min_val, max_val]`. The derivative at both ends is taken to be 0. A ValueError
if `min_val` is greater than `max_val`.

>>> adjoint.nn.functional.hardtanh(adjoint.tensor([-2., 0.5]))
tensor([-1.0000,  0.5000])
)");

struct FunctionalThreshold : Composite {
  static constexpr bool in_place = true;
  static Tensor define(const Args& a) {
    return forward_to(threshold, a, {a[0], a[1], a[2]}, inplace(a));
  }
};
ADJ_OP(FunctionalThreshold,
       "nn.functional.threshold(input: Tensor, threshold: Number, value: Number, inplace: bool = "
       "False)"
       " -> Tensor",
       R"(
Elements that are not above `threshold` become `value`.

>>> adjoint.nn.functional.threshold(adjoint.tensor([0.5, 2.]), 1, -1)
tensor([-1.,  2.])
)");

struct FunctionalLeakyRelu : Composite {
  static constexpr bool in_place = true;
  static Tensor define(const Args& a) {
    return forward_to(leaky_relu, a, {a[0], a[1]}, inplace(a));
  }
};
ADJ_OP(
    FunctionalLeakyRelu,
    "nn.functional.leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False)"
    " -> Tensor",
    R"(
`input` above 0, `negative_slope * input` below.

>>> adjoint.nn.functional.leaky_relu(adjoint.tensor([-1., 2.]), 0.1)
tensor([-0.1000,  2.0000])
)");

struct FunctionalElu : Composite {
  static constexpr bool in_place = true;
  static Tensor define(const Args& a) { return forward_to(elu, a, {a[0], a[1]}, inplace(a)); }
};
ADJ_OP(FunctionalElu,
       "nn.functional.elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor", R"(
`input` above 0, `alpha * (exp(input) - 1)` below (Clevert et al., 2016).

>>> adjoint.nn.functional.elu(adjoint.tensor([-1., 2.]))
tensor([-0.6321,  2.0000])
)");

struct FunctionalSelu : Composite {
  static constexpr bool in_place = true;
  static Tensor define(const Args& a) { return forward_to(selu, a, {a[0]}, inplace(a)); }
};
ADJ_OP(FunctionalSelu, "nn.functional.selu(input: Tensor, inplace: bool = False) -> Tensor", R"(
The scaled ELU (see `selu`).

>>> adjoint.nn.functional.selu(adjoint.tensor([-1., 1.]))
tensor([-1.1113,  1.0507])
)");

Tensor celu_of(const Args& a, bool in_place) {
  if (a[1].as_double() == 0) runtime_error("ZeroDivisionError: alpha cannot be 0 for CELU");
  return forward_to(celu, a, {a[0], a[1]}, in_place);
}

struct CeluOp : Composite {
  static constexpr bool in_place = true;
  static Tensor define(const Args& a) { return celu_of(a, false); }
};
ADJ_OP(CeluOp, "celu(input: Tensor, alpha: float = 1.0) -> Tensor", R"(
`input` above 0, `alpha * (exp(input / alpha) - 1)` below (Barron, 2017). A RuntimeError if
`alpha` is 0.

>>> adjoint.celu(adjoint.tensor([-1., 2.]), 2.0)
tensor([-0.7869,  2.0000])
)");

struct FunctionalCelu : Composite {
  static constexpr bool in_place = true;
  static Tensor define(const Args& a) { return celu_of(a, inplace(a)); }
};
ADJ_OP(FunctionalCelu,
       "nn.functional.celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor", R"(
`input` above 0, `alpha * (exp(input / alpha) - 1)` below (Barron, 2017). A RuntimeError if
`alpha` is 0.

>>> adjoint.nn.functional.celu(adjoint.tensor([-1., 2.]))
tensor([-0.6321,  2.0000])
)");

struct FunctionalGelu : Composite {
  static Tensor define(const Args& a) {
    Text text(a[1].string);
    if (text != "none" && text != "tanh")
      runtime_error("gelu: approximate argument must be either none or tanh, got ", text);
    return forward_to(text == "none" ? gelu : gelu_tanh, a, {a[0]});
  }
};
ADJ_OP(FunctionalGelu, "nn.functional.gelu(input: Tensor, *, approximate: str = 'none') -> Tensor",
       R"(
`input` times the normal distribution function of `input` (Hendrycks and Gimpel, 2016); with
`approximate="tanh"` by their formula `0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x**3)))`.

>>> adjoint.nn.functional.gelu(adjoint.tensor([-1., 1.]))
tensor([-0.1587,  0.8413])
)");

struct FunctionalSilu : Composite {
  static Tensor define(const Args& a) { return forward_to(silu, a, {a[0]}, inplace(a)); }
};
ADJ_OP(FunctionalSilu, "nn.functional.silu(input: Tensor, inplace: bool = False) -> Tensor", R"(
`input * sigmoid(input)`, also called swish.

>>> adjoint.nn.functional.silu(adjoint.tensor([-1., 1.]))
tensor([-0.2689,  0.7311])
)");

struct FunctionalMish : Composite {
  static Tensor define(const Args& a) { return forward_to(mish, a, {a[0]}, inplace(a)); }
};
ADJ_OP(FunctionalMish, "nn.functional.mish(input: Tensor, inplace: bool = False) -> Tensor", R"(
`input * tanh(log(1 + exp(input)))` (Misra, 2019).

>>> adjoint.nn.functional.mish(adjoint.tensor([-1., 1.]))
tensor([-0.3034,  0.8651])
)");

struct FunctionalHardsigmoid : Composite {
  static Tensor define(const Args& a) { return forward_to(hardsigmoid, a, {a[0]}, inplace(a)); }
};
ADJ_OP(FunctionalHardsigmoid,
       "nn.functional.hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor", R"(
`relu6(input + 3) / 6`.

>>> adjoint.nn.functional.hardsigmoid(adjoint.tensor([-4., 0., 4.]))
tensor([0.0000, 0.5000, 1.0000])
)");

struct FunctionalHardswish : Composite {
  static Tensor define(const Args& a) { return forward_to(hardswish, a, {a[0]}, inplace(a)); }
};
ADJ_OP(FunctionalHardswish,
       "nn.functional.hardswish(input: Tensor, inplace: bool = False) -> Tensor", R"(
`input * relu6(input + 3) / 6` (Howard et al., 2019).

>>> adjoint.nn.functional.hardswish(adjoint.tensor([-4., 1., 4.]))
tensor([-0.0000, 0.6667, 4.0000])
)");

struct Tanhshrink : Composite {
  static Tensor define(Tensor x) { return ops::sub(x, ops::tanh(x)); }
};
ADJ_OP(Tanhshrink, "nn.functional.tanhshrink(input: Tensor) -> Tensor", R"(
`input - tanh(input)`.

>>> adjoint.nn.functional.tanhshrink(adjoint.tensor([0., 1.]))
tensor([0.0000, 0.2384])
)");

}  // namespace
}  // namespace adj
