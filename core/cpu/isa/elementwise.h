// Makes loops of the functions in core/ops/elementwise/*.h: one vectorised loop per dtype.
#pragma once
#include <cstring>

#include "cpu/elementwise_kernels.h"
#include "scalar/elementwise.h"

namespace adj {
inline namespace ADJ_ISA {

inline ElementwiseKernels* kernel_list = nullptr;

// Runs a loop over whole blocks only, the last one filled up: the rest of a vectorised loop calls
// libm where its body calls libmvec, and results must not depend on an element's place.
template <class T, int N>
void in_blocks(int64_t n, void* out, const void* const* in, unsigned reads, LoopFn loop) {
  constexpr int64_t kBlock = 64 / sizeof(T);
  int64_t whole = n / kBlock * kBlock, rest = n - whole;
  if (whole) loop(whole, out, in);
  if (!rest) return;
  T operands[N][kBlock], result[kBlock];
  const void* p[N];
  for (int k = 0; k < N; ++k) {
    p[k] = operands[k];
    if (!(reads >> k & 1)) continue;
    const T* x = static_cast<const T*>(in[k]) + whole;
    for (int64_t i = 0; i < kBlock; ++i) operands[k][i] = x[i < rest ? i : 0];
  }
  loop(kBlock, result, p);
  memcpy(static_cast<T*>(out) + whole, result, rest * sizeof(T));
}

template <class S, class T, class R>
void forward_run(int64_t n, void* out, const void* const* in) {
  R* o = static_cast<R*>(out);
  const T* x = static_cast<const T*>(in[0]);
  if constexpr (S::arity == 1) {
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) o[i] = static_cast<R>(S::f(x[i]));
  } else if constexpr (S::arity == 2) {
    const T* y = static_cast<const T*>(in[1]);
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) o[i] = static_cast<R>(S::f(x[i], y[i]));
  } else if constexpr (S::arity == 3) {
    const T* y = static_cast<const T*>(in[1]);
    const T* w = static_cast<const T*>(in[2]);
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) o[i] = static_cast<R>(S::f(x[i], y[i], w[i]));
  } else {
    const T* y = static_cast<const T*>(in[1]);
    const T* w = static_cast<const T*>(in[2]);
    const T* v = static_cast<const T*>(in[3]);
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) o[i] = static_cast<R>(S::f(x[i], y[i], w[i], v[i]));
  }
}

template <class S, class T, class R>
void forward_loop(int64_t n, void* out, const void* const* in) {
  if constexpr (is_real<T> && is_real<R> && S::types <= Types::floating) {
    if constexpr (is_inexact<S>())
      return in_blocks<T, S::arity>(n, out, in, ~0u, forward_run<S, T, R>);
  }
  forward_run<S, T, R>(n, out, in);
}

// The cotangent times the derivative; where a masking operator's derivative is 0, nothing passes.
template <class S, class T>
constexpr T pulled_back(T g, T derivative) {
  if constexpr (requires { S::mask; }) return derivative == T(0) ? T(0) : g * derivative;
  else return g * derivative;
}

// out = g * derivative: the whole first-order backward of one operand.
template <class S, int K, class T>
void backward_run(int64_t n, void* out, const void* const* in) {
  constexpr int N = S::arity;
  T* o = static_cast<T*>(out);
  const T* g = static_cast<const T*>(in[0]);
  const T* p[N + 1];
  for (int k = 0; k <= N; ++k) p[k] = static_cast<const T*>(in[k + 1]);
  if constexpr (N == 1) {
    const T *x = p[0], *z = p[1];
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) {
      const T a[1] = {x[i]};
      o[i] = pulled_back<S>(g[i], derivative<K, S, T>(a, z[i]));
    }
  } else if constexpr (N == 2) {
    const T *x = p[0], *y = p[1], *z = p[2];
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) {
      const T a[2] = {x[i], y[i]};
      o[i] = pulled_back<S>(g[i], derivative<K, S, T>(a, z[i]));
    }
  } else if constexpr (N == 3) {
    const T *x = p[0], *y = p[1], *w = p[2], *z = p[3];
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) {
      const T a[3] = {x[i], y[i], w[i]};
      o[i] = pulled_back<S>(g[i], derivative<K, S, T>(a, z[i]));
    }
  } else {
    const T *x = p[0], *y = p[1], *w = p[2], *v = p[3], *z = p[4];
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) {
      const T a[4] = {x[i], y[i], w[i], v[i]};
      o[i] = pulled_back<S>(g[i], derivative<K, S, T>(a, z[i]));
    }
  }
}

template <class S, int K, class T>
void backward_loop(int64_t n, void* out, const void* const* in) {
  constexpr unsigned reads = 1 | derivative_reads<K, S>() << 1;
  if constexpr (derivative_is_inexact<K, S>())
    in_blocks<T, S::arity + 2>(n, out, in, reads, backward_run<S, K, T>);
  else backward_run<S, K, T>(n, out, in);
}

template <class S, int K>
void add_backward(ElementwiseKernels& k) {
  if constexpr (K < S::gradients) {
    k.backward[K][0] = backward_loop<S, K, float>;
    k.backward[K][1] = backward_loop<S, K, double>;
    add_backward<S, K + 1>(k);
  }
}

template <class S, class T>
constexpr LoopFn forward_of() {
  if constexpr (S::types == Types::compare || S::types == Types::logical)
    return forward_loop<S, T, bool>;
  else return forward_loop<S, T, T>;
}

template <class S>
bool add_kernels(const char* struct_name) {
  static ElementwiseKernels k{struct_name};
  if constexpr (S::types == Types::logical) {
    k.forward[0] = forward_of<S, bool>();
  } else {
    if constexpr (S::types != Types::floating) {
      k.forward[0] = forward_of<S, bool>();
      k.forward[1] = forward_of<S, uint8_t>();
      k.forward[2] = forward_of<S, int8_t>();
      k.forward[3] = forward_of<S, int16_t>();
      k.forward[4] = forward_of<S, int32_t>();
      k.forward[5] = forward_of<S, int64_t>();
    }
    if constexpr (S::types != Types::integral) {
      k.forward[8] = forward_of<S, float>();
      k.forward[9] = forward_of<S, double>();
    }
  }
  add_backward<S, 0>(k);
  k.next = kernel_list;
  kernel_list = &k;
  return true;
}

// To put a loop of one's own in the place of one of these.
inline ElementwiseKernels& kernels_of(const char* struct_name) {
  ElementwiseKernels* k = kernel_list;
  while (strcmp(k->struct_name, struct_name)) k = k->next;
  return *k;
}

// Compilers do not vectorise the negation of bools; that of bytes they do.
inline void not_loop(int64_t n, void* out, const void* const* in) {
  auto* o = static_cast<unsigned char*>(out);
  auto* x = static_cast<const unsigned char*>(in[0]);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) o[i] = x[i] ^ 1;
}

}  // namespace ADJ_ISA
}  // namespace adj

#define ADJ_OP(STRUCT, SIGNATURE, DOCUMENTATION) \
  [[maybe_unused]] static const bool kernels_of_##STRUCT = ::adj::add_kernels<STRUCT>(#STRUCT)
