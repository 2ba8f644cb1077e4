// Division with remainder. The library's fmod takes a step per bit of the quotient, one element at
// a time; where quotients are small, a multiplication that rounds once gives the same remainder.
#include "cpu/isa/elementwise.h"
#include "ops/elementwise/division.h"

namespace adj {
inline namespace ADJ_ISA {

#ifdef __FMA__

namespace {

template <class T>
constexpr T kLargest = sizeof(T) == 4 ? T(1 << 22) : T(1ll << 51);

inline float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }

// fmod for abs(x / y) < kLargest: the quotient may have been rounded up to the next whole number.
template <class T>
T small_fmod(T x, T y) {
  T r = fused(-trunc(x / y), y, x);
  r = (r != T(0)) & ((r < T(0)) != (x < T(0))) ? r + copysign(abs(y), x) : r;
  return copysign(r, x);
}

struct SmallFmod : Elementwise<2> {
  template <class V> static V f(V x, V y) { return small_fmod(x, y); }
};
struct SmallRemainder : Elementwise<2> {
  template <class V> static V f(V x, V y) { return floored(small_fmod(x, y), y); }
  template <class V> static V dy(V x, V y, V) { return -floor_quotient(x, y, small_fmod(x, y)); }
};
struct SmallFloorDivide : Elementwise<2> {
  template <class V> static V f(V x, V y) { return floor_quotient(x, y, small_fmod(x, y)); }
};

// Runs one of two loops on pieces that stay in the cache. Operands number `at` and at + 1, of
// `count`, are x and y.
template <class T, int count, int at>
void by_size(int64_t n, void* out, const void* const* in, LoopFn small, LoopFn any) {
  constexpr int64_t kPiece = 512;
  for (int64_t done = 0; done < n; done += kPiece) {
    int64_t m = n - done < kPiece ? n - done : kPiece;
    const void* piece[count];
    for (int k = 0; k < count; ++k) piece[k] = static_cast<const T*>(in[k]) + done;
    const T *x = static_cast<const T*>(piece[at]), *y = static_cast<const T*>(piece[at + 1]);
    int large = 0;
    for (int64_t i = 0; i < m; ++i) large |= !(abs(x[i] / y[i]) < kLargest<T>);
    (large ? any : small)(m, static_cast<T*>(out) + done, piece);
  }
}

template <class S, class Small, class T>
void forward(int64_t n, void* out, const void* const* in) {
  by_size<T, 2, 0>(n, out, in, forward_run<Small, T, T>, forward_run<S, T, T>);
}
// Of the divisor of a remainder: the operands are g, x, y and the result.
template <class T>
void backward(int64_t n, void* out, const void* const* in) {
  by_size<T, 4, 1>(n, out, in, backward_run<SmallRemainder, 1, T>, backward_run<Remainder, 1, T>);
}

template <class S, class Small>
ElementwiseKernels& install(const char* struct_name) {
  ElementwiseKernels& k = kernels_of(struct_name);
  k.forward[8] = forward<S, Small, float>;
  k.forward[9] = forward<S, Small, double>;
  return k;
}

[[maybe_unused]] const bool installed = [] {
  install<Fmod, SmallFmod>("Fmod");
  install<FloorDivide, SmallFloorDivide>("FloorDivide");
  ElementwiseKernels& k = install<Remainder, SmallRemainder>("Remainder");
  k.backward[1][0] = backward<float>;
  k.backward[1][1] = backward<double>;
  return true;
}();

}  // namespace

#endif

}  // namespace ADJ_ISA
}  // namespace adj
