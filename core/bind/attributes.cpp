// Attributes and methods of Tensor that are not operators of the registry.
#include <cstring>

#include "autograd/engine.h"
#include "autograd/history.h"
#include "bind/hooks.h"
#include "bind/python.h"
#include "ops/vocabulary.h"
#include "transform/level.h"

namespace adj::py {

namespace {

// Attributes

template <class F>
PyObject* attribute(PyObject* self, F&& f) {
  return guarded([&] { return f(tensor_of(self)); });
}

PyObject* get_shape(PyObject* self, void*) { return wrap_sizes(impl_of(self)->sizes); }
PyObject* get_dtype(PyObject* self, void*) { return wrap(impl_of(self)->dtype); }
PyObject* get_device(PyObject* self, void*) { return wrap(impl_of(self)->storage->device); }
PyObject* get_ndim(PyObject* self, void*) { return PyLong_FromLong(impl_of(self)->sizes.size()); }
PyObject* get_itemsize(PyObject* self, void*) {
  return PyLong_FromSize_t(itemsize(impl_of(self)->dtype));
}
PyObject* get_nbytes(PyObject* self, void*) {
  return PyLong_FromLongLong(impl_of(self)->numel *
                             static_cast<int64_t>(itemsize(impl_of(self)->dtype)));
}
PyObject* get_false(PyObject*, void*) { Py_RETURN_FALSE; }
PyObject* get_true(PyObject*, void*) { Py_RETURN_TRUE; }
PyObject* get_version(PyObject* self, void*) {
  return PyLong_FromUnsignedLong(version_of(tensor_of(self)));
}

PyObject* get_requires_grad(PyObject* self, void*) {
  return attribute(self, [](const Tensor& x) {
    refresh_view(x);
    return PyBool_FromLong(x.requires_grad());
  });
}
int set_requires_grad_attribute(PyObject* self, PyObject* value, void*) {
  return guarded([&] {
    if (!value || !PyBool_Check(value)) runtime_error("requires_grad must be a bool");
    set_requires_grad(tensor_of(self), value == Py_True);
    return 0;
  });
}

PyObject* get_grad(PyObject* self, void*) {
  return attribute(self, [](const Tensor& x) -> PyObject* {
    History* h = x->history;
    bool warn =
        x.requires_grad() && !(h && h->retains_grad) && !is_leaf(x) && !(h && h->grad.defined());
    if (warn &&
        PyErr_WarnEx(
            PyExc_UserWarning,
            "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. "
            "Its .grad attribute won't be populated during autograd.backward(). If you "
            "indeed want it to be populated for a non-leaf Tensor, use .retain_grad() on it. "
            "If you access it by mistake, access the leaf Tensor instead.",
            1) < 0)
      return nullptr;
    return h ? wrap(h->grad) : Py_NewRef(Py_None);
  });
}
int set_grad(PyObject* self, PyObject* value, void*) {
  return guarded([&] {
    Tensor x = tensor_of(self);
    if (!value || value == Py_None) {
      if (x->history) x->history->grad = {};
      return 0;
    }
    if (!is_tensor(value))
      type_error("assigned grad expected to be a Tensor or None but got grad of type ",
                 Py_TYPE(value)->tp_name);
    Tensor g = tensor_of(value);
    if (g.same(x)) runtime_error("can't assign Variable as its own grad");
    if (!(g.sizes() == x.sizes()))
      runtime_error("assigned grad has data of a different size: expected shape ", x.sizes(),
                    ", got ", g.sizes());
    if (g.dtype() != x.dtype())
      runtime_error("assigned grad has data of a different type: expected ", x.dtype(), ", got ",
                    g.dtype());
    history_of(x).grad = g;
    return 0;
  });
}
PyObject* get_grad_fn(PyObject* self, void*) {
  return attribute(self, [](const Tensor& x) { return wrap(grad_fn(x)); });
}
PyObject* get_is_leaf(PyObject* self, void*) {
  return attribute(self, [](const Tensor& x) { return PyBool_FromLong(is_leaf(x)); });
}
PyObject* get_output_nr(PyObject* self, void*) {
  History* h = impl_of(self)->history;
  return PyLong_FromUnsignedLong(h ? h->output : 0);
}
PyObject* get_retains_grad(PyObject* self, void*) {
  History* h = impl_of(self)->history;
  return PyBool_FromLong(h && h->retains_grad);
}
PyObject* get_base(PyObject* self, void*) {
  return attribute(self,
                   [](const Tensor& x) { return wrap(x->base ? Tensor(x->base) : Tensor()); });
}

PyObject* get_data(PyObject* self, void*) {
  return attribute(self, [](const Tensor& x) {
    Tensor y = detach(x);
    y->flags |= kUntracked;
    return wrap(std::move(y));
  });
}
int set_data(PyObject* self, PyObject* value, void*) {
  return guarded([&] {
    if (!value || !is_tensor(value))
      type_error("Variable data has to be a tensor, but got ",
                 value ? Py_TYPE(value)->tp_name : "nothing");
    Tensor x = tensor_of(self), y = tensor_of(value);
    if (y.wrapped() || x.wrapped()) runtime_error("cannot assign .data under a transform");
    if (x.requires_grad() && !is_differentiable(y.dtype()))
      runtime_error(
          "data set to a tensor that requires gradients must be floating point or complex "
          "dtype");
    x->storage = y->storage;
    x->dtype = y.dtype();
    x->set_layout(y.layout());
    return 0;
  });
}

PyObject* get_transposed(PyObject* self, void*) {
  return attribute(self, [](const Tensor& x) {
    Dims dims;
    for (int i = x.dim() - 1; i >= 0; --i) dims.push_back(i);
    return wrap(ops::permute(x, dims));
  });
}
PyObject* get_conjugate_transposed(PyObject* self, void*) {
  return attribute(self, [](const Tensor& x) {
    if (x.dim() != 2 && x.dim() != 0)
      runtime_error("tensor.H is only supported on matrices (2-D tensors). Got ", x.dim(),
                    "-D tensor. For batches of matrices, consider using tensor.mH");
    return wrap(ops::conj(x.dim() ? ops::transpose(x, int64_t{-2}, int64_t{-1}) : x));
  });
}
template <bool real>
PyObject* get_part(PyObject* self, void*) {
  return attribute(self, [](const Tensor& x) { return wrap((real ? ops::real : ops::imag)(x)); });
}
template <bool real>
int set_part(PyObject* self, PyObject* value, void*) {
  return guarded([&]() -> int {
    if (!value) type_error("a part of a tensor cannot be deleted");
    Tensor part = (real ? ops::real : ops::imag)(tensor_of(self));
    DType t = part.dtype();
    ops::copy.into(part, tensor_from_data(value, is_tensor(value) ? nullptr : &t, false, "="));
    return 0;
  });
}
template <bool conjugate>
PyObject* get_matrix_transposed(PyObject* self, void*) {
  return attribute(self, [](const Tensor& x) {
    if (x.dim() < 2)
      runtime_error("tensor.m", conjugate ? "H" : "T", " is only supported on matrices or batches ",
                    "of matrices. Got ", x.dim(), "-D tensor.");
    Tensor t = ops::transpose(x, int64_t{-2}, int64_t{-1});
    return wrap(conjugate ? ops::conj(t) : t);
  });
}

// Methods

PyObject* m_size(PyObject* self, PyObject* const* args, Py_ssize_t n, PyObject* names) {
  if (n == 0 && !names) return wrap_sizes(impl_of(self)->sizes);
  return attribute(self, [&](const Tensor& x) -> PyObject* {
    if (args[0] == Py_None) return wrap_sizes(x.sizes());
    int64_t d = as_int(args[0]);
    if (x.dim() == 0) index_error("dimension specified as ", d, " but tensor has no dimensions");
    return PyLong_FromLongLong(x.size(normalize_dim(d, x.dim())));
  });
}
PyObject* m_stride(PyObject* self, PyObject* const* args, Py_ssize_t n, PyObject* names) {
  if (n == 0 && !names) return wrap_ints(impl_of(self)->strides);
  return attribute(self, [&](const Tensor& x) -> PyObject* {
    if (args[0] == Py_None) return wrap_ints(x.strides());
    return PyLong_FromLongLong(x.stride(normalize_dim(as_int(args[0]), x.dim())));
  });
}
PyObject* m_dim(PyObject* self, PyObject*) { return PyLong_FromLong(impl_of(self)->sizes.size()); }
PyObject* m_numel(PyObject* self, PyObject*) { return PyLong_FromLongLong(impl_of(self)->numel); }
PyObject* m_storage_offset(PyObject* self, PyObject*) {
  return PyLong_FromLongLong(impl_of(self)->offset);
}
PyObject* m_data_ptr(PyObject* self, PyObject*) {
  return impl_of(self)->numel ? PyLong_FromVoidPtr(impl_of(self)->data) : PyLong_FromLong(0);
}
PyObject* m_storage_ptr(PyObject* self, PyObject*) {
  return PyLong_FromVoidPtr(impl_of(self)->storage->data);
}
PyObject* m_storage_bytes(PyObject* self, PyObject*) {
  return PyLong_FromSize_t(impl_of(self)->storage->nbytes);
}
PyObject* m_is_contiguous(PyObject* self, PyObject*, PyObject*) {
  return PyBool_FromLong(impl_of(self)->contiguous);
}
PyObject* m_is_floating_point(PyObject* self, PyObject*) {
  return PyBool_FromLong(is_floating(impl_of(self)->dtype));
}
PyObject* m_no(PyObject*, PyObject*) { Py_RETURN_FALSE; }
PyObject* m_is_complex(PyObject* self, PyObject*) {
  return PyBool_FromLong(is_complex(impl_of(self)->dtype));
}
PyObject* m_is_inference(PyObject* self, PyObject*) {
  return PyBool_FromLong(impl_of(self)->flags & kInference);
}
PyObject* m_is_view(PyObject* self, PyObject*) {
  return PyBool_FromLong(bool(impl_of(self)->base));
}
PyObject* m_item(PyObject* self, PyObject*) {
  return attribute(self, [](const Tensor& x) { return item_of(x); });
}
PyObject* m_tolist(PyObject* self, PyObject*) {
  return attribute(self, [](const Tensor& x) { return list_of(x); });
}
PyObject* m_detach(PyObject* self, PyObject*) {
  return attribute(self, [](const Tensor& x) {
    Tensor y = without_tangents(x);
    if (modes.inference) y->flags |= kInference;
    return wrap(std::move(y));
  });
}
PyObject* m_detach_in_place(PyObject* self, PyObject*) {
  return attribute(self, [&](const Tensor& x) {
    if (x->base)
      runtime_error(
          "Can't detach views in-place. Use detach() instead. If you are using "
          "DistributedDataParallel (DDP) for training, call .grad.zero_() on a base tensor.");
    if (x->history) {
      x->history->grad_fn = {};
      x->history->output = 0;
    }
    x->flags &= static_cast<uint8_t>(~kRequiresGrad);
    return Py_NewRef(self);
  });
}
PyObject* m_requires_grad(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"requires_grad", nullptr};
  PyObject* on = Py_True;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O!", const_cast<char**>(names), &PyBool_Type,
                                   &on))
    return nullptr;
  return attribute(self, [&](const Tensor& x) {
    set_requires_grad(x, on == Py_True);
    return Py_NewRef(self);
  });
}

