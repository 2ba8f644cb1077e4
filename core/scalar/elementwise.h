// What the author of an elementwise operator states. Read by the CPU kernels of each ISA level (and
// later by NVRTC), and by the registry, which derives everything else.
#pragma once
#include "scalar/dual.h"
#include "scalar/math.h"
#include "scalar/probe.h"

namespace adj {

struct Op;
enum class KindName : unsigned char;

// Which dtypes an operator computes in, and what it returns.
enum class Types : unsigned char {
  arithmetic,  // any; the promoted type
  floating,  // floating; integers become the default dtype first
  compare,  // any; returns bool
  integral,  // bool and integers
  logical,  // any, taken as bool; returns bool
};

// N operands, in the order of the signature; gradients with respect to the first G of them.
template <int N, int G = N>
struct Elementwise {
  static constexpr int arity = N;
  static constexpr int gradients = G;
  static constexpr Types types = Types::floating;
  static constexpr unsigned unpromoted = 0;  // operands (bits) that do not take part in promotion
  static constexpr bool complex = false;  // has loops over complex numbers
  static constexpr bool real_result = false;  // and these give real ones
  static const KindName kind;
  template <class S>
  static void fill(Op& op);
};

// Comparisons and the like: no gradient at all.
template <int N>
struct Predicate : Elementwise<N, 0> {
  static constexpr Types types = Types::compare;
};

inline namespace ADJ_ISA {

// The derivative of S::f by operand K, at operands x and result z: stated as dx, dy or dw, else
// derived by dual numbers.
template <int K, class S, class V>
constexpr V derivative(const V* x, const V& z) {
  constexpr int N = S::arity;
  if constexpr (N == 1) {
    if constexpr (requires { S::dx(x[0], z); }) return S::dx(x[0], z);
    else return S::f(seed<true>(x[0])).d;
  } else if constexpr (N == 2) {
    if constexpr (K == 0 && requires { S::dx(x[0], x[1], z); }) return S::dx(x[0], x[1], z);
    else if constexpr (K == 1 && requires { S::dy(x[0], x[1], z); }) return S::dy(x[0], x[1], z);
    else return S::f(seed<K == 0>(x[0]), seed<K == 1>(x[1])).d;
  } else if constexpr (N == 3) {
    if constexpr (K == 0 && requires { S::dx(x[0], x[1], x[2], z); })
      return S::dx(x[0], x[1], x[2], z);
    else if constexpr (K == 1 && requires { S::dy(x[0], x[1], x[2], z); })
      return S::dy(x[0], x[1], x[2], z);
    else if constexpr (K == 2 && requires { S::dw(x[0], x[1], x[2], z); })
      return S::dw(x[0], x[1], x[2], z);
    else return S::f(seed<K == 0>(x[0]), seed<K == 1>(x[1]), seed<K == 2>(x[2])).d;
  } else {
    if constexpr (K == 0 && requires { S::dx(x[0], x[1], x[2], x[3], z); })
      return S::dx(x[0], x[1], x[2], x[3], z);
    else if constexpr (K == 1 && requires { S::dy(x[0], x[1], x[2], x[3], z); })
      return S::dy(x[0], x[1], x[2], x[3], z);
    else if constexpr (K == 2 && requires { S::dw(x[0], x[1], x[2], x[3], z); })
      return S::dw(x[0], x[1], x[2], x[3], z);
    else
      return S::f(seed<K == 0>(x[0]), seed<K == 1>(x[1]), seed<K == 2>(x[2]), seed<K == 3>(x[3])).d;
  }
}

template <int K, class S>
constexpr Probe probed_derivative() {
  Probe x[S::arity + 1];
  for (int i = 0; i <= S::arity; ++i) x[i] = Probe{1u << i};
  return derivative<K, S, Probe>(x, x[S::arity]);
}

// Which operands (bits) the derivative by operand K reads; bit N is the result.
template <int K, class S>
constexpr unsigned derivative_reads() {
  return probed_derivative<K, S>().reads & ~(1u << kInexact);
}

// Whether a vector of results and one result alone may differ in their last bits.
template <int K, class S>
constexpr bool derivative_is_inexact() {
  return probed_derivative<K, S>().reads >> kInexact;
}
template <class S>
constexpr bool is_inexact() {
  constexpr int N = S::arity;
  Probe x{0u};
  if constexpr (N == 1) return S::f(x).reads >> kInexact;
  else if constexpr (N == 2) return S::f(x, x).reads >> kInexact;
  else if constexpr (N == 3) return S::f(x, x, x).reads >> kInexact;
  else return S::f(x, x, x, x).reads >> kInexact;
}

}  // namespace ADJ_ISA
}  // namespace adj
