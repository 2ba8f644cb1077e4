#include "bind/overrides.h"

#include <array>
#include <cstring>

#include "bind/casters.h"
#include "ops/vocabulary.h"

namespace nb = nanobind;

namespace adj::py {

std::atomic<int> function_modes{0};

namespace {

enum class Enabled : char { all, modes, none };  // modes: what subclasses say is not asked
thread_local Enabled enabled = Enabled::all;
thread_local std::vector<PyObject*>* modes_of_thread = nullptr;

PyObject* attribute_name() {
  static PyObject* name = PyUnicode_InternFromString("__torch_function__");
  return name;
}

PyObject* disabled_implementation(PyObject*, PyObject* const* args, Py_ssize_t nargs,
                                  PyObject* kwnames);
PyMethodDef disabled_definition = {
    "_disabled_torch_function_impl",
    reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(disabled_implementation)),
    METH_FASTCALL | METH_KEYWORDS,
    "As __torch_function__ of a class: calls of functions go on as with plain tensors."};
PyObject* disabled_function() {
  static PyObject* function = PyCFunction_NewEx(&disabled_definition, nullptr, nullptr);
  return function;
}

class With {  // a state of this thread for as long as this lives
 public:
  explicit With(Enabled state) : before_(std::exchange(enabled, state)) {}
  ~With() { enabled = before_; }
  With(const With&) = delete;

 private:
  Enabled before_;
};

// (func, types, args=(), kwargs=None)
PyObject* disabled_implementation(PyObject*, PyObject* const* args, Py_ssize_t nargs,
                                  PyObject* kwnames) {
  return guarded([&]() -> PyObject* {
    if (nargs < 2 || nargs > 4 || kwnames)
      type_error("_disabled_torch_function_impl() takes (func, types, args=(), kwargs=None)");
    With state(enabled == Enabled::none ? Enabled::none : Enabled::modes);
    Object none = Object::checked(PyTuple_New(0));
    return PyObject_Call(args[0], nargs > 2 ? args[2] : none.get(),
                         nargs > 3 && args[3] != Py_None ? args[3] : nullptr);
  });
}

bool is_basic(PyTypeObject* t) {
  return t == tensor_type || t == &PyFloat_Type || t == &PyLong_Type || t == &PyBool_Type ||
         t == &PyTuple_Type || t == &PyList_Type || t == &PyUnicode_Type || t == &PyDict_Type ||
         t == &PySlice_Type || t == Py_TYPE(Py_None) || t == dtype_type || t == device_type;
}

bool type_overrides(PyTypeObject* t) {
  if (is_basic(t)) return false;
  PyObject* found = _PyType_Lookup(t, attribute_name());
  return found && found != disabled_function();
}

// One object of each overriding type, subclasses before their bases, otherwise from the left.
struct Overloads {
  std::vector<PyObject*> objects;

  void add(PyObject* o) {
    PyTypeObject* t = Py_TYPE(o);
    if (!type_overrides(t)) return;
    size_t at = objects.size();
    for (size_t i = 0; i < objects.size(); ++i) {
      if (Py_TYPE(objects[i]) == t) return;
      if (at == objects.size() && PyType_IsSubtype(t, Py_TYPE(objects[i]))) at = i;
    }
    objects.insert(objects.begin() + static_cast<Py_ssize_t>(at), o);
  }
  void add_all(PyObject* o) {
    add(o);
    if (PyTuple_Check(o))
      for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(o); ++i) add(PyTuple_GET_ITEM(o, i));
    else if (PyList_Check(o))
      for (Py_ssize_t i = 0; i < PyList_GET_SIZE(o); ++i) add(PyList_GET_ITEM(o, i));
  }
  Object types() const {
    Object tuple = Object::checked(PyTuple_New(static_cast<Py_ssize_t>(objects.size())));
    for (size_t i = 0; i < objects.size(); ++i)
      PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i),
                       Py_NewRef(reinterpret_cast<PyObject*>(Py_TYPE(objects[i]))));
    return tuple;
  }
};