TensorList tensors_from(PyObject* o, const char* what) {
  TensorList list;
  if (!o || o == Py_None) return list;
  if (is_tensor(o)) {
    list.push_back(tensor_of(o));
    return list;
  }
  Object items = Object::checked(PySequence_Fast(o, what));
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items.get()); ++i) {
    PyObject* item = PySequence_Fast_GET_ITEM(items.get(), i);
    if (item == Py_None) list.push_back({});
    else if (is_tensor(item)) list.push_back(tensor_of(item));
    else type_error(what, " must be Tensors, not ", Py_TYPE(item)->tp_name);
  }
  return list;
}

PyObject* m_backward(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"gradient", "retain_graph", "create_graph", "inputs", nullptr};
  PyObject *gradient = Py_None, *retain = Py_None, *inputs = Py_None;
  int create = 0;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OOpO", const_cast<char**>(names), &gradient,
                                   &retain, &create, &inputs))
    return nullptr;
  return attribute(self, [&](const Tensor& x) -> PyObject* {
    if (gradient != Py_None && !is_tensor(gradient))
      type_error("gradients can be either Tensors or None, but got ", Py_TYPE(gradient)->tp_name);
    TensorList wanted = tensors_from(inputs, "inputs");
    if (inputs != Py_None && wanted.empty())
      runtime_error("'inputs' argument to backward() cannot be empty.");
    BackwardOptions options;
    options.create_graph = create;
    options.retain_graph = retain == Py_None ? create : PyObject_IsTrue(retain) == 1;
    TensorList start;
    start.push_back(gradient == Py_None ? Tensor() : tensor_of(gradient));
    run_backward({x}, start, wanted, options);
    Py_RETURN_NONE;
  });
}

