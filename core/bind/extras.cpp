// Entry points of parts of the core that are not operators: optimizers, random state, raw bytes.
#include <nanobind/nanobind.h>

#include "autograd/history.h"
#include "bind/casters.h"
#include "ops/kinds/promotion.h"

namespace nb = nanobind;

namespace adj::py {

void bind_buffer(nb::module_& m);
void bind_random(nb::module_& m);
void bind_dlpack(nb::module_& m);

namespace {

// An operand of result_type: a tensor or a Python number.
void add_operand(Promotion& all, nb::handle o) {
  if (is_tensor(o.ptr())) all.add(*impl_of(o.ptr()));
  else if (is_complex_number(o.ptr())) all.add_number(default_complex_dtype());
  else if (is_number(o.ptr())) all.add_number(number_value(o.ptr()).number_dtype());
  else type_error("result_type(): expected a Tensor or a Number, not ", Py_TYPE(o.ptr())->tp_name);
}

}  // namespace

void bind_optim(nb::module_& m);

void bind_extras(nb::module_& m) {
  bind_optim(m);
  m.def("_result_type", [](nb::handle a, nb::handle b) {
    Promotion all;
    add_operand(all, a);
    add_operand(all, b);
    return nb::steal<nb::object>(wrap(all.result()));
  });
  // The in-place forms of views: x becomes the view y of itself, with its layout and its history.
  m.def("_become", [](Tensor x, Tensor y, const char* name) {
    if (x.wrapped() || y.wrapped()) runtime_error(name, " cannot be used under a transform");
    bump_version(x, name);
    x->set_layout(y.layout());
    if (NodeRef node = grad_fn(y)) {
      history_of(x).grad_fn = std::move(node);
      history_of(x).output = history_of(y).output;
    }
  });
  bind_buffer(m);
  bind_random(m);
  bind_dlpack(m);
  m.def("_tensor_to_bytes", [](Tensor x) {
    if (!x.contiguous()) runtime_error("_tensor_to_bytes takes a contiguous tensor");
    return nb::bytes(x.data(), static_cast<size_t>(x.numel()) * itemsize(x.dtype()));
  });
  m.def("_tensor_from_bytes", [](nb::bytes data, nb::handle dtype, nb::handle shape) {
    DType t;
    if (!as_dtype(dtype.ptr(), t)) type_error("expected a torch.dtype");
    Dims sizes;
    for (nb::handle s : nb::borrow<nb::sequence>(shape)) sizes.push_back(as_int(s.ptr()));
    Tensor x = empty(sizes, t);
    size_t bytes = static_cast<size_t>(x.numel()) * itemsize(t);
    if (bytes != data.size())
      value_error("expected ", static_cast<int64_t>(bytes), " bytes for a tensor of shape ", sizes,
                  " and dtype ", t, ", got ", static_cast<int64_t>(data.size()));
    memcpy(x.data(), data.c_str(), bytes);
    return x;
  });
}

}  // namespace adj::py