// The innermost mode, which does not see the calls that it makes itself.
class InnermostMode {
 public:
  InnermostMode() : mode_(modes_of_thread->back()) { modes_of_thread->pop_back(); }
  ~InnermostMode() { modes_of_thread->push_back(mode_); }
  InnermostMode(const InnermostMode&) = delete;
  PyObject* get() const { return mode_; }

 private:
  PyObject* mode_;
};

PyObject* ask(PyObject* o, PyObject* func, PyObject* types, PyObject* args, PyObject* kwargs) {
  Object implementation = Object::checked(PyObject_GetAttr(o, attribute_name()));
  return PyObject_CallFunctionObjArgs(implementation.get(), func, types, args, kwargs, nullptr);
}

bool modes_apply() {
  return enabled != Enabled::none && modes_of_thread && !modes_of_thread->empty();
}

// Null without an exception if there is nobody to ask. `kwargs` may be null.
PyObject* ask_all(PyObject* func, const char* name, const Overloads& overloads, PyObject* args,
                  PyObject* kwargs) {
  bool asked = false;
  Object types = overloads.types();
  if (modes_apply()) {
    asked = true;
    InnermostMode mode;
    Object result = Object::checked(ask(mode.get(), func, types.get(), args, kwargs));
    if (result.get() != Py_NotImplemented) return result.release();
  }
  for (PyObject* o : overloads.objects) {
    asked = true;
    Object result = Object::checked(ask(o, func, types.get(), args, kwargs));
    if (result.get() != Py_NotImplemented) return result.release();
  }
  if (!asked) return nullptr;
  std::string all;
  for (PyObject* o : overloads.objects) all += cat("\n  ", Py_TYPE(o)->tp_name);
  type_error("Multiple dispatch failed for '", name,
             "'; all __torch_function__ handlers returned NotImplemented:",
             all.empty() ? "\n  the mode" : all);
}

}  // namespace

bool overrides(PyObject* o) { return enabled == Enabled::all && type_overrides(Py_TYPE(o)); }

PyObject* call_override(PyObject* func, const char* name, PyObject* self, PyObject* const* args,
                        Py_ssize_t nargs, PyObject* kwnames) {
  if (enabled == Enabled::none || (enabled == Enabled::modes && !modes_apply())) return nullptr;
  Overloads overloads;
  Py_ssize_t keywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
  if (enabled == Enabled::all) {
    if (self) overloads.add(self);
    for (Py_ssize_t i = 0; i < nargs + keywords; ++i) overloads.add_all(args[i]);
  }
  if (overloads.objects.empty() && !modes_apply()) return nullptr;
  Py_ssize_t first = self ? 1 : 0;
  Object positional = Object::checked(PyTuple_New(first + nargs));
  if (self) PyTuple_SET_ITEM(positional.get(), 0, Py_NewRef(self));
  for (Py_ssize_t i = 0; i < nargs; ++i)
    PyTuple_SET_ITEM(positional.get(), first + i, Py_NewRef(args[i]));
  Object named;
  if (keywords) {
    named = Object::checked(PyDict_New());
    for (Py_ssize_t i = 0; i < keywords; ++i)
      if (PyDict_SetItem(named.get(), PyTuple_GET_ITEM(kwnames, i), args[nargs + i]))
        throw PythonError();
  }
  return ask_all(func, name, overloads, positional.get(), named.get());
}

PyObject* call_override_of_method(const char* method, PyObject* const* args, Py_ssize_t nargs) {
  if (enabled == Enabled::none) return nullptr;
  Object func =
      Object::checked(PyObject_GetAttrString(reinterpret_cast<PyObject*>(tensor_type), method));
  return call_override(func.get(), cat("torch.Tensor.", method).c_str(), nullptr, args, nargs,
                       nullptr);
}

