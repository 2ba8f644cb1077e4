// The Node type (grad_fn), and the context of Python's Function.
#include "autograd/node.h"

#include <unordered_map>

#include "autograd/history.h"
#include "bind/hooks.h"
#include "bind/python.h"
#include "ops/kinds/kinds.h"

namespace adj::py {

PyTypeObject* node_type;

namespace {

PyTypeObject* context_type;

// Nodes

FreeList<1024> dead_nodes;

int node_traverse(PyObject* self, visitproc visit, void* arg);
int node_clear(PyObject* self);
void node_dealloc(PyObject* self);

// A subclass of Node for each name, as users know them: type(y.grad_fn).__name__ is "MulBackward0".
PyTypeObject* type_of_nodes_named(const char* name) {
  static auto* types = new std::unordered_map<const char*, PyTypeObject*>;  // names are interned
  static struct {
    const char* name;
    PyTypeObject* type;
  } recent[256];  // found without a search
  auto& last = recent[reinterpret_cast<uintptr_t>(name) >> 3 & 255];
  if (last.name == name) return last.type;
  PyTypeObject*& type = (*types)[name];
  if (!type) {
    const char* full = intern(std::string("adjoint.autograd.graph.") + name);
    PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(node_dealloc)},
                           {Py_tp_traverse, reinterpret_cast<void*>(node_traverse)},
                           {Py_tp_clear, reinterpret_cast<void*>(node_clear)},
                           {0, nullptr}};
    PyType_Spec spec = {full, sizeof(PyNode), 0,
                        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                        slots};
    Object bases(PyTuple_Pack(1, node_type));
    type = reinterpret_cast<PyTypeObject*>(PyType_FromSpecWithBases(&spec, bases.get()));
    if (!type) throw PythonError();
  }
  last = {name, type};
  return type;
}

void create_node_object(Node* node) {
  PythonLocked lock;  // a plain backward over dual tensors records too
  auto* self = reinterpret_cast<PyNode*>(dead_nodes.take(type_of_nodes_named(node->name())));
  if (!self) throw std::bad_alloc();
  self->node = node;
  self->weakrefs = nullptr;
  node->become_python(self);
}

Node* node_of(PyObject* self) { return reinterpret_cast<PyNode*>(self)->node; }

struct NodeVisitor final : Tracer {
  visitproc visit_fn;
  void* arg;
  int result = 0;
  NodeVisitor(visitproc v, void* a) : visit_fn(v), arg(a) {}
  void visit(Counted* object) override {
    if (result || !object) return;
    if (void* python = object->python()) result = visit_fn(static_cast<PyObject*>(python), arg);
    else if (object->unique()) object->trace(*this);
  }
  void visit_python(void* object) override {
    if (!result && object) result = visit_fn(static_cast<PyObject*>(object), arg);
  }
};

int node_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  if (!node_of(self)) return 0;
  NodeVisitor v(visit, arg);
  node_of(self)->trace(v);
  return v.result;
}
int node_clear(PyObject* self) {
  if (node_of(self)) node_of(self)->clear();
  return 0;
}
void node_dealloc(PyObject* self) {
  auto* object = reinterpret_cast<PyNode*>(self);
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  if (object->weakrefs) PyObject_ClearWeakRefs(self);
  Node* node = std::exchange(object->node, nullptr);
  dead_nodes.give(self);
  Py_DECREF(type);
  if (node) node->destroy();
}

// A node of Python's Function: backward is ctx._backward.
class FunctionNode final : public Node {
 public:
  FunctionNode(PyObject* context, const char* name) : context_(context), name_(name) {
    Py_INCREF(context);
  }
  ~FunctionNode() override { drop_context(); }
  const char* name() const override { return name_; }
  bool is_python() const override { return true; }
  PyObject* context() const { return context_; }
  void trace(Tracer& tracer) const override {
    Node::trace(tracer);
    if (context_) tracer.visit_python(context_);
    for (auto& s : saved) s.trace(tracer);
  }
  void clear() override {
    for (auto& s : saved) Saved dropped = std::move(s);
    drop_context();
    Node::clear();
  }
  void release() override {
    if (saved.empty()) return;
    released = true;
    for (auto& s : saved) s = {};
  }
  TensorList apply(TensorList&& grads, const SmallVec<bool, 4>& needs, bool create_graph) override;
  void drop_context();
  Tensor fitted(Tensor g, int i) const;

