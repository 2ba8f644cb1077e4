// What the files of the binding share: Python objects of tensors, dtypes, devices; errors; the
// lock.
#pragma once
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include <exception>
#include <memory>
#include <vector>

#include "autograd/node.h"
#include "op.h"
#include "tensor/tensor.h"

namespace adj::py {

struct PyTensor {
  PyObject_HEAD TensorImpl* impl;
  PyObject* dict;
  PyObject* weakrefs;
};
struct PyNode {
  PyObject_HEAD Node* node;
  PyObject* weakrefs;
};
struct PyDType {
  PyObject_HEAD DType dtype;
};
struct PyDevice {
  PyObject_HEAD Device device;
};
struct PyGenerator;

extern PyTypeObject *tensor_type, *node_type, *dtype_type, *device_type;
extern PyTypeObject* size_type;  // torch.Size: a tuple

// A Python exception is set already.
struct PythonError : std::exception {
  const char* what() const noexcept override { return "Python error"; }
};
void set_error();  // sets the Python exception of the C++ one being handled

// Runs f, turning C++ exceptions into Python's.
template <class F>
auto guarded(F&& f) noexcept -> decltype(f()) {
  using R = decltype(f());
  try {
    return f();
  } catch (...) {
    set_error();
  }
  if constexpr (std::is_pointer_v<R>) return nullptr;
  else return static_cast<R>(-1);
}

// An owned Python reference.
class Object {
 public:
  Object() = default;
  explicit Object(PyObject* owned) : p_(owned) {}
  Object(Object&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  Object& operator=(Object o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  ~Object() { Py_XDECREF(p_); }
  static Object borrowed(PyObject* p) {
    Py_XINCREF(p);
    return Object(p);
  }
  // Throws PythonError if the call that gave `p` failed.
  static Object checked(PyObject* p) {
    if (!p) throw PythonError();
    return Object(p);
  }
  PyObject* get() const { return p_; }
  PyObject* release() { return std::exchange(p_, nullptr); }
  explicit operator bool() const { return p_ != nullptr; }

 private:
  PyObject* p_ = nullptr;
};

// Dead objects of one type, kept for the next ones: the collector counts allocations, and a
// training loop makes and drops thousands of tensors and nodes that are no garbage of cycles.
template <int capacity>
class FreeList {
 public:
  PyObject* take(PyTypeObject* type) {
    if (count_ == 0) return type->tp_alloc(type, 0);
    PyObject* o = PyObject_Init(kept_[--count_], type);
    PyObject_GC_Track(o);
    return o;
  }
  void give(PyObject* o) {
#ifndef Py_GIL_DISABLED
    if (count_ < capacity) {
      kept_[count_++] = o;
      return;
    }
#endif
    PyObject_GC_Del(o);
  }

 private:
  PyObject* kept_[capacity];
  int count_ = 0;
};

// The interpreter's lock, for code that may run while it is released.
class PythonLocked {
 public:
  PythonLocked();
  ~PythonLocked();
  PythonLocked(const PythonLocked&) = delete;

 private:
  PyThreadState* state_;
};

inline bool is_tensor(PyObject* o) {
  return Py_TYPE(o) == tensor_type || PyObject_TypeCheck(o, tensor_type);
}
inline TensorImpl* impl_of(PyObject* o) { return reinterpret_cast<PyTensor*>(o)->impl; }
inline Tensor tensor_of(PyObject* o) { return Tensor(impl_of(o)); }

// New references. An undefined tensor or node is None.
PyObject* wrap(Tensor x);
PyObject* wrap_as(PyTypeObject* type, Tensor x);  // a fresh object of a subclass
PyObject* wrap(const NodeRef& node);
// A stand-in for the tensor whose gradient arrives at output number `output` of `node`.
Tensor tensor_at_edge(PyObject* node, uint32_t output);
PyObject* wrap(DType t);
PyObject* wrap(Device d);
PyObject* wrap_sizes(DimsView sizes);
PyObject* wrap_ints(DimsView ints);

bool is_number(PyObject* o);              // a Python or NumPy number
Value number_value(PyObject* o);          // of such
void require_cpu(Device d);               // a RuntimeError for another one
bool is_array(PyObject* o);               // one of NumPy's, also of no dims
bool is_complex_number(PyObject* o);      // a Python or NumPy complex number
Tensor complex_number(PyObject* o);       // of such: 0-d, and promoted as a number
bool as_dtype(PyObject* o, DType& t);     // a dtype, or float, int, bool, complex
bool as_device(PyObject* o, Device& d);   // a device, a string or an index
int64_t as_int(PyObject* o);              // of anything with __index__; throws

PyObject* item_of(const Tensor& x);
Tensor tensor_from_data(PyObject* data, const DType* dtype, bool copy, const char* caller);
PyObject* list_of(const Tensor& x);

PyObject* get_item(PyObject* self, PyObject* index);
int set_item(PyObject* self, PyObject* index, PyObject* value);

// Calls an operator of the registry by name as Python would.
PyObject* call_function(const char* name, PyObject* const* args, Py_ssize_t nargs,
                        PyObject* kwnames);

void init_types(PyObject* module);
void init_tensor_type(PyObject* module);
void init_node_type(PyObject* module);
void init_function_context(PyObject* module);
void init_registry(PyObject* module);
void add_operators(std::vector<PyType_Slot>& slots);

extern PyGetSetDef tensor_attributes[];
extern PyMethodDef tensor_methods[];

}  // namespace adj::py