PyObject* m_register_hook(PyObject* self, PyObject* callable) {
  return attribute(self, [&](const Tensor& x) {
    refresh_view(x);
    if (!x.requires_grad())
      runtime_error("cannot register a hook on a tensor that doesn't require gradient");
    HookRef hook = make_hook(callable, HookForm::gradient);
    uint64_t id = next_hook_id();
    History& h = history_of(x);
    if (NodeRef node = grad_fn(x)) {
      node->make_hooks().tensor.push_back({h.output, hook, id});
      return make_handle(static_cast<PyObject*>(node->python()), id);
    }
    if (!h.hooks) h.hooks = std::make_unique<LeafHooks>();
    h.hooks->tensor.push_back({hook, id});
    return make_handle(self, id);
  });
}
PyObject* m_register_post_hook(PyObject* self, PyObject* callable) {
  return attribute(self, [&](const Tensor& x) {
    if (!x.requires_grad())
      runtime_error("cannot register a hook on a tensor that doesn't require gradient");
    if (!is_leaf(x))
      runtime_error("post accumulate grad hooks cannot be registered on non-leaf tensors");
    HookRef hook = make_hook(callable, HookForm::tensor);
    uint64_t id = next_hook_id();
    History& h = history_of(x);
    if (!h.hooks) h.hooks = std::make_unique<LeafHooks>();
    h.hooks->accumulated.push_back({hook, id});
    return make_handle(self, id);
  });
}
PyObject* m_retain_grad(PyObject* self, PyObject*) {
  return attribute(self, [&](const Tensor& x) -> PyObject* {
    refresh_view(x);
    if (!x.requires_grad())
      runtime_error("can't retain_grad on Tensor that has requires_grad=False");
    NodeRef node = grad_fn(x);
    if (node && !x->history->retains_grad) {
      x->history->retains_grad = true;
      node->make_hooks().retained.push_back({x->history->output, x.get()});
    }
    Py_RETURN_NONE;
  });
}

