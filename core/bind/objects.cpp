// dtype, device and Size objects; numbers; errors; the interpreter's lock.
#include "bind/python.h"

#include <cmath>
#include <cstring>
#include <vector>

#include "autograd/python_lock.h"
#include "bind/overrides.h"

namespace adj::py {

PyTypeObject *dtype_type, *device_type, *size_type;

namespace {

PyObject* dtypes[kDTypes];

// While this thread runs without the lock: its state, and what to let go of when it has it again.
thread_local PyThreadState* released = nullptr;
thread_local std::vector<PyObject*>* postponed = nullptr;

void increment(void* o) {
  if (!released) {
    Py_INCREF(static_cast<PyObject*>(o));
    return;
  }
  PythonLocked lock;
  Py_INCREF(static_cast<PyObject*>(o));
}

void decrement(void* o) {
  if (!released) {
    Py_DECREF(static_cast<PyObject*>(o));
    return;
  }
  if (!postponed) postponed = new std::vector<PyObject*>;
  postponed->push_back(static_cast<PyObject*>(o));
}

void* unlock() {
  if (released) return nullptr;
  released = PyEval_SaveThread();
  return released;
}

void flush_postponed() {
  if (!postponed) return;
  std::vector<PyObject*>* list = std::exchange(postponed, nullptr);
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  for (PyObject* o : *list) Py_DECREF(o);
  PyErr_Restore(type, value, trace);
  delete list;
}

void lock(void*) {
  PyEval_RestoreThread(std::exchange(released, nullptr));
  flush_postponed();
}

// dtype

// The dtypes of torch that tensors here do not have: programs compare with them and keep tables of
// them. Their numbers go on from those of DType; `as_dtype` lets none of them further in.
struct NamedDType {
  const char* name;
  size_t itemsize;
  bool is_floating, is_complex, is_signed;
};
constexpr NamedDType named_dtypes[] = {
    {"uint16", 2, false, false, false},        {"uint32", 4, false, false, false},
    {"uint64", 8, false, false, false},        {"complex32", 4, false, true, true},
    {"float8_e4m3fn", 1, true, false, true},   {"float8_e4m3fnuz", 1, true, false, true},
    {"float8_e5m2", 1, true, false, true},     {"float8_e5m2fnuz", 1, true, false, true},
    {"float8_e8m0fnu", 1, true, false, false}, {"float4_e2m1fn_x2", 1, true, false, true},
    {"qint8", 1, false, false, true},          {"quint8", 1, false, false, false},
    {"qint32", 4, false, false, true},         {"quint4x2", 1, false, false, false},
    {"quint2x4", 1, false, false, false}};

DType type_in(PyObject* self) { return reinterpret_cast<PyDType*>(self)->dtype; }
const NamedDType* only_named(PyObject* self) {
  int i = static_cast<int>(type_in(self)) - kDTypes;
  return i < 0 ? nullptr : &named_dtypes[i];
}
const char* dtype_name(PyObject* self) {
  const NamedDType* named = only_named(self);
  return named ? named->name : name_of(type_in(self));
}
PyObject* dtype_repr(PyObject* self) { return PyUnicode_FromFormat("torch.%s", dtype_name(self)); }
PyObject* dtype_reduce(PyObject* self, PyObject*) { return PyUnicode_FromString(dtype_name(self)); }
template <bool (*F)(DType), bool NamedDType::* Flag>
PyObject* dtype_flag(PyObject* self, void*) {
  const NamedDType* named = only_named(self);
  return PyBool_FromLong(named ? named->*Flag : F(type_in(self)));
}
bool floating(DType t) { return is_floating(t); }
bool complex(DType t) { return is_complex(t); }
bool is_signed(DType t) { return t != DType::u8 && t != DType::b8; }
PyObject* dtype_itemsize(PyObject* self, void*) {
  const NamedDType* named = only_named(self);
  return PyLong_FromSize_t(named ? named->itemsize : itemsize(type_in(self)));
}
PyObject* dtype_to_real(PyObject* self, PyObject*) {
  if (const NamedDType* named = only_named(self))
    return named->is_complex ? wrap(DType::f16) : Py_NewRef(self);
  return wrap(real_of(type_in(self)));
}
PyObject* dtype_to_complex(PyObject* self, PyObject*) {
  if (only_named(self))
    return PyErr_Format(PyExc_TypeError, "adjoint has no complex dtype for %R", self);
  DType t = type_in(self);
  return wrap(t == DType::f64 || t == DType::c128 ? DType::c128 : DType::c64);
}

PyGetSetDef dtype_getset[] = {
    {"is_floating_point", dtype_flag<floating, &NamedDType::is_floating>, nullptr, nullptr,
     nullptr},
    {"is_complex", dtype_flag<complex, &NamedDType::is_complex>, nullptr, nullptr, nullptr},
    {"is_signed", dtype_flag<is_signed, &NamedDType::is_signed>, nullptr, nullptr, nullptr},
    {"itemsize", dtype_itemsize, nullptr, "Bytes per element.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMethodDef dtype_methods[] = {{"__reduce__", dtype_reduce, METH_NOARGS, nullptr},
                               {"to_real", dtype_to_real, METH_NOARGS, nullptr},
                               {"to_complex", dtype_to_complex, METH_NOARGS, nullptr},
                               {nullptr, nullptr, 0, nullptr}};
PyType_Slot dtype_slots[] = {{Py_tp_repr, reinterpret_cast<void*>(dtype_repr)},
                             {Py_tp_getset, dtype_getset},
                             {Py_tp_methods, dtype_methods},
                             {0, nullptr}};
PyType_Spec dtype_spec = {"adjoint.dtype", sizeof(PyDType), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, dtype_slots};

// device

constexpr const char* device_names[] = {"cpu", "cuda", "meta"};

PyObject* device_str(PyObject* self) {
  Device d = reinterpret_cast<PyDevice*>(self)->device;
  const char* name = device_names[static_cast<int>(d.type)];
  return d.index < 0 ? PyUnicode_FromString(name) : PyUnicode_FromFormat("%s:%d", name, d.index);
}
PyObject* device_repr(PyObject* self) {
  Device d = reinterpret_cast<PyDevice*>(self)->device;
  const char* name = device_names[static_cast<int>(d.type)];
  return d.index < 0 ? PyUnicode_FromFormat("device(type='%s')", name)
                     : PyUnicode_FromFormat("device(type='%s', index=%d)", name, d.index);
}
bool parse_device(const char* text, Device& d) {
  for (int i = 0; i < 3; ++i) {
    size_t n = strlen(device_names[i]);
    if (strncmp(text, device_names[i], n)) continue;
    d = {static_cast<DeviceType>(i), -1};
    if (!text[n]) return true;
    char* end;
    long index = text[n] == ':' && text[n + 1] ? strtol(text + n + 1, &end, 10) : -1;
    if (index < 0 || index > 127 || *end) return false;
    d.index = static_cast<int8_t>(index);
    return true;
  }
  return false;
}

bool names_device(const char* text) {
  for (auto name : device_names)
    if (!strncmp(text, name, strlen(name))) return true;
  return false;
}

PyObject* device_new(PyTypeObject*, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"type", "index", nullptr};
  PyObject* kind;
  int index = -1;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|i", const_cast<char**>(names), &kind, &index))
    return nullptr;
  return guarded([&]() -> PyObject* {
    Device d;
    if (!as_device(kind, d))
      type_error("device() takes a device or a string like 'cpu' or 'cuda:0'");
    if (index >= 0) d.index = static_cast<int8_t>(index);
    return wrap(d);
  });
}
Py_hash_t device_hash(PyObject* self) {
  return static_cast<Py_hash_t>(reinterpret_cast<PyDevice*>(self)->device.type) + 1000;
}
PyObject* device_compare(PyObject* a, PyObject* b, int op) {
  if (Py_TYPE(b) != device_type || (op != Py_EQ && op != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
  Device x = reinterpret_cast<PyDevice*>(a)->device, y = reinterpret_cast<PyDevice*>(b)->device;
  bool same = x.type == y.type && x.index == y.index;
  return PyBool_FromLong(same == (op == Py_EQ));
}
PyObject* device_get_type(PyObject* self, void*) {
  return PyUnicode_FromString(
      device_names[static_cast<int>(reinterpret_cast<PyDevice*>(self)->device.type)]);
}
PyObject* device_get_index(PyObject* self, void*) {
  Device d = reinterpret_cast<PyDevice*>(self)->device;
  if (d.index < 0) Py_RETURN_NONE;
  return PyLong_FromLong(d.index);
}
PyObject* device_reduce(PyObject* self, PyObject*) {
  return Py_BuildValue("O(N)", device_type, device_str(self));
}
PyObject* device_enter(PyObject* self, PyObject*) {
  return guarded([&] {
    require_cpu(reinterpret_cast<PyDevice*>(self)->device);
    return Py_NewRef(self);
  });
}
PyObject* device_exit(PyObject*, PyObject*) { Py_RETURN_NONE; }
PyGetSetDef device_getset[] = {{"type", device_get_type, nullptr, nullptr, nullptr},
                               {"index", device_get_index, nullptr, nullptr, nullptr},
                               {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMethodDef device_methods[] = {{"__reduce__", device_reduce, METH_NOARGS, nullptr},
                                {"__enter__", device_enter, METH_NOARGS, nullptr},
                                {"__exit__", device_exit, METH_VARARGS, nullptr},
                                {nullptr, nullptr, 0, nullptr}};
PyType_Slot device_slots[] = {{Py_tp_repr, reinterpret_cast<void*>(device_repr)},
                              {Py_tp_str, reinterpret_cast<void*>(device_str)},
                              {Py_tp_new, reinterpret_cast<void*>(device_new)},
                              {Py_tp_hash, reinterpret_cast<void*>(device_hash)},
                              {Py_tp_richcompare, reinterpret_cast<void*>(device_compare)},
                              {Py_tp_getset, device_getset},
                              {Py_tp_methods, device_methods},
                              {0, nullptr}};
PyType_Spec device_spec = {"adjoint.device", sizeof(PyDevice), 0, Py_TPFLAGS_DEFAULT, device_slots};

}  // namespace

PythonLocked::PythonLocked() : state_(std::exchange(released, nullptr)) {
  if (state_) {
    PyEval_RestoreThread(state_);
    flush_postponed();
  }
}
PythonLocked::~PythonLocked() {
  if (state_) released = PyEval_SaveThread();
}

namespace { PyObject* linalg_error = nullptr; }

void set_error() {
  try {
    throw;
  } catch (const PythonError&) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, "an error was lost");
  } catch (const Error& e) {
    PyObject* type = PyExc_RuntimeError;
    switch (e.kind) {
      case ErrorKind::runtime: break;
      case ErrorKind::type: type = PyExc_TypeError; break;
      case ErrorKind::value: type = PyExc_ValueError; break;
      case ErrorKind::index: type = PyExc_IndexError; break;
      // torch raises NotImplementedError, a subclass of RuntimeError, for a dtype without a kernel
      case ErrorKind::not_implemented: type = PyExc_NotImplementedError; break;
      case ErrorKind::memory: break;
      case ErrorKind::linalg: type = linalg_error; break;
    }
    PyErr_SetString(type, e.message.c_str());
  } catch (const std::bad_alloc&) {
    PyErr_SetString(PyExc_RuntimeError, "not enough memory: the allocation of a tensor failed");
  } catch (const std::exception& e) {
    PyErr_SetString(PyExc_RuntimeError, e.what());
  }
}

PyObject* wrap(DType t) { return Py_NewRef(dtypes[static_cast<int>(t)]); }

PyObject* wrap(Device d) {
  PyObject* self = device_type->tp_alloc(device_type, 0);
  if (self) reinterpret_cast<PyDevice*>(self)->device = d;
  return self;
}

PyObject* wrap_ints(DimsView ints) {
  PyObject* tuple = PyTuple_New(ints.size());
  for (int i = 0; tuple && i < ints.size(); ++i)
    PyTuple_SET_ITEM(tuple, i, PyLong_FromLongLong(ints[i]));
  return tuple;
}

PyObject* wrap_sizes(DimsView sizes) {
  PyObject* tuple = size_type->tp_alloc(size_type, sizes.size());
  for (int i = 0; tuple && i < sizes.size(); ++i)
    PyTuple_SET_ITEM(tuple, i, PyLong_FromLongLong(sizes[i]));
  return tuple;
}

bool is_number(PyObject* o) {
  if (PyFloat_Check(o) || PyLong_Check(o)) return true;
  if (PyTuple_Check(o) || PyList_Check(o) || PyUnicode_Check(o) || is_tensor(o)) return false;
  if (is_complex_number(o)) return false;
  // NumPy's scalars, fractions and the like
  PyNumberMethods* number = Py_TYPE(o)->tp_as_number;
  return number && (number->nb_float || number->nb_index) && !is_array(o) && !overrides(o);
}

bool is_array(PyObject* o) {
  PySequenceMethods* sequence = Py_TYPE(o)->tp_as_sequence;
  return sequence && sequence->sq_length && !is_tensor(o) &&
         PyObject_HasAttrString(o, "__array_interface__");
}

bool is_complex_number(PyObject* o) {
  return PyComplex_Check(o) || !strcmp(Py_TYPE(o)->tp_name, "numpy.complex64");
}

Tensor complex_number(PyObject* o) {
  Py_complex z = PyComplex_AsCComplex(o);
  if (z.real == -1 && PyErr_Occurred()) throw PythonError();
  Tensor x = empty({}, DType::c128);
  x.data<double>()[0] = z.real;
  x.data<double>()[1] = z.imag;
  x->flags |= kNumber;
  return x;
}

Value number_value(PyObject* o) {
  if (PyFloat_Check(o)) return PyFloat_AS_DOUBLE(o);
  if (PyBool_Check(o)) return o == Py_True;
  if (PyLong_Check(o)) {
    int overflow;
    long long i = PyLong_AsLongLongAndOverflow(o, &overflow);
    if (overflow) {
      double d = PyLong_AsDouble(o);
      if (d == -1 && PyErr_Occurred()) throw PythonError();
      runtime_error("value cannot be converted to type int64_t without overflow: ", d);
    }
    return static_cast<int64_t>(i);
  }
  if (!strcmp(Py_TYPE(o)->tp_name, "numpy.bool_") || !strcmp(Py_TYPE(o)->tp_name, "numpy.bool"))
    return PyObject_IsTrue(o) == 1;
  PyErr_Clear();
  if (PyIndex_Check(o)) return as_int(o);
  double d = PyFloat_AsDouble(o);
  if (d == -1 && PyErr_Occurred()) throw PythonError();
  return d;
}

int64_t as_int(PyObject* o) {
  Object index = Object::checked(PyNumber_Index(o));
  long long i = PyLong_AsLongLong(index.get());
  if (i == -1 && PyErr_Occurred()) throw PythonError();
  return i;
}

bool as_dtype(PyObject* o, DType& t) {
  if (Py_TYPE(o) == dtype_type) {
    if (const NamedDType* named = only_named(o))
      type_error("adjoint has no tensors of the dtype torch.", named->name);
    t = type_in(o);
  } else if (o == reinterpret_cast<PyObject*>(&PyFloat_Type)) t = DType::f64;
  else if (o == reinterpret_cast<PyObject*>(&PyBool_Type)) t = DType::b8;
  else if (o == reinterpret_cast<PyObject*>(&PyLong_Type)) t = DType::i64;
  else if (o == reinterpret_cast<PyObject*>(&PyComplex_Type)) t = DType::c128;
  else return false;
  return true;
}

void require_cpu(Device d) {
  if (d.type != DeviceType::cpu)
    runtime_error("the device '", device_names[static_cast<int>(d.type)],
                  "' is not there: this build of adjoint has 'cpu' alone");
}

bool as_device(PyObject* o, Device& d) {
  if (Py_TYPE(o) == device_type) {
    d = reinterpret_cast<PyDevice*>(o)->device;
    return true;
  }
  if (PyUnicode_Check(o)) {
    const char* text = PyUnicode_AsUTF8(o);
    if (text && !names_device(text))
      runtime_error("Expected one of cpu, cuda, meta device type at start of device string: ",
                    text);
    if (!text || !parse_device(text, d))
      runtime_error("Invalid device string: '", text ? text : "?", "'; use 'cpu' or 'cuda:0'");
    return true;
  }
  if (PyLong_Check(o) && !PyBool_Check(o)) {
    d = {DeviceType::cuda, static_cast<int8_t>(PyLong_AsLong(o))};
    return true;
  }
  return false;
}

void init_types(PyObject* module) {
  python_references = {increment, decrement};
  unlock_python = unlock;
  lock_python = lock;
  dtype_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&dtype_spec));
  device_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&device_spec));
  linalg_error = PyErr_NewExceptionWithDoc(
      "adjoint.linalg.LinAlgError",
      "A matrix that the factorisation does not exist for, or one that did not converge.",
      PyExc_RuntimeError, nullptr);
  PyModule_AddObjectRef(module, "_LinAlgError", linalg_error);
  PyModule_AddObjectRef(module, "dtype", reinterpret_cast<PyObject*>(dtype_type));
  PyModule_AddObjectRef(module, "device", reinterpret_cast<PyObject*>(device_type));
  for (int i = 0; i < kDTypes; ++i) {
    dtypes[i] = dtype_type->tp_alloc(dtype_type, 0);
    reinterpret_cast<PyDType*>(dtypes[i])->dtype = static_cast<DType>(i);
    PyModule_AddObjectRef(module, name_of(static_cast<DType>(i)), dtypes[i]);
  }
  Object named = Object::checked(PyDict_New());
  for (int i = 0; i < static_cast<int>(std::size(named_dtypes)); ++i) {
    Object dtype = Object::checked(dtype_type->tp_alloc(dtype_type, 0));
    reinterpret_cast<PyDType*>(dtype.get())->dtype = static_cast<DType>(kDTypes + i);
    PyDict_SetItemString(named.get(), named_dtypes[i].name, dtype.get());
  }
  PyModule_AddObjectRef(module, "_named_dtypes", named.get());
}

}  // namespace adj::py
