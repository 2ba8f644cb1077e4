// The extension module: what is neither the Tensor type nor made from the registry.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "autograd/engine.h"
#include "autograd/history.h"
#include "bind/casters.h"
#include "bind/hooks.h"
#include "bind/python.h"
#include "cpu/blas.h"
#include "cpu/thread_pool.h"
#include "ops/vocabulary.h"
#include "tensor/warning.h"
#include "transform/level.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace adj::py {

Tensor from_buffer(PyObject* o, bool writable, const char* caller);

namespace {

TensorList list_of_tensors(nb::tuple items) {
  TensorList list;
  for (nb::handle h : items) {
    if (h.is_none()) list.push_back({});
    else if (is_tensor(h.ptr())) list.push_back(tensor_of(h.ptr()));
    else type_error("expected Tensors, got ", Py_TYPE(h.ptr())->tp_name);
  }
  return list;
}

nb::tuple tuple_of_tensors(const TensorList& list) {
  PyObject* tuple = PyTuple_New(list.size());
  for (int i = 0; i < list.size(); ++i) PyTuple_SET_ITEM(tuple, i, wrap(list[i]));
  return nb::steal<nb::tuple>(tuple);
}

Tensor make_tensor(nb::object data, nb::object dtype, nb::object device, bool requires_grad,
                   bool pin_memory) {
  (void)pin_memory;
  DType t;
  Device d;
  if (!dtype.is_none() && !as_dtype(dtype.ptr(), t))
    type_error("tensor(): argument 'dtype' must be torch.dtype, not ",
               Py_TYPE(dtype.ptr())->tp_name);
  if (!device.is_none() && as_device(device.ptr(), d)) require_cpu(d);
  if (is_tensor(data.ptr()) &&
      PyErr_WarnEx(
          PyExc_UserWarning,
          "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() "
          "or "
          "sourceTensor.detach().clone().requires_grad_(True), rather than tensor(sourceTensor).",
          1) < 0)
    throw nb::python_error();
  Tensor x = tensor_from_data(data.ptr(), dtype.is_none() ? nullptr : &t, true, "tensor()");
  if (requires_grad) set_requires_grad(x, true);
  return x;
}

Tensor as_tensor(nb::object data, nb::object dtype, nb::object device) {
  Device d;
  if (!device.is_none() && as_device(device.ptr(), d)) require_cpu(d);
  DType t;
  if (!dtype.is_none() && !as_dtype(dtype.ptr(), t))
    type_error("as_tensor(): argument 'dtype' must be torch.dtype, not ",
               Py_TYPE(dtype.ptr())->tp_name);
  if (is_tensor(data.ptr())) {
    Tensor x = tensor_of(data.ptr());
    return dtype.is_none() || t == x.dtype() ? x : ops::to_dtype(x, t);
  }
  return tensor_from_data(data.ptr(), dtype.is_none() ? nullptr : &t, false, "as_tensor()");
}

void bind_autograd(nb::module_& m) {
  m.def("_run_backward",
        [](nb::tuple outputs, nb::tuple grads, bool retain_graph, bool create_graph,
           nb::tuple inputs, bool accumulate, bool allow_unused) {
          BackwardOptions options{retain_graph, create_graph, accumulate, allow_unused};
          return tuple_of_tensors(run_backward(list_of_tensors(outputs), list_of_tensors(grads),
                                               list_of_tensors(inputs), options));
        });
  m.def("_graph_reaches_only", [](nb::tuple outputs, nb::tuple inputs) {
    return graph_reaches_only(list_of_tensors(outputs), list_of_tensors(inputs));
  });
  m.def(
      "is_grad_enabled", [] { return modes.grad; },
      "Whether operations are recorded in this thread.");
  m.def("_set_grad_enabled", [](bool on) { modes.grad = on; });
  m.def("_autocast_dtype", []() -> nb::object {
    if (!modes.autocast) return nb::none();
    return nb::steal<nb::object>(wrap(static_cast<DType>(modes.autocast - 1)));
  });
  m.def(
      "_set_autocast_dtype",
      [](nb::handle dtype) {
        DType t;
        if (dtype.is_none()) modes.autocast = 0;
        else if (as_dtype(dtype.ptr(), t)) modes.autocast = static_cast<unsigned char>(t) + 1;
        else type_error("expected a torch.dtype or None");
      },
      "dtype"_a.none());
  m.def("is_inference_mode_enabled", [] { return modes.inference; });
  m.def("_set_inference_mode", [](bool on) { modes.inference = on; });
  m.def("_alias", [](Tensor x) { return alias(x); });
  m.def(
      "_bump_version",
      [](Tensor x, int by) {
        for (int i = 0; i < by; ++i) bump_version(x, "increment_version");
      },
      "x"_a, "by"_a = 1);
  m.def("_tensor_at_edge", [](nb::handle node, uint32_t output) {
    return nb::steal<nb::object>(wrap(tensor_at_edge(node.ptr(), output)));
  });
  m.def("_gradient_edge", [](Tensor x) {
    Edge e = gradient_edge(x);
    return nb::make_tuple(nb::steal<nb::object>(wrap(e.node)), e.output);
  });
}

void bind_levels(nb::module_& m) {
  m.def("_push_vmap", [](int64_t batch_size, const std::string& randomness) {
    return push_level(LevelKind::batched, batch_size, intern(randomness));
  });
  m.def("_push_jvp", [] { return push_level(LevelKind::dual); });
  m.def("_pop_level", [] { pop_level(); });
  m.def("_live_levels", [] { return live_levels(); });
  m.def("_add_batch_dim",
        [](Tensor x, int64_t dim, int level) { return add_batch_dim(x, dim, level); });
  m.def("_remove_batch_dim", [](Tensor x, int level, int64_t batch_size, int64_t out_dim) {
    return remove_batch_dim(x, level, batch_size, out_dim);
  });
  m.def("_make_dual",
        [](Tensor primal, Tensor tangent, int level) { return make_dual(primal, tangent, level); });
  m.def("_unpack_dual", [](Tensor x, int level) {
    return nb::make_tuple(primal_of(x, level), tangent_of(x, level));
  });
  m.def("_is_wrapped", [](Tensor x) { return x.wrapped(); });
  m.def("_describe_level", [](Tensor x) -> nb::object {
    if (!x->level) return nb::none();
    return nb::make_tuple(x->level->kind == LevelKind::dual ? "jvp" : "vmap", x->level->id,
                          x->level->value);
  });
}

DType dtype_of(nb::handle h) {
  DType t;
  if (!as_dtype(h.ptr(), t)) type_error("expected a torch.dtype, got ", Py_TYPE(h.ptr())->tp_name);
  return t;
}

void bind_dtypes(nb::module_& m) {
  m.def(
      "promote_types",
      [](nb::handle a, nb::handle b) {
        return nb::steal<nb::object>(wrap(promote(dtype_of(a), dtype_of(b))));
      },
      "The smallest dtype that both convert to.");
  m.def(
      "can_cast",
      [](nb::handle from, nb::handle to) { return can_cast(dtype_of(from), dtype_of(to)); },
      "from_"_a, "to"_a, "Whether a result of one dtype may be written to a tensor of another.");
  m.def("get_default_dtype", [] { return nb::steal<nb::object>(wrap(default_dtype())); });
  m.def("set_default_dtype", [](nb::handle t) {
    DType dtype = dtype_of(t);
    if (!is_floating(dtype))
      type_error("only floating-point types are supported as the default type, not ", dtype);
    set_default_dtype(dtype);
  });
  m.def("_set_size_type", [](nb::handle type) {
    size_type = reinterpret_cast<PyTypeObject*>(Py_NewRef(type.ptr()));
  });
}

}  // namespace

