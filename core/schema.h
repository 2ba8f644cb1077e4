// Signatures: "sum(input: Tensor, dim: int[]? = None, *, dtype: dtype? = None) -> Tensor".
//
// Types: Tensor, Operand (a Tensor or a Python number), Number, Tensor[], int, int[], float, bool,
// str, dtype, device, Generator; a `?` behind one allows None. `*` starts the keyword-only ones.
// A dot before the name is a namespace (`nn.functional.relu`), behind it an overload (`max:dim`).
#pragma once
#include <string>
#include <vector>

#include "value.h"

namespace adj {

enum class Type : uint8_t {
  tensor,
  operand,
  number,
  tensors,
  integer,
  ints,
  real,
  boolean,
  string,
  dtype,
  device,
  generator
};

struct Param {
  std::string name;
  Type type;
  bool optional = false;      // None is allowed
  bool keyword_only = false;
  bool has_default = false;
  Value standard;             // the default
  const void* interned = nullptr;  // the binding's name object, for fast keyword lookup
};

struct Schema {
  std::string space;     // "" or "nn.functional"
  std::string name;      // "max"
  std::string overload;  // "" or "dim"
  std::vector<Param> params;
  std::vector<std::string> returns;  // names of the fields of a named tuple, if there are several
  bool returns_list = false;
  std::string text;  // the signature as a reader of Python expects it

  explicit Schema(const char* signature);
};

// One copy per distinct text, never freed.
const char* intern(std::string_view text);

}  // namespace adj
