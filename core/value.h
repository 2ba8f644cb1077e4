// An argument of an operator: a tagged word that borrows what it points to.
#pragma once
#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tensor/tensor.h"

namespace adj {

enum class Tag : uint8_t {
  none,
  tensor,
  tensors,
  integer,
  real,
  boolean,
  ints,
  string,
  dtype,
  device,
  generator,
  complex
};

struct Value;
[[noreturn]] void refuse_complex(const Value& v);  // where a real number is needed

struct Value {
  Tag tag = Tag::none;
  uint32_t length = 0;  // of tensors and ints
  union {
    TensorImpl* tensor;
    const Tensor* tensors;  // undefined entries allowed
    const int64_t* ints;    // and the bits of a complex number's two parts
    const char* string;     // interned: lives as long as the process
    void* pointer;
    int64_t integer;
    double real;
    bool boolean;
    DType dtype;
    Device device;
  };

  Value() : integer(0) {}
  Value(std::nullopt_t) : integer(0) {}
  Value(const Tensor& x) : tag(x.defined() ? Tag::tensor : Tag::none), tensor(x.get()) {}
  Value(TensorImpl* x) : tag(x ? Tag::tensor : Tag::none), tensor(x) {}
  Value(const TensorList& xs)
      : tag(Tag::tensors), length(static_cast<uint32_t>(xs.size())), tensors(xs.data()) {}
  Value(const Tensor* xs, int n)
      : tag(Tag::tensors), length(static_cast<uint32_t>(n)), tensors(xs) {}
  Value(DimsView dims)
      : tag(Tag::ints), length(static_cast<uint32_t>(dims.size())), ints(dims.data()) {}
  Value(const Dims& dims) : Value(DimsView(dims)) {}
  Value(bool b) : tag(Tag::boolean), boolean(b) {}
  Value(int i) : tag(Tag::integer), integer(i) {}
  Value(int64_t i) : tag(Tag::integer), integer(i) {}
  Value(double d) : tag(Tag::real), real(d) {}
  Value(const char* s) : tag(Tag::string), string(s) {}
  Value(DType t) : tag(Tag::dtype), dtype(t) {}
  Value(Device d) : tag(Tag::device), device(d) {}
  template <class T>
  Value(const std::optional<T>& x) : Value() {
    if (x) *this = Value(*x);
  }

  bool is_none() const { return tag == Tag::none; }
  bool is_tensor() const { return tag == Tag::tensor; }
  bool is_number() const { return tag == Tag::integer || tag == Tag::real || tag == Tag::boolean; }
  double as_double() const {
    if (tag == Tag::complex) refuse_complex(*this);
    return tag == Tag::real ? real : tag == Tag::boolean ? boolean : static_cast<double>(integer);
  }
  int64_t as_int() const {
    if (tag == Tag::complex) refuse_complex(*this);
    return tag == Tag::real ? static_cast<int64_t>(real) : tag == Tag::boolean ? boolean : integer;
  }
  bool as_bool() const {
    return tag == Tag::real ? real != 0 : tag == Tag::boolean ? boolean : integer != 0;
  }
  double real_part() const { return std::bit_cast<double>(ints[0]); }  // of a complex number
  double imag_part() const { return std::bit_cast<double>(ints[1]); }
  DimsView as_ints() const { return {ints, static_cast<int>(length)}; }
  Tensor as_tensor() const { return tag == Tag::tensor ? Tensor(tensor) : Tensor(); }
  // The dtype that a Python number has as an operand.
  DType number_dtype() const {
    return tag == Tag::boolean   ? DType::b8
           : tag == Tag::integer ? DType::i64
           : tag == Tag::complex ? default_complex_dtype()
                                 : default_dtype();
  }
};

// What the operator functions written by hand take; `get<T>(value)` reads a Value as one of these.
using Text = std::string_view;
struct Number {  // a Python number: keeps whether it was written as an integer
  Value value;
  double real() const { return value.as_double(); }
  int64_t integer() const { return value.as_int(); }
  operator Value() const { return value; }
};
struct Tensors {  // a borrowed list of tensors
  const Tensor* data = nullptr;
  int count = 0;
  int size() const { return count; }
  const Tensor& operator[](int i) const { return data[i]; }
  const Tensor* begin() const { return data; }
  const Tensor* end() const { return data + count; }
  operator Value() const { return Value(data, count); }
};

template <class T>
struct Get;
template <>
struct Get<Tensor> {
  static Tensor from(const Value& v) { return v.as_tensor(); }
};
template <>
struct Get<Tensors> {
  static Tensors from(const Value& v) { return {v.tensors, static_cast<int>(v.length)}; }
};
template <>
struct Get<DimsView> {
  static DimsView from(const Value& v) {
    return v.tag == Tag::integer ? DimsView(&v.integer, 1) : v.is_none() ? DimsView() : v.as_ints();
  }
};
template <>
struct Get<int64_t> {
  static int64_t from(const Value& v) { return v.as_int(); }
};
template <>
struct Get<double> {
  static double from(const Value& v) { return v.as_double(); }
};
template <>
struct Get<bool> {
  static bool from(const Value& v) { return v.as_bool(); }
};
template <>
struct Get<Text> {
  static Text from(const Value& v) { return v.is_none() ? Text() : Text(v.string); }
};
template <>
struct Get<DType> {
  static DType from(const Value& v) { return v.dtype; }
};
template <>
struct Get<Number> {
  static Number from(const Value& v) { return {v}; }
};
template <>
struct Get<Value> {
  static Value from(const Value& v) { return v; }
};
template <class T>
struct Get<std::optional<T>> {
  static std::optional<T> from(const Value& v) {
    if (v.is_none()) return std::nullopt;
    return Get<T>::from(v);
  }
};

}  // namespace adj
