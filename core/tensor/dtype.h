// The element types of tensors, and torch's rules for combining them.
#pragma once
#include <cstddef>
#include <cstdint>

namespace adj {

enum class DType : uint8_t { b8, u8, i8, i16, i32, i64, f16, bf16, f32, f64, c64, c128 };
inline constexpr int kDTypes = 12;

constexpr size_t itemsize(DType t) {
  constexpr uint8_t size[kDTypes] = {1, 1, 1, 2, 4, 8, 2, 2, 4, 8, 8, 16};
  return size[static_cast<int>(t)];
}

constexpr bool is_complex(DType t) { return t >= DType::c64; }
constexpr bool is_floating(DType t) { return t >= DType::f16 && t <= DType::f64; }
constexpr bool is_integral(DType t) { return t >= DType::u8 && t <= DType::i64; }
constexpr bool is_differentiable(DType t) { return t >= DType::f16; }

// "float32", as users read it.
constexpr const char* name_of(DType t) {
  constexpr const char* names[kDTypes] = {"bool",    "uint8",   "int8",      "int16",
                                          "int32",   "int64",   "float16",   "bfloat16",
                                          "float32", "float64", "complex64", "complex128"};
  return names[static_cast<int>(t)];
}

// "Float", as torch's error messages name it.
constexpr const char* scalar_name_of(DType t) {
  constexpr const char* names[kDTypes] = {"Bool",  "Byte",   "Char",         "Short",
                                          "Int",   "Long",   "Half",         "BFloat16",
                                          "Float", "Double", "ComplexFloat", "ComplexDouble"};
  return names[static_cast<int>(t)];
}

// bool < integers < floating < complex: a type of a higher category wins over any of a lower one.
constexpr int category(DType t) {
  return t == DType::b8 ? 0 : is_integral(t) ? 1 : is_floating(t) ? 2 : 3;
}

constexpr DType real_of(DType t) {
  return t == DType::c64 ? DType::f32 : t == DType::c128 ? DType::f64 : t;
}

// The smallest type that both convert to, by torch's table.
constexpr DType promote(DType a, DType b) {
  if (a == b) return a;
  if (a > b) {
    DType t = a;
    a = b;
    b = t;
  }
  if (is_complex(b)) return (a == DType::f64 && b == DType::c64) ? DType::c128 : b;
  if (is_floating(b)) return (a == DType::f16 && b == DType::bf16) ? DType::f32 : b;
  if (a == DType::u8) return b == DType::i8 ? DType::i16 : b;
  return b;
}

// Whether a result of type `from` may be written into a tensor of type `to` in place.
constexpr bool can_cast(DType from, DType to) {
  if (is_complex(from)) return is_complex(to);
  if (is_floating(from)) return is_differentiable(to);
  return from == DType::b8 || to != DType::b8;
}

// The type of Python floats, and of the results of `exp` of integers; per process, as in torch.
DType default_dtype();
void set_default_dtype(DType t);
inline DType default_complex_dtype() {
  return default_dtype() == DType::f64 ? DType::c128 : DType::c64;
}

enum class DeviceType : uint8_t { cpu, cuda, meta };

struct Device {
  DeviceType type = DeviceType::cpu;
  int8_t index = -1;
  friend constexpr bool operator==(Device a, Device b) {
    return a.type == b.type && (a.index < 0 ? 0 : a.index) == (b.index < 0 ? 0 : b.index);
  }
};

}  // namespace adj
