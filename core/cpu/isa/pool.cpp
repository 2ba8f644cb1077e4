// Max pooling. A row of outputs is made from rows of inputs: where windows are regular, several
// outputs at a time.
#include <cstring>

#include "cpu/pool_kernels.h"

namespace adj {
inline namespace ADJ_ISA {

namespace {

template <class T>
bool wins(T v, T best) {
  return (v > best) | (v != v);
}

// One output: the window over the inputs from `plane` on.
template <class T>
void max_of_window(T& best, int32_t& at, const T* plane, const WindowDim* d, int64_t i, int64_t j,
                   int64_t k) {
  int64_t from = (d[0].start[i] * d[1].n + d[1].start[j]) * d[2].n + d[2].start[k];
  best = plane[from];
  at = static_cast<int32_t>(from);
  for (int a = 0; a < d[0].count[i]; ++a)
    for (int b = 0; b < d[1].count[j]; ++b) {
      int64_t row = from + (a * d[0].step * d[1].n + b * d[1].step) * d[2].n;
      for (int c = 0; c < d[2].count[k]; ++c) {
        int64_t p = row + c * d[2].step;
        if (wins(plane[p], best)) {
          best = plane[p];
          at = static_cast<int32_t>(p);
        }
      }
    }
}

// Outputs k < m of one row: windows of R rows, `line` apart, and K columns, S apart from each
// other; the first begins at position `from`.
template <int R, int K, int S, class T>
void max_of_rows(T* __restrict y, int32_t* __restrict where, const T* __restrict plane,
                 int64_t from, int64_t line, int64_t m) {
  const T* x = plane + from;
  auto first = static_cast<int32_t>(from), down = static_cast<int32_t>(line);
#pragma GCC ivdep
  for (int32_t k = 0; k < static_cast<int32_t>(m); ++k) {
    T best = x[k * S];
    int32_t at = first + k * S;
    for (int r = 0; r < R; ++r)
      for (int c = 0; c < K; ++c) {
        T v = x[r * line + k * S + c];
        bool win = wins(v, best);
        best = win ? v : best;
        at = win ? first + r * down + k * S + c : at;
      }
    y[k] = best;
    where[k] = at;
  }
}

// One more input for each of m outputs, S apart (0: `stride`): `first` is the position of the
// first.
template <int S, bool begins, class T>
void max_of_taps(T* __restrict y, int32_t* __restrict where, const T* __restrict plane,
                 int64_t from, int64_t stride, int64_t m) {
  const T* x = plane + from;
  int32_t first = static_cast<int32_t>(from), s = S ? S : static_cast<int32_t>(stride);
#pragma GCC ivdep
  for (int32_t k = 0; k < static_cast<int32_t>(m); ++k) {
    T v = x[k * s], best = y[k];
    bool win = begins || wins(v, best);
    y[k] = win ? v : best;
    where[k] = win ? first + k * s : where[k];
  }
}

// Outputs k, ..., k + m - 1 of a row, whose windows are full in the last dim.
template <class T>
void max_of_full(T* y, int32_t* where, const T* plane, const WindowDim* d, int64_t i, int64_t j,
                 int64_t k, int64_t m) {
  int64_t from = (d[0].start[i] * d[1].n + d[1].start[j]) * d[2].n + d[2].start[k];
  int64_t s = d[2].stride;
  auto* more = s == 1   ? max_of_taps<1, false, T>
               : s == 2 ? max_of_taps<2, false, T>
                        : max_of_taps<0, false, T>;
  max_of_taps<0, true>(y, where, plane, from, s, m);
  for (int a = 0; a < d[0].count[i]; ++a)
    for (int b = 0; b < d[1].count[j]; ++b) {
      int64_t row = from + (a * d[0].step * d[1].n + b * d[1].step) * d[2].n;
      for (int64_t c = 0; c < d[2].kernel; ++c)
        if (a | b | static_cast<int>(c)) more(y, where, plane, row + c * d[2].step, s, m);
    }
}

template <class T>
using RowKernel = void (*)(T*, int32_t*, const T*, int64_t, int64_t, int64_t);

// The kernel for square windows that are common, or null.
template <class T>
RowKernel<T> row_kernel(int64_t kernel, int64_t stride, int64_t step) {
  if (step != 1) return nullptr;
  if (kernel == 2 && stride == 2) return max_of_rows<2, 2, 2, T>;
  if (kernel == 3 && stride == 2) return max_of_rows<3, 3, 2, T>;
  if (kernel == 3 && stride == 1) return max_of_rows<3, 3, 1, T>;
  if (kernel == 2 && stride == 1) return max_of_rows<2, 2, 1, T>;
  return nullptr;
}

template <class T>
void max_planes(void* y, int32_t* where, const void* x, int64_t planes, const WindowDim* d) {
  int64_t in = d[0].n * d[1].n * d[2].n, out = d[0].m * d[1].m * d[2].m;
  RowKernel<T> fast = row_kernel<T>(d[2].kernel, d[2].stride, d[2].step);
  for (int64_t plane = 0; plane < planes; ++plane) {
    const T* p = static_cast<const T*>(x) + plane * in;
    T* o = static_cast<T*>(y) + plane * out;
    int32_t* w = where + plane * out;
    for (int64_t i = 0; i < d[0].m; ++i)
      for (int64_t j = 0; j < d[1].m; ++j, o += d[2].m, w += d[2].m) {
        int64_t from = d[2].full_from, to = d[2].full_to;  // made several at a time
        bool square = d[0].count[i] == 1 && d[1].count[j] == d[2].kernel && d[1].step == 1;
        for (int64_t k = 0; k < from; ++k) max_of_window(o[k], w[k], p, d, i, j, k);
        if (from < to && fast && square)
          fast(o + from, w + from, p,
               (d[0].start[i] * d[1].n + d[1].start[j]) * d[2].n + d[2].start[from], d[2].n,
               to - from);
        else if (from < to) max_of_full(o + from, w + from, p, d, i, j, from, to - from);
        for (int64_t k = to; k < d[2].m; ++k) max_of_window(o[k], w[k], p, d, i, j, k);
      }
  }
}

typedef uint32_t Bits32 __attribute__((may_alias));
typedef uint64_t Bits64 __attribute__((may_alias, aligned(4)));

// Positions first + 2 k and the next get g[k] or 0. Two floats make one number of 64 bits, whose
// lower half comes first in memory.
inline void pairs_of_row(float* __restrict to, const float* __restrict g,
                         const int32_t* __restrict where, int32_t first, int64_t m) {
  auto* out = reinterpret_cast<Bits64*>(to);
  auto* in = reinterpret_cast<const Bits32*>(g);
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
#pragma GCC ivdep
  for (int32_t k = 0; k < static_cast<int32_t>(m); ++k) {
    auto at = static_cast<uint32_t>(where[k] - first - 2 * k);
    uint64_t bits = at < 2 ? in[k] : 0;
    out[k] = bits << ((at & 1) * 32);
  }
}
inline void pairs_of_row(double* __restrict to, const double* __restrict g,
                         const int32_t* __restrict where, int32_t first, int64_t m) {
  for (int32_t k = 0; k < static_cast<int32_t>(m); ++k) {
    int32_t at = where[k] - first - 2 * k;
    to[2 * k] = at == 0 ? g[k] : 0.0;
    to[2 * k + 1] = at == 1 ? g[k] : 0.0;
  }
}

// Windows of 2 x 2, side by side: every input belongs to one, and all of dx is written in order.
template <class T>
void max_backward_2x2(T* __restrict dx, const T* __restrict g, const int32_t* __restrict where,
                      const WindowDim* d) {
  int64_t width = d[2].n;
  for (int64_t i = 0; i < d[0].m; ++i) {
    for (int64_t j = 0; j < d[1].m; ++j, g += d[2].m, where += d[2].m)
      for (int64_t r = 0; r < 2; ++r) {
        auto first = static_cast<int32_t>((i * d[1].n + 2 * j + r) * width);
        T* __restrict to = dx + first;
        pairs_of_row(to, g, where, first, d[2].m);
        if (width > 2 * d[2].m) to[width - 1] = 0;
      }
    if (d[1].n > 2 * d[1].m) memset(dx + ((i + 1) * d[1].n - 1) * width, 0, sizeof(T) * width);
  }
}

bool side_by_side(const WindowDim& d) {
  return d.kernel == 2 && d.stride == 2 && d.step == 1 && d.full_from == 0 && d.full_to == d.m &&
         d.n - 2 * d.m <= 1;
}

template <class T>
void max_backward_planes(void* dx, const void* g, const int32_t* where, int64_t planes,
                         const WindowDim* d) {
  int64_t in = d[0].n * d[1].n * d[2].n, out = d[0].m * d[1].m * d[2].m;
  bool tiles = d[0].n == d[0].m && side_by_side(d[1]) && side_by_side(d[2]) && d[0].kernel == 1 &&
               d[0].stride == 1;
  for (int64_t plane = 0; plane < planes; ++plane) {
    T* p = static_cast<T*>(dx) + plane * in;
    const T* gs = static_cast<const T*>(g) + plane * out;
    const int32_t* w = where + plane * out;
    if (tiles) {
      max_backward_2x2(p, gs, w, d);
      continue;
    }
    memset(p, 0, sizeof(T) * static_cast<size_t>(in));
    for (int64_t o = 0; o < out; ++o) p[w[o]] += gs[o];
  }
}

}  // namespace

void fill(PoolKernels& k) {
  k.max[0] = max_planes<float>;
  k.max[1] = max_planes<double>;
  k.max_backward[0] = max_backward_planes<float>;
  k.max_backward[1] = max_backward_planes<double>;
}

}  // namespace ADJ_ISA
}  // namespace adj
