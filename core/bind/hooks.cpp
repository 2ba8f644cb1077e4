// Python callables as hooks of the engine, the handles that remove them, and saved_tensors_hooks.
#include "bind/hooks.h"

#include <atomic>

#include "autograd/engine.h"

namespace adj::py {

namespace {

PyTypeObject* handle_type;
std::atomic<uint64_t> hook_ids{0};

Object tuple_of(const TensorList& xs) {
  Object tuple = Object::checked(PyTuple_New(xs.size()));
  for (int i = 0; i < xs.size(); ++i) PyTuple_SET_ITEM(tuple.get(), i, wrap(xs[i]));
  return tuple;
}

class PyHook final : public Hook {
 public:
  PyHook(PyObject* callable, HookForm form) : callable_(Object::borrowed(callable)), form_(form) {}
  ~PyHook() override {
    PythonLocked lock;
    callable_ = Object();
  }
  void trace(Tracer& tracer) const override { tracer.visit_python(callable_.get()); }

  TensorList call(const TensorList& first, const TensorList* second) override {
    PythonLocked lock;
    TensorList out;
    if (form_ == HookForm::nothing) {
      Object::checked(PyObject_CallNoArgs(callable_.get()));
      return out;
    }
    if (form_ == HookForm::gradient || form_ == HookForm::tensor) {
      Object x = Object::checked(wrap(first[0]));
      Object result = Object::checked(PyObject_CallOneArg(callable_.get(), x.get()));
      if (result.get() == Py_None) return out;
      Tensor g = gradient_from(result.get(), "a gradient hook");
      if (form_ == HookForm::tensor)
        runtime_error("a post accumulate grad hook should return None, but '", name(),
                      "' returned a Tensor");
      check_fits(g, first[0]);
      out.push_back(g);
      return out;
    }
    Object a = tuple_of(first);
    Object result;
    if (form_ == HookForm::before) {
      result = Object::checked(PyObject_CallOneArg(callable_.get(), a.get()));
    } else {
      Object b = tuple_of(*second);
      PyObject* args[] = {a.get(), b.get()};
      result = Object::checked(PyObject_Vectorcall(callable_.get(), args, 2, nullptr));
    }
    if (result.get() == Py_None) return out;
    if (is_tensor(result.get())) {
      out.push_back(tensor_of(result.get()));
      check_fits(out[0], first[0]);
      return out;
    }
    Object items =
        Object::checked(PySequence_Fast(result.get(), "a node hook must return a tuple"));
    Py_ssize_t n = PySequence_Fast_GET_SIZE(items.get());
    if (n != first.size())
      runtime_error("hook '", name(), "' has returned an incorrect number of values: ", n,
                    " in place of ", first.size());
    for (Py_ssize_t i = 0; i < n; ++i) {
      out.push_back(gradient_from(PySequence_Fast_GET_ITEM(items.get(), i), "a node hook"));
      check_fits(out[static_cast<int>(i)], first[static_cast<int>(i)]);
    }
    return out;
  }

