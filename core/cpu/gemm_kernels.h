// Matrix products on one thread, per instruction-set level. Row-major; strides in elements.
#pragma once
#include <cstdint>

namespace adj {

// C[m, n] = alpha A B + beta C, where A[i, p] lies at a[i * a_row + p * a_column], and B likewise;
// C is not read if beta is 0.
struct GemmArgs {
  int64_t m, n, k;
  double alpha, beta;
  const void* a;
  int64_t a_row, a_column;
  const void* b;
  int64_t b_row, b_column;
  void* c;
  int64_t c_row;
};

struct GemmKernels {
  // Without packing A; for products so small that this is less than a library's overhead. [double]
  void (*small[2])(const GemmArgs&);
  // In blocks, packed for the caches.
  void (*blocked[2])(const GemmArgs&);
  // Of integers (by dtype u8 .. i64, in their own width): plain loops; alpha 1, beta 0 or 1.
  void (*integer[6])(const GemmArgs&);
  // y[i] = alpha (row i of A) . x + beta y[i]; rows of A and x are contiguous. [double]
  void (*dot_rows[2])(const void* a, int64_t a_row, const void* x, void* y, int64_t y_step,
                      int64_t m, int64_t n, double alpha, double beta);
  // y[j] = alpha sum over i of x[i] A[i, j] + beta y[j]; y is contiguous.
  void (*sum_rows[2])(const void* a, int64_t a_row, const void* x, int64_t x_step, void* y,
                      int64_t m, int64_t n, double alpha, double beta);
};

}  // namespace adj