// to(dtype), to(device), to(device, dtype), to(other); non_blocking, copy, memory_format
PyObject* m_to(PyObject* self, PyObject* const* args, Py_ssize_t n, PyObject* names) {
  return attribute(self, [&](const Tensor& x) -> PyObject* {
    DType t = x.dtype();
    Device d = x.device();
    bool copy = false;
    int at = 0;
    auto take = [&](PyObject* o) {
      if (o == Py_None) return true;
      if (is_tensor(o)) {
        t = impl_of(o)->dtype;
        d = impl_of(o)->storage->device;
        return true;
      }
      return as_dtype(o, t) || as_device(o, d);
    };
    for (Py_ssize_t i = 0; i < n; ++i, ++at) {
      if (PyBool_Check(args[i])) {
        if (at > 0 && i + 1 == n && n >= 3) copy = args[i] == Py_True;
        continue;
      }
      if (!take(args[i]))
        type_error("to() received an invalid combination of arguments - got (",
                   Py_TYPE(args[i])->tp_name,
                   "); expected a dtype, a device, a tensor, or a device and a dtype");
    }
    for (Py_ssize_t k = 0; names && k < PyTuple_GET_SIZE(names); ++k) {
      const char* name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(names, k));
      PyObject* o = args[n + k];
      if (!strcmp(name, "copy")) copy = PyObject_IsTrue(o) == 1;
      else if (!strcmp(name, "non_blocking") || !strcmp(name, "memory_format")) continue;
      else if (strcmp(name, "dtype") && strcmp(name, "device") && strcmp(name, "other"))
        type_error("to() got an unexpected keyword argument '", name, "'");
      else if (!take(o)) type_error("to(): argument '", name, "' cannot be ", Py_TYPE(o)->tp_name);
    }
    require_cpu(d);
    if (t != x.dtype()) return wrap(ops::to_dtype(x, t));
    if (copy) return wrap(ops::clone(x));
    return Py_NewRef(self);
  });
}