namespace {

bool taken_over(PyObject* self) { return may_override(self) && (overrides(self) || modes_apply()); }

// Attributes: the closure holds the name and the plain functions.
struct Attribute {
  const char* name;
  getter get;
  setter set;
};

// args[0] is the tensor; null without an exception where nobody takes it over.
PyObject* ask_for_attribute(const char* name, const char* what, PyObject* const* args,
                            Py_ssize_t nargs) {
  PyObject* descriptor = PyDict_GetItemString(tensor_type->tp_dict, name);
  if (!descriptor) return nullptr;
  Object func = Object::checked(PyObject_GetAttrString(descriptor, what));
  return call_override(func.get(), cat("torch.Tensor.", name, ".", what).c_str(), nullptr, args,
                       nargs, nullptr);
}

PyObject* get_attribute(PyObject* self, void* closure) {
  auto* a = static_cast<const Attribute*>(closure);
  if (taken_over(self)) [[unlikely]] {
    PyObject* result = guarded([&] { return ask_for_attribute(a->name, "__get__", &self, 1); });
    if (result || PyErr_Occurred()) return result;
  }
  return a->get(self, nullptr);
}

int set_attribute(PyObject* self, PyObject* value, void* closure) {
  auto* a = static_cast<const Attribute*>(closure);
  if (taken_over(self)) [[unlikely]] {
    PyObject* args[2] = {self, value};
    Object result(guarded([&] {
      return ask_for_attribute(a->name, value ? "__set__" : "__delete__", args, value ? 2 : 1);
    }));
    if (result || PyErr_Occurred()) return result ? 0 : -1;
  }
  return a->set(self, value, nullptr);
}

// Methods: a function per place in the table, since a method has no closure.
constexpr int kMethods = 96;
PyMethodDef plain[kMethods];

using Fast = PyObject* (*)(PyObject*, PyObject* const*, Py_ssize_t, PyObject*);
using Words = PyObject* (*)(PyObject*, PyObject*, PyObject*);
template <class To>
To as(PyCFunction f) {
  return reinterpret_cast<To>(reinterpret_cast<void (*)()>(f));
}

PyObject* ask_for_method(int i, PyObject* self, PyObject* const* args, Py_ssize_t nargs,
                         PyObject* kwnames) {
  return guarded([&]() -> PyObject* {
    PyObject* func = PyDict_GetItemString(tensor_type->tp_dict, plain[i].ml_name);
    if (!func) return nullptr;
    return call_override(func, cat("torch.Tensor.", plain[i].ml_name).c_str(), self, args, nargs,
                         kwnames);
  });
}

template <int I>
PyObject* fast_method(PyObject* self, PyObject* const* args, Py_ssize_t n, PyObject* names) {
  if (taken_over(self)) [[unlikely]] {
    PyObject* result = ask_for_method(I, self, args, n, names);
    if (result || PyErr_Occurred()) return result;
  }
  return as<Fast>(plain[I].ml_meth)(self, args, n, names);
}
template <int I>
PyObject* words_method(PyObject* self, PyObject* args, PyObject* kwargs) {
  if (taken_over(self)) [[unlikely]] {
    std::vector<PyObject*> all;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); ++i)
      all.push_back(PyTuple_GET_ITEM(args, i));
    auto n = static_cast<Py_ssize_t>(all.size());
    Object names(kwargs ? PyTuple_New(PyDict_GET_SIZE(kwargs)) : nullptr);
    PyObject *key, *value;
    Py_ssize_t at = 0;
    for (Py_ssize_t i = 0; kwargs && PyDict_Next(kwargs, &at, &key, &value); ++i) {
      PyTuple_SET_ITEM(names.get(), i, Py_NewRef(key));
      all.push_back(value);
    }
    PyObject* result = ask_for_method(I, self, all.data(), n, names.get());
    if (result || PyErr_Occurred()) return result;
  }
  return as<Words>(plain[I].ml_meth)(self, args, kwargs);
}
template <int I>
PyObject* short_method(PyObject* self, PyObject* arg) {  // one argument, or none
  if (taken_over(self)) [[unlikely]] {
    PyObject* result = ask_for_method(I, self, &arg, arg ? 1 : 0, nullptr);
    if (result || PyErr_Occurred()) return result;
  }
  return plain[I].ml_meth(self, arg);
}

template <class F>
PyCFunction erased(F* f) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(f));
}
struct Asking {
  PyCFunction fast, words, brief;
};
template <int... I>
std::array<Asking, sizeof...(I)> asking(std::integer_sequence<int, I...>) {
  return {Asking{erased(fast_method<I>), erased(words_method<I>), erased(short_method<I>)}...};
}

