// dst[j][i] = src[i][j] for i < rows, j < columns, of items of N bytes: 1, 2, 4, 8 or 16. Rows are
// contiguous; their distances are in bytes.
#pragma once
#include <cstdint>

namespace adj {
inline namespace ADJ_ISA {

template <int N>
void transpose(void* dst, int64_t dst_row, const void* src, int64_t src_row, int64_t rows,
               int64_t columns);

extern template void transpose<1>(void*, int64_t, const void*, int64_t, int64_t, int64_t);
extern template void transpose<2>(void*, int64_t, const void*, int64_t, int64_t, int64_t);
extern template void transpose<4>(void*, int64_t, const void*, int64_t, int64_t, int64_t);
extern template void transpose<8>(void*, int64_t, const void*, int64_t, int64_t, int64_t);
extern template void transpose<16>(void*, int64_t, const void*, int64_t, int64_t, int64_t);

}  // namespace ADJ_ISA
}  // namespace adj
