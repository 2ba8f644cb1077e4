// The passes of a fast Fourier transform, once per instruction-set level.
#pragma once
#include <cstdint>

namespace adj {

// One pass of Stockham's algorithm: x [radix, m, s] to y [m, radix, s], complex numbers as pairs.
// y[p, j, q] = w(p, j) sum_k x[k, p, q] exp(-2 pi i jk / radix); w: [m, radix - 1], j >= 1.
// `roots`: exp(-2 pi i k / radix), of radices other than 2, 3, 4 and 5.
using FftPass = void (*)(int radix, int64_t m, int64_t s, const void* x, void* y, const void* w,
                         const void* roots);

struct FftKernels {
  FftPass pass[2];  // float32, float64
};

}  // namespace adj
