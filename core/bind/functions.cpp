// Python functions and methods of every operator in the registry, made by one loop.
#include <array>
#include <cstring>
#include <map>
#include <unordered_map>

#include "autograd/history.h"
#include "bind/arguments.h"
#include "bind/overrides.h"
#include "bind/python.h"

namespace adj::py {

namespace {

struct Entry {  // one Python name
  std::string name;
  std::string space;
  std::vector<const Op*> overloads;
  bool in_place = false;
  std::string doc;
  PyObject* function = nullptr;  // what Python calls
  PyObject* method = nullptr;
};
std::vector<Entry*> entries;
constexpr int kMaxEntries = 1024;

std::map<std::string, PyTypeObject*>& result_types() {  // by torch.return_types' names
  static std::map<std::string, PyTypeObject*> types;
  return types;
}

PyObject* repr_of_results(PyObject*, PyObject* self) {
  return guarded([&]() -> PyObject* {
    std::string text = std::string(Py_TYPE(self)->tp_name) + "(";
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self); ++i) {
      Object shown = Object::checked(PyObject_Repr(PyTuple_GET_ITEM(self, i)));
      text += std::string(i ? "," : "") + "\n" + Py_TYPE(self)->tp_members[i].name + "=" +
              PyUnicode_AsUTF8(shown.get());
    }
    return PyUnicode_FromString((text + ")").c_str());
  });
}

// Overloads share the class of their name. Operators that are not public have classes of their own.
PyTypeObject* make_result_type(const Op& op) {
  const std::string& space = op.schema.space;
  std::string prefix = space == "linalg" ? "linalg_" : space.starts_with('_') ? space + "." : "";
  PyTypeObject*& type = result_types()[prefix + op.schema.name];
  if (type) return type;
  auto* fields = new std::vector<PyStructSequence_Field>;
  for (auto& name : op.schema.returns) fields->push_back({intern(name), nullptr});
  fields->push_back({nullptr, nullptr});
  auto* name = new std::string("torch.return_types." + prefix + op.schema.name);
  PyStructSequence_Desc desc{name->c_str(), nullptr, fields->data(),
                             static_cast<int>(op.schema.returns.size())};
  type = PyStructSequence_NewType(&desc);
  // A result a line, as torch shows them.
  static PyMethodDef method{"__repr__", repr_of_results, METH_O, nullptr};
  if (type) {
    Object function = Object::checked(PyCFunction_New(&method, nullptr));
    Object bound = Object::checked(PyInstanceMethod_New(function.get()));
    if (PyObject_SetAttrString(reinterpret_cast<PyObject*>(type), "__repr__", bound.get()))
      throw PythonError();
  }
  return type;
}

PyTypeObject* result_type(const Op& op) {
  static std::unordered_map<const Op*, PyTypeObject*> known;
  PyTypeObject*& type = known[&op];
  if (!type) type = make_result_type(op);
  return type;
}

PyObject* wrap_results(const Op& op, Outs&& outs) {
  if (!op.schema.returns_list && outs.size() == 1) return wrap(std::move(outs[0]));
  if (!op.schema.returns.empty()) {
    PyObject* result = PyStructSequence_New(result_type(op));
    for (int i = 0; result && i < outs.size(); ++i)
      PyStructSequence_SetItem(result, i, wrap(outs[i]));
    return result;
  }
  PyObject* tuple = PyTuple_New(outs.size());
  for (int i = 0; tuple && i < outs.size(); ++i)
    PyTuple_SET_ITEM(tuple, i, wrap(std::move(outs[i])));
  return tuple;
}

// out=: the result is written into a tensor of the user's, resized if need be.
void write_out(const Op& op, PyObject* target, const Tensor& result) {
  if (!is_tensor(target))
    type_error(op.name, "(): argument 'out' must be Tensor, not ", Py_TYPE(target)->tp_name);
  Tensor out = tensor_of(target);
  if ((result.requires_grad() || out.requires_grad()) && modes.grad)
    runtime_error(op.name,
                  "(): functions with out=... arguments don't support automatic differentiation, "
                  "but one of the arguments requires grad.");
  if (!can_cast(result.dtype(), out.dtype()))
    runtime_error("result type ", scalar_name_of(result.dtype()),
                  " can't be cast to the desired output type ", scalar_name_of(out.dtype()));
  if (!(out.sizes() == result.sizes())) {
    Tensor fresh = empty(result.sizes(), out.dtype());
    out->storage = fresh->storage;
    out->set_layout(fresh.layout());
  }
  check_writable(out, op.name, false);
  write_into(out, result);
  bump_version(out, op.name);
}

