// The Tensor type: one Python object per tensor, for as long as the tensor lives.
//
// The object and its TensorImpl share one reference count (tensor/counted.h), and tp_traverse shows
// the cycle collector all that a tensor refers to, so cycles through the graph are collected.
#include "autograd/history.h"
#include "bind/overrides.h"
#include "bind/python.h"
#include "transform/level.h"

namespace adj::py {

PyTypeObject* tensor_type;

namespace {

FreeList<256> dead_tensors;

PyObject* new_object(PyTypeObject* type, Tensor&& x) {
  PyObject* self = type == tensor_type ? dead_tensors.take(type) : type->tp_alloc(type, 0);
  if (!self) throw PythonError();
  auto* object = reinterpret_cast<PyTensor*>(self);
  object->dict = object->weakrefs = nullptr;
  TensorImpl* impl = x.get();
  object->impl = impl;
  if (impl->unique()) {
    impl->become_python(self);
    std::move(x).take().release();
  } else {
    impl->set_python(self);  // the count now includes the handle x, which goes here
  }
  return self;
}

struct Visitor final : Tracer {
  visitproc visit_fn;
  void* arg;
  int result = 0;
  Visitor(visitproc v, void* a) : visit_fn(v), arg(a) {}
  void visit(Counted* object) override {
    if (result) return;
    if (void* python = object->python()) result = visit_fn(static_cast<PyObject*>(python), arg);
    else if (object->unique()) object->trace(*this);  // ours alone: its references are ours
  }
  void visit_python(void* object) override {
    if (!result) result = visit_fn(static_cast<PyObject*>(object), arg);
  }
};

int tensor_traverse(PyObject* self, visitproc visit, void* arg) {
  auto* object = reinterpret_cast<PyTensor*>(self);
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(object->dict);
  if (object->impl) {
    Visitor v(visit, arg);
    object->impl->trace(v);
    return v.result;
  }
  return 0;
}

int tensor_clear(PyObject* self) {
  auto* object = reinterpret_cast<PyTensor*>(self);
  Py_CLEAR(object->dict);
  if (TensorImpl* impl = object->impl) {
    History* history = std::exchange(impl->history, nullptr);
    Level* level = std::exchange(impl->level, nullptr);
    TensorRef base = std::move(impl->base);
    delete history;
    delete level;
  }
  return 0;
}

void tensor_dealloc(PyObject* self) {
  auto* object = reinterpret_cast<PyTensor*>(self);
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  if (object->weakrefs) PyObject_ClearWeakRefs(self);
  Py_CLEAR(object->dict);
  delete std::exchange(object->impl, nullptr);
  if (type == tensor_type) dead_tensors.give(self);
  else type->tp_free(self);
  Py_DECREF(type);
}

PyObject* tensor_repr(PyObject* self) {
  if (may_override(self)) {
    PyObject* result = guarded([&] { return call_override_of_method("__repr__", &self, 1); });
    if (result || PyErr_Occurred()) return result;
  }
  Object module = Object(PyImport_ImportModule("adjoint._tensor_str"));
  if (!module) return nullptr;
  return PyObject_CallMethod(module.get(), "_str", "O", self);
}

Py_hash_t tensor_hash(PyObject* self) {
  return static_cast<Py_hash_t>(reinterpret_cast<uintptr_t>(self) >> 4);
}

Py_ssize_t tensor_length(PyObject* self) {
  if (may_override(self)) [[unlikely]] {
    Object result(guarded([&] { return call_override_of_method("__len__", &self, 1); }));
    if (result || PyErr_Occurred()) return result ? PyNumber_AsSsize_t(result.get(), nullptr) : -1;
  }
  const Tensor x = tensor_of(self);
  if (x.dim() == 0) {
    PyErr_SetString(PyExc_TypeError, "len() of a 0-d tensor");
    return -1;
  }
  return static_cast<Py_ssize_t>(x.size(0));
}

PyObject* tensor_sequence_item(PyObject* self, Py_ssize_t i) {
  Object index(PyLong_FromSsize_t(i));
  return get_item(self, index.get());
}

PyObject* tensor_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  return guarded([&]() -> PyObject* {
    // The legacy constructor: Tensor(), Tensor(2, 3) of sizes, Tensor([1, 2]) of data.
    if (kwargs && PyDict_GET_SIZE(kwargs)) {
      PyObject* device = PyDict_GetItemString(kwargs, "device");
      if (!device || PyDict_GET_SIZE(kwargs) > 1)
        type_error(
            "Tensor() takes sizes or a sequence, and device=; use adjoint.tensor(data, ...)");
    }
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    Tensor x;
    if (n == 0) {
      x = empty({0}, default_dtype());
    } else if (n == 1 && !PyLong_Check(PyTuple_GET_ITEM(args, 0))) {
      PyObject* data = PyTuple_GET_ITEM(args, 0);
      DType t = default_dtype();
      if (is_tensor(data)) {
        x = detach(tensor_of(data));
        if (type == tensor_type && x.dtype() != t)
          type_error("expected ", scalar_name_of(t), " (got ", scalar_name_of(x.dtype()),
                     "); use x.to()");
      } else if (Py_TYPE(data) == size_type) {
        Dims sizes;
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(data); ++i)
          sizes.push_back(as_int(PyTuple_GET_ITEM(data, i)));
        x = empty(sizes, t);
      } else if (PyFloat_Check(data) || PyUnicode_Check(data) || data == Py_None) {
        type_error("new(): data must be a sequence (got ", Py_TYPE(data)->tp_name,
                   "); use adjoint.tensor(value) to make a tensor of a number");
      } else {
        x = tensor_from_data(data, &t, true, "Tensor");
      }
    } else {
      Dims sizes;
      for (Py_ssize_t i = 0; i < n; ++i) {
        PyObject* o = PyTuple_GET_ITEM(args, i);
        if (!PyLong_Check(o) || PyBool_Check(o))
          type_error("Tensor() takes sizes (integers) or one sequence, not ", Py_TYPE(o)->tp_name);
        sizes.push_back(as_int(o));
      }
      x = empty(sizes, default_dtype());
    }
    return new_object(type, std::move(x));
  });
}

