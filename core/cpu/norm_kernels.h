// Softmax, layer norm and cumulative sums of parts of a tensor, per instruction-set level.
// Indexed by [double] where there are two; strides in elements.
#pragma once
#include <cstdint>

namespace adj {

struct NormKernels {
  // [log]
  void (*softmax_rows[2][2])(void* y, const void* x, int64_t rows, int64_t n);
  void (*softmax_columns[2][2])(void* y, const void* x, int64_t n, int64_t m, int64_t stride);
  void (*softmax_backward_rows[2][2])(void* dx, const void* g, const void* y, int64_t rows,
                                      int64_t n);
  void (*softmax_backward_columns[2][2])(void* dx, const void* g, const void* y, int64_t n,
                                         int64_t m, int64_t stride);

  // y = (x - mean) * rstd * weight + bias; null: no weight, no bias, mean 0 (RMS norm)
  void (*layer_norm[2])(void* y, void* mean, void* rstd, const void* x, const void* weight,
                        const void* bias, int64_t rows, int64_t n, double eps);
  // dx is written, dweight and dbias are added to. dx may be null, and both of the others may.
  void (*layer_norm_backward[2])(void* dx, void* dweight, void* dbias, const void* g, const void* x,
                                 const void* mean, const void* rstd, const void* weight,
                                 int64_t rows, int64_t n);

  // [product][dtype of x], forward or backward along the rows; of integers into int64
  void (*scan_rows[2][12])(void* y, const void* x, int64_t rows, int64_t n, bool reverse);
  void (*scan_columns[2][12])(void* y, const void* x, int64_t n, int64_t m, int64_t stride,
                              bool reverse);
};

}  // namespace adj