PyObject* finish(const Op& op, Arguments& a, PyObject* self, bool in_place) {
  if (in_place) {
    PyObject* target = self;
    Tensor x = tensor_of(target);
    dispatch_into(op, a.values, x);
    return Py_NewRef(target);
  }
  Outs outs = dispatch(op, a.values);
  if (a.requires_grad)
    for (auto& y : outs) set_requires_grad(y, true);
  if (a.out) {
    if (outs.size() == 1) {
      write_out(op, a.out, outs[0]);
    } else {
      for (int i = 0; i < outs.size(); ++i) {
        Object item = Object::checked(PySequence_GetItem(a.out, i));
        write_out(op, item.get(), outs[i]);
      }
    }
    if (outs.size() == 1) return Py_NewRef(a.out);
    for (int i = 0; i < outs.size(); ++i)
      outs[i] = tensor_of(Object::checked(PySequence_GetItem(a.out, i)).get());
  }
  return wrap_results(op, std::move(outs));
}

std::string signatures(const Entry& e) {
  std::string text;
  for (auto* op : e.overloads) text += "\n  " + op->schema.text;
  return text;
}

PyObject* call(const Entry& e, PyObject* self, PyObject* const* args, Py_ssize_t nargs,
               PyObject* kwnames);

// __torch_function__ of an argument or a mode. Null if nobody takes the call over.
PyObject* call_overridden(const Entry& e, PyObject* self, PyObject* const* args, Py_ssize_t nargs,
                          PyObject* kwnames) {
  std::string name = "torch.";
  if (self) name += "Tensor.";
  else if (!e.space.empty()) name += e.space + ".";
  PyObject* func = self ? e.method : e.function;
  PyObject* result = call_override(func, (name + e.name).c_str(), self, args, nargs, kwnames);
  if (!result && PyErr_Occurred()) throw PythonError();
  return result;
}

// An order of arguments that torch still takes, with the factors in front: add(x, alpha, other),
// addcmul(x, value, tensor1, tensor2), addmm(beta, x, alpha, mat1, mat2). Null if it is not that.
PyObject* call_in_older_order(const Entry& e, PyObject* self, PyObject* const* args,
                              Py_ssize_t nargs, PyObject* kwnames) {
  static constexpr struct {
    const char *name, *as_method, *as_function;  // N: a number, T: a tensor
    const char* factors[2];
  } kOrders[] = {
      {"add", "NT", "TNT", {"alpha"}},       {"sub", "NT", "TNT", {"alpha"}},
      {"addcmul", "NTT", "TNTT", {"value"}}, {"addcdiv", "NTT", "TNTT", {"value"}},
      {"addmm", "NTT", "NTTT", {"beta"}},    {"addmm", "NNTT", "NTNTT", {"beta", "alpha"}},
      {"addmv", "NTT", "NTTT", {"beta"}},    {"addmv", "NNTT", "NTNTT", {"beta", "alpha"}},
      {"addr", "NTT", "NTTT", {"beta"}},     {"addr", "NNTT", "NTNTT", {"beta", "alpha"}},
      {"addbmm", "NTT", "NTTT", {"beta"}},   {"addbmm", "NNTT", "NTNTT", {"beta", "alpha"}},
      {"baddbmm", "NTT", "NTTT", {"beta"}},  {"baddbmm", "NNTT", "NTNTT", {"beta", "alpha"}}};
  if (!e.space.empty() || kwnames || nargs > 5) return nullptr;
  std::string order, base = e.name;
  if (e.in_place) base.pop_back();
  PyObject* moved[5];  // the tensors, then the factors
  Py_ssize_t count = 0;
  for (Py_ssize_t i = 0; i < nargs; ++i)
    if (is_tensor(args[i])) moved[count++] = args[i];
  Py_ssize_t tensors = count;
  for (Py_ssize_t i = 0; i < nargs; ++i) {
    bool number = !is_tensor(args[i]) && is_number(args[i]);
    if (number) moved[count++] = args[i];
    order += number ? 'N' : is_tensor(args[i]) ? 'T' : '?';
  }
  for (auto& known : kOrders) {
    if (base != known.name || order != (self ? known.as_method : known.as_function)) continue;
    bool two = known.factors[1];
    std::string given = cat(known.factors[0], "=", two ? " and alpha=" : "");
    std::string advice = cat("this order of the arguments of ", e.name,
                             " is deprecated: give the factor by its name, ", given, ", behind");
    if (PyErr_WarnEx(PyExc_UserWarning, advice.c_str(), 1) < 0) throw PythonError();
    Object names = Object::checked(two ? Py_BuildValue("(ss)", known.factors[0], known.factors[1])
                                       : Py_BuildValue("(s)", known.factors[0]));
    PyObject* result = call(e, self, moved, tensors, names.get());
    if (!result) throw PythonError();
    return result;
  }
  return nullptr;
}

