// What the tests ask about operators: their list, which overload a call means, what a fused one
// means.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "autograd/history.h"
#include "bind/arguments.h"

namespace nb = nanobind;

namespace adj::py {

void bind_registry_info(nb::module_& m);

namespace {

const char* name_of(KindName kind) {
  constexpr const char* names[] = {"elementwise", "linear", "view",     "bilinear", "fused",
                                   "composite",   "rule",   "constant", "factory"};
  return names[static_cast<int>(kind)];
}

// "nn.functional.relu", "max:dim"
std::string full_name(const Op& op) {
  const Schema& s = op.schema;
  std::string name = s.space.empty() ? s.name : s.space + "." + s.name;
  std::string overload = s.overload.substr(0, s.overload.find('/'));
  return overload.empty() ? name : name + ":" + overload;
}

// Whether Tensor has a method of this name: all overloads must take a tensor first.
bool is_method(const Op& op) {
  if (!op.schema.space.empty()) return false;
  for (const Op* o : Registry::get().overloads(op.schema.name)) {
    if (!o->is_method || o->schema.params.empty()) return false;
    Type first = o->schema.params[0].type;
    if (first != Type::tensor && first != Type::operand) return false;
  }
  return true;
}

nb::dict info(const Op& op) {
  nb::dict d;
  d["name"] = full_name(op);
  d["kind"] = name_of(op.kind);
  d["signature"] = op.schema.text;
  d["in_place"] = op.in_place;
  d["method"] = is_method(op);
  d["elementwise"] = op.elementwise != nullptr;
  d["node"] = op.node_name;
  return d;
}

// Positional arguments and keywords in one array, as vectorcall has them.
struct Call {
  std::vector<PyObject*> args;
  nb::object names;
  Py_ssize_t positional;

  Call(nb::tuple given, nb::dict keywords) : positional(static_cast<Py_ssize_t>(given.size())) {
    for (nb::handle h : given) args.push_back(h.ptr());
    nb::list keys;
    for (auto [key, value] : keywords) {
      keys.append(key);
      args.push_back(value.ptr());
    }
    if (keywords.size()) names = nb::tuple(keys);
  }
  bool fits(Arguments& a, const Op& op) const {
    if (a.parse(op, nullptr, args.data(), positional, names.is_valid() ? names.ptr() : nullptr))
      return true;
    if (PyErr_Occurred()) throw PythonError();
    return false;
  }
};

}  // namespace

void bind_registry_info(nb::module_& m) {
  m.def("_registry", [] {
    nb::list all;
    for (const Op* op : Registry::get().ops()) all.append(info(*op));
    return all;
  });
  // The overload that a call of a (dotted) name reaches; None if it fits none.
  m.def("_overload", [](const std::string& name, nb::tuple args, nb::dict kwargs) -> nb::object {
    Call call(args, kwargs);
    for (const Op* op : Registry::get().overloads(name)) {
      Arguments a;
      if (call.fits(a, *op)) return nb::str(full_name(*op).c_str());
    }
    return nb::none();
  });
  // What the definition of a fused operator gives, as a tuple.
  m.def("_define", [](const std::string& name, nb::tuple args, nb::dict kwargs) {
    const Op& op = Registry::get().find(name);
    if (!op.define) type_error(name, " is not defined by other operators");
    Call call(args, kwargs);
    Arguments a;
    if (!call.fits(a, op)) type_error(a.why);
    Outs outs = op.define(Args{op, a.values});
    nb::list results;
    for (auto& y : outs) results.append(nb::steal(wrap(y)));
    return nb::tuple(results);
  });
}

}  // namespace adj::py
