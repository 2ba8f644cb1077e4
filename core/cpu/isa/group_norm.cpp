// Group norm: a group of channels of one sample is contiguous.
#include "cpu/batch_norm_kernels.h"
#include "cpu/isa/two_sums.h"

namespace adj {
inline namespace ADJ_ISA {

namespace {

template <class T>
void group_norm_forward(const Groups& a, void* y, const void* x, int64_t from, int64_t to) {
  auto *w = static_cast<const T*>(a.weight), *b = static_cast<const T*>(a.bias);
  int64_t n = a.c * a.s;
  for (int64_t r = from; r < to; ++r) {
    const T* p = static_cast<const T*>(x) + r * n;
    T* o = static_cast<T*>(y) + r * n;
    double count = static_cast<double>(n);
    T mean = static_cast<T>(double(sum_of(p, n)) / count);
    Pair m = two_sums<T>(n, Moments<T>{p, mean});
    double rest = m.a / count, variance = m.b / count - rest * rest;
    if (variance < 0) variance = 0;
    mean = static_cast<T>(mean + rest);
    T rstd = static_cast<T>(1 / __builtin_sqrt(variance + a.eps));
    static_cast<T*>(a.mean)[r] = mean;
    static_cast<T*>(a.rstd)[r] = rstd;
    int64_t first = r % a.groups * a.c;
    const T *ws = w ? w + first : nullptr, *bs = b ? b + first : nullptr;
    if (a.s == 1 && ws && bs) {
#pragma GCC ivdep
      for (int64_t c = 0; c < n; ++c) o[c] = (p[c] - mean) * rstd * ws[c] + bs[c];
      continue;
    }
    for (int64_t c = 0; c < a.c; ++c, p += a.s, o += a.s) {
      T scale = ws ? rstd * ws[c] : rstd, shift = bs ? bs[c] : T(0);
#pragma GCC ivdep
      for (int64_t k = 0; k < a.s; ++k) o[k] = (p[k] - mean) * scale + shift;
    }
  }
}

template <class T>
void group_norm_backward(const Groups& a, void* dx, void* dweight, void* dbias, const void* g,
                         const void* x, int64_t from, int64_t to) {
  auto* w = static_cast<const T*>(a.weight);
  int64_t n = a.c * a.s;
  for (int64_t r = from; r < to; ++r) {
    const T *p = static_cast<const T*>(x) + r * n, *q = static_cast<const T*>(g) + r * n;
    T mean = static_cast<const T*>(a.mean)[r];
    double rstd = static_cast<const T*>(a.rstd)[r], first = 0, second = 0;
    const T* ws = w ? w + r % a.groups * a.c : nullptr;
    T *dw = static_cast<T*>(dweight) + r * a.c, *db = static_cast<T*>(dbias) + r * a.c;
    for (int64_t c = 0; c < a.c; ++c) {
      Pair s = two_sums<T>(a.s, Products<T>{q + c * a.s, p + c * a.s, mean});
      dw[c] = static_cast<T>(s.b * rstd);
      db[c] = static_cast<T>(s.a);
      double weight = ws ? double(ws[c]) : 1.0;
      first += s.a * weight;
      second += s.b * weight;
    }
    if (!dx) continue;
    T* o = static_cast<T*>(dx) + r * n;
    double count = static_cast<double>(n);
    T less = static_cast<T>(first / count), along = static_cast<T>(second * rstd * rstd / count);
    auto scale = static_cast<T>(rstd);
    for (int64_t c = 0; c < a.c; ++c, p += a.s, q += a.s, o += a.s) {
      T weight = ws ? ws[c] : T(1);
#pragma GCC ivdep
      for (int64_t k = 0; k < a.s; ++k)
        o[k] = (q[k] * weight - less - (p[k] - mean) * along) * scale;
    }
  }
}

}  // namespace

void fill_group_norm(BatchNormKernels& k) {
  k.group_forward[0] = group_norm_forward<float>;
  k.group_forward[1] = group_norm_forward<double>;
  k.group_backward[0] = group_norm_backward<float>;
  k.group_backward[1] = group_norm_backward<double>;
}

}  // namespace ADJ_ISA
}  // namespace adj