 private:
  void check_fits(const Tensor& g, const Tensor& before) const {
    if (!g.defined() || !before.defined()) return;
    if (!(g.sizes() == before.sizes()))
      runtime_error("hook '", name(), "' has changed the size of value: ", before.sizes(), " to ",
                    g.sizes());
    if (g.dtype() != before.dtype())
      runtime_error("hook '", name(), "' has changed the type of value: ", before.dtype(), " to ",
                    g.dtype());
  }
  std::string name() const {
    Object n(PyObject_GetAttrString(callable_.get(), "__name__"));
    PyErr_Clear();
    return n && PyUnicode_Check(n.get()) ? PyUnicode_AsUTF8(n.get()) : "hook";
  }
  Object callable_;
  HookForm form_;
};

// Handles of hooks

struct PyHandle {
  PyObject_HEAD PyObject* owner;  // a Tensor or Node, weakly
  uint64_t id;
};

template <class List>
void erase_id(List& list, uint64_t id) {
  std::erase_if(list, [id](auto& e) { return e.id == id; });
}

void remove_from(NodeHooks* hooks, uint64_t id) {
  if (!hooks) return;
  erase_id(hooks->tensor, id);
  erase_id(hooks->before, id);
  erase_id(hooks->after, id);
}

PyObject* handle_remove(PyObject* self, PyObject*) {
  auto* handle = reinterpret_cast<PyHandle*>(self);
  PyObject* owner = handle->owner ? PyWeakref_GetObject(handle->owner) : Py_None;
  if (owner != Py_None) {
    if (is_tensor(owner)) {
      History* h = impl_of(owner)->history;
      if (h && h->hooks) {
        erase_id(h->hooks->tensor, handle->id);
        erase_id(h->hooks->accumulated, handle->id);
      }
      if (h && h->grad_fn) remove_from(h->grad_fn->hooks.get(), handle->id);
    } else {
      remove_from(reinterpret_cast<PyNode*>(owner)->node->hooks.get(), handle->id);
    }
  }
  Py_RETURN_NONE;
}
PyObject* handle_enter(PyObject* self, PyObject*) { return Py_NewRef(self); }
PyObject* handle_exit(PyObject* self, PyObject*) { return handle_remove(self, nullptr); }
PyObject* handle_id(PyObject* self, void*) {
  return PyLong_FromUnsignedLongLong(reinterpret_cast<PyHandle*>(self)->id);
}
void handle_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  Py_XDECREF(reinterpret_cast<PyHandle*>(self)->owner);
  type->tp_free(self);
  Py_DECREF(type);
}
PyMethodDef handle_methods[] = {{"remove", handle_remove, METH_NOARGS, "Undoes the registration."},
                                {"__enter__", handle_enter, METH_NOARGS, nullptr},
                                {"__exit__", handle_exit, METH_VARARGS, nullptr},
                                {nullptr, nullptr, 0, nullptr}};
PyGetSetDef handle_getset[] = {{"id", handle_id, nullptr, nullptr, nullptr},
                               {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyType_Slot handle_slots[] = {{Py_tp_methods, handle_methods},
                              {Py_tp_getset, handle_getset},
                              {Py_tp_dealloc, reinterpret_cast<void*>(handle_dealloc)},
                              {0, nullptr}};
PyType_Spec handle_spec = {"adjoint.RemovableHandle", sizeof(PyHandle), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, handle_slots};

// saved_tensors_hooks: what is in force in a thread, the innermost last.

struct SavedHooks {
  PyObject *pack, *unpack;
};
thread_local std::vector<SavedHooks>* saved_hooks = nullptr;

class PyPacked final : public Packed {
 public:
  PyPacked(Object value, PyObject* unpack)
      : value_(std::move(value)), unpack_(Object::borrowed(unpack)) {}
  ~PyPacked() override {
    PythonLocked lock;
    value_ = Object();
    unpack_ = Object();
  }
  void trace(Tracer& tracer) const override {
    tracer.visit_python(value_.get());
    tracer.visit_python(unpack_.get());
  }
  Tensor unpack() override {
    PythonLocked lock;
    Object result = Object::checked(PyObject_CallOneArg(unpack_.get(), value_.get()));
    if (!is_tensor(result.get()))
      type_error("the unpack hook of saved_tensors_hooks must return a Tensor, not ",
                 Py_TYPE(result.get())->tp_name);
    return tensor_of(result.get());
  }

 private:
  Object value_, unpack_;
};

Ref<Packed> pack_with_hook(const Tensor& x) {
  PythonLocked lock;
  SavedHooks hooks = saved_hooks->back();
  uint32_t before = version_of(x);
  Object argument = Object::checked(wrap(x));
  Object value = Object::checked(PyObject_CallOneArg(hooks.pack, argument.get()));
  if (version_of(x) != before)
    runtime_error("a pack hook of saved_tensors_hooks modified its input in place: work on a copy");
  return Ref<Packed>(Ref<PyPacked>::adopt(new PyPacked(std::move(value), hooks.unpack)));
}

PyObject* push_saved_hooks(PyObject*, PyObject* args) {
  PyObject *pack, *unpack;
  if (!PyArg_ParseTuple(args, "OO", &pack, &unpack)) return nullptr;
  if (!saved_hooks) saved_hooks = new std::vector<SavedHooks>;
  saved_hooks->push_back({Py_NewRef(pack), Py_NewRef(unpack)});
  modes.packs = true;
  Py_RETURN_NONE;
}
PyObject* pop_saved_hooks(PyObject*, PyObject*) {
  if (!saved_hooks || saved_hooks->empty()) Py_RETURN_NONE;
  SavedHooks last = saved_hooks->back();
  saved_hooks->pop_back();
  modes.packs = !saved_hooks->empty();
  Py_DECREF(last.pack);
  Py_DECREF(last.unpack);
  Py_RETURN_NONE;
}
PyObject* saved_hooks_in_force(PyObject*, PyObject*) { return PyBool_FromLong(modes.packs); }
PyObject* queue_callback(PyObject*, PyObject* callable) {
  return guarded([&]() -> PyObject* {
    at_end_of_backward(make_hook(callable, HookForm::nothing));
    Py_RETURN_NONE;
  });
}
PyMethodDef module_methods[] = {
    {"_queue_callback", queue_callback, METH_O, nullptr},
    {"_push_saved_hooks", push_saved_hooks, METH_VARARGS, nullptr},
    {"_pop_saved_hooks", pop_saved_hooks, METH_NOARGS, nullptr},
    {"_saved_hooks_in_force", saved_hooks_in_force, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

Tensor gradient_from(PyObject* o, const char* who) {
  if (o == Py_None) return {};
  if (!is_tensor(o))
    type_error(who, " must return a Tensor or None for each gradient, not ", Py_TYPE(o)->tp_name);
  return tensor_of(o);
}

uint64_t next_hook_id() { return ++hook_ids; }

HookRef make_hook(PyObject* callable, HookForm form) {
  if (!PyCallable_Check(callable))
    type_error("a hook must be callable, got ", Py_TYPE(callable)->tp_name);
  return HookRef(Ref<PyHook>::adopt(new PyHook(callable, form)));
}

PyObject* make_handle(PyObject* owner, uint64_t id) {
  auto* handle = reinterpret_cast<PyHandle*>(handle_type->tp_alloc(handle_type, 0));
  if (!handle) throw PythonError();
  handle->owner = PyWeakref_NewRef(owner, nullptr);
  handle->id = id;
  return reinterpret_cast<PyObject*>(handle);
}

void init_hooks(PyObject* module) {
  handle_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&handle_spec));
  PyModule_AddObjectRef(module, "RemovableHandle", reinterpret_cast<PyObject*>(handle_type));
  PyModule_AddFunctions(module, module_methods);
  pack_tensor = pack_with_hook;
}

}  // namespace adj::py
