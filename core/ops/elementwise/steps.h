// Numbers as they are stored or counted: steps, neighbours, exponents, common divisors.
#pragma once
#include "ops/elementwise/special_readings.h"
#include "scalar/representation.h"

namespace adj {

void check_one_dtype(const Args& args);   // heaviside
void check_neighbours(const Args& args);  // nextafter: float32 or float64
void check_floating(const Args& args);    // frexp
void check_not_bool(const Args& args);    // gcd, lcm

inline namespace ADJ_ISA {

struct Heaviside : Elementwise<2, 0> {
  static constexpr Types types = Types::arithmetic;
  static void check(const Args& args) { check_one_dtype(args); }
  template <class V> static constexpr V f(V x, V value) {
    return select(x == V(0), value, V(x > V(0)));
  }
};
ADJ_OP(Heaviside, "heaviside(input: Tensor, values: Tensor) -> Tensor", R"(
0 where `input` is negative (or NaN), 1 where it is positive, `values` where it is 0. It has no
derivative. A RuntimeError if the dtypes differ.

>>> adjoint.heaviside(adjoint.tensor([-1.5, 0., 2.]), adjoint.tensor([0.5]))
tensor([0.0000, 0.5000, 1.0000])
)");

struct Nextafter : Elementwise<2, 0> {
  static void check(const Args& args) { check_neighbours(args); }
  template <class V> static constexpr V f(V x, V y) { return neighbour(x, y); }
};
ADJ_OP(Nextafter, "nextafter(input: Tensor, other: Tensor) -> Tensor", R"(
The next number that can be represented after `input` in the direction of `other`; float32 and
float64 only. It has no derivative.

>>> adjoint.nextafter(adjoint.tensor([1.]), adjoint.tensor([2.])) - 1
tensor([1.1921e-07])
)");

struct Ldexp : Elementwise<2> {
  template <class V> static constexpr V f(V x, V n) { return scaled_by_power(x, n); }
  template <class V> static constexpr V dx(V, V n, V) { return power_of_2(n); }
  template <class V> static constexpr V dy(V, V, V z) { return V(kLn2) * z; }
};
ADJ_OP(Ldexp, "ldexp(input: Tensor, other: Tensor) -> Tensor", R"(
`input * 2**other`, without overflow of the power alone.

>>> adjoint.ldexp(adjoint.tensor([1., 3.]), adjoint.tensor([2, -1]))
tensor([4.0000, 1.5000])
)");

struct BinaryExponent : Elementwise<1, 0> {
  static constexpr bool in_place = false;
  static void check(const Args& args) { check_floating(args); }
  template <class V> static constexpr V f(V x) { return binary_exponent(x); }
};
ADJ_OP(BinaryExponent, "_nodes.binary_exponent(input: Tensor) -> Tensor", R"(
The exponent of `frexp`, in the dtype of `input`.

>>> adjoint._core._namespaces["_nodes"]["binary_exponent"](adjoint.tensor([8.]))
tensor([4.])
)");

struct Gcd : Elementwise<2, 0> {
  static constexpr Types types = Types::integral;
  static void check(const Args& args) { check_not_bool(args); }
  template <class V> static constexpr V f(V x, V y) { return greatest_common_divisor(x, y); }
};
ADJ_OP(Gcd, "gcd(input: Tensor, other: Tensor) -> Tensor", R"(
The greatest common divisor of whole numbers, not negative; of 0 and 0 it is 0.

>>> adjoint.gcd(adjoint.tensor([5, 10, 15]), adjoint.tensor([3, 4, 5]))
tensor([1, 2, 5])
)");

struct Lcm : Elementwise<2, 0> {
  static constexpr Types types = Types::integral;
  static void check(const Args& args) { check_not_bool(args); }
  template <class V> static constexpr V f(V x, V y) { return least_common_multiple(x, y); }
};
ADJ_OP(Lcm, "lcm(input: Tensor, other: Tensor) -> Tensor", R"(
The least common multiple of whole numbers, not negative; 0 if one of them is 0.

>>> adjoint.lcm(adjoint.tensor([5, 10, 15]), adjoint.tensor([3, 4, 5]))
tensor([15, 20, 15])
)");

}  // namespace ADJ_ISA
}  // namespace adj