  SmallVec<TensorMeta, 2> inputs;
  SmallVec<Saved, 2> saved;
  SmallVec<int, 2> saved_output;  // -1, or the output that the saved tensor is
  bool released = false;
  bool materialize = true;

 private:
  PyObject* context_;
  const char* name_;
};

struct PyContext {
  PyObject_HEAD FunctionNode* node;  // weak: the node holds the context
  PyObject* dict;
};

void FunctionNode::drop_context() {
  if (!context_) return;
  PythonLocked lock;
  reinterpret_cast<PyContext*>(context_)->node = nullptr;
  Py_CLEAR(context_);
}

TensorList FunctionNode::apply(TensorList&& grads, const SmallVec<bool, 4>& needs,
                               bool create_graph) {
  PythonLocked lock;
  Object tuple = Object::checked(PyTuple_New(grads.size()));
  for (int i = 0; i < grads.size(); ++i) {
    Tensor g = grads[i];
    if (!g.defined() && materialize) {
      g = empty(outputs[i].sizes, outputs[i].dtype);
      memset(g.data(), 0, static_cast<size_t>(g.numel()) * itemsize(g.dtype()));
    }
    PyTuple_SET_ITEM(tuple.get(), i, wrap(g));
  }
  if (!context_) runtime_error("the context of ", name_, " was freed");
  Object method = Object::checked(PyObject_GetAttrString(context_, "_backward"));
  GradMode mode(create_graph);
  Object result = Object::checked(PyObject_CallOneArg(method.get(), tuple.get()));
  Object items = Object::checked(PySequence_Fast(result.get(), "_backward must return a tuple"));
  TensorList out(next.size());
  for (int i = 0; i < PySequence_Fast_GET_SIZE(items.get()) && i < next.size(); ++i) {
    Tensor g = gradient_from(PySequence_Fast_GET_ITEM(items.get(), i), name_);
    if (needs[i] && g.defined()) out[i] = fitted(std::move(g), i);
  }
  return out;
}

// A returned gradient in the shape and dtype of its input: summed over what was broadcast.
Tensor FunctionNode::fitted(Tensor g, int i) const {
  const TensorMeta& want = inputs[i];
  bool sums = g.dim() >= want.sizes.size();
  for (int k = 1; sums && k <= want.sizes.size(); ++k) {
    int64_t size = want.sizes[want.sizes.size() - k];
    sums = size == 1 || size == g.size(-k);
  }
  if (!sums)
    runtime_error("Function ", name_, " returned an invalid gradient at index ", i, " - got ",
                  g.sizes(), " but expected shape compatible with ", want.sizes);
  return sum_to(g, want);
}

PyObject* context_of(PyObject* self) {
  auto* f = dynamic_cast<FunctionNode*>(node_of(self));
  return f ? f->context() : nullptr;
}

