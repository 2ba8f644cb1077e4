// Softmax, layer norm and cumulative sums of contiguous data; float32 and float64 (scans: integers
// too). Where there are outer, n, inner, the function goes along the middle dim of that form.
#pragma once
#include <cstdint>

#include "tensor/dtype.h"

namespace adj {

// y = softmax(x), or its logarithm. y may be x.
void softmax(DType t, bool log, void* y, const void* x, int64_t outer, int64_t n, int64_t inner);
// The cotangent of x from g, that of y. dx may be g.
void softmax_backward(DType t, bool log, void* dx, const void* g, const void* y, int64_t outer,
                      int64_t n, int64_t inner);

// Over rows of n: y = (x - mean) / sqrt(variance + eps) * weight + bias. weight and bias [n] may be
// null. mean and rstd [rows] are written; with mean null nothing is subtracted (RMS norm).
void layer_norm(DType t, void* y, void* mean, void* rstd, const void* x, const void* weight,
                const void* bias, int64_t rows, int64_t n, double eps);
// Cotangents from g, that of y; any of dx, dweight, dbias may be null. mean null: of the RMS norm.
void layer_norm_backward(DType t, void* dx, void* dweight, void* dbias, const void* g,
                         const void* x, const void* mean, const void* rstd, const void* weight,
                         int64_t rows, int64_t n);

// Cumulative sum or product, from the end if `reverse`. Integers and bools give int64.
void scan(bool product, DType t, void* y, const void* x, int64_t outer, int64_t n, int64_t inner,
          bool reverse);

}  // namespace adj
