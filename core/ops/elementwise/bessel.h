// Bessel functions, and those of Airy.
#pragma once
#include "ops/elementwise/special_readings.h"
#include "scalar/airy.h"
#include "scalar/bessel.h"

namespace adj {
inline namespace ADJ_ISA {

// The derivative at 0 of the function of order 1 is `at_0`; elsewhere it is a - z / x.
template <class V>
constexpr V order_1_slope(V x, V z, V a, double at_0) {
  V y = choose(x == V(0), V(1), x);
  return choose(x == V(0), V(at_0), a - z / y);
}

struct BesselJ0 : Special<1> {
  template <class V> static constexpr V f(V x) { return bessel_j0(x); }
  template <class V> static constexpr V dx(V x, V) { return -bessel_j1(x); }
};
ADJ_OP(BesselJ0, "special.bessel_j0(input: Tensor) -> Tensor", R"(
The Bessel function of the first kind and order 0. (Derivatives of all these: DLMF 10.6 and 10.29.)

>>> adjoint.special.bessel_j0(adjoint.tensor([0., 1.]))
tensor([1.0000, 0.7652])
)");

struct BesselJ1 : Special<1> {
  template <class V> static constexpr V f(V x) { return bessel_j1(x); }
  template <class V> static constexpr V dx(V x, V z) {
    return order_1_slope(x, z, bessel_j0(x), 0.5);
  }
};
ADJ_OP(BesselJ1, "special.bessel_j1(input: Tensor) -> Tensor", R"(
The Bessel function of the first kind and order 1.

>>> adjoint.special.bessel_j1(adjoint.tensor([0., 1.]))
tensor([0.0000, 0.4401])
)");

struct BesselY0 : Special<1> {
  template <class V> static constexpr V f(V x) { return bessel_y0(x); }
  template <class V> static constexpr V dx(V x, V) { return -bessel_y1(x); }
};
ADJ_OP(BesselY0, "special.bessel_y0(input: Tensor) -> Tensor", R"(
The Bessel function of the second kind and order 0; NaN below 0.

>>> adjoint.special.bessel_y0(adjoint.tensor([0., 1.]))
tensor([  -inf, 0.0883])
)");

struct BesselY1 : Special<1> {
  template <class V> static constexpr V f(V x) { return bessel_y1(x); }
  template <class V> static constexpr V dx(V x, V z) { return bessel_y0(x) - z / x; }
};
ADJ_OP(BesselY1, "special.bessel_y1(input: Tensor) -> Tensor", R"(
The Bessel function of the second kind and order 1; NaN below 0.

>>> adjoint.special.bessel_y1(adjoint.tensor([0., 1.]))
tensor([   -inf, -0.7812])
)");

struct I0 : Elementwise<1> {
  template <class V> static constexpr V f(V x) { return i0(x); }
  template <class V> static constexpr V dx(V x, V) { return i1(x); }
};
ADJ_OP(I0, "i0(input: Tensor) -> Tensor", R"(
The modified Bessel function of the first kind and order 0.

>>> adjoint.i0(adjoint.tensor([0., 1.]))
tensor([1.0000, 1.2661])
)");

struct I0e : Special<1> {
  template <class V> static constexpr V f(V x) { return i0e(x); }
  template <class V> static constexpr V dx(V x, V z) { return i1e(x) - sign(x) * z; }
};
ADJ_OP(I0e, "special.i0e(input: Tensor) -> Tensor", R"(
`exp(-abs(input)) * special.i0(input)`, without overflow.

>>> adjoint.special.i0e(adjoint.tensor([0., 1000.]))
tensor([1.0000, 0.0126])
)");

struct I1 : Special<1> {
  template <class V> static constexpr V f(V x) { return i1(x); }
  template <class V> static constexpr V dx(V x, V z) { return order_1_slope(x, z, i0(x), 0.5); }
};
ADJ_OP(I1, "special.i1(input: Tensor) -> Tensor", R"(
The modified Bessel function of the first kind and order 1.

>>> adjoint.special.i1(adjoint.tensor([0., 1.]))
tensor([0.0000, 0.5652])
)");

struct I1e : Special<1> {
  template <class V> static constexpr V f(V x) { return i1e(x); }
  template <class V> static constexpr V dx(V x, V z) {
    return order_1_slope(x, z, i0e(x) - sign(x) * z, 0.5);
  }
};
ADJ_OP(I1e, "special.i1e(input: Tensor) -> Tensor", R"(
`exp(-abs(input)) * special.i1(input)`, without overflow.

>>> adjoint.special.i1e(adjoint.tensor([0., 1000.]))
tensor([0.0000, 0.0126])
)");

struct ModifiedI0 : I0 {
  static constexpr bool in_place = false;
};
ADJ_OP(ModifiedI0, "special.modified_bessel_i0(input: Tensor) -> Tensor", R"(
The same as `i0`.

>>> adjoint.special.modified_bessel_i0(adjoint.tensor([0., 1.]))
tensor([1.0000, 1.2661])
)");

struct ModifiedI1 : I1 {};
ADJ_OP(ModifiedI1, "special.modified_bessel_i1(input: Tensor) -> Tensor", R"(
The same as `special.i1`.

>>> adjoint.special.modified_bessel_i1(adjoint.tensor([0., 1.]))
tensor([0.0000, 0.5652])
)");

struct ModifiedK0 : Special<1> {
  template <class V> static constexpr V f(V x) { return bessel_k0(x); }
  template <class V> static constexpr V dx(V x, V) { return -bessel_k1(x); }
};
ADJ_OP(ModifiedK0, "special.modified_bessel_k0(input: Tensor) -> Tensor", R"(
The modified Bessel function of the second kind and order 0; NaN below 0.

>>> adjoint.special.modified_bessel_k0(adjoint.tensor([0., 1.]))
tensor([   inf, 0.4210])
)");

struct ModifiedK1 : Special<1> {
  template <class V> static constexpr V f(V x) { return bessel_k1(x); }
  template <class V> static constexpr V dx(V x, V z) { return -bessel_k0(x) - z / x; }
};
ADJ_OP(ModifiedK1, "special.modified_bessel_k1(input: Tensor) -> Tensor", R"(
The modified Bessel function of the second kind and order 1; NaN below 0.

>>> adjoint.special.modified_bessel_k1(adjoint.tensor([0., 1.]))
tensor([   inf, 0.6019])
)");

struct ScaledK0 : Special<1> {
  template <class V> static constexpr V f(V x) { return scaled_k0(x); }
  template <class V> static constexpr V dx(V x, V z) { return z - scaled_k1(x); }
};
ADJ_OP(ScaledK0, "special.scaled_modified_bessel_k0(input: Tensor) -> Tensor", R"(
`exp(input) * special.modified_bessel_k0(input)`, without underflow.

>>> adjoint.special.scaled_modified_bessel_k0(adjoint.tensor([1., 1000.]))
tensor([1.1445, 0.0396])
)");

struct ScaledK1 : Special<1> {
  template <class V> static constexpr V f(V x) { return scaled_k1(x); }
  template <class V> static constexpr V dx(V x, V z) { return z - scaled_k0(x) - z / x; }
};
ADJ_OP(ScaledK1, "special.scaled_modified_bessel_k1(input: Tensor) -> Tensor", R"(
`exp(input) * special.modified_bessel_k1(input)`, without underflow.

>>> adjoint.special.scaled_modified_bessel_k1(adjoint.tensor([1., 1000.]))
tensor([1.6362, 0.0396])
)");

struct SphericalJ0 : Special<1> {
  template <class V> static constexpr V f(V x) { return spherical_j0(x); }
  template <class V> static constexpr V dx(V x, V) { return -spherical_j1(x); }
};
ADJ_OP(SphericalJ0, "special.spherical_bessel_j0(input: Tensor) -> Tensor", R"(
The spherical Bessel function of the first kind and order 0: `sin(input) / input`, 1 at 0.

>>> adjoint.special.spherical_bessel_j0(adjoint.tensor([0., 1.]))
tensor([1.0000, 0.8415])
)");

struct SphericalJ1 : Special<1> {
  template <class V> static constexpr V f(V x) { return spherical_j1(x); }
  template <class V> static constexpr V dx(V x, V z) {
    return order_1_slope(x, V(2) * z, spherical_j0(x), 1. / 3);
  }
};
ADJ_OP(SphericalJ1, "_nodes.spherical_j1(input: Tensor) -> Tensor", R"(
The spherical Bessel function of the first kind and order 1.

>>> adjoint._core._namespaces["_nodes"]["spherical_j1"](adjoint.tensor([0., 1.]))
tensor([0.0000, 0.3012])
)");

struct AiryAi : Special<1> {
  template <class V> static constexpr V f(V x) { return airy_ai(x); }
  template <class V> static constexpr V dx(V x, V) { return airy_ai_prime(x); }
};
ADJ_OP(AiryAi, "special.airy_ai(input: Tensor) -> Tensor", R"(
The function Ai of Airy, the solution of y'' = x y that vanishes for large x.

>>> adjoint.special.airy_ai(adjoint.tensor([0., 1.]))
tensor([0.3550, 0.1353])
)");

struct AiryAiPrime : Special<1> {
  template <class V> static constexpr V f(V x) { return airy_ai_prime(x); }
  template <class V> static constexpr V dx(V x, V) { return x * airy_ai(x); }
};
ADJ_OP(AiryAiPrime, "_nodes.airy_ai_prime(input: Tensor) -> Tensor", R"(
The derivative of `special.airy_ai`.

>>> adjoint._core._namespaces["_nodes"]["airy_ai_prime"](adjoint.tensor([0., 1.]))
tensor([-0.2588, -0.1591])
)");

}  // namespace ADJ_ISA
}  // namespace adj