PyObject* call(const Entry& e, PyObject* self, PyObject* const* args, Py_ssize_t nargs,
               PyObject* kwnames) {
  return guarded([&]() -> PyObject* {
    if (function_modes.load(std::memory_order_relaxed)) [[unlikely]]
      if (PyObject* result = call_overridden(e, self, args, nargs, kwnames)) return result;
    for (const Op* op : e.overloads) {
      Arguments a;
      if (!a.parse(*op, self, args, nargs, kwnames)) {
        if (PyErr_Occurred()) throw PythonError();
        continue;
      }
      if (a.special) [[unlikely]]
        if (PyObject* result = call_overridden(e, self, args, nargs, kwnames)) return result;
      PyObject* target = self;
      if (e.in_place && !target) {
        if (nargs < 1 || !is_tensor(args[0]))
          type_error(e.name, "(): the first argument must be a Tensor");
        target = args[0];
      }
      return finish(*op, a, target, e.in_place);
    }
    if (PyObject* result = call_overridden(e, self, args, nargs, kwnames)) return result;
    if (PyObject* result = call_in_older_order(e, self, args, nargs, kwnames)) return result;
    Arguments explained;
    explained.explain = true;
    explained.parse(*e.overloads[0], self, args, nargs, kwnames);
    const std::string& why = explained.why;
    if (e.overloads.size() == 1)
      type_error(why, "; the signature is\n  ", e.overloads[0]->schema.text);
    std::string got;
    if (self) got = "Tensor";
    for (Py_ssize_t i = 0; i < nargs + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0); ++i) {
      if (!got.empty()) got += ", ";
      if (i >= nargs)
        got += std::string(PyUnicode_AsUTF8(PyTuple_GET_ITEM(kwnames, i - nargs))) + "=";
      got += Py_TYPE(args[i])->tp_name;
    }
    type_error(e.name, "() received an invalid combination of arguments - got (", got, "); ", why,
               "; expected one of:", signatures(e));
  });
}

template <int I>
PyObject* as_function(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  return call(*entries[I], nullptr, args, nargs, kwnames);
}
template <int I>
PyObject* as_method(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  return call(*entries[I], self, args, nargs, kwnames);
}

using Vectorcall = PyObject* (*)(PyObject*, PyObject* const*, Py_ssize_t, PyObject*);
template <int... I>
constexpr std::array<Vectorcall, sizeof...(I)> functions_of(std::integer_sequence<int, I...>) {
  return {as_function<I>...};
}
template <int... I>
constexpr std::array<Vectorcall, sizeof...(I)> methods_of(std::integer_sequence<int, I...>) {
  return {as_method<I>...};
}
constexpr auto function_table = functions_of(std::make_integer_sequence<int, kMaxEntries>());
constexpr auto method_table = methods_of(std::make_integer_sequence<int, kMaxEntries>());

PyMethodDef* method_def(const char* name, Vectorcall f, const char* doc) {
  return new PyMethodDef{name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(f)),
                         METH_FASTCALL | METH_KEYWORDS, doc};
}

const char* doc_of(Entry& e) {
  for (auto* op : e.overloads) {
    e.doc += op->schema.text + "\n";
    e.doc += op->documentation;
    e.doc += "\n";
  }
  return e.doc.c_str();
}

