// Activations of neural networks that are not plain functions of mathematics. Their Python names,
// with the argument `inplace`, are in activations.cpp.
#pragma once
#include "ops/elementwise/base.h"

namespace adj {
inline namespace ADJ_ISA {

struct LeakyRelu : Elementwise<2, 1> {
  template <class V> static constexpr V f(V x, V slope) { return select(x > V(0), x, slope * x); }
  template <class V> static constexpr V dx(V x, V slope, V) {
    return choose(x > V(0), V(1), slope);
  }
};
ADJ_OP(LeakyRelu, "_nodes.leaky_relu(input: Tensor, negative_slope: float) -> Tensor", R"(
`nn.functional.leaky_relu`.

>>> adjoint.nn.functional.leaky_relu(adjoint.tensor([-1., 2.]), 0.1)
tensor([-0.1000,  2.0000])
)");

struct PreluKernel : Pointwise<2> {
  static constexpr bool mask = true;
  template <class V> static constexpr V f(V x, V w) { return select(x > V(0), x, w * x); }
  template <class V> static constexpr V dx(V x, V w, V) { return choose(x > V(0), V(1), w); }
  template <class V> static constexpr V dy(V x, V, V) { return choose(x > V(0), V(0), x); }
};
ADJ_OP(PreluKernel, "_nodes.prelu_kernel(input: Tensor, weight: Tensor) -> Tensor", R"(
`prelu` with a weight that broadcasts to `input`.

>>> adjoint.prelu(adjoint.tensor([-1., 2.]), adjoint.tensor(0.5))
tensor([-0.5000,  2.0000])
)");

// exp(x) - 1 below 0. Its derivative, exp(x) there, is bounded before the choice: what is not
// chosen must be finite, or its own derivative is 0 times infinity.
struct Elu : Elementwise<2, 1> {
  template <class V> static constexpr V f(V x, V a) { return select(x > V(0), x, a * expm1(x)); }
  template <class V> static constexpr V dx(V x, V a, V) {
    return select(x <= V(0), a * exp(minimum(x, V(0))), V(1));
  }
};
ADJ_OP(Elu, "_nodes.elu(input: Tensor, alpha: float) -> Tensor", R"(
`nn.functional.elu`.

>>> adjoint.nn.functional.elu(adjoint.tensor([-1., 2.]))
tensor([-0.6321,  2.0000])
)");

struct Celu : Elementwise<2, 1> {
  template <class V> static constexpr V f(V x, V a) {
    return select(x > V(0), x, a * expm1(x / a));
  }
  template <class V> static constexpr V dx(V x, V a, V) {
    return select(x <= V(0), exp(minimum(x, V(0)) / a), V(1));
  }
};
ADJ_OP(Celu, "_nodes.celu(input: Tensor, alpha: float) -> Tensor", R"(
`celu`.

>>> adjoint.celu(adjoint.tensor([-1., 2.]), 2.0)
tensor([-0.7869,  2.0000])
)");

// Klambauer et al., Self-Normalizing Neural Networks (2017).
struct Selu : Pointwise<1> {
  static constexpr const char* node = "EluBackward0";
  static constexpr double alpha = 1.6732632423543772848, scale = 1.0507009873554804934;
  template <class V> static constexpr V f(V x) {
    return V(scale) * select(x > V(0), x, V(alpha) * expm1(x));
  }
  template <class V> static constexpr V dx(V x, V) {
    return select(x <= V(0), V(scale * alpha) * exp(minimum(x, V(0))), V(scale));
  }
};
ADJ_OP(Selu, "selu(input: Tensor) -> Tensor", R"(
The scaled ELU: `scale * x` above 0, `scale * alpha * (exp(x) - 1)` below, with the two constants of
Klambauer et al. (2017) that keep mean 0 and variance 1 from layer to layer.

>>> adjoint.selu(adjoint.tensor([-1., 1.]))
tensor([-1.1113,  1.0507])
)");

struct Gelu : Elementwise<1> {
  static constexpr double sqrt_half = 0.70710678118654752440;
  static constexpr double density_at_0 = 0.39894228040143267794;  // of the normal distribution
  template <class V> static constexpr V f(V x) { return V(0.5) * x * erfc(x * V(-sqrt_half)); }
  template <class V> static constexpr V dx(V x, V) {
    return V(0.5) * erfc(x * V(-sqrt_half)) + x * V(density_at_0) * exp(x * x * V(-0.5));
  }
};
ADJ_OP(Gelu, "_nodes.gelu(input: Tensor) -> Tensor", R"(
`nn.functional.gelu`, exactly.

>>> adjoint.nn.functional.gelu(adjoint.tensor([-1., 1.]))
tensor([-0.1587,  0.8413])
)");

struct GeluTanh : Pointwise<1> {
  static constexpr const char* node = "GeluBackward0";
  static constexpr double a = 0.79788456080286535588, b = 0.044715;  // sqrt(2 / pi)
  template <class V> static constexpr V f(V x) {
    return V(0.5) * x * (V(1) + tanh(V(a) * (x + V(b) * x * x * x)));
  }
  template <class V> static constexpr V dx(V x, V) {
    V square = x * x, t = tanh(V(a) * x * (V(1) + V(b) * square));
    return V(0.5) * (V(1) + t) + V(0.5 * a) * x * (V(1) - t * t) * (V(1) + V(3 * b) * square);
  }
};
ADJ_OP(GeluTanh, "_nodes.gelu_tanh(input: Tensor) -> Tensor", R"(
`nn.functional.gelu`, approximated with tanh.

>>> adjoint.nn.functional.gelu(adjoint.tensor([-1., 1.]), approximate="tanh")
tensor([-0.1588,  0.8412])
)");

struct Silu : Elementwise<1> {
  template <class V> static constexpr V f(V x) { return x * sigmoid(x); }
  template <class V> static constexpr V dx(V x, V) {
    V s = sigmoid(x);
    return s * (V(1) + x * (V(1) - s));
  }
};
ADJ_OP(Silu, "_nodes.silu(input: Tensor) -> Tensor", R"(
`nn.functional.silu`.

>>> adjoint.nn.functional.silu(adjoint.tensor([-1., 1.]))
tensor([-0.2689,  0.7311])
)");

struct Mish : Elementwise<1> {
  template <class V> static constexpr V f(V x) { return x * tanh(softplus_of(x)); }
  template <class V> static constexpr V dx(V x, V) {
    V t = tanh(softplus_of(x));
    return t + x * sigmoid(x) * (V(1) - t * t);
  }
};
ADJ_OP(Mish, "_nodes.mish(input: Tensor) -> Tensor", R"(
`nn.functional.mish`.

>>> adjoint.nn.functional.mish(adjoint.tensor([-1., 1.]))
tensor([-0.3034,  0.8651])
)");

struct Softplus : Elementwise<3, 1> {
  template <class V> static constexpr V f(V x, V beta, V threshold) {
    return select(x * beta > threshold, x, softplus_of(x * beta) / beta);
  }
  template <class V> static constexpr V dx(V x, V beta, V threshold, V) {
    return choose(x * beta > threshold, V(1), sigmoid(x * beta));
  }
};
ADJ_OP(
    Softplus,
    "nn.functional.softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor",
    R"(
`log(1 + exp(beta * input)) / beta`, a smooth `relu`; the identity where `beta * input` is above
`threshold`.

>>> adjoint.nn.functional.softplus(adjoint.tensor([-1., 0., 100.]))
tensor([  0.3133,   0.6931, 100.0000])
)");

struct Softsign : Pointwise<1> {
  static constexpr const char* node = "DivBackward0";
  template <class V> static constexpr V f(V x) { return x / (V(1) + abs(x)); }
  template <class V> static constexpr V dx(V x, V) {
    V scale = V(1) / (V(1) + abs(x));
    return scale * scale;
  }
};
ADJ_OP(Softsign, "nn.functional.softsign(input: Tensor) -> Tensor", R"(
`input / (1 + abs(input))`.

>>> adjoint.nn.functional.softsign(adjoint.tensor([-1., 3.]))
tensor([-0.5000,  0.7500])
)");

struct Hardtanh : Pointwise<3, 1> {
  static constexpr Types types = Types::arithmetic;
  static constexpr bool mask = true;
  static void check(const Args& args) { check_numeric(args); }
  template <class V> static constexpr V f(V x, V lo, V hi) { return clamped(x, lo, hi); }
  template <class V> static constexpr V dx(V x, V lo, V hi, V) {
    return choose((x <= lo) | (x >= hi), V(0), V(1));
  }
};
ADJ_OP(Hardtanh, "_nodes.hardtanh(input: Tensor, min_val: Number, max_val: Number) -> Tensor", R"(
`nn.functional.hardtanh`.

>>> adjoint.nn.functional.hardtanh(adjoint.tensor([-2., 0.5]))
tensor([-1.0000,  0.5000])
)");

struct Hardsigmoid : Pointwise<1> {
  static constexpr bool mask = true;
  template <class V> static constexpr V f(V x) { return clamped(x + V(3), V(0), V(6)) / V(6); }
  template <class V> static constexpr V dx(V x, V) {
    return choose((x > V(-3)) & (x < V(3)), V(1. / 6), V(0));
  }
};
ADJ_OP(Hardsigmoid, "_nodes.hardsigmoid(input: Tensor) -> Tensor", R"(
`nn.functional.hardsigmoid`.

>>> adjoint.nn.functional.hardsigmoid(adjoint.tensor([-4., 0., 4.]))
tensor([0.0000, 0.5000, 1.0000])
)");

struct Hardswish : Pointwise<1> {
  static constexpr bool mask = true;
  template <class V> static constexpr V f(V x) { return x * clamped(x + V(3), V(0), V(6)) / V(6); }
  template <class V> static constexpr V dx(V x, V) {
    return choose(x <= V(-3), V(0), choose(x < V(3), x / V(3) + V(0.5), V(1)));
  }
};
ADJ_OP(Hardswish, "_nodes.hardswish(input: Tensor) -> Tensor", R"(
`nn.functional.hardswish`.

>>> adjoint.nn.functional.hardswish(adjoint.tensor([-4., 1., 4.]))
tensor([-0.0000, 0.6667, 4.0000])
)");

struct Hardshrink : Pointwise<2, 1> {
  static constexpr bool mask = true;
  template <class V> static constexpr V f(V x, V l) {
    return select((x >= -l) & (x <= l), V(0), x);
  }
  template <class V> static constexpr V dx(V x, V l, V) {
    return choose((x >= -l) & (x <= l), V(0), V(1));
  }
};
ADJ_OP(Hardshrink, "hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor", R"(
Elements in `[-lambd, lambd]` become 0.

>>> adjoint.hardshrink(adjoint.tensor([-1., 0.2]))
tensor([-1.,  0.])
)");

struct Softshrink : Pointwise<2, 1> {
  static constexpr bool mask = true;
  static void check(const Args& args) { check_lambda(args); }
  template <class V> static constexpr V f(V x, V l) {
    return select(x > l, x - l, select(x < -l, x + l, x * V(0)));
  }
  template <class V> static constexpr V dx(V x, V l, V) {
    return choose((x >= -l) & (x <= l), V(0), V(1));
  }
};
ADJ_OP(Softshrink, "nn.functional.softshrink(input: Tensor, lambd: float = 0.5) -> Tensor", R"(
Elements moved towards 0 by `lambd`, and 0 where they are nearer to it than that. A RuntimeError if
`lambd` is negative.

>>> adjoint.nn.functional.softshrink(adjoint.tensor([-1., 0.2]))
tensor([-0.5000,  0.0000])
)");

}  // namespace ADJ_ISA
}  // namespace adj
