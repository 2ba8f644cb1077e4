// One step of a recurrent layer, elementwise: per instruction-set level.
//
// Rows are elements of the batch, n hidden units each; gates lie side by side in a row. [double]
#pragma once
#include <cstdint>

namespace adj {

struct RnnKernels {
  // gates [rows, 4 n] holds h W^T and becomes i, f, g, o after adding x; c and h are written.
  void (*lstm[2])(void* gates, const void* x, int64_t x_row, const void* c_before, void* c, void* h,
                  int64_t rows, int64_t n);
  // From the cotangent dh of h, and dc of c, which becomes that of c_before. dgates may not be
  // gates.
  void (*lstm_backward[2])(void* dgates, void* dc, const void* dh, const void* gates,
                           const void* c_before, const void* c, int64_t rows, int64_t n);
  // gates [rows, 4 n]: h W^T in the first three parts becomes r, z, n, and W_n h + b_n.
  void (*gru[2])(void* gates, const void* x, int64_t x_row, const void* bias, const void* h_before,
                 void* h, int64_t rows, int64_t n);
  // dx [rows, 3 n] and dgates [rows, 3 n], the cotangents of x and of h W^T + b; dh becomes the
  // part of h_before's that does not come through the product.
  void (*gru_backward[2])(void* dx, void* dgates, void* dh, const void* gates, const void* h_before,
                          int64_t rows, int64_t n);
  // h = tanh(x + h), or relu; dx = dh times the derivative.
  void (*plain[2][2])(void* h, const void* x, int64_t x_row, int64_t rows, int64_t n);
  void (*plain_backward[2][2])(void* dx, const void* dh, const void* h, int64_t rows, int64_t n);
};

}  // namespace adj
