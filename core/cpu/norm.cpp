#include "cpu/norm.h"

#include <cstring>
#include <type_traits>

#include "cpu/allocator.h"
#include "cpu/isa.h"
#include "cpu/kernels.h"
#include "cpu/reduce.h"
#include "cpu/thread_pool.h"

namespace adj {

namespace {

constexpr int64_t kGrain = 8192;  // elements per task

// rows(first, count) in parallel over `outer` rows of n.
template <class F>
void over_rows(int64_t outer, int64_t n, const F& rows) {
  parallel_for(outer, kGrain / (n + 1) + 1,
               [&](int64_t from, int64_t to) { rows(from, to - from); });
}

// columns(offset, count): blocks of columns that stay in the L2 cache; offset in elements.
template <class F>
void over_columns(int64_t outer, int64_t n, int64_t inner, const F& columns) {
  int64_t width = 32768 / (n + 1) / 16 * 16;
  width = width < 64 ? 64 : width > 256 ? 256 : width;
  if (width > inner) width = inner;
  int64_t blocks = (inner + width - 1) / width;
  parallel_for(outer * blocks, kGrain / (n * width + 1) + 1, [&](int64_t from, int64_t to) {
    for (int64_t t = from; t < to; ++t) {
      int64_t column = t % blocks * width;
      columns(t / blocks * n * inner + column, inner - column < width ? inner - column : width);
    }
  });
}

template <class T>
T* at(T* p, int64_t bytes) {
  if constexpr (std::is_const_v<T>) return p ? static_cast<const char*>(p) + bytes : nullptr;
  else return p ? static_cast<char*>(p) + bytes : nullptr;
}

int64_t size_of(DType t) { return static_cast<int64_t>(itemsize(t)); }

}  // namespace

void softmax(DType t, bool log, void* y, const void* x, int64_t outer, int64_t n, int64_t inner) {
  if (outer * n * inner == 0) return;
  int64_t size = size_of(t);
  const NormKernels& k = kernels().norm;
  if (inner == 1) {
    over_rows(outer, n, [&](int64_t row, int64_t rows) {
      k.softmax_rows[log][t == DType::f64](at(y, row * n * size), at(x, row * n * size), rows, n);
    });
  } else {
    over_columns(outer, n, inner, [&](int64_t offset, int64_t m) {
      k.softmax_columns[log][t == DType::f64](at(y, offset * size), at(x, offset * size), n, m,
                                              inner);
    });
  }
}

void softmax_backward(DType t, bool log, void* dx, const void* g, const void* y, int64_t outer,
                      int64_t n, int64_t inner) {
  if (outer * n * inner == 0) return;
  int64_t size = size_of(t);
  const NormKernels& k = kernels().norm;
  if (inner == 1) {
    over_rows(outer, n, [&](int64_t row, int64_t rows) {
      int64_t offset = row * n * size;
      k.softmax_backward_rows[log][t == DType::f64](at(dx, offset), at(g, offset), at(y, offset),
                                                    rows, n);
    });
  } else {
    over_columns(outer, n, inner, [&](int64_t column, int64_t m) {
      int64_t offset = column * size;
      k.softmax_backward_columns[log][t == DType::f64](at(dx, offset), at(g, offset), at(y, offset),
                                                       n, m, inner);
    });
  }
}

void layer_norm(DType t, void* y, void* mean, void* rstd, const void* x, const void* weight,
                const void* bias, int64_t rows, int64_t n, double eps) {
  int64_t size = size_of(t);
  over_rows(rows, n, [&](int64_t row, int64_t count) {
    kernels().norm.layer_norm[t == DType::f64](at(y, row * n * size), at(mean, row * size),
                                               at(rstd, row * size), at(x, row * n * size), weight,
                                               bias, count, n, eps);
  });
}

void layer_norm_backward(DType t, void* dx, void* dweight, void* dbias, const void* g,
                         const void* x, const void* mean, const void* rstd, const void* weight,
                         int64_t rows, int64_t n) {
  int64_t size = size_of(t);
  // Pieces of rows, each with its own sums for dweight and dbias, which are then added up.
  int64_t piece = 32768 / (n + 1) + 1;
  if (piece * 64 < rows) piece = (rows + 63) / 64;
  int64_t pieces = rows == 0 ? 0 : (rows + piece - 1) / piece;
  bool sums = dweight || dbias;
  size_t bytes = sums ? static_cast<size_t>(2 * pieces * n * size) : 0;
  auto* partial = static_cast<char*>(allocate(bytes));  // [dweight or dbias, pieces, n]
  memset(partial, 0, bytes);
  parallel_for(pieces, 1, [&](int64_t from, int64_t to) {
    for (int64_t p = from; p < to; ++p) {
      int64_t row = p * piece, count = rows - row < piece ? rows - row : piece,
              offset = row * n * size;
      kernels().norm.layer_norm_backward[t == DType::f64](
          at(dx, offset), sums ? partial + p * n * size : nullptr,
          sums ? partial + (pieces + p) * n * size : nullptr, at(g, offset), at(x, offset),
          at(mean, row * size), at(rstd, row * size), weight, count, n);
    }
  });
  if (dweight) reduce(Reduce::sum, t, dweight, partial, 1, pieces, n);
  if (dbias) reduce(Reduce::sum, t, dbias, partial + pieces * n * size, 1, pieces, n);
  deallocate(partial, bytes);
}

void scan(bool product, DType t, void* y, const void* x, int64_t outer, int64_t n, int64_t inner,
          bool reverse) {
  if (outer * n * inner == 0) return;
  int64_t size = size_of(t),
          y_size = size_of(reduced_dtype(product ? Reduce::prod : Reduce::sum, t));
  const NormKernels& k = kernels().norm;
  if (inner == 1) {
    over_rows(outer, n, [&](int64_t row, int64_t rows) {
      k.scan_rows[product][static_cast<int>(t)](at(y, row * n * y_size), at(x, row * n * size),
                                                rows, n, reverse);
    });
  } else {
    over_columns(outer, n, inner, [&](int64_t offset, int64_t m) {
      k.scan_columns[product][static_cast<int>(t)](at(y, offset * y_size), at(x, offset * size), n,
                                                   m, inner, reverse);
    });
  }
}

}  // namespace adj
