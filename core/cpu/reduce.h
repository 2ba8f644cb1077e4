// Reductions of contiguous data in the form [outer, n, inner], over the middle dim.
//
// Sums are added in a fixed tree, so results depend on the shape alone, and rounding errors grow
// with the logarithm of n. 16-bit floats are not computed in: convert them to float32 first.
#pragma once
#include <cstdint>

#include "cpu/reduce_kernels.h"
#include "tensor/dtype.h"

namespace adj {

// The dtype of a reduction's result: int64 for sums, products and counts of integers and bools;
// bool for any and all; else that of the operand.
DType reduced_dtype(Reduce op, DType t);

// out: [outer, inner] of reduced_dtype. An empty dim gives the identity (amax, amin: -inf, inf or
// the dtype's limits; whoever calls reports that). Complex numbers have sums only.
void reduce(Reduce op, DType t, void* out, const void* x, int64_t outer, int64_t n, int64_t inner);

// The largest or smallest values (may be null) and the first positions of them, int64. n >= 1.
void arg_reduce(bool smallest, DType t, void* values, int64_t* positions, const void* x,
                int64_t outer, int64_t n, int64_t inner);

// Variance sum (x - mean)^2 / (n - correction), or its root; float32, float64. Either of `variance`
// and `mean` may be null.
void variance(DType t, void* variance, void* mean, const void* x, int64_t outer, int64_t n,
              int64_t inner, double correction, bool root);

void logsumexp(DType t, void* out, const void* x, int64_t outer, int64_t n, int64_t inner);

}  // namespace adj
