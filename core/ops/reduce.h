// What reductions share: their dims, the layout that the kernels want, gradients and batching.
#pragma once
#include <optional>

#include "cpu/reduce.h"
#include "ops/kinds/kinds.h"
#include "ops/vocabulary.h"

namespace adj {

// The dims that a reduction runs over, as bits.
using DimMask = uint64_t;
// None and () mean all of them. An IndexError for a dim that is not there or is named twice.
DimMask reduced_dims(std::optional<DimsView> dim, int ndim);
inline DimMask all_dims(int ndim) { return ndim < 64 ? (DimMask{1} << ndim) - 1 : ~DimMask{0}; }

Dims reduced_sizes(DimsView sizes, DimMask mask, bool keepdim);
// How many elements go into each result.
int64_t reduced_count(DimsView sizes, DimMask mask);
// An IndexError if any of the dims is empty, for operators without a value for nothing at all.
void check_not_empty(const char* name, const Tensor& x, std::optional<DimsView> dim, DimMask mask);

// Copies without the dispatcher, for plain tensors.
Tensor dense(const Tensor& x);             // row-major; itself if it is
Tensor cast(const Tensor& x, DType dtype);  // itself if it has the dtype
// The dtype that a kernel computes in: float32 for 16-bit floats.
inline DType computed_in(DType t) { return t == DType::f16 || t == DType::bf16 ? DType::f32 : t; }
// A NotImplementedError unless t is real and floating.
void check_floating(const char* name, DType t);

// Sum, product, maximum... over the dims of a plain tensor with any strides. The result is
// contiguous and of reduced_dtype(op, computed_in(dtype of x)).
Tensor reduce_dims(Reduce op, const Tensor& x, DimMask mask, bool keepdim);

// A plain tensor as [outer, n, inner] of contiguous memory, n being the dims of the mask.
struct Grouped {
  Tensor x;
  int64_t outer = 1, n = 1, inner = 1;
};
Grouped grouped(const Tensor& x, DimMask mask);

// y, a result of a reduction of something with these sizes, with the reduced dims kept as 1.
Tensor with_kept_dims(const Tensor& y, DimsView sizes, DimMask mask, bool keepdim);
// The gradient of a sum: g for each element that went into it, in the dtype of `x`.
Tensor spread(const Tensor& g, const TensorMeta& x, DimMask mask, bool keepdim);

// Batching rules: the same operator with its dims counted from the right. For `dim: int[]?`, and
// for `dim: int?` (None: one result per element of the batch, of the flattened rest).
Outs batch_over_dims(Batch& b, int dim = 1, int keepdim = 2);
Outs batch_over_dim(Batch& b, int dim = 1, int keepdim = 2);
// For operators over all dims: the first argument as [B, everything else].
Tensor flat_batch(const Batch& b);

}  // namespace adj
