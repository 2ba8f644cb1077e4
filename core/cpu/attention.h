// softmax(scale Q K^T + mask) V in blocks: memory is linear in the number of queries and keys (Dao
// et al., "FlashAttention", 2022). float32 and float64; strides and offsets in elements.
#pragma once
#include <cstdint>

#include "cpu/random.h"
#include "tensor/dtype.h"

namespace adj {

// Matrices with contiguous rows, one for each pair of an element of the batch and a head of
// queries.
struct HeadMatrices {
  void* data = nullptr;
  const int64_t* offsets = nullptr;
  int64_t row = 0;
};

struct Attention {
  DType dtype;
  int64_t pairs, group;  // `group` neighbouring heads of queries share their keys and values
  int64_t rows, columns, width, value_width;
  double scale;
  bool causal;
  HeadMatrices q, k, v;  // [rows, width], [columns, width], [columns, value_width]
  HeadMatrices mask;     // [rows, columns], `mask_column` apart; null: none
  int64_t mask_column = 1;
  bool bool_mask = false;
  double dropout = 0;  // the probability of a weight to be dropped
  RandomState random;
};

// out [rows, value_width]; logsumexp [pairs, rows], contiguous.
void attention(const Attention& a, const HeadMatrices& out, void* logsumexp);
// Of a cotangent g of out; gradients in matrices as above, those of k and v one for each group.
void attention_backward(const Attention& a, const HeadMatrices& g, const HeadMatrices& out,
                        const void* logsumexp, const HeadMatrices& dq, const HeadMatrices& dk,
                        const HeadMatrices& dv);
// The factors of dropout, 0 or 1 / (1 - p), as [pairs, rows, columns].
void attention_dropout(DType t, void* out, int64_t pairs, int64_t rows, int64_t columns, double p,
                       RandomState state);
// How far the generator has to be moved for one call.
uint64_t attention_dropout_span(DType t, int64_t pairs, int64_t rows, int64_t columns);

}  // namespace adj
