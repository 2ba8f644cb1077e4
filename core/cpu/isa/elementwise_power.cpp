// Powers: exponents are mostly one number for a whole tensor, and mostly a small one.
#include "cpu/isa/elementwise.h"
#include "ops/elementwise/power.h"

namespace adj {
inline namespace ADJ_ISA {

const ElementwiseKernels* all_elementwise_kernels();
const ElementwiseKernels* all_elementwise_kernels() { return kernel_list; }

namespace {

template <class T, class F>
void map(int64_t n, T* out, const T* x, F f) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) out[i] = f(x[i]);
}

template <class T>
bool all_equal(int64_t n, const T* y) {
  const T first = y[0];
  int different = 0;
  for (int64_t i = 0; i < n; ++i) different |= y[i] != first;
  return !different;
}

template <class T>
void pow_loop(int64_t n, void* out, const void* const* in) {
  T* o = static_cast<T*>(out);
  const T *x = static_cast<const T*>(in[0]), *y = static_cast<const T*>(in[1]);
  if (n > 0 && all_equal(n, y)) {
    if (y[0] == T(2)) return map(n, o, x, [](T v) { return v * v; });
    if (y[0] == T(3)) return map(n, o, x, [](T v) { return v * v * v; });
    if (y[0] == T(0.5)) return map(n, o, x, [](T v) { return sqrt(v); });
    if (y[0] == T(-0.5)) return map(n, o, x, [](T v) { return rsqrt(v); });
    if (y[0] == T(-1)) return map(n, o, x, [](T v) { return T(1) / v; });
    if (y[0] == T(-2)) return map(n, o, x, [](T v) { return T(1) / (v * v); });
    if (y[0] == T(1)) return map(n, o, x, [](T v) { return v; });
  }
  forward_loop<Pow, T, T>(n, out, in);
}

template <class T>
void pow_backward_loop(int64_t n, void* out, const void* const* in) {
  T* o = static_cast<T*>(out);
  const T *g = static_cast<const T*>(in[0]), *x = static_cast<const T*>(in[1]);
  const T* y = static_cast<const T*>(in[2]);
  if (n > 0 && all_equal(n, y)) {
    T e = y[0];
    auto times = [=](auto derivative) {
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) o[i] = g[i] * (e * derivative(x[i]));
    };
    if (e == T(2)) return times([](T v) { return v; });
    if (e == T(3)) return times([](T v) { return v * v; });
    if (e == T(0.5)) return times([](T v) { return rsqrt(v); });
    if (e == T(-1)) return times([](T v) { return T(1) / (v * v); });
    if (e == T(1)) return times([](T) { return T(1); });
  }
  backward_loop<Pow, 0, T>(n, out, in);
}

template <class T>
void whole_pow_loop(int64_t n, void* out, const void* const* in) {
  T* o = static_cast<T*>(out);
  const T *x = static_cast<const T*>(in[0]), *y = static_cast<const T*>(in[1]);
  if (n > 0 && all_equal(n, y) && y[0] == T(2))
    return map(n, o, x, [](T v) { return T(uint64_t(v) * uint64_t(v)); });
  forward_loop<Pow, T, T>(n, out, in);
}

[[maybe_unused]] const bool installed = [] {
  ElementwiseKernels& k = kernels_of("Pow");
  k.forward[4] = whole_pow_loop<int32_t>;
  k.forward[5] = whole_pow_loop<int64_t>;
  k.forward[8] = pow_loop<float>;
  k.forward[9] = pow_loop<double>;
  k.backward[0][0] = pow_backward_loop<float>;
  k.backward[0][1] = pow_backward_loop<double>;
  return true;
}();

}  // namespace
}  // namespace ADJ_ISA
}  // namespace adj
