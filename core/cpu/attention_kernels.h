// The elementwise half of attention: blocks of scores, per instruction-set level.
#pragma once
#include <cstdint>

namespace adj {

// Scores [rows, columns], `step` apart, of the queries from first_row on and the keys from
// first_column on. All pointers are to values of the kernel's type but for a mask of bools.
struct ScoreBlock {
  int64_t rows, columns, step;
  int64_t first_row, first_column;
  bool causal;       // keys behind the query do not count
  bool bool_mask;    // whether a key counts; otherwise the mask is added
  const void* mask;  // at this block; may be null
  int64_t mask_row, mask_column;
  const void* dropout;  // factors [rows, columns], `step` apart; may be null
};

struct AttentionKernels {
  // Online softmax (Milakov and Gimelshein, 2018): scores become exp(score - top), where top is the
  // largest score of the row so far; `total` is the sum of these, and `factor` what earlier results
  // of the row have to be multiplied by. [double]
  void (*softmax[2])(const ScoreBlock& b, void* scores, void* top, void* total, void* factor);
  // Rows of n elements times factor[row], or 0 where that is 0.
  void (*scale_rows[2])(void* x, int64_t x_row, const void* factor, int64_t rows, int64_t n);
  // From scores and the logarithm of their row's sum of exponentials: `weights`, those that dropout
  // leaves, and gradients of the weights become gradients of the scores,
  // scale * p * (gradient - delta).
  void (*backward[2])(const ScoreBlock& b, void* scores, void* gradients, const void* logsumexp,
                      const void* delta, double scale);
  // out[row] = sum of x[row, j] y[row, j]
  void (*dot_rows[2])(void* out, const void* x, int64_t x_row, const void* y, int64_t y_row,
                      int64_t rows, int64_t n);
};

}  // namespace adj