void bind_extras(nb::module_& m);
void bind_registry_info(nb::module_& m);
void bind_overrides(nb::module_& m);

}  // namespace adj::py

NB_MODULE(_core, m) {
  using namespace adj;
  using namespace adj::py;
  nb::set_leak_warnings(false);
  nb::register_exception_translator([](const std::exception_ptr& p, void*) {
    try {
      std::rethrow_exception(p);
    } catch (const PythonError&) {
      set_error();
    } catch (const Error&) {
      set_error();
    }
  });
  size_type = &PyTuple_Type;
  init_types(m.ptr());
  init_tensor_type(m.ptr());
  init_hooks(m.ptr());
  warning_handler = [](const std::string& message) {
    nb::gil_scoped_acquire locked;
    if (PyErr_WarnEx(PyExc_UserWarning, message.c_str(), 1) < 0) throw PythonError();
  };
  init_node_type(m.ptr());
  init_registry(m.ptr());
  set_autocast_rules();
  bind_autograd(m);
  bind_levels(m);
  bind_dtypes(m);
  bind_extras(m);
  bind_registry_info(m);
  bind_overrides(m);
  m.def("tensor", make_tensor, "data"_a, nb::kw_only(), "dtype"_a = nb::none(),
        "device"_a = nb::none(), "requires_grad"_a = false, "pin_memory"_a = false,
        "A new tensor of the values of `data`: a number, nested sequences, or an array.");
  m.def("as_tensor", as_tensor, "data"_a, "dtype"_a = nb::none(), "device"_a = nb::none(),
        "A tensor of `data`, on its memory where that is possible.");
  m.def("_from_buffer", [](nb::handle o, bool writable) {
    Tensor x = from_buffer(o.ptr(), writable, "from_numpy");
    if (!x.defined()) type_error("expected an array, got ", Py_TYPE(o.ptr())->tp_name);
    return x;
  });
  m.def("set_num_threads", [](int n) {
    if (n < 1) runtime_error("set_num_threads expects a positive integer, got ", n);
    set_num_threads(n);
  });
  m.def("_set_blas_path", [](const std::string& path) { set_blas_path(path.c_str()); });
  m.def("get_num_threads", [] { return get_num_threads(); });
}