PyObject* node_getattr(PyObject* self, PyObject* name) {
  PyObject* found = PyObject_GenericGetAttr(self, name);
  if (found || !PyErr_ExceptionMatches(PyExc_AttributeError)) return found;
  constexpr std::string_view prefix = "_saved_";
  const char* text = PyUnicode_AsUTF8(name);
  if (text && std::string_view(text).substr(0, prefix.size()) == prefix) {
    PyErr_Clear();
    found = guarded([&] { return saved_tensor(node_of(self), text + prefix.size()); });
    if (found || PyErr_Occurred()) return found;
    PyErr_Format(PyExc_AttributeError, "'%s' object has no attribute '%U'", node_of(self)->name(),
                 name);
  }
  PyObject* context = context_of(self);
  if (!context) return nullptr;
  PyErr_Clear();
  return PyObject_GetAttr(context, name);
}
PyObject* node_repr(PyObject* self) {
  return PyUnicode_FromFormat("<%s object at %p>", node_of(self)->name(), self);
}
PyObject* node_name(PyObject* self, PyObject*) {
  return PyUnicode_FromString(node_of(self)->name());
}
PyObject* node_next(PyObject* self, void*) {
  Node* node = node_of(self);
  PyObject* tuple = PyTuple_New(node->next.size());
  for (int i = 0; tuple && i < node->next.size(); ++i)
    PyTuple_SET_ITEM(tuple, i,
                     Py_BuildValue("(NI)", wrap(node->next[i].node), node->next[i].output));
  return tuple;
}
PyObject* node_metadata(PyObject* self, void*) {
  Node* node = node_of(self);
  if (!node->metadata) node->metadata = PyDict_New();
  return Py_XNewRef(static_cast<PyObject*>(node->metadata));
}
PyObject* node_variable(PyObject* self, void*) {
  TensorImpl* leaf = node_of(self)->variable();
  if (!leaf) {
    PyErr_Format(PyExc_AttributeError, "'%s' object has no attribute 'variable'",
                 node_of(self)->name());
    return nullptr;
  }
  return guarded([&] { return wrap(Tensor(leaf)); });
}
PyObject* node_sequence(PyObject* self, PyObject*) {
  return PyLong_FromUnsignedLongLong(node_of(self)->sequence);
}
// node(*grads): the gradients of the inputs, from those of the outputs.
PyObject* node_call(PyObject* self, PyObject* args, PyObject* kwargs) {
  if (kwargs && PyDict_GET_SIZE(kwargs)) {
    PyErr_Format(PyExc_TypeError, "%s takes no keyword arguments", node_of(self)->name());
    return nullptr;
  }
  return guarded([&]() -> PyObject* {
    NodeRef node(node_of(self));
    int given = static_cast<int>(PyTuple_GET_SIZE(args)),
        wanted = std::max(node->outputs.size(), 1);
    if (given != wanted)
      type_error(node->name(), " expects ", wanted, " gradients, one for each output; got ", given);
    TensorList grads;
    for (int i = 0; i < given; ++i)
      grads.push_back(gradient_from(PyTuple_GET_ITEM(args, i), node->name()));
    SmallVec<bool, 4> needs;
    for (auto& e : node->next) needs.push_back(e.node.get() != nullptr);
    TensorList result = node->apply(std::move(grads), needs, modes.grad);
    if (result.size() == 1) return wrap(result[0]);
    Object tuple = Object::checked(PyTuple_New(result.size()));
    for (int i = 0; i < result.size(); ++i) PyTuple_SET_ITEM(tuple.get(), i, wrap(result[i]));
    return tuple.release();
  });
}
PyObject* node_register_hook(PyObject* self, PyObject* callable) {
  return guarded([&] {
    uint64_t id = next_hook_id();
    node_of(self)->make_hooks().after.push_back({make_hook(callable, HookForm::after), id});
    return make_handle(self, id);
  });
}
PyObject* node_register_prehook(PyObject* self, PyObject* callable) {
  return guarded([&] {
    uint64_t id = next_hook_id();
    node_of(self)->make_hooks().before.push_back({make_hook(callable, HookForm::before), id});
    return make_handle(self, id);
  });
}

PyGetSetDef node_getset[] = {
    {"next_functions", node_next, nullptr, "Where the gradients of the inputs flow.", nullptr},
    {"metadata", node_metadata, nullptr, "A dict for the user.", nullptr},
    {"variable", node_variable, nullptr, "The leaf that AccumulateGrad adds to.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMethodDef node_methods[] = {{"name", node_name, METH_NOARGS, "The name of the node."},
                              {"_sequence_nr", node_sequence, METH_NOARGS, nullptr},
                              {"register_hook", node_register_hook, METH_O, nullptr},
                              {"register_prehook", node_register_prehook, METH_O, nullptr},
                              {nullptr, nullptr, 0, nullptr}};
PyMemberDef node_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(PyNode, weakrefs), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};
PyType_Slot node_slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(node_dealloc)},
                            {Py_tp_traverse, reinterpret_cast<void*>(node_traverse)},
                            {Py_tp_clear, reinterpret_cast<void*>(node_clear)},
                            {Py_tp_repr, reinterpret_cast<void*>(node_repr)},
                            {Py_tp_call, reinterpret_cast<void*>(node_call)},
                            {Py_tp_getattro, reinterpret_cast<void*>(node_getattr)},
                            {Py_tp_getset, node_getset},
                            {Py_tp_methods, node_methods},
                            {Py_tp_members, node_members},
                            {0, nullptr}};
