// The vocabulary of elementwise operators, for float, double and integers: plain overloads, so that
// the same expression compiles for numbers, dual numbers (dual.h), probes (probe.h) and tensors.
//
// Read by g++, clang and NVRTC, hence no std headers. On x86-64 with glibc, loops over the
// functions marked ADJ_SIMD become calls of libmvec, which is accurate to 4 ulp and may differ in
// the last bits from the scalar function; cpu/isa/elementwise.h gives all elements the same one.
#pragma once

#ifndef ADJ_ISA
#define ADJ_ISA v2
#endif

#if defined(__CUDACC__)
// The CUDA compilers know libm by themselves.
#elif defined(__linux__) && __has_include(<features.h>)
#include <features.h>
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GLIBC_PREREQ(2, 22)
#define ADJ_SIMD __attribute__((simd("notinbranch")))
#else
#define ADJ_SIMD
#endif
#if __GLIBC_PREREQ(2, 35)
#define ADJ_SIMD_2_35 ADJ_SIMD
#else
#define ADJ_SIMD_2_35
#endif
extern "C" {
#define ADJ_LIBM(SIMD, NAME)         \
  SIMD double NAME(double) noexcept; \
  SIMD float NAME##f(float) noexcept;
#define ADJ_LIBM_2(SIMD, NAME)               \
  SIMD double NAME(double, double) noexcept; \
  SIMD float NAME##f(float, float) noexcept;
ADJ_LIBM(ADJ_SIMD, exp)
ADJ_LIBM(ADJ_SIMD, log)
ADJ_LIBM(ADJ_SIMD, sin)
ADJ_LIBM(ADJ_SIMD, cos)
ADJ_LIBM(ADJ_SIMD_2_35, log1p)
ADJ_LIBM(ADJ_SIMD_2_35, expm1)
ADJ_LIBM(ADJ_SIMD_2_35, exp2)
ADJ_LIBM(ADJ_SIMD_2_35, log2)
ADJ_LIBM(ADJ_SIMD_2_35, log10)
ADJ_LIBM(ADJ_SIMD_2_35, tan)
ADJ_LIBM(ADJ_SIMD_2_35, asin)
ADJ_LIBM(ADJ_SIMD_2_35, acos)
ADJ_LIBM(ADJ_SIMD_2_35, atan)
ADJ_LIBM(ADJ_SIMD_2_35, sinh)
ADJ_LIBM(ADJ_SIMD_2_35, cosh)
ADJ_LIBM(ADJ_SIMD_2_35, tanh)
ADJ_LIBM(ADJ_SIMD_2_35, asinh)
ADJ_LIBM(ADJ_SIMD_2_35, acosh)
ADJ_LIBM(ADJ_SIMD_2_35, atanh)
ADJ_LIBM(ADJ_SIMD_2_35, erf)
ADJ_LIBM(ADJ_SIMD_2_35, erfc)
ADJ_LIBM_2(ADJ_SIMD, pow)
ADJ_LIBM_2(ADJ_SIMD_2_35, atan2)
ADJ_LIBM_2(ADJ_SIMD_2_35, hypot)
ADJ_LIBM_2(, fmod)
double lgamma_r(double, int*) noexcept;
float lgammaf_r(float, int*) noexcept;
#undef ADJ_LIBM
#undef ADJ_LIBM_2
}
#else
#include <math.h>
#endif

