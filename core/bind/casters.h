// Tensors as arguments and results of nanobind functions.
#pragma once
#include <nanobind/nanobind.h>

#include "bind/python.h"

namespace nanobind::detail {

template <>
struct type_caster<adj::Tensor> {
  NB_TYPE_CASTER(adj::Tensor, const_name("Tensor"))

  bool from_python(handle src, uint8_t, cleanup_list*) noexcept {
    if (!adj::py::is_tensor(src.ptr())) return false;
    value = adj::py::tensor_of(src.ptr());
    return true;
  }
  static handle from_cpp(const adj::Tensor& x, rv_policy, cleanup_list*) noexcept {
    return adj::py::guarded([&] { return adj::py::wrap(x); });
  }
};

}  // namespace nanobind::detail
