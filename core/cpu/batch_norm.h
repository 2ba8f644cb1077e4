// Normalisation of the channels of contiguous data [n, c, s]; float32 and float64.
#pragma once
#include "cpu/batch_norm_kernels.h"
#include "tensor/dtype.h"

namespace adj {

// y = (x - mean) / sqrt(variance + eps) * weight + bias. In training mean and variance are written.
void batch_norm(DType t, const Channels& a, void* y, const void* x);
void batch_norm_backward(DType t, const Channels& a, void* dx, void* dweight, void* dbias,
                         const void* g, const void* x);

// The same over groups of channels of each sample. dweight and dbias: [rows, c], to be summed.
void group_norm(DType t, const Groups& a, void* y, const void* x);
void group_norm_backward(DType t, const Groups& a, void* dx, void* dweight, void* dbias,
                         const void* g, const void* x);

}  // namespace adj