PyType_Spec node_spec = {"adjoint.autograd.graph.Node", sizeof(PyNode), 0,
                         Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE |
                             Py_TPFLAGS_DISALLOW_INSTANTIATION,
                         node_slots};

// The context of a Function

TensorList tensors_in(PyObject* tuple) {
  TensorList out;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); ++i) {
    PyObject* o = PyTuple_GET_ITEM(tuple, i);
    out.push_back(is_tensor(o) ? tensor_of(o) : Tensor());
  }
  return out;
}
TensorMeta meta_of(const Tensor& x) {
  TensorMeta meta;
  if (x.defined()) {
    meta.sizes = x->sizes;
    meta.dtype = x.dtype();
  }
  return meta;
}
bool contains(const TensorList& list, const Tensor& x) {
  for (auto& y : list)
    if (y.defined() && y.same(x)) return true;
  return false;
}

// ctx._attach(name, inputs, outputs, saved, dirty, non_differentiable, materialize)
PyObject* context_attach(PyObject* self, PyObject* args) {
  const char* name;
  PyObject *inputs_, *outputs_, *saved_, *dirty_, *constant_;
  int materialize;
  if (!PyArg_ParseTuple(args, "sO!O!O!O!O!p", &name, &PyTuple_Type, &inputs_, &PyTuple_Type,
                        &outputs_, &PyTuple_Type, &saved_, &PyTuple_Type, &dirty_, &PyTuple_Type,
                        &constant_, &materialize))
    return nullptr;
  return guarded([&]() -> PyObject* {
    TensorList inputs = tensors_in(inputs_), outputs = tensors_in(outputs_),
               saved = tensors_in(saved_);
    TensorList dirty = tensors_in(dirty_), constant = tensors_in(constant_);
    SmallVec<Edge, 2> edges;
    for (auto& x : inputs) edges.push_back(x.defined() ? gradient_edge(x) : Edge{});
    for (auto& x : dirty)
      if (x.defined()) check_writable(x, name, true);
    Ref<FunctionNode> node = make_node<FunctionNode>(self, intern(name));
    reinterpret_cast<PyContext*>(self)->node = node.get();
    node->next = std::move(edges);
    node->materialize = materialize;
    for (auto& x : inputs) node->inputs.push_back(meta_of(x));
    for (auto& y : outputs) node->outputs.push_back(meta_of(y));
    for (int i = 0; i < outputs.size(); ++i) {
      const Tensor& y = outputs[i];
      if (!y.defined() || !is_differentiable(y.dtype()) || contains(constant, y)) continue;
      if (contains(dirty, y)) {
        bump_version(y, node->name());
        rebase_history(y, node, static_cast<uint32_t>(i));
      } else {
        set_history(y, node, static_cast<uint32_t>(i));
      }
    }
    for (auto& x : saved) {
      int output = -1;
      for (int i = 0; i < outputs.size(); ++i)
        if (x.defined() && outputs[i].defined() && outputs[i].same(x)) output = i;
      // An output is kept without its history, which holds this node.
      Tensor kept = output >= 0 ? detach(x) : x;
      Saved& last = node->saved.emplace_back();
      last.tensor = kept;
      last.version = x.defined() ? version_of(x) : 0;
      if (modes.packs && output >= 0) last.pack_output(node.get(), static_cast<uint32_t>(output));
      else if (modes.packs) last.pack();
      node->saved_output.push_back(output);
    }
    Py_RETURN_NONE;
  });
}