namespace adj {
inline namespace ADJ_ISA {

template <class T>
inline constexpr bool is_real = false;
template <>
inline constexpr bool is_real<float> = true;
template <>
inline constexpr bool is_real<double> = true;
template <class T>
inline constexpr bool is_integer = false;
#define ADJ_INTEGER(T) \
  template <>          \
  inline constexpr bool is_integer<T> = true;
ADJ_INTEGER(bool)
ADJ_INTEGER(signed char)
ADJ_INTEGER(unsigned char)
ADJ_INTEGER(short)
ADJ_INTEGER(int)
ADJ_INTEGER(long)
ADJ_INTEGER(long long)
#undef ADJ_INTEGER

template <class T>
concept Real = is_real<T>;
template <class T>
concept Integer = is_integer<T>;
template <class T>
concept Scalar = is_real<T> || is_integer<T>;

inline constexpr double kPi = 3.14159265358979323846;
inline constexpr double kInverseSqrtPi = 0.56418958354775628695;
inline constexpr double kLn2 = 0.69314718055994530942;
inline constexpr double kLn10 = 2.30258509299404568402;
inline constexpr double kInfinity = __builtin_bit_cast(double, 0x7ff0000000000000ull);
inline constexpr double kNaN = __builtin_bit_cast(double, 0x7ff8000000000000ull);

#define ADJ_FUNCTION(NAME)                            \
  inline float NAME(float x) { return ::NAME##f(x); } \
  inline double NAME(double x) { return ::NAME(x); }
#define ADJ_FUNCTION_2(NAME)                                      \
  inline float NAME(float x, float y) { return ::NAME##f(x, y); } \
  inline double NAME(double x, double y) { return ::NAME(x, y); }
#if defined(__CUDACC__)
#define ADJ_ONE_INSTRUCTION(NAME) NAME
#else
#define ADJ_ONE_INSTRUCTION(NAME) __builtin_##NAME  // no call, and no declaration needed
#endif
#define ADJ_BUILTIN(NAME, BUILTIN)                                          \
  inline float NAME(float x) { return ADJ_ONE_INSTRUCTION(BUILTIN##f)(x); } \
  inline double NAME(double x) { return ADJ_ONE_INSTRUCTION(BUILTIN)(x); }

ADJ_FUNCTION(exp)
ADJ_FUNCTION(exp2)
ADJ_FUNCTION(expm1)
ADJ_FUNCTION(log)
ADJ_FUNCTION(log2)
ADJ_FUNCTION(log10)
ADJ_FUNCTION(log1p)
ADJ_FUNCTION(sin)
ADJ_FUNCTION(cos)
ADJ_FUNCTION(tan)
ADJ_FUNCTION(asin)
ADJ_FUNCTION(acos)
ADJ_FUNCTION(atan)
ADJ_FUNCTION(sinh)
ADJ_FUNCTION(cosh)
ADJ_FUNCTION(asinh)
ADJ_FUNCTION(acosh)
ADJ_FUNCTION(atanh)
ADJ_FUNCTION(erf)
ADJ_FUNCTION(erfc)
ADJ_FUNCTION_2(pow)
ADJ_FUNCTION_2(atan2)
ADJ_FUNCTION_2(hypot)
ADJ_FUNCTION_2(fmod)
ADJ_BUILTIN(sqrt, sqrt)
ADJ_BUILTIN(abs, fabs)
ADJ_BUILTIN(floor, floor)
ADJ_BUILTIN(ceil, ceil)
ADJ_BUILTIN(trunc, trunc)
ADJ_BUILTIN(round, rint)  // half to even
#undef ADJ_FUNCTION
#undef ADJ_FUNCTION_2
#undef ADJ_BUILTIN

inline float copysign(float x, float y) { return ADJ_ONE_INSTRUCTION(copysignf)(x, y); }
inline double copysign(double x, double y) { return ADJ_ONE_INSTRUCTION(copysign)(x, y); }

inline double tanh(double x) { return ::tanh(x); }
// To 1.4 ulp, and in less time than libmvec's: x + x^3 p(x^2) near 0, elsewhere from exp(2 |x|) by
// its polynomial around a multiple of ln 2 (minimax fits of our own, 0.1 ulp). No branches.
inline float tanh(float x) {
  float a = abs(x), t = a * a;
  float near = (-0.33333282f + t * 0.13331442f) +
               t * t * ((-0.053739702f + t * 0.020639041f) + t * t * -0.005704934f);
  auto bits = __builtin_bit_cast(unsigned, a);  // ordered as the numbers are, NaN last
  constexpr unsigned one_from = __builtin_bit_cast(unsigned, 9.02f);
  float y = __builtin_bit_cast(float, bits < one_from ? bits : one_from);
  float shifted =
      y * 2.885390082f + 12582912.0f;  // the nearest integer to 2 y / ln 2, plus 2^23 1.5
  float n = shifted - 12582912.0f, r = (y - n * 0.34655762f) - n * 1.5973092e-5f;
  float power =
      (1.0f + 2.0f * r) + r * r *
                              ((1.9999997f + r * 1.3333217f) +
                               r * r * ((0.6666942f + r * 0.26779872f) + r * r * 0.088413524f));
  power = __builtin_bit_cast(
      float, __builtin_bit_cast(unsigned, power) + (__builtin_bit_cast(unsigned, shifted) << 23));
  float z = a < 0.6f ? a * t * near + a : 1.0f - 2.0f / (power + 1.0f);
  return copysign(a != a ? a : z, x);
}

template <Scalar T>
constexpr T select(bool c, T a, T b) {
  return c ? a : b;
}

template <Real T>
T rsqrt(T x) {
  return T(1) / sqrt(x);
}
template <Real T>
constexpr bool isnan(T x) {
  return x != x;
}
template <Real T>
bool isinf(T x) {
  return abs(x) == T(kInfinity);
}
template <Real T>
bool isfinite(T x) {
  return abs(x) < T(kInfinity);
}
// -1, 0 or 1; 0 for NaN.
template <Real T>
constexpr T sign(T x) {
  return T(x > T(0)) - T(x < T(0));
}
// NaN if either operand is.
template <Scalar T>
constexpr T maximum(T x, T y) {
  return (x > y) | (x != x) ? x : y;
}
template <Scalar T>
constexpr T minimum(T x, T y) {
  return (x < y) | (x != x) ? x : y;
}
// The remainder of division rounded down: it has the sign of y.
template <Real T>
T remainder(T x, T y) {
  T r = fmod(x, y);
  return (r != T(0)) & ((r < T(0)) != (y < T(0))) ? r + y : r;
}
// The quotient rounded down, exact where x / y would round up to an integer.
template <Real T>
T floor_divide(T x, T y) {
  T q = (x - remainder(x, y)) / y;
  T f = floor(q);
  f = q - f > T(0.5) ? f + T(1) : f;
  f = q != T(0) ? f : copysign(T(0), x / y);
  return y == T(0) ? x / y : f;
}

template <Integer T>
constexpr T abs(T x) {
  return T(x < T(0) ? T(0) - x : x);
}
template <Integer T>
constexpr T sign(T x) {
  return T((x > T(0)) - (x < T(0)));
}
template <Integer T>
constexpr T floor(T x) {
  return x;
}
template <Integer T>
constexpr T ceil(T x) {
  return x;
}
template <Integer T>
constexpr T trunc(T x) {
  return x;
}
template <Integer T>
constexpr T round(T x) {
  return x;
}
template <Integer T>
constexpr bool isnan(T) {
  return false;
}
template <Integer T>
constexpr bool isinf(T) {
  return false;
}
template <Integer T>
constexpr bool isfinite(T) {
  return true;
}
// Division by zero gives 0 here: whoever calls this reports it before.
template <Integer T>
constexpr T fmod(T x, T y) {
  return y == T(0) || y == T(-1) ? T(0) : T(x % y);
}
template <Integer T>
constexpr T remainder(T x, T y) {
  T r = fmod(x, y);
  return r != T(0) && (r < T(0)) != (y < T(0)) ? T(r + y) : r;
}
template <Integer T>
constexpr T trunc_divide(T x, T y) {
  return y == T(0) ? T(0) : y == T(-1) && T(-1) < T(0) ? T(0ull - (unsigned long long)x) : T(x / y);
}
template <Integer T>
constexpr T floor_divide(T x, T y) {
  T q = trunc_divide(x, y);
  return fmod(x, y) != T(0) && (x < T(0)) != (y < T(0)) ? T(q - 1) : q;
}
// A negative exponent gives 0, except for bases 1 and -1.
template <Integer T>
constexpr T pow(T x, T y) {
  if (y < T(0)) return x == T(1) ? T(1) : x == T(-1) ? (y % 2 == 0 ? T(1) : T(-1)) : T(0);
  unsigned long long result = 1, base = (unsigned long long)x, n = (unsigned long long)y;
  for (; n; n >>= 1, base *= base)
    if (n & 1) result *= base;
  return T(result);
}

// log |gamma(x)|
inline float lgamma(float x) {
#if defined(__CUDACC__)
  return ::lgammaf(x);
#else
  int sign_of_gamma;
  return ::lgammaf_r(x, &sign_of_gamma);
#endif
}
inline double lgamma(double x) {
#if defined(__CUDACC__)
  return ::lgamma(x);
#else
  int sign_of_gamma;
  return ::lgamma_r(x, &sign_of_gamma);
#endif
}

// lgamma'. Shifted up to x >= 10, then the asymptotic series (Abramowitz & Stegun 6.3.18).
inline double digamma(double x) {
  if (x == 0) return copysign(kInfinity, -x);
  double result = 0;
  if (x < 0) {
    if (x == floor(x)) return kNaN;
    double fraction = x - floor(x);
    result = -kPi / tan(kPi * fraction);
    x = 1 - x;
  }
  for (; x < 10; x += 1) result -= 1 / x;
  double z = 1 / (x * x);
  const double b[] = {1. / 12, -1. / 120, 1. / 252, -1. / 240, 1. / 132, -691. / 32760, 1. / 12};
  double series = 0;
  for (int i = 6; i >= 0; --i) series = z * (b[i] + series);
  return result + log(x) - 0.5 / x - series;
}
inline float digamma(float x) { return (float)digamma((double)x); }

// The inverse of erf: an approximation good to 1e-3 (Winitzki) and Newton steps of third order.
inline double erfinv(double y) {
  if (y != y || y > 1 || y < -1) return kNaN;
  if (y == 1 || y == -1) return y * kInfinity;
  double l = log1p(-y * y), a = 2 / (kPi * 0.147) + l / 2;
  double x = copysign(sqrt(sqrt(a * a - l / 0.147) - a), y);
  for (int i = 0; i < 3; ++i) {
    // near the ends 1 - |y| is exact where erf(x) - y would cancel
    double e = abs(y) < 0.5 ? erf(x) - y : sign(y) * ((1 - abs(y)) - erfc(abs(x)));
    double step = e / (1.12837916709551257390 * exp(-x * x));  // 2 / sqrt(pi)
    x -= step / (1 + x * step);
  }
  return x;
}
inline float erfinv(float y) { return (float)erfinv((double)y); }

}  // namespace ADJ_ISA
}  // namespace adj
