// Exponentials and logarithms.
#pragma once
#include "ops/elementwise/base.h"

namespace adj {
inline namespace ADJ_ISA {

struct Exp : Elementwise<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x) { return exp(x); }
  template <class V> static constexpr V dx(V, V z) { return z; }
};
ADJ_OP(Exp, "exp(input: Tensor) -> Tensor", R"(
e to the power of each element.

>>> adjoint.exp(adjoint.tensor([0., 1.]))
tensor([1.0000, 2.7183])
)");

struct Exp2 : Elementwise<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x) { return exp2(x); }
  template <class V> static constexpr V dx(V, V z) { return z * V(kLn2); }
};
ADJ_OP(Exp2, "exp2(input: Tensor) -> Tensor", R"(
2 to the power of each element.

>>> adjoint.exp2(adjoint.tensor([0., 3.]))
tensor([1., 8.])
)");

struct Expm1 : Elementwise<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x) { return expm1(x); }
  template <class V> static constexpr V dx(V, V z) { return z + V(1); }
};
ADJ_OP(Expm1, "expm1(input: Tensor) -> Tensor", R"(
`exp(input) - 1`, exact to the last digits for small elements.

>>> adjoint.expm1(adjoint.tensor([0., 1.]))
tensor([0.0000, 1.7183])
)");

struct Log : Elementwise<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x) { return log(x); }
  template <class V> static constexpr V dx(V x, V) { return V(1) / x; }
};
ADJ_OP(Log, "log(input: Tensor) -> Tensor", R"(
The natural logarithm of each element; NaN for negative ones.

>>> adjoint.log(adjoint.tensor([1., 10.]))
tensor([0.0000, 2.3026])
)");

struct Log2 : Elementwise<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x) { return log2(x); }
  template <class V> static constexpr V dx(V x, V) { return V(1) / (x * V(kLn2)); }
};
ADJ_OP(Log2, "log2(input: Tensor) -> Tensor", R"(
The logarithm of each element to base 2.

>>> adjoint.log2(adjoint.tensor([1., 8.]))
tensor([0., 3.])
)");

struct Log10 : Elementwise<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x) { return log10(x); }
  template <class V> static constexpr V dx(V x, V) { return V(1) / (x * V(kLn10)); }
};
ADJ_OP(Log10, "log10(input: Tensor) -> Tensor", R"(
The logarithm of each element to base 10.

>>> adjoint.log10(adjoint.tensor([1., 100.]))
tensor([0., 2.])
)");

struct Log1p : Pointwise<1> {
  static constexpr bool complex = true;
  static constexpr const char* node = "Log1PBackward0";
  template <class V> static constexpr V f(V x) { return log1p(x); }
  template <class V> static constexpr V dx(V x, V) { return V(1) / (x + V(1)); }
};
ADJ_OP(Log1p, "log1p(input: Tensor) -> Tensor", R"(
`log(1 + input)`, exact to the last digits for small elements.

>>> adjoint.log1p(adjoint.tensor([0., 1.]))
tensor([0.0000, 0.6931])
)");

// The greater one is taken out of the logarithm; two equal infinities have no difference.
struct Logaddexp : Elementwise<2> {
  template <class V> static constexpr V f(V x, V y) {
    V m = maximum(x, y);
    return select((x == y) & isinf(x), x, m + log1p(exp(-abs(x - y))));
  }
  template <class V> static constexpr V dx(V x, V y, V) { return sigmoid(x - y); }
  template <class V> static constexpr V dy(V x, V y, V) { return sigmoid(y - x); }
};
ADJ_OP(Logaddexp, "logaddexp(input: Tensor, other: Tensor) -> Tensor", R"(
`log(exp(input) + exp(other))`, without overflow on the way.

>>> adjoint.logaddexp(adjoint.tensor([0., 1000.]), adjoint.tensor([0., 1000.]))
tensor([6.9315e-01, 1.0007e+03])
)");

struct Logaddexp2 : Elementwise<2> {
  template <class V> static constexpr V f(V x, V y) {
    V m = maximum(x, y);
    return select((x == y) & isinf(x), x, m + log1p(exp2(-abs(x - y))) * V(1 / kLn2));
  }
  template <class V> static constexpr V dx(V x, V y, V) { return sigmoid((x - y) * V(kLn2)); }
  template <class V> static constexpr V dy(V x, V y, V) { return sigmoid((y - x) * V(kLn2)); }
};
ADJ_OP(Logaddexp2, "logaddexp2(input: Tensor, other: Tensor) -> Tensor", R"(
`log2(2**input + 2**other)`, without overflow on the way.

>>> adjoint.logaddexp2(adjoint.tensor([0., 3.]), adjoint.tensor([0., 3.]))
tensor([1., 4.])
)");

struct Xlogy : Pointwise<2> {
  static constexpr bool mask = true;
  template <class V> static constexpr V f(V x, V y) {
    return select((x == V(0)) & (y == y), V(0), x * log(y));
  }
  template <class V> static constexpr V dx(V x, V y, V) {
    return choose((x == V(0)) & (y <= V(0)), V(0), log(y));
  }
  template <class V> static constexpr V dy(V x, V y, V) { return x / y; }
};
ADJ_OP(Xlogy, "xlogy(input: Operand, other: Operand) -> Tensor", R"(
`input * log(other)`, which is 0 where `input` is 0, whatever `other` is but NaN.

>>> adjoint.xlogy(adjoint.tensor([0., 2.]), adjoint.tensor([0., 1.]))
tensor([0., 0.])
)");

struct Sigmoid : Elementwise<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x) { return sigmoid(x); }
  template <class V> static constexpr V dx(V, V z) { return z * (V(1) - z); }
};
ADJ_OP(Sigmoid, "sigmoid(input: Tensor) -> Tensor", R"(
The logistic function `1 / (1 + exp(-input))`.

>>> adjoint.sigmoid(adjoint.tensor([0., 2.]))
tensor([0.5000, 0.8808])
)");

struct LogSigmoid : Elementwise<1> {
  template <class V> static constexpr V f(V x) { return minimum(x, V(0)) - log1p(exp(-abs(x))); }
  template <class V> static constexpr V dx(V x, V) { return sigmoid(-x); }
};
ADJ_OP(LogSigmoid, "_nodes.log_sigmoid(input: Tensor) -> Tensor", R"(
`log(sigmoid(input))`, without overflow on the way.

>>> adjoint.nn.functional.logsigmoid(adjoint.tensor([0., -1000.]))
tensor([-6.9315e-01, -1.0000e+03])
)");

// A negative eps stands for none: no bounds.
struct Logit : Pointwise<2, 1> {
  static constexpr bool mask = true;
  template <class V> static constexpr V f(V x, V eps) {
    V y = select(eps < V(0), x, clamped(x, eps, V(1) - eps));
    return log(y / (V(1) - y));
  }
  template <class V> static constexpr V dx(V x, V eps, V) {
    V slope = V(1) / (x * (V(1) - x));
    V outside = choose(eps < V(0), V(kNaN), V(0));
    V bound = choose(eps < V(0), V(0), eps);
    return choose((x < bound) | (x > V(1) - bound), outside, slope);
  }
};
ADJ_OP(Logit, "_nodes.logit(input: Tensor, eps: float) -> Tensor", R"(
`logit`; a negative `eps` means none.

>>> adjoint.logit(adjoint.tensor([0.5]))
tensor([0.])
)");

}  // namespace ADJ_ISA
}  // namespace adj
