// Matrix products out of one micro-kernel: a tile of C in registers, B in panels as wide as the
// tile.
#include "cpu/gemm_kernels.h"

#include "cpu/allocator.h"
#include "cpu/isa/transpose.h"
#include "cpu/isa/vec.h"

namespace adj {
inline namespace ADJ_ISA {

#if defined(__AVX512F__)
inline constexpr int kTileRows = 12;
#else
inline constexpr int kTileRows = 6;
#endif
template <class T>
inline constexpr int kTileColumns = 2 * kWidth<T>;

// C[R, columns] = alpha A B + beta C over k, for B whose rows have kTileColumns contiguous
// elements.
template <int R, class T>
void tile(int64_t k, const T* a, int64_t a_row, int64_t a_column, const T* b, int64_t b_row, T* c,
          int64_t c_row, int64_t columns, T alpha, T beta) {
  constexpr int W = kWidth<T>;
  Vec<T> acc[R][2];
#pragma GCC unroll 12
  for (int i = 0; i < R; ++i) acc[i][0] = acc[i][1] = splat(T(0));
  for (int64_t p = 0; p < k; ++p) {
    Vec<T> b0 = load(b), b1 = load(b + W);
#pragma GCC unroll 12
    for (int i = 0; i < R; ++i) {
      Vec<T> x = splat(a[i * a_row]);
      acc[i][0] += x * b0;
      acc[i][1] += x * b1;
    }
    a += a_column;
    b += b_row;
  }
  Vec<T> alphas = splat(alpha), betas = splat(beta);
  if (columns == 2 * W) {
#pragma GCC unroll 12
    for (int i = 0; i < R; ++i) {
      T* o = c + i * c_row;
      Vec<T> left = acc[i][0] * alphas, right = acc[i][1] * alphas;
      if (beta != T(0)) left += load(o) * betas, right += load(o + W) * betas;
      store(o, left);
      store(o + W, right);
    }
  } else {
    alignas(64) T line[2 * W];
#pragma GCC unroll 12
    for (int i = 0; i < R; ++i) {
      T* o = c + i * c_row;
      store(line, acc[i][0] * alphas);
      store(line + W, acc[i][1] * alphas);
#pragma GCC unroll 1
      for (int64_t j = 0; j < columns; ++j) o[j] = beta != T(0) ? line[j] + o[j] * beta : line[j];
    }
  }
}

template <class T>
using Tile = void (*)(int64_t, const T*, int64_t, int64_t, const T*, int64_t, T*, int64_t, int64_t,
                      T, T);

template <class T>
inline constexpr Tile<T> kTiles[] = {
    tile<1, T>, tile<2, T>, tile<3, T>, tile<4, T>,  tile<5, T>,  tile<6, T>,
#if defined(__AVX512F__)
    tile<7, T>, tile<8, T>, tile<9, T>, tile<10, T>, tile<11, T>, tile<12, T>,
#endif
};

// Packs `columns` columns of B (at most a tile's) into rows of kTileColumns, filled up with zeros.
template <class T>
void pack_panel(T* panel, const T* b, int64_t b_row, int64_t b_column, int64_t k, int64_t columns) {
  constexpr int N = kTileColumns<T>;
  if (columns < N) memset(panel, 0, static_cast<size_t>(k * N) * sizeof(T));
  if (b_column == 1) {
    for (int64_t p = 0; p < k; ++p) {
      const T* row = b + p * b_row;
      if (columns == N) memcpy(panel + p * N, row, N * sizeof(T));
      else
        for (int64_t j = 0; j < columns; ++j) panel[p * N + j] = row[j];
    }
    return;
  }
  if (b_row == 1) {
    constexpr int64_t size = sizeof(T);
    return transpose<sizeof(T)>(panel, N * size, b, b_column * size, columns, k);
  }
  for (int64_t p = 0; p < k; ++p)
    for (int64_t j = 0; j < columns; ++j) panel[p * N + j] = b[p * b_row + j * b_column];
}

// One panel of B times all rows of A.
template <class T>
void times_panel(int64_t m, int64_t k, const T* a, int64_t a_row, int64_t a_column, const T* panel,
                 int64_t panel_row, T* c, int64_t c_row, int64_t columns, T alpha, T beta) {
  int64_t i = 0;
  for (; i + kTileRows <= m; i += kTileRows)
    tile<kTileRows>(k, a + i * a_row, a_row, a_column, panel, panel_row, c + i * c_row, c_row,
                    columns, alpha, beta);
  if (i < m)
    kTiles<T>[m - i - 1](k, a + i* a_row, a_row, a_column, panel, panel_row, c + i* c_row, c_row,
                         columns, alpha, beta);
}

template <class T>
void gemm_small(const GemmArgs& g) {
  constexpr int N = kTileColumns<T>;
  constexpr int64_t kStack = 8192 / static_cast<int64_t>(sizeof(T));
  alignas(64) T stack[kStack];
  auto *a = static_cast<const T*>(g.a), *b = static_cast<const T*>(g.b);
  auto* c = static_cast<T*>(g.c);
  size_t bytes = static_cast<size_t>(g.k * N) * sizeof(T);
  T* panel = g.k * N <= kStack ? stack : static_cast<T*>(allocate(bytes));
  for (int64_t j = 0; j < g.n; j += N) {
    int64_t columns = g.n - j < N ? g.n - j : N;
    const T* rows = b + j * g.b_column;
    int64_t step = g.b_row;
    if (columns < N || g.b_column != 1) {
      pack_panel(panel, rows, g.b_row, g.b_column, g.k, columns);
      rows = panel;
      step = N;
    }
    times_panel(g.m, g.k, a, g.a_row, g.a_column, rows, step, c + j, g.c_row, columns, T(g.alpha),
                T(g.beta));
  }
  if (panel != stack) deallocate(panel, bytes);
}

// A block of A stays in the L2 cache, a panel of B in the L1 cache. A is packed only if its rows
// are not contiguous: in slabs of a tile's rows.
template <class T>
void gemm_blocked(const GemmArgs& g) {
  constexpr int64_t N = kTileColumns<T>, R = kTileRows;
  constexpr int64_t kDepth = 2048 / sizeof(T), kRows = 96, kColumns = 1024;
  auto *a = static_cast<const T*>(g.a), *b = static_cast<const T*>(g.b);
  auto* c = static_cast<T*>(g.c);
  auto least = [](int64_t x, int64_t y) { return x < y ? x : y; };
  auto up = [](int64_t x, int64_t step) { return (x + step - 1) / step * step; };
  bool packed = g.a_column != 1;
  int64_t cuts = (g.k + kDepth - 1) / kDepth, depth = up((g.k + cuts - 1) / cuts, 8);
  int64_t width = up(least(kColumns, g.n), N), height = packed ? up(least(kRows, g.m), R) : 0;
  size_t bytes = static_cast<size_t>(depth * (width + height)) * sizeof(T);
  T* panels = static_cast<T*>(allocate(bytes));
  T* slabs = panels + depth * width;
  for (int64_t j = 0; j < g.n; j += kColumns) {
    int64_t columns = least(kColumns, g.n - j);
    for (int64_t p = 0; p < g.k; p += depth) {
      int64_t k = least(depth, g.k - p);
      T beta = p == 0 ? T(g.beta) : T(1);
      for (int64_t q = 0; q < columns; q += N)
        pack_panel(panels + q * k, b + p * g.b_row + (j + q) * g.b_column, g.b_row, g.b_column, k,
                   least(N, columns - q));
      for (int64_t i = 0; i < g.m; i += kRows) {
        int64_t rows = least(kRows, g.m - i);
        const T* block = a + i * g.a_row + p * g.a_column;
        for (int64_t r = 0; packed && r < rows; r += R) {
          int64_t count = least(R, rows - r);
          T* slab = slabs + r * k;
          const T* from = block + r * g.a_row;
          for (int64_t l = 0; l < k; ++l, from += g.a_column)
#pragma GCC unroll 1
            for (int64_t s = 0; s < count; ++s) *slab++ = from[s * g.a_row];
        }
        for (int64_t q = 0; q < columns; q += N)
          for (int64_t r = 0; r < rows; r += R) {
            int64_t count = least(R, rows - r);
            const T* slab = packed ? slabs + r * k : block + r * g.a_row;
            kTiles<T>[count - 1](k, slab, packed ? 1 : g.a_row, packed ? count : 1, panels + q* k,
                                 N, c + (i + r)* g.c_row + j + q, g.c_row, least(N, columns - q),
                                 T(g.alpha), beta);
          }
      }
    }
  }
  deallocate(panels, bytes);
}

// Integers wrap, so those as wide as int or wider go without a sign.
template <class T>
void gemm_integer(const GemmArgs& g) {
  auto *a = static_cast<const T*>(g.a), *b = static_cast<const T*>(g.b);
  for (int64_t i = 0; i < g.m; ++i) {
    T* __restrict c = static_cast<T*>(g.c) + i * g.c_row;
    if (g.beta == 0)
      for (int64_t j = 0; j < g.n; ++j) c[j] = 0;
    for (int64_t p = 0; p < g.k; ++p) {
      T x = a[i * g.a_row + p * g.a_column];
      const T* row = b + p * g.b_row;
      if (g.b_column == 1)
        for (int64_t j = 0; j < g.n; ++j) c[j] = T(c[j] + x * row[j]);
      else
        for (int64_t j = 0; j < g.n; ++j) c[j] = T(c[j] + x * row[j * g.b_column]);
    }
  }
}

template <class T>
T dot(const T* x, const T* y, int64_t n) {
  return reduce_pairwise<SumOp, T>(
      n, [&](int64_t i) { return load(x + i) * load(y + i); },
      [&](int64_t i) { return x[i] * y[i]; });
}

template <class T>
void dot_rows(const void* a, int64_t a_row, const void* x, void* y, int64_t y_step, int64_t m,
              int64_t n, double alpha, double beta) {
  for (int64_t i = 0; i < m; ++i) {
    T* o = static_cast<T*>(y) + i * y_step;
    T sum = T(alpha) * dot(static_cast<const T*>(a) + i * a_row, static_cast<const T*>(x), n);
    *o = beta != 0 ? sum + T(beta) * *o : sum;
  }
}

template <class T>
void sum_rows(const void* a, int64_t a_row, const void* x, int64_t x_step, void* y, int64_t m,
              int64_t n, double alpha, double beta) {
  auto *p = static_cast<const T*>(a), *xs = static_cast<const T*>(x);
  auto* __restrict o = static_cast<T*>(y);
  if (beta == 0)
    for (int64_t j = 0; j < n; ++j) o[j] = 0;
  else if (beta != 1)
    for (int64_t j = 0; j < n; ++j) o[j] *= T(beta);
  int64_t i = 0;
  for (; i + 4 <= m; i += 4) {
    const T *r0 = p + i * a_row, *r1 = r0 + a_row, *r2 = r1 + a_row, *r3 = r2 + a_row;
    T x0 = T(alpha) * xs[i * x_step], x1 = T(alpha) * xs[(i + 1) * x_step];
    T x2 = T(alpha) * xs[(i + 2) * x_step], x3 = T(alpha) * xs[(i + 3) * x_step];
    for (int64_t j = 0; j < n; ++j) o[j] += (x0 * r0[j] + x1 * r1[j]) + (x2 * r2[j] + x3 * r3[j]);
  }
  for (; i < m; ++i) {
    const T* row = p + i * a_row;
    T x0 = T(alpha) * xs[i * x_step];
    for (int64_t j = 0; j < n; ++j) o[j] += x0 * row[j];
  }
}

void fill(GemmKernels& k) {
  k.small[0] = gemm_small<float>;
  k.small[1] = gemm_small<double>;
  k.blocked[0] = gemm_blocked<float>;
  k.blocked[1] = gemm_blocked<double>;
  k.integer[1] = gemm_integer<uint8_t>;
  k.integer[2] = gemm_integer<int8_t>;
  k.integer[3] = gemm_integer<int16_t>;
  k.integer[4] = gemm_integer<uint32_t>;
  k.integer[5] = gemm_integer<uint64_t>;
  k.dot_rows[0] = dot_rows<float>;
  k.dot_rows[1] = dot_rows<double>;
  k.sum_rows[0] = sum_rows<float>;
  k.sum_rows[1] = sum_rows<double>;
}

}  // namespace ADJ_ISA
}  // namespace adj
