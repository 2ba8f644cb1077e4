// Python callables as hooks of the engine.
#pragma once
#include "autograd/history.h"
#include "bind/python.h"

namespace adj::py {

// What a hook is given: one gradient, a tuple of them, or two tuples (inputs' and outputs').
enum class HookForm { gradient, tensor, before, after };

HookRef make_hook(PyObject* callable, HookForm form);
// A handle whose remove() undoes a registration: `target` and `id` say which.
uint64_t next_hook_id();
PyObject* make_handle(PyObject* owner, uint64_t id, const char* kind);

}  // namespace adj::py
