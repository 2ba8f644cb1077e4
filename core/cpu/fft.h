// Fast Fourier transforms of contiguous rows: y_j = scale sum_k x_k exp(-+ 2 pi i jk / n).
//
// Sizes with no prime factor above 13 by Stockham's algorithm of mixed radix, others by
// Bluestein's; errors are a few units in the last place times log n. Tables are kept for the sizes
// last used.
#pragma once
#include <cstdint>

#include "tensor/dtype.h"

namespace adj {

// Rows of n complex numbers; `t` is float32 or float64, the dtype of their parts.
void fft_complex(DType t, bool inverse, const void* x, void* y, int64_t rows, int64_t n,
                 double scale);
// Rows of n real numbers to the first n / 2 + 1 results.
void fft_real(DType t, const void* x, void* y, int64_t rows, int64_t n, double scale);
// The inverse (no factor 1 / n but by `scale`): rows of n / 2 + 1 complex numbers to n real ones.
// The imaginary parts of the first and, for even n, the last are taken to be 0.
void fft_half_complex(DType t, const void* x, void* y, int64_t rows, int64_t n, double scale);

}  // namespace adj
