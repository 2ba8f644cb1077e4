#include "cpu/attention_kernels.h"
#include "cpu/isa/vec.h"
#include "scalar/math.h"

namespace adj {
inline namespace ADJ_ISA {

template <class T>
inline constexpr T kNone = T(-__builtin_inf());

// One row of scores with the masks applied: -infinity where a key does not count.
template <class T>
void mask_row(const ScoreBlock& b, int64_t r, T* s) {
  int64_t n = b.columns, step = b.mask_column;
  if (b.mask && b.bool_mask) {
    auto* m = static_cast<const uint8_t*>(b.mask) + r * b.mask_row;
    if (step == 1)
      for (int64_t j = 0; j < n; ++j) s[j] = m[j] ? s[j] : kNone<T>;
    else
      for (int64_t j = 0; j < n; ++j) s[j] = m[j * step] ? s[j] : kNone<T>;
  } else if (b.mask) {
    auto* m = static_cast<const T*>(b.mask) + r * b.mask_row;
    if (step == 1)
      for (int64_t j = 0; j < n; ++j) s[j] += m[j];
    else
      for (int64_t j = 0; j < n; ++j) s[j] += m[j * step];
  }
  if (b.causal) {
    int64_t j = b.first_row + r - b.first_column + 1;
    for (j = j < 0 ? 0 : j; j < n; ++j) s[j] = kNone<T>;
  }
}

template <class T>
void attention_softmax(const ScoreBlock& b, void* scores, void* top, void* total, void* factor) {
  for (int64_t r = 0; r < b.rows; ++r) {
    T* s = static_cast<T*>(scores) + r * b.step;
    mask_row(b, r, s);
    T &highest = static_cast<T*>(top)[r], &sum = static_cast<T*>(total)[r];
    T before = highest, now = MaxOp::combine(before, max_of(s, b.columns));
    highest = now;
    T shift = now == kNone<T> ? T(0) : now;
    static_cast<T*>(factor)[r] = before == now ? T(1) : exp(before - shift);
#pragma GCC ivdep
    for (int64_t j = 0; j < b.columns; ++j) s[j] = exp(s[j] - shift);
    sum = sum * static_cast<T*>(factor)[r] + sum_of(s, b.columns);
    if (b.dropout) {
      auto* d = static_cast<const T*>(b.dropout) + r * b.step;
#pragma GCC ivdep
      for (int64_t j = 0; j < b.columns; ++j) s[j] *= d[j];
    }
  }
}

template <class T>
void attention_scale_rows(void* x, int64_t x_row, const void* factor, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r) {
    T* p = static_cast<T*>(x) + r * x_row;
    T f = static_cast<const T*>(factor)[r];
    if (f == T(1)) continue;
    for (int64_t j = 0; j < n; ++j) p[j] = f == T(0) ? T(0) : p[j] * f;
  }
}

template <class T>
void attention_backward(const ScoreBlock& b, void* scores, void* gradients, const void* logsumexp,
                        const void* delta, double scale) {
  for (int64_t r = 0; r < b.rows; ++r) {
    T *s = static_cast<T*>(scores) + r * b.step, *g = static_cast<T*>(gradients) + r * b.step;
    mask_row(b, r, s);
    T l = static_cast<const T*>(logsumexp)[r], d = static_cast<const T*>(delta)[r], c = T(scale);
    if (l == kNone<T>) {  // no key counts
      for (int64_t j = 0; j < b.columns; ++j) s[j] = g[j] = T(0);
      continue;
    }
#pragma GCC ivdep
    for (int64_t j = 0; j < b.columns; ++j) s[j] = exp(s[j] - l);
    if (b.dropout) {
      auto* f = static_cast<const T*>(b.dropout) + r * b.step;
#pragma GCC ivdep
      for (int64_t j = 0; j < b.columns; ++j) {
        g[j] = c * s[j] * (g[j] * f[j] - d);
        s[j] *= f[j];
      }
    } else {
#pragma GCC ivdep
      for (int64_t j = 0; j < b.columns; ++j) g[j] = c * s[j] * (g[j] - d);
    }
  }
}

template <class T>
void attention_dot_rows(void* out, const void* x, int64_t x_row, const void* y, int64_t y_row,
                        int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r) {
    auto *a = static_cast<const T*>(x) + r * x_row, *b = static_cast<const T*>(y) + r * y_row;
    static_cast<T*>(out)[r] = reduce_pairwise<SumOp, T>(
        n, [&](int64_t i) { return load(a + i) * load(b + i); },
        [&](int64_t i) { return a[i] * b[i]; });
  }
}

void fill(AttentionKernels& k) {
  k.softmax[0] = attention_softmax<float>;
  k.softmax[1] = attention_softmax<double>;
  k.scale_rows[0] = attention_scale_rows<float>;
  k.scale_rows[1] = attention_scale_rows<double>;
  k.backward[0] = attention_backward<float>;
  k.backward[1] = attention_backward<double>;
  k.dot_rows[0] = attention_dot_rows<float>;
  k.dot_rows[1] = attention_dot_rows<double>;
}

}  // namespace ADJ_ISA
}  // namespace adj
