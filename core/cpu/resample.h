// Linear maps along the last dims: average pooling, interpolation, and their transposes.
#pragma once
#include "cpu/resample_kernels.h"
#include "tensor/dtype.h"

namespace adj {

// Contiguous x [planes, n0, n1, n2] to y [planes, m0, m1, m2]; float32 and float64.
void resample(DType t, void* y, const void* x, int64_t planes, const RunDim* dims);

}  // namespace adj