void add_entry(Entry* e, PyObject* spaces) {
  if (entries.size() >= kMaxEntries) runtime_error("adjoint bug: more operators than kMaxEntries");
  int i = static_cast<int>(entries.size());
  entries.push_back(e);
  const char* doc = doc_of(*e);
  PyObject* key = PyUnicode_FromString(e->space.c_str());
  PyObject* dict = PyDict_GetItem(spaces, key);
  if (!dict) {
    dict = PyDict_New();
    PyDict_SetItem(spaces, key, dict);
    Py_DECREF(dict);
  }
  Py_DECREF(key);
  Object module(
      PyUnicode_FromString(e->space.empty() ? "adjoint" : ("adjoint." + e->space).c_str()));
  Object function(PyCFunction_NewEx(method_def(e->name.c_str(), function_table[i], doc), nullptr,
                                    module.get()));
  PyDict_SetItemString(dict, e->name.c_str(), function.get());
  e->function = Py_NewRef(function.get());
  bool method = e->space.empty();
  for (auto* op : e->overloads) {
    Type first = op->schema.params.empty() ? Type::integer : op->schema.params[0].type;
    method = method && op->is_method && (first == Type::tensor || first == Type::operand);
  }
  PyObject* tensor = reinterpret_cast<PyObject*>(tensor_type);
  if (method && !PyDict_GetItemString(tensor_type->tp_dict, e->name.c_str())) {
    Object descriptor(
        PyDescr_NewMethod(tensor_type, method_def(e->name.c_str(), method_table[i], doc)));
    PyObject_SetAttrString(tensor, e->name.c_str(), descriptor.get());
    e->method = descriptor.release();
  }
}

}  // namespace

const Entry* find_entry(const char* name) {
  for (auto* e : entries)
    if (e->space.empty() && e->name == name) return e;
  return nullptr;
}

PyObject* call_function(const char* name, PyObject* const* args, Py_ssize_t nargs,
                        PyObject* kwnames) {
  const Entry* e = find_entry(name);
  if (!e) {
    PyErr_Format(PyExc_NotImplementedError, "%s is not there yet", name);
    return nullptr;
  }
  return call(*e, nullptr, args, nargs, kwnames);
}

// {name: class} of the named results.
PyObject* all_result_types(PyObject*, PyObject*) {
  return guarded([]() -> PyObject* {
    for (Op* op : Registry::get().ops())
      if (op->schema.returns.size() > 1) result_type(*op);
    Object dict = Object::checked(PyDict_New());
    for (auto& [name, type] : result_types())
      if (name.find('.') == std::string::npos &&
          PyDict_SetItemString(dict.get(), name.c_str(), reinterpret_cast<PyObject*>(type)))
        throw PythonError();
    return dict.release();
  });
}

// {namespace: {name: function}}; methods go onto the Tensor type.
void init_registry(PyObject* module) {
  PyObject* spaces = PyDict_New();
  std::vector<Entry*> order;
  std::map<std::pair<std::string, std::string>, Entry*> known;
  auto entry = [&](const std::string& space, const std::string& name, bool in_place) {
    Entry*& e = known[{space, name}];
    if (!e) {
      e = new Entry{name, space, {}, in_place, {}};
      order.push_back(e);
    }
    return e;
  };
  for (Op* op : Registry::get().ops()) {
    for (auto& p : op->schema.params) p.interned = PyUnicode_InternFromString(p.name.c_str());
    entry(op->schema.space, op->schema.name, false)->overloads.push_back(op);
    if (op->in_place && op->schema.params[0].type != Type::number)
      entry(op->schema.space, op->schema.name + "_", true)->overloads.push_back(op);
  }
  for (Entry* e : order) add_entry(e, spaces);
  if (PyObject* plain = PyDict_GetItemString(spaces, ""))
    PyDict_Update(PyModule_GetDict(module), plain);
  PyModule_AddObjectRef(module, "_namespaces", spaces);
  static PyMethodDef types{"_return_types", all_result_types, METH_NOARGS, nullptr};
  PyModule_AddObject(module, "_return_types", PyCFunction_New(&types, nullptr));
  Py_DECREF(spaces);
}

}  // namespace adj::py