template <DType t>
PyObject* m_as(PyObject* self, PyObject*, PyObject*) {
  if (impl_of(self)->dtype == t) return Py_NewRef(self);
  return attribute(self, [](const Tensor& x) { return wrap(ops::to_dtype(x, t)); });
}

// Tensor._make_subclass(cls, data, requires_grad=False)
PyObject* m_make_subclass(PyObject*, PyObject* args) {
  PyObject *cls, *data;
  int requires_grad = 0;
  if (!PyArg_ParseTuple(args, "O!O|p", &PyType_Type, &cls, &data, &requires_grad)) return nullptr;
  return guarded([&] {
    if (!is_tensor(data))
      type_error("_make_subclass(): data must be a Tensor, not ", Py_TYPE(data)->tp_name);
    if (!PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(cls), tensor_type))
      type_error("_make_subclass(): cls must be a subclass of Tensor");
    Tensor x = detach(tensor_of(data));
    if (requires_grad) set_requires_grad(x, true);
    return wrap_as(reinterpret_cast<PyTypeObject*>(cls), std::move(x));
  });
}

#define FAST(F) \
  reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(F)), METH_FASTCALL | METH_KEYWORDS
#define WORDS(F) \
  reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(F)), METH_VARARGS | METH_KEYWORDS

}  // namespace

