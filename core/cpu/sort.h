// Sorting along the middle dim of contiguous data [outer, n, inner], all dtypes but complex.
// Stable; NaN counts as larger than any number.
#pragma once
#include <cstdint>

#include "tensor/dtype.h"

namespace adj {

// values (may be null) and positions (int64, may be null): [outer, n, inner].
void sort(DType t, bool descending, void* values, int64_t* positions, const void* x, int64_t outer,
          int64_t n, int64_t inner);

// The k largest or smallest, sorted, the first of equal ones first: [outer, k, inner]; 0 <= k <= n.
void topk(DType t, bool largest, int64_t k, void* values, int64_t* positions, const void* x,
          int64_t outer, int64_t n, int64_t inner);

}  // namespace adj
