// Trigonometric and hyperbolic functions and their inverses.
#pragma once
#include "ops/elementwise/base.h"

namespace adj {
inline namespace ADJ_ISA {

struct Sin : Elementwise<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x) { return sin(x); }
  template <class V> static constexpr V dx(V x, V) { return cos(x); }
};
ADJ_OP(Sin, "sin(input: Tensor) -> Tensor", R"(
The sine of each element, in radians.

>>> adjoint.sin(adjoint.tensor([0., 1.]))
tensor([0.0000, 0.8415])
)");

struct Cos : Elementwise<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x) { return cos(x); }
  template <class V> static constexpr V dx(V x, V) { return -sin(x); }
};
ADJ_OP(Cos, "cos(input: Tensor) -> Tensor", R"(
The cosine of each element, in radians.

>>> adjoint.cos(adjoint.tensor([0., 1.]))
tensor([1.0000, 0.5403])
)");

struct Tan : Elementwise<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x) { return tan(x); }
  template <class V> static constexpr V dx(V, V z) { return V(1) + z * z; }
};
ADJ_OP(Tan, "tan(input: Tensor) -> Tensor", R"(
The tangent of each element, in radians.

>>> adjoint.tan(adjoint.tensor([0., 1.]))
tensor([0.0000, 1.5574])
)");

struct Asin : Elementwise<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x) { return asin(x); }
  template <class V> static constexpr V dx(V x, V) { return rsqrt(V(1) - x * x); }
};
ADJ_OP(Asin, "asin(input: Tensor) -> Tensor", R"(
The angle in [-pi/2, pi/2] whose sine is each element; NaN outside [-1, 1].

>>> adjoint.asin(adjoint.tensor([0., 1.]))
tensor([0.0000, 1.5708])
)");

struct Acos : Elementwise<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x) { return acos(x); }
  template <class V> static constexpr V dx(V x, V) { return -rsqrt(V(1) - x * x); }
};
ADJ_OP(Acos, "acos(input: Tensor) -> Tensor", R"(
The angle in [0, pi] whose cosine is each element; NaN outside [-1, 1].

>>> adjoint.acos(adjoint.tensor([1., 0.]))
tensor([0.0000, 1.5708])
)");

struct Atan : Elementwise<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x) { return atan(x); }
  template <class V> static constexpr V dx(V x, V) { return V(1) / (V(1) + x * x); }
};
ADJ_OP(Atan, "atan(input: Tensor) -> Tensor", R"(
The angle in [-pi/2, pi/2] whose tangent is each element.

>>> adjoint.atan(adjoint.tensor([0., 1.]))
tensor([0.0000, 0.7854])
)");

struct Atan2 : Elementwise<2> {
  template <class V> static constexpr V f(V x, V y) { return atan2(x, y); }
  template <class V> static constexpr V dx(V x, V y, V) { return at_origin(x, y, y); }
  template <class V> static constexpr V dy(V x, V y, V) { return at_origin(x, y, -x); }
  // The gradient at the origin is taken to be 0.
  template <class V> static constexpr V at_origin(V x, V y, V numerator) {
    V square = x * x + y * y;
    return numerator * select(square == V(0), V(0), V(1) / square);
  }
};
ADJ_OP(Atan2, "atan2(input: Tensor, other: Tensor) -> Tensor", R"(
The angle in [-pi, pi] of the vectors with the coordinates x = `other` and y = `input`.

>>> adjoint.atan2(adjoint.tensor([1., -1.]), adjoint.tensor([1., -1.]))
tensor([ 0.7854, -2.3562])
)");

struct Sinh : Elementwise<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x) { return sinh(x); }
  template <class V> static constexpr V dx(V x, V) { return cosh(x); }
};
ADJ_OP(Sinh, "sinh(input: Tensor) -> Tensor", R"(
The hyperbolic sine of each element.

>>> adjoint.sinh(adjoint.tensor([0., 1.]))
tensor([0.0000, 1.1752])
)");

struct Cosh : Elementwise<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x) { return cosh(x); }
  template <class V> static constexpr V dx(V x, V) { return sinh(x); }
};
ADJ_OP(Cosh, "cosh(input: Tensor) -> Tensor", R"(
The hyperbolic cosine of each element.

>>> adjoint.cosh(adjoint.tensor([0., 1.]))
tensor([1.0000, 1.5431])
)");

