// The memory of a tensor as an object with the buffer protocol, for numpy.asarray.
#include <nanobind/nanobind.h>

#include "autograd/history.h"
#include "bind/casters.h"

namespace nb = nanobind;

namespace adj::py {

namespace {

struct PyMemory {
  PyObject_HEAD TensorImpl* impl;    // owned: keeps the memory alive
  Py_ssize_t* layout;  // shape, then strides in bytes
};

// The letters of Python's struct module. int64 is "l" and not "q", as NumPy's own int64 is.
const char* format_of(DType t) {
  static_assert(sizeof(long) == 8);
  switch (t) {
    case DType::b8: return "?";
    case DType::u8: return "B";
    case DType::i8: return "b";
    case DType::i16: return "h";
    case DType::i32: return "i";
    case DType::i64: return "l";
    case DType::f16: return "e";
    case DType::f32: return "f";
    case DType::f64: return "d";
    case DType::c64: return "Zf";
    case DType::c128: return "Zd";
    case DType::bf16: break;
  }
  type_error("Got unsupported ScalarType ", scalar_name_of(t),
             ": NumPy has no such dtype; convert with .float() first");
}

PyMemory* memory_of(PyObject* self) { return reinterpret_cast<PyMemory*>(self); }

void dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  delete[] memory_of(self)->layout;
  TensorRef dropped = TensorRef::adopt(memory_of(self)->impl);
  type->tp_free(self);
  Py_DECREF(type);
}

int get_buffer(PyObject* self, Py_buffer* view, int flags) {
  TensorImpl* x = memory_of(self)->impl;
  int n = x->sizes.size();
  bool strided = (flags & PyBUF_STRIDES) == PyBUF_STRIDES;
  bool wants_rows = (flags & PyBUF_C_CONTIGUOUS) == PyBUF_C_CONTIGUOUS;
  bool wants_columns = (flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS;
  if ((!x->contiguous && (!strided || wants_rows)) || (wants_columns && n > 1)) {
    PyErr_SetString(PyExc_BufferError, "the memory of this tensor is not contiguous as asked for");
    view->obj = nullptr;
    return -1;
  }
  view->buf = x->data;
  view->itemsize = static_cast<Py_ssize_t>(itemsize(x->dtype));
  view->len = static_cast<Py_ssize_t>(x->numel) * view->itemsize;
  view->readonly = 0;
  view->ndim = n;
  view->format = flags & PyBUF_FORMAT ? const_cast<char*>(format_of(x->dtype)) : nullptr;
  view->shape = flags & PyBUF_ND ? memory_of(self)->layout : nullptr;
  view->strides = strided ? memory_of(self)->layout + n : nullptr;
  view->suboffsets = nullptr;
  view->internal = nullptr;
  view->obj = Py_NewRef(self);
  return 0;
}

PyTypeObject* memory_type() {
  static PyTypeObject* type = [] {
    PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
                           {Py_bf_getbuffer, reinterpret_cast<void*>(get_buffer)},
                           {0, nullptr}};
    PyType_Spec spec{"adjoint._core._Memory", sizeof(PyMemory), 0,
                     Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
    return reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  }();
  return type;
}

}  // namespace

void bind_buffer(nb::module_& m) {
  m.def("_buffer", [](Tensor x) {
    if (x.wrapped())
      runtime_error("a tensor under a transform (vmap, jvp) has no memory of its own");
    format_of(x.dtype());
    auto* memory = reinterpret_cast<PyMemory*>(memory_type()->tp_alloc(memory_type(), 0));
    if (!memory) throw PythonError();
    memory->impl = std::move(detach(x)).take().release();
    memory->layout = new Py_ssize_t[static_cast<size_t>(2 * x.dim())];
    for (int i = 0; i < x.dim(); ++i) {
      memory->layout[i] = x.size(i);
      memory->layout[x.dim() + i] = x.stride(i) * static_cast<Py_ssize_t>(itemsize(x.dtype()));
    }
    return nb::steal<nb::object>(reinterpret_cast<PyObject*>(memory));
  });
}

}  // namespace adj::py