PyGetSetDef tensor_attributes[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
    {"shape", get_shape, nullptr, "Sizes of the dims.", nullptr},
    {"dtype", get_dtype, nullptr, "Type of the elements.", nullptr},
    {"device", get_device, nullptr, "Where the memory is.", nullptr},
    {"ndim", get_ndim, nullptr, "Number of dims.", nullptr},
    {"itemsize", get_itemsize, nullptr, "Bytes per element.", nullptr},
    {"nbytes", get_nbytes, nullptr, "Bytes of all elements.", nullptr},
    {"requires_grad", get_requires_grad, set_requires_grad_attribute,
     "Whether gradients flow here.", nullptr},
    {"grad", get_grad, set_grad, "The gradient, accumulated by backward().", nullptr},
    {"_grad", get_grad, set_grad, nullptr, nullptr},
    {"grad_fn", get_grad_fn, nullptr, "The node that made this tensor; None for a leaf.", nullptr},
    {"is_leaf", get_is_leaf, nullptr, "Whether no recorded operation made this tensor.", nullptr},
    {"output_nr", get_output_nr, nullptr, nullptr, nullptr},
    {"retains_grad", get_retains_grad, nullptr, nullptr, nullptr},
    {"_base", get_base, nullptr, "The tensor that this one is a view of.", nullptr},
    {"_version", get_version, nullptr, "Number of in-place writes to the memory.", nullptr},
    {"data", get_data, set_data,
     "The values without the history; writes through it are not counted.", nullptr},
    {"T", get_transposed, nullptr, "The dims in reverse order.", nullptr},
    {"mT", get_matrix_transposed<false>, nullptr, "The last two dims swapped.", nullptr},
    {"H", get_conjugate_transposed, nullptr, "The conjugate transpose of a matrix.", nullptr},
    {"mH", get_matrix_transposed<true>, nullptr, "The last two dims swapped, conjugated.", nullptr},
    {"real", get_part<true>, set_part<true>, "The real parts: a view.", nullptr},
    {"imag", get_part<false>, set_part<false>, "The imaginary parts: a view.", nullptr},
    {"is_cuda", get_false, nullptr, nullptr, nullptr},
    {"is_cpu", get_true, nullptr, nullptr, nullptr},
    {"is_sparse", get_false, nullptr, nullptr, nullptr},
    {"is_quantized", get_false, nullptr, nullptr, nullptr},
    {"is_meta", get_false, nullptr, nullptr, nullptr},
    {"is_mps", get_false, nullptr, nullptr, nullptr},
    {"is_xla", get_false, nullptr, nullptr, nullptr},
    {"is_nested", get_false, nullptr, nullptr, nullptr},
    {"is_sparse_csr", get_false, nullptr, nullptr, nullptr},
    {"is_mkldnn", get_false, nullptr, nullptr, nullptr},
    {"is_xpu", get_false, nullptr, nullptr, nullptr},
    {"is_mtia", get_false, nullptr, nullptr, nullptr},
    {"is_ipu", get_false, nullptr, nullptr, nullptr},
    {"is_maia", get_false, nullptr, nullptr, nullptr},
    {"is_vulkan", get_false, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyMethodDef tensor_methods[] = {
    {"size", FAST(m_size), "size(dim=None): the sizes, or one of them."},
    {"stride", FAST(m_stride), "stride(dim=None): steps between elements, or one of them."},
    {"dim", m_dim, METH_NOARGS, "Number of dims."},
    {"ndimension", m_dim, METH_NOARGS, "Number of dims."},
    {"numel", m_numel, METH_NOARGS, "Number of elements."},
    {"nelement", m_numel, METH_NOARGS, "Number of elements."},
    {"storage_offset", m_storage_offset, METH_NOARGS,
     "Position of the first element in the storage."},
    {"data_ptr", m_data_ptr, METH_NOARGS, "Address of the first element."},
    {"_storage_ptr", m_storage_ptr, METH_NOARGS, nullptr},
    {"_storage_bytes", m_storage_bytes, METH_NOARGS, nullptr},
    {"is_contiguous", WORDS(m_is_contiguous), "Whether the elements lie in row-major order."},
    {"is_floating_point", m_is_floating_point, METH_NOARGS, nullptr},
    {"is_complex", m_is_complex, METH_NOARGS, nullptr},
    {"is_conj", m_no, METH_NOARGS, "Whether a conjugate is pending: never."},
    {"is_neg", m_no, METH_NOARGS, "Whether a negative is pending: never."},
    {"_is_view", m_is_view, METH_NOARGS, nullptr},
    {"is_inference", m_is_inference, METH_NOARGS, nullptr},
    {"item", m_item, METH_NOARGS, "The value of a tensor of one element, as a Python number."},
    {"tolist", m_tolist, METH_NOARGS, "The values as nested lists of Python numbers."},
    {"detach", m_detach, METH_NOARGS, "The same values without history; memory is shared."},
    {"detach_", m_detach_in_place, METH_NOARGS, "Forgets the history of this tensor."},
    {"requires_grad_", WORDS(m_requires_grad), "Sets requires_grad in place."},
    {"backward", WORDS(m_backward),
     "backward(gradient=None, retain_graph=None, create_graph=False, inputs=None)\n\n"
     "Adds the gradient of this tensor to the .grad of the leaves that it was computed from."},
    {"register_hook", m_register_hook, METH_O, "Calls hook(grad) when the gradient is known."},
    {"register_post_accumulate_grad_hook", m_register_post_hook, METH_O,
     "Calls hook(tensor) after its .grad was accumulated."},
    {"retain_grad", m_retain_grad, METH_NOARGS, "Keeps .grad of a tensor that is no leaf."},
    {"to", FAST(m_to), "to(dtype), to(device), to(device, dtype) or to(other)"},
    {"float", WORDS(m_as<DType::f32>), "to(float32)"},
    {"double", WORDS(m_as<DType::f64>), "to(float64)"},
    {"half", WORDS(m_as<DType::f16>), "to(float16)"},
    {"bfloat16", WORDS(m_as<DType::bf16>), "to(bfloat16)"},
    {"cfloat", WORDS(m_as<DType::c64>), "to(complex64)"},
    {"cdouble", WORDS(m_as<DType::c128>), "to(complex128)"},
    {"int", WORDS(m_as<DType::i32>), "to(int32)"},
    {"long", WORDS(m_as<DType::i64>), "to(int64)"},
    {"short", WORDS(m_as<DType::i16>), "to(int16)"},
    {"char", WORDS(m_as<DType::i8>), "to(int8)"},
    {"byte", WORDS(m_as<DType::u8>), "to(uint8)"},
    {"bool", WORDS(m_as<DType::b8>), "to(bool)"},
    {"_make_subclass", m_make_subclass, METH_VARARGS | METH_STATIC, nullptr},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace adj::py