struct Tanh : Elementwise<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x) { return tanh(x); }
  template <class V> static constexpr V dx(V, V z) { return V(1) - z * z; }
};
ADJ_OP(Tanh, "tanh(input: Tensor) -> Tensor", R"(
The hyperbolic tangent of each element.

>>> adjoint.tanh(adjoint.tensor([0., 1.]))
tensor([0.0000, 0.7616])
)");

struct Asinh : Elementwise<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x) { return asinh(x); }
  template <class V> static constexpr V dx(V x, V) { return rsqrt(x * x + V(1)); }
};
ADJ_OP(Asinh, "asinh(input: Tensor) -> Tensor", R"(
The inverse hyperbolic sine of each element.

>>> adjoint.asinh(adjoint.tensor([0., 1.]))
tensor([0.0000, 0.8814])
)");

struct Acosh : Elementwise<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x) { return acosh(x); }
  template <class V> static constexpr V dx(V x, V) { return acosh_slope(x); }
};
ADJ_OP(Acosh, "acosh(input: Tensor) -> Tensor", R"(
The inverse hyperbolic cosine of each element; NaN below 1.

>>> adjoint.acosh(adjoint.tensor([1., 2.]))
tensor([0.0000, 1.3170])
)");

struct Atanh : Elementwise<1> {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x) { return atanh(x); }
  template <class V> static constexpr V dx(V x, V) { return V(1) / (V(1) - x * x); }
};
ADJ_OP(Atanh, "atanh(input: Tensor) -> Tensor", R"(
The inverse hyperbolic tangent of each element; NaN outside [-1, 1].

>>> adjoint.atanh(adjoint.tensor([0., 0.5]))
tensor([0.0000, 0.5493])
)");

// sin(t) / t, t = pi x, and its derivative (t cos t - sin t) / t^2, which cancels near 0: there its
// series -t/3 (1 - t^2/10 (1 - t^2/28 (...))) is used.
struct Sinc : Elementwise<1> {
  template <class V> static constexpr V f(V x) {
    V t = x * V(kPi);
    return select(x == V(0), V(1), sin(t) / t);
  }
  template <class V> static constexpr V dx(V x, V) {
    auto small = abs(x) < V(0.125);
    V t = x * V(kPi), u = select(small, V(1), t), s = select(small, t * t, V(0));
    V series = V(1) - s / V(10) * (V(1) - s / V(28) * (V(1) - s / V(54) * (V(1) - s / V(88))));
    V far = (u * cos(u) - sin(u)) / (u * u);
    return V(kPi) * select(small, t / V(-3) * series, far);
  }
};
ADJ_OP(Sinc, "sinc(input: Tensor) -> Tensor", R"(
`sin(pi input) / (pi input)`, and 1 at 0.

>>> adjoint.sinc(adjoint.tensor([0., 0.5]))
tensor([1.0000, 0.6366])
)");

struct Deg2Rad : Pointwise<1> {
  static constexpr const char* node = "Deg2RadBackward0";
  template <class V> static constexpr V f(V x) { return x * V(kPi / 180); }
  template <class V> static constexpr V dx(V, V) { return V(kPi / 180); }
};
ADJ_OP(Deg2Rad, "deg2rad(input: Tensor) -> Tensor", R"(
Degrees to radians.

>>> adjoint.deg2rad(adjoint.tensor([180., 90.]))
tensor([3.1416, 1.5708])
)");

struct Rad2Deg : Pointwise<1> {
  static constexpr const char* node = "Rad2DegBackward0";
  template <class V> static constexpr V f(V x) { return x * V(180 / kPi); }
  template <class V> static constexpr V dx(V, V) { return V(180 / kPi); }
};
ADJ_OP(Rad2Deg, "rad2deg(input: Tensor) -> Tensor", R"(
Radians to degrees.

>>> adjoint.rad2deg(adjoint.tensor([1.]))
tensor([57.2958])
)");

}  // namespace ADJ_ISA
}  // namespace adj
