// Conversion between any two dtypes.
#include "cpu/cast_kernels.h"
#include "scalar/half.h"
#include "tensor/dtype.h"

#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace adj {
inline namespace ADJ_ISA {

struct Bool {
  uint8_t byte;
};
template <class T>
struct Complex {
  T re, im;
};

template <class T>
constexpr bool is_complex_type = false;
template <class T>
constexpr bool is_complex_type<Complex<T>> = true;
template <class T>
constexpr bool is_floating_type = false;
template <>
constexpr bool is_floating_type<float> = true;
template <>
constexpr bool is_floating_type<double> = true;
template <class T>
constexpr bool is_16_bit_float = false;
template <>
constexpr bool is_16_bit_float<Half> = true;
template <>
constexpr bool is_16_bit_float<BFloat16> = true;

// As torch: the real part of complex numbers, truncation of floating ones, 16-bit floats by way of
// float. What an integer cannot hold is what the hardware makes of it.
template <class D, class S>
inline D cast_to(S x) {
  if constexpr (is_complex_type<D>) {
    using T = decltype(D::re);
    if constexpr (is_complex_type<S>) return {cast_to<T>(x.re), cast_to<T>(x.im)};
    else return {cast_to<T>(x), T(0)};
  } else if constexpr (is_complex_type<S>) {
    if constexpr (__is_same(D, Bool)) return {uint8_t(x.re != 0 || x.im != 0)};
    else return cast_to<D>(x.re);
  } else if constexpr (__is_same(S, Bool)) {
    return cast_to<D>(uint8_t(x.byte != 0));
  } else if constexpr (is_16_bit_float<S>) {
    if constexpr (__is_same(D, S)) return x;
    else return cast_to<D>(float(x));
  } else if constexpr (__is_same(D, Bool)) {
    return {uint8_t(x != 0)};
  } else if constexpr (is_16_bit_float<D>) {
    return D(static_cast<float>(x));
  } else if constexpr (is_floating_type<S> && sizeof(D) < 4) {
    return static_cast<D>(static_cast<int32_t>(x));  // a negative number wraps around
  } else {
    return static_cast<D>(x);
  }
}

template <class D, class S>
void convert_run(void* dst, const void* src, int64_t n) {
  auto* __restrict d = static_cast<D*>(dst);
  auto* __restrict s = static_cast<const S*>(src);
  for (int64_t i = 0; i < n; ++i) d[i] = cast_to<D>(s[i]);
}

#if defined(__F16C__)
template <>
void convert_run<float, Half>(void* dst, const void* src, int64_t n) {
  auto* d = static_cast<float*>(dst);
  auto* s = static_cast<const Half*>(src);
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    __m128i h = _mm_loadu_si128(reinterpret_cast<const __m128i*>(s + i));
    _mm256_storeu_ps(d + i, _mm256_cvtph_ps(h));
  }
  for (; i < n; ++i) d[i] = float(s[i]);
}
template <>
void convert_run<Half, float>(void* dst, const void* src, int64_t n) {
  auto* d = static_cast<Half*>(dst);
  auto* s = static_cast<const float*>(src);
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    __m128i h = _mm256_cvtps_ph(_mm256_loadu_ps(s + i), _MM_FROUND_TO_NEAREST_INT);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(d + i), h);
  }
  for (; i < n; ++i) d[i] = Half(s[i]);
}
#endif

template <class D>
void fill_row(CastKernels& k, int d) {
  auto* row = k.convert[d];
  row[0] = convert_run<D, Bool>;
  row[1] = convert_run<D, uint8_t>;
  row[2] = convert_run<D, int8_t>;
  row[3] = convert_run<D, int16_t>;
  row[4] = convert_run<D, int32_t>;
  row[5] = convert_run<D, int64_t>;
  row[6] = convert_run<D, Half>;
  row[7] = convert_run<D, BFloat16>;
  row[8] = convert_run<D, float>;
  row[9] = convert_run<D, double>;
  row[10] = convert_run<D, Complex<float>>;
  row[11] = convert_run<D, Complex<double>>;
}

void fill_transpose(CastKernels& k);

void fill(CastKernels& k) {
  fill_row<Bool>(k, 0);
  fill_row<uint8_t>(k, 1);
  fill_row<int8_t>(k, 2);
  fill_row<int16_t>(k, 3);
  fill_row<int32_t>(k, 4);
  fill_row<int64_t>(k, 5);
  fill_row<Half>(k, 6);
  fill_row<BFloat16>(k, 7);
  fill_row<float>(k, 8);
  fill_row<double>(k, 9);
  fill_row<Complex<float>>(k, 10);
  fill_row<Complex<double>>(k, 11);
  fill_transpose(k);
}

}  // namespace ADJ_ISA
}  // namespace adj
