// Python callables as hooks of the engine.
#pragma once
#include <string_view>

#include "autograd/history.h"
#include "bind/python.h"

namespace adj::py {

// What a hook is given: one gradient, a tuple of them, two tuples (inputs' and outputs'), or
// nothing.
enum class HookForm { gradient, tensor, before, after, nothing };

HookRef make_hook(PyObject* callable, HookForm form);
// What a hook or a user's backward returned as a gradient; undefined for None.
Tensor gradient_from(PyObject* o, const char* who);
// A handle whose remove() undoes a registration: `owner` and `id` say which.
uint64_t next_hook_id();
PyObject* make_handle(PyObject* owner, uint64_t id);

void init_hooks(PyObject* module);

// node._saved_self, node._saved_other, node._saved_result: the tensors that the node of an operator
// keeps, by the names of its arguments ("self" is the first one's) and results. No error is set
// where there is none of the name.
PyObject* saved_tensor(Node* node, std::string_view name);

}  // namespace adj::py