PyType_Slot tensor_slots[] = {
    {Py_tp_doc, const_cast<char*>("A multi-dimensional array that remembers how it was made.")},
    {Py_tp_new, reinterpret_cast<void*>(tensor_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(tensor_dealloc)},
    {Py_tp_traverse, reinterpret_cast<void*>(tensor_traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(tensor_clear)},
    {Py_tp_repr, reinterpret_cast<void*>(tensor_repr)},
    {Py_tp_hash, reinterpret_cast<void*>(tensor_hash)},
    {Py_tp_getattro, reinterpret_cast<void*>(PyObject_GenericGetAttr)},
    {Py_tp_setattro, reinterpret_cast<void*>(PyObject_GenericSetAttr)},
    {Py_tp_getset, tensor_attributes},
    {Py_tp_methods, tensor_methods},
    {Py_mp_length, reinterpret_cast<void*>(tensor_length)},
    {Py_mp_subscript, reinterpret_cast<void*>(get_item)},
    {Py_mp_ass_subscript, reinterpret_cast<void*>(set_item)},
    {Py_sq_length, reinterpret_cast<void*>(tensor_length)},
    {Py_sq_item, reinterpret_cast<void*>(tensor_sequence_item)},
    {0, nullptr}};

PyMemberDef tensor_members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(PyTensor, dict), READONLY, nullptr},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(PyTensor, weakrefs), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};

}  // namespace

PyObject* wrap(Tensor x) {
  if (!x.defined()) Py_RETURN_NONE;
  if (void* known = x->python()) return Py_NewRef(static_cast<PyObject*>(known));
  return new_object(tensor_type, std::move(x));
}

PyObject* wrap_as(PyTypeObject* type, Tensor x) { return new_object(type, std::move(x)); }

void init_tensor_type(PyObject* module) {
  tensor_saved = [](TensorImpl* x) {
    PythonLocked lock;
    Py_DECREF(wrap(Tensor(x)));
  };
  add_overrides(tensor_attributes, tensor_methods);
  std::vector<PyType_Slot> slots;
  for (auto& s : tensor_slots)
    if (s.slot) slots.push_back(s);
  add_operators(slots);
  slots.push_back({Py_tp_members, tensor_members});
  slots.push_back({0, nullptr});
  PyType_Spec spec = {"adjoint.Tensor", sizeof(PyTensor), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots.data()};
  tensor_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  PyModule_AddObjectRef(module, "Tensor", reinterpret_cast<PyObject*>(tensor_type));
}

}  // namespace adj::py
