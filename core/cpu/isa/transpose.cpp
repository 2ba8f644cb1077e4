// Transposition of tiles that fit in the L1 cache.
#include "cpu/isa/transpose.h"

#include <cstring>

#include "cpu/cast_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace adj {
inline namespace ADJ_ISA {

template <int N>
struct Bytes {
  char byte[N];
};

// One small square, B x B items.
template <int N>
struct Square {
  static constexpr int B = 4;
  static void transpose(char* dst, int64_t dst_row, const char* src, int64_t src_row) {
    using T = Bytes<N>;
    T t[B][B];
    for (int i = 0; i < B; ++i) memcpy(t[i], src + i * src_row, B * N);
    for (int j = 0; j < B; ++j) {
      T line[B];
      for (int i = 0; i < B; ++i) line[i] = t[i][j];
      memcpy(dst + j * dst_row, line, B * N);
    }
  }
};

#if defined(__AVX__)
template <>
struct Square<4> {
  static constexpr int B = 8;
  static void transpose(char* dst, int64_t dst_row, const char* src, int64_t src_row) {
    auto load = [&](int i) {  // rows i and i + 4, left and right halves side by side
      return _mm256_loadu_ps(reinterpret_cast<const float*>(src + i * src_row));
    };
    __m256 r[8], t[8];
    for (int i = 0; i < 8; ++i) r[i] = load(i);
    for (int i = 0; i < 8; i += 2) {
      t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
      t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
      r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
      r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
      r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
      r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
    for (int j = 0; j < 4; ++j) {
      auto* low = reinterpret_cast<float*>(dst + j * dst_row);
      auto* high = reinterpret_cast<float*>(dst + (j + 4) * dst_row);
      _mm256_storeu_ps(low, _mm256_permute2f128_ps(r[j], r[j + 4], 0x20));
      _mm256_storeu_ps(high, _mm256_permute2f128_ps(r[j], r[j + 4], 0x31));
    }
  }
};
template <>
struct Square<8> {
  static constexpr int B = 4;
  static void transpose(char* dst, int64_t dst_row, const char* src, int64_t src_row) {
    __m256d r[4], t[4];
    for (int i = 0; i < 4; ++i)
      r[i] = _mm256_loadu_pd(reinterpret_cast<const double*>(src + i * src_row));
    for (int i = 0; i < 4; i += 2) {
      t[i] = _mm256_unpacklo_pd(r[i], r[i + 1]);
      t[i + 1] = _mm256_unpackhi_pd(r[i], r[i + 1]);
    }
    for (int j = 0; j < 2; ++j) {
      auto* low = reinterpret_cast<double*>(dst + j * dst_row);
      auto* high = reinterpret_cast<double*>(dst + (j + 2) * dst_row);
      _mm256_storeu_pd(low, _mm256_permute2f128_pd(t[j], t[j + 2], 0x20));
      _mm256_storeu_pd(high, _mm256_permute2f128_pd(t[j], t[j + 2], 0x31));
    }
  }
};
#elif defined(__SSE2__)
template <>
struct Square<4> {
  static constexpr int B = 4;
  static void transpose(char* dst, int64_t dst_row, const char* src, int64_t src_row) {
    __m128 r[4];
    for (int i = 0; i < 4; ++i)
      r[i] = _mm_loadu_ps(reinterpret_cast<const float*>(src + i * src_row));
    _MM_TRANSPOSE4_PS(r[0], r[1], r[2], r[3]);
    for (int j = 0; j < 4; ++j) _mm_storeu_ps(reinterpret_cast<float*>(dst + j * dst_row), r[j]);
  }
};
template <>
struct Square<8> {
  static constexpr int B = 2;
  static void transpose(char* dst, int64_t dst_row, const char* src, int64_t src_row) {
    __m128d r0 = _mm_loadu_pd(reinterpret_cast<const double*>(src));
    __m128d r1 = _mm_loadu_pd(reinterpret_cast<const double*>(src + src_row));
    _mm_storeu_pd(reinterpret_cast<double*>(dst), _mm_unpacklo_pd(r0, r1));
    _mm_storeu_pd(reinterpret_cast<double*>(dst + dst_row), _mm_unpackhi_pd(r0, r1));
  }
};
#endif

template <int N>
void transpose(void* dst, int64_t dst_row, const void* src, int64_t src_row, int64_t rows,
               int64_t columns) {
  using T = Bytes<N>;
  constexpr int B = Square<N>::B;
  auto* d = static_cast<char*>(dst);
  auto* s = static_cast<const char*>(src);
  auto piece = [&](int64_t from_row, int64_t to_row, int64_t from_column, int64_t to_column) {
    for (int64_t j = from_column; j < to_column; ++j)
      for (int64_t i = from_row; i < to_row; ++i)
        memcpy(d + j * dst_row + i * N, s + i * src_row + j * N, sizeof(T));
  };
  int64_t r = rows / B * B, c = columns / B * B;
  // along the rows first: what is left of a cache line is used before it goes
  for (int64_t i = 0; i < r; i += B)
    for (int64_t j = 0; j < c; j += B)
      Square<N>::transpose(d + j * dst_row + i * N, dst_row, s + i * src_row + j * N, src_row);
  piece(r, rows, 0, columns);
  piece(0, r, c, columns);
}

template void transpose<1>(void*, int64_t, const void*, int64_t, int64_t, int64_t);
template void transpose<2>(void*, int64_t, const void*, int64_t, int64_t, int64_t);
template void transpose<4>(void*, int64_t, const void*, int64_t, int64_t, int64_t);
template void transpose<8>(void*, int64_t, const void*, int64_t, int64_t, int64_t);
template void transpose<16>(void*, int64_t, const void*, int64_t, int64_t, int64_t);

void stream(void* dst, const void* src, int64_t bytes) {
#if defined(__SSE2__)
  if ((reinterpret_cast<uintptr_t>(dst) | static_cast<uintptr_t>(bytes)) % 16 == 0) {
    auto* d = static_cast<__m128i*>(dst);
    auto* s = static_cast<const __m128i*>(src);
    for (int64_t i = 0; i < bytes / 16; ++i) _mm_stream_si128(d + i, _mm_loadu_si128(s + i));
    return;
  }
#endif
  memcpy(dst, src, static_cast<size_t>(bytes));
}

void fill_transpose(CastKernels& k) {
  k.stream = stream;
  k.transpose[0] = transpose<1>;
  k.transpose[1] = transpose<2>;
  k.transpose[2] = transpose<4>;
  k.transpose[3] = transpose<8>;
  k.transpose[4] = transpose<16>;
}

}  // namespace ADJ_ISA
}  // namespace adj
