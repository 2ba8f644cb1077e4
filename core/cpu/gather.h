// Rows gathered by index, scattered and added. Indices are int64 and in range: check_indices says
// so.
//
// x is [outer, n, inner], contiguous. Where several sources go to one place they are added (or, in
// scatter, written) in their order, whatever the number of threads.
#pragma once
#include <cstdint>

#include "tensor/dtype.h"

namespace adj {

// The first place whose index is not in [0, n) - or, with `wrap`, in [-n, n) - or -1.
int64_t check_indices(const int64_t* index, int64_t count, int64_t n, bool wrap);
// Makes negative indices count from the end.
void wrap_indices(int64_t* out, const int64_t* index, int64_t count, int64_t n);

// out[o, j, :] = x[o, index[j], :] for j < m. Of any item size; embedding is outer = 1.
void index_select(int64_t itemsize, void* out, const void* x, const int64_t* index, int64_t outer,
                  int64_t n, int64_t m, int64_t inner);
// out[o, index[j], :] = source[o, j, :]
void index_copy(int64_t itemsize, void* out, const void* source, const int64_t* index,
                int64_t outer, int64_t n, int64_t m, int64_t inner);
// out[o, index[j], :] += alpha * source[o, j, :]; the cotangent of index_select.
void index_add(DType t, void* out, const void* source, const int64_t* index, int64_t outer,
               int64_t n, int64_t m, int64_t inner, double alpha);

// out[o, j, i] = x[o, index[o, j, i], i]; index and out are [outer, m, inner].
void gather(int64_t itemsize, void* out, const void* x, const int64_t* index, int64_t outer,
            int64_t n, int64_t m, int64_t inner);
// out[o, index[o, j, i], i] = source[o, j, i], or += it.
void scatter(int64_t itemsize, void* out, const void* source, const int64_t* index, int64_t outer,
             int64_t n, int64_t m, int64_t inner);
void scatter_add(DType t, void* out, const void* source, const int64_t* index, int64_t outer,
                 int64_t n, int64_t m, int64_t inner);

// How many bytes of a bool mask are not 0.
int64_t count_true(const uint8_t* mask, int64_t n);
// The elements of x where the mask is true, one after the other; `count` is count_true(mask, n).
void masked_select(int64_t itemsize, void* out, const void* x, const uint8_t* mask, int64_t n,
                   int64_t count);
// x[i] = the next element of `source` where the mask is true.
void masked_scatter(int64_t itemsize, void* x, const void* source, const uint8_t* mask, int64_t n);
// The coordinates of the true elements of a contiguous mask: [count_true, ndim].
void nonzero(int64_t* out, const uint8_t* mask, int ndim, const int64_t* sizes);

}  // namespace adj
