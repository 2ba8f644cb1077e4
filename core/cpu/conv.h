// Convolution of float32 and float64; contiguous operands, one to three dims (held as three).
#pragma once
#include <cstdint>

#include "tensor/dtype.h"

namespace adj {

// The sum over x[n, c, t s + k d - p] w[m, c, k] y[n, m, t], c and m within one of the groups, is
// linear in each of the three: each kernel gives one as the gradient of the others.
struct ConvShape {
  int64_t n, groups, c, m;  // c and m: channels of x and y per group
  int64_t in[3], out[3], kernel[3], stride[3], pad[3], dilation[3];
};

// y [n, groups * m, out], w [groups * m, c, kernel], x [n, groups * c, in]; bias [groups * m] may
// be null.
void conv_forward(DType t, const ConvShape& s, void* y, const void* x, const void* w,
                  const void* bias);
// bias [groups * c], added to x.
void conv_input(DType t, const ConvShape& s, void* x, const void* y, const void* w,
                const void* bias);
void conv_weight(DType t, const ConvShape& s, void* w, const void* x, const void* y);

}  // namespace adj
