// 16-bit floating-point storage: IEEE binary16 and bfloat16, rounded to the nearest even.
#pragma once

#ifndef ADJ_ISA
#define ADJ_ISA v2
#endif

namespace adj {
inline namespace ADJ_ISA {

// Written with selections of integers so that loops over it vectorise.
constexpr unsigned short half_from_float(float x) {
  unsigned u = __builtin_bit_cast(unsigned, x);
  unsigned sign = (u >> 16) & 0x8000, a = u & 0x7fffffff;
  // 2^16 and beyond, infinity, NaN
  unsigned large = a > 0x7f800000 ? 0x7e00 : 0x7c00;
  // below 2^-14: adding 0.5 makes the hardware round at the last place of a subnormal
  float shifted = __builtin_bit_cast(float, a) + 0.5f;
  unsigned small = __builtin_bit_cast(unsigned, shifted) - 0x3f000000;
  unsigned normal = (a - (112u << 23) + 0xfff + ((a >> 13) & 1)) >> 13;
  unsigned r = a >= 0x47800000 ? large : a < 0x38800000 ? small : normal;
  return static_cast<unsigned short>(sign | r);
}

constexpr float float_from_half(unsigned short h) {
  unsigned sign = (h & 0x8000u) << 16, a = (h & 0x7fffu) << 13;
  float scaled = __builtin_bit_cast(float, a) * 0x1p112f;  // exact, subnormals too
  unsigned u = __builtin_bit_cast(unsigned, scaled);
  u = (h & 0x7c00) == 0x7c00 ? (u | 0x7f800000) : u;
  return __builtin_bit_cast(float, u | sign);
}

constexpr unsigned short bfloat_from_float(float x) {
  unsigned u = __builtin_bit_cast(unsigned, x);
  unsigned rounded = (u + 0x7fff + ((u >> 16) & 1)) >> 16;
  return static_cast<unsigned short>((u & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : rounded);
}

constexpr float float_from_bfloat(unsigned short b) {
  return __builtin_bit_cast(float, static_cast<unsigned>(b) << 16);
}

struct Half {
  unsigned short bits;
  Half() = default;
  explicit constexpr Half(float x) : bits(half_from_float(x)) {}
  constexpr operator float() const { return float_from_half(bits); }
};

struct BFloat16 {
  unsigned short bits;
  BFloat16() = default;
  explicit constexpr BFloat16(float x) : bits(bfloat_from_float(x)) {}
  constexpr operator float() const { return float_from_bfloat(bits); }
};

}  // namespace ADJ_ISA
}  // namespace adj
