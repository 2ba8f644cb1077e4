// __torch_function__: arguments, and modes, that take calls of functions over.
#pragma once
#include <atomic>

#include "bind/python.h"

namespace adj::py {

// How many modes are entered, in all threads: the only question on the path without overrides.
extern std::atomic<int> function_modes;

// Whether the type of `o`, no plain tensor, has an implementation that is not disabled.
bool overrides(PyObject* o);

// What a mode or an argument (or an element of a list among them) makes of the call func(...).
// Null without an exception where none takes it over; `name` is for the error if all decline.
PyObject* call_override(PyObject* func, const char* name, PyObject* self, PyObject* const* args,
                        Py_ssize_t nargs, PyObject* kwnames);

// The same for a method of Tensor, found by its name.
PyObject* call_override_of_method(const char* method, PyObject* const* args, Py_ssize_t nargs);

// A subclass of Tensor, or a mode: the question where an argument is known to be a tensor.
inline bool may_override(PyObject* o) {
  return Py_TYPE(o) != tensor_type || function_modes.load(std::memory_order_relaxed);
}

// Puts the question before each attribute and method of Tensor that is not in the registry.
void add_overrides(PyGetSetDef* attributes, PyMethodDef* methods);

}  // namespace adj::py