// (func, relevant arguments, args, kwargs): for functions written in Python
PyObject* handle(nb::handle func, nb::handle relevant, nb::tuple args, nb::dict kwargs) {
  Overloads overloads;
  if (enabled == Enabled::all)
    for (nb::handle o : relevant) overloads.add(o.ptr());
  Object name(PyObject_GetAttrString(func.ptr(), "__name__"));
  PyErr_Clear();
  const char* text = name && PyUnicode_Check(name.get()) ? PyUnicode_AsUTF8(name.get()) : "?";
  PyObject* result = ask_all(func.ptr(), text, overloads, args.ptr(), kwargs.ptr());
  if (!result)
    type_error("no implementation found for ", text, ": no argument has taken the call over");
  return result;
}

}  // namespace

void add_overrides(PyGetSetDef* attributes, PyMethodDef* methods) {
  for (; attributes->name; ++attributes) {
    if (!strcmp(attributes->name, "__dict__")) continue;
    attributes->closure = new Attribute{attributes->name, attributes->get, attributes->set};
    attributes->get = get_attribute;
    if (attributes->set) attributes->set = set_attribute;
  }
  static const auto table = asking(std::make_integer_sequence<int, kMethods>());
  for (size_t i = 0; methods[i].ml_name; ++i) {
    if (i >= kMethods) runtime_error("adjoint bug: more methods than kMethods");
    plain[i] = methods[i];
    PyMethodDef& m = methods[i];
    if (m.ml_flags & METH_STATIC || m.ml_name[0] == '_') continue;
    if (m.ml_flags & METH_FASTCALL) m.ml_meth = table[i].fast;
    else if (m.ml_flags & METH_KEYWORDS) m.ml_meth = table[i].words;
    else m.ml_meth = table[i].brief;
  }
}

void bind_overrides(nb::module_& m) {
  PyModule_AddObjectRef(m.ptr(), "_disabled_torch_function_impl", disabled_function());
  m.def("_as_subclass", [](Tensor x, nb::handle cls) {
    if (!PyType_Check(cls.ptr()) ||
        !PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(cls.ptr()), tensor_type))
      type_error("as_subclass(): cls must be a subclass of Tensor");
    return nb::steal<nb::object>(
        wrap_as(reinterpret_cast<PyTypeObject*>(cls.ptr()), ops::alias(x)));
  });
  m.def("_overriding", [](nb::handle objects) {
    if (modes_apply()) return true;
    if (enabled != Enabled::all) return false;
    for (nb::handle o : objects)
      if (type_overrides(Py_TYPE(o.ptr()))) return true;
    return false;
  });
  m.def("_overridden_by", [](nb::handle objects) {
    Overloads overloads;
    for (nb::handle o : objects) overloads.add(o.ptr());
    nb::list list;
    for (PyObject* o : overloads.objects) list.append(nb::borrow(o));
    return list;
  });
  m.def("_handle_torch_function",
        [](nb::handle func, nb::handle relevant, nb::tuple args, nb::dict kwargs) {
          return nb::steal<nb::object>(handle(func, relevant, args, kwargs));
        });
  m.def("_torch_function_state", [] { return static_cast<int>(enabled); });
  m.def("_set_torch_function_state", [](int state) {
    return static_cast<int>(std::exchange(enabled, static_cast<Enabled>(state)));
  });
  m.def("_push_function_mode", [](nb::handle mode) {
    if (!modes_of_thread) modes_of_thread = new std::vector<PyObject*>;
    modes_of_thread->push_back(mode.inc_ref().ptr());
    ++function_modes;
  });
  m.def("_pop_function_mode", []() -> nb::object {
    if (!modes_of_thread || modes_of_thread->empty()) runtime_error("no mode has been entered");
    PyObject* mode = modes_of_thread->back();
    modes_of_thread->pop_back();
    --function_modes;
    return nb::steal<nb::object>(mode);
  });
  m.def("_function_modes", [] {
    nb::list list;
    if (modes_of_thread)
      for (PyObject* mode : *modes_of_thread) list.append(nb::borrow(mode));
    return list;
  });
}

}  // namespace adj::py
