// Copies of memory between dtypes and layouts. Strides are in bytes and may be zero or negative.
#pragma once
#include <cstdint>

#include "tensor/dtype.h"

namespace adj {

// dst[i] = src[i], both contiguous.
void convert_run(void* dst, DType dst_t, const void* src, DType src_t, int64_t n);

// Reads a strided run into a contiguous buffer.
void load_run(void* dst, DType dst_t, const void* src, DType src_t, int64_t src_stride, int64_t n);

// Writes a contiguous buffer out as a strided run.
void store_run(void* dst, DType dst_t, int64_t dst_stride, const void* src, DType src_t, int64_t n);

// dst[index] = src[index] over a box of up to 64 dims. The two may not overlap.
void copy_strided(int ndim, const int64_t* sizes, void* dst, const int64_t* dst_strides,
                  DType dst_t, const void* src, const int64_t* src_strides, DType src_t);

// dst[index] = *value over a box.
void fill_strided(int ndim, const int64_t* sizes, void* dst, const int64_t* dst_strides,
                  DType dst_t, const void* value, DType value_t);

}  // namespace adj
