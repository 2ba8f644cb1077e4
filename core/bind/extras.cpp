// Entry points of parts of the core that are not operators: optimizers, random state, raw bytes.
#include <nanobind/nanobind.h>

#include "autograd/history.h"
#include "bind/casters.h"
#include "ops/kinds/promotion.h"

namespace nb = nanobind;
using namespace nb::literals;

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
  // Another tensor on the memory of x, as elements of any dtype.
  m.def(
      "_on_memory",
      [](Tensor x, nb::handle dtype, nb::handle shape, nb::handle strides, int64_t offset) {
        DType t;
        if (!as_dtype(dtype.ptr(), t)) type_error("expected a torch.dtype");
        if (x.wrapped()) runtime_error("a tensor under a transform has no memory of its own");
        Layout layout;
        for (nb::handle n : nb::borrow<nb::sequence>(shape))
          layout.sizes.push_back(as_int(n.ptr()));
        if (strides.is_none()) layout.strides = contiguous_strides(layout.sizes);
        else
          for (nb::handle n : nb::borrow<nb::sequence>(strides))
            layout.strides.push_back(as_int(n.ptr()));
        if (layout.strides.size() != layout.sizes.size())
          runtime_error("mismatch in length of strides and shape");
        int64_t last = offset;
        bool none = false;
        for (int i = 0; i < layout.sizes.size(); ++i) {
          if (layout.sizes[i] < 0 || layout.strides[i] < 0)
            runtime_error("sizes and strides must not be negative, got ", layout.sizes, " and ",
                          layout.strides);
          none |= layout.sizes[i] == 0;
          last += (layout.sizes[i] - 1) * layout.strides[i];
        }
        auto bytes = static_cast<int64_t>(x->storage->nbytes);
        if (offset < 0 || (!none && (last + 1) * static_cast<int64_t>(itemsize(t)) > bytes))
          runtime_error("sizes ", layout.sizes, ", strides ", layout.strides, ", storage offset ",
                        offset, " and dtype ", t, " are out of bounds for storage of size ", bytes);
        layout.offset = offset;
        return Tensor(TensorRef::adopt(new TensorImpl(x->storage, std::move(layout), t)));
      },
      "x"_a, "dtype"_a, "shape"_a, "strides"_a.none(), "offset"_a = 0);
  // The in-place forms of views: x becomes the view y of itself, with its layout and its history.
  m.def("_become", [](Tensor x, Tensor y, const char* name) {
    if (x.wrapped() || y.wrapped()) runtime_error(name, " cannot be used under a transform");
    bump_version(x, intern(name));  // kept for as long as the storage lives
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
