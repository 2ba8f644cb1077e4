// Cumulative sums and products.
#include "cpu/norm_kernels.h"

namespace adj {
inline namespace ADJ_ISA {

template <bool product, class A>
inline A step(A a, A x) {
  return product ? a * x : a + x;
}

// T: of x; R: of the result; A: of the running value (double for float, as torch; unsigned for
// integers, so that they wrap).
template <bool product, class T, class R, class A>
void scan_rows(void* y, const void* x, int64_t rows, int64_t n, bool reverse) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* p = static_cast<const T*>(x) + r * n;
    R* o = static_cast<R*>(y) + r * n;
    A a = product;
    if (reverse)
      for (int64_t i = n - 1; i >= 0; --i) o[i] = R(a = step<product>(a, A(p[i])));
    else
      for (int64_t i = 0; i < n; ++i) o[i] = R(a = step<product>(a, A(p[i])));
  }
}

template <bool product, class T, class R, class A>
void scan_columns(void* y, const void* x, int64_t n, int64_t m, int64_t stride, bool reverse) {
  alignas(64) A a[256];
  for (int64_t j = 0; j < m; ++j) a[j] = product;
  for (int64_t k = 0; k < n; ++k) {
    int64_t row = (reverse ? n - 1 - k : k) * stride;
    const T* p = static_cast<const T*>(x) + row;
    R* o = static_cast<R*>(y) + row;
#pragma GCC ivdep
    for (int64_t j = 0; j < m; ++j) o[j] = R(a[j] = step<product>(a[j], A(p[j])));
  }
}

template <class T, class R, class A>
void set_scan(NormKernels& k, int t) {
  k.scan_rows[0][t] = scan_rows<false, T, R, A>;
  k.scan_rows[1][t] = scan_rows<true, T, R, A>;
  k.scan_columns[0][t] = scan_columns<false, T, R, A>;
  k.scan_columns[1][t] = scan_columns<true, T, R, A>;
}

void fill_scan(NormKernels& k) {
  set_scan<uint8_t, uint64_t, uint64_t>(k, 0);
  set_scan<uint8_t, uint64_t, uint64_t>(k, 1);
  set_scan<int8_t, uint64_t, uint64_t>(k, 2);
  set_scan<int16_t, uint64_t, uint64_t>(k, 3);
  set_scan<int32_t, uint64_t, uint64_t>(k, 4);
  set_scan<int64_t, uint64_t, uint64_t>(k, 5);
  set_scan<float, float, double>(k, 8);
  set_scan<double, double, double>(k, 9);
}

}  // namespace ADJ_ISA
}  // namespace adj