PyObject* context_saved(PyObject* self, void*) {
  FunctionNode* node = reinterpret_cast<PyContext*>(self)->node;
  return guarded([&]() -> PyObject* {
    if (!node) return PyTuple_New(0);
    if (node->released)
      runtime_error(
          "Trying to backward through the graph a second time (or directly access saved "
          "tensors after they have already been freed): what ",
          node->name(),
          " saved was "
          "freed. Call backward(retain_graph=True) the first time if you need it again.");
    Object tuple = Object::checked(PyTuple_New(node->saved.size()));
    for (int i = 0; i < node->saved.size(); ++i) {
      Saved s = node->saved[i];
      s.unpack();
      Tensor x = s.tensor;
      if (x.defined() && version_of(x) != s.version) {
        const char* writer = x->storage->last_writer.load(std::memory_order_relaxed);
        runtime_error(
            "one of the variables needed for gradient computation has been modified by an "
            "inplace operation: a tensor of shape ",
            x.sizes(), ", saved by ", node->name(), ", was then written by ",
            writer ? writer : "an in-place operation", "; it is at version ", version_of(x),
            ", expected version ", s.version);
      }
      if (x.defined() && node->saved_output[i] >= 0) {
        x = detach(x);
        set_history(x, NodeRef(node), static_cast<uint32_t>(node->saved_output[i]));
      }
      PyTuple_SET_ITEM(tuple.get(), i, wrap(x));
    }
    return tuple.release();
  });
}

PyObject* context_drop_saved(PyObject* self, PyObject*) {
  if (FunctionNode* node = reinterpret_cast<PyContext*>(self)->node) node->release();
  Py_RETURN_NONE;
}

PyObject* context_node(PyObject* self, void*) {
  FunctionNode* node = reinterpret_cast<PyContext*>(self)->node;
  return wrap(NodeRef(node));
}

int context_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(reinterpret_cast<PyContext*>(self)->dict);
  return 0;
}
int context_clear(PyObject* self) {
  Py_CLEAR(reinterpret_cast<PyContext*>(self)->dict);
  return 0;
}
void context_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  Py_CLEAR(reinterpret_cast<PyContext*>(self)->dict);
  type->tp_free(self);
  Py_DECREF(type);
}
PyMethodDef context_methods[] = {{"_attach", context_attach, METH_VARARGS, nullptr},
                                 {"_drop_saved", context_drop_saved, METH_NOARGS, nullptr},
                                 {nullptr, nullptr, 0, nullptr}};
PyGetSetDef context_getset[] = {
    {"saved_tensors", context_saved, nullptr, "The tensors given to save_for_backward.", nullptr},
    {"_node", context_node, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMemberDef context_members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(PyContext, dict), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};
PyType_Slot context_slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(context_dealloc)},
                               {Py_tp_traverse, reinterpret_cast<void*>(context_traverse)},
                               {Py_tp_clear, reinterpret_cast<void*>(context_clear)},
                               {Py_tp_methods, context_methods},
                               {Py_tp_getset, context_getset},
                               {Py_tp_members, context_members},
                               {0, nullptr}};
PyType_Spec context_spec = {"adjoint._core._FunctionCtx", sizeof(PyContext), 0,
                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                            context_slots};

}  // namespace

Tensor tensor_at_edge(PyObject* node, uint32_t output) {
  if (!PyObject_TypeCheck(node, node_type))
    type_error("an edge of the graph begins with a node, not ", Py_TYPE(node)->tp_name);
  NodeRef found(node_of(node));
  if (TensorImpl* leaf = found->variable()) return Tensor(leaf);
  if (static_cast<int>(output) >= found->outputs.size())
    value_error(found->name(), " has ", found->outputs.size(), " outputs; there is none numbered ",
                output);
  const TensorMeta& meta = found->outputs[static_cast<int>(output)];
  Layout layout{meta.sizes, Dims(meta.sizes.size()), 0};
  Tensor x = view_of(scalar_tensor(0.0, meta.dtype), layout);
  set_history(x, std::move(found), output);
  return x;
}

PyObject* wrap(const NodeRef& node) {
  if (!node) Py_RETURN_NONE;
  return Py_NewRef(static_cast<PyObject*>(node->python()));
}

void init_node_type(PyObject* module) {
  node_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&node_spec));
  context_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&context_spec));
  node_created = create_node_object;
  PyModule_AddObjectRef(module, "Node", reinterpret_cast<PyObject*>(node_type));
  PyModule_AddObjectRef(module, "_FunctionCtx", reinterpret_cast<PyObject*>(context_type));
}

}  // namespace adj::py
