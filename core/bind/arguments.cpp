#include "bind/arguments.h"

#include <cstring>

#include "bind/overrides.h"

namespace adj::py {

namespace {

bool same_name(PyObject* keyword, const Param& p) {
  return keyword == p.interned || PyUnicode_CompareWithASCIIString(keyword, p.name.c_str()) == 0;
}

// NumPy's spellings, which torch accepts as well.
const char* other_spelling(const std::string& name) {
  if (name == "dim") return "axis";
  if (name == "keepdim") return "keepdims";
  if (name == "input") return "self";
  return nullptr;
}

bool is_factory_like(const Op& op) {
  if (op.kind == KindName::factory) return true;
  const std::string& n = op.schema.name;
  return (n.size() > 5 && n.compare(n.size() - 5, 5, "_like") == 0) || n.compare(0, 4, "new_") == 0;
}

const char* type_name(Type t) {
  switch (t) {
    case Type::tensor: return "Tensor";
    case Type::operand: return "Tensor or Number";
    case Type::number: return "Number";
    case Type::tensors: return "tuple of Tensors";
    case Type::integer: return "int";
    case Type::ints: return "tuple of ints";
    case Type::real: return "float";
    case Type::boolean: return "bool";
    case Type::string: return "str";
    case Type::dtype: return "torch.dtype";
    case Type::device: return "torch.device";
    case Type::generator: return "torch.Generator";
  }
  return "?";
}

bool is_intlike(PyObject* o) {
  return (PyLong_Check(o) && !PyBool_Check(o)) ||
         (!PyFloat_Check(o) && !PyTuple_Check(o) && PyIndex_Check(o) && !PyBool_Check(o) &&
          !(is_tensor(o) && impl_of(o)->numel != 1));
}

}  // namespace

int64_t* Arguments::reserve_ints(int n) {
  if (used_ints_ + n <= 64) {
    used_ints_ += n;
    return ints_ + used_ints_ - n;
  }
  more_ints_.push_back(std::make_unique<int64_t[]>(static_cast<size_t>(n)));
  return more_ints_.back().get();
}

bool Arguments::fail_type(const Op& op, int i, PyObject* o, const char* expected) {
  return misfit(op.name, "(): argument '", op.schema.params[static_cast<size_t>(i)].name,
                "' (position ", i + 1, ") must be ", expected, ", not ", Py_TYPE(o)->tp_name);
}

// The loops of elementwise operators take any number as a tensor.
bool Arguments::complex_argument(const Op& op, int i, PyObject* o) {
  if (op.schema.params[static_cast<size_t>(i)].type != Type::number)
    return fail_type(op, i, o, "float");
  Tensor z = complex_number(o);
  Value& v = values[i];
  if (op.elementwise) {
    kept_.push_back(z);
    v = z;
    return true;
  }
  int64_t* parts = reserve_ints(2);
  memcpy(parts, z.data(), 2 * sizeof(double));
  v = Value(DimsView(parts, 2));
  v.tag = Tag::complex;
  return true;
}

bool Arguments::convert(const Op& op, int i, PyObject* o) {
  const Param& p = op.schema.params[static_cast<size_t>(i)];
  Value& v = values[i];
  if (o == Py_None && (p.optional || (p.has_default && p.standard.is_none()))) {
    v = {};
    return true;
  }
  switch (p.type) {
    case Type::operand:
      if (!is_tensor(o) && is_number(o)) {
        v = number_value(o);
        return true;
      }
      if (!is_tensor(o) && is_complex_number(o)) {
        kept_.push_back(complex_number(o));
        v = kept_.back();
        return true;
      }
      [[fallthrough]];
    case Type::tensor:
      if (Py_TYPE(o) != tensor_type) {
        if (!is_tensor(o)) return fail_type(op, i, o, type_name(p.type));
        special |= overrides(o);
      }
      v = Value(impl_of(o));
      return true;
    case Type::number:
    case Type::real:
      if (is_tensor(o) && impl_of(o)->numel == 1 && impl_of(o)->sizes.empty()) {
        Object item = Object::checked(item_of(tensor_of(o)));
        if (is_complex_number(item.get())) return complex_argument(op, i, item.get());
        v = number_value(item.get());
      } else if (is_complex_number(o)) {
        return complex_argument(op, i, o);
      } else if (is_number(o)) {
        v = number_value(o);
      } else {
        return fail_type(op, i, o, type_name(p.type));
      }
      if (p.type == Type::real) v = v.as_double();
      return true;
    case Type::integer:
      if (!is_intlike(o)) return fail_type(op, i, o, "int");
      v = as_int(o);
      return true;
    case Type::boolean:
      if (PyBool_Check(o)) v = o == Py_True;
      else if (PyLong_Check(o)) v = PyObject_IsTrue(o) == 1;
      else return fail_type(op, i, o, "bool");
      return true;
    case Type::ints: {
      if (is_intlike(o)) {
        int64_t* ints = reserve_ints(1);
        ints[0] = as_int(o);
        v = Value(DimsView(ints, 1));
        return true;
      }
      if (!PyTuple_Check(o) && !PyList_Check(o)) {
        if (is_tensor(o) || PyUnicode_Check(o) || !PySequence_Check(o))
          return fail_type(op, i, o, "tuple of ints");
      }
      Object items = Object::checked(PySequence_Fast(o, "expected a sequence of ints"));
      int n = static_cast<int>(PySequence_Fast_GET_SIZE(items.get()));
      int64_t* ints = reserve_ints(n);
      for (int k = 0; k < n; ++k) {
        PyObject* item = PySequence_Fast_GET_ITEM(items.get(), k);
        if (!is_intlike(item)) {
          return misfit(op.name, "(): argument '", p.name, "' (position ", i + 1,
                        ") must be tuple of ints, but found element of type ",
                        Py_TYPE(item)->tp_name, " at pos ", k);
        }
        ints[k] = as_int(item);
      }
      v = Value(DimsView(ints, n));
      return true;
    }
    case Type::tensors: {
      if (is_tensor(o) || !PySequence_Check(o) || PyUnicode_Check(o))
        return fail_type(op, i, o, "tuple of Tensors");
      Object items = Object::checked(PySequence_Fast(o, "expected a sequence of tensors"));
      TensorList list;
      for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(items.get()); ++k) {
        PyObject* item = PySequence_Fast_GET_ITEM(items.get(), k);
        if (item == Py_None && p.optional) {
          list.push_back({});
          continue;
        }
        if (!is_tensor(item)) {
          return misfit("expected Tensor as element ", static_cast<int>(k), " in argument ", i,
                        " ('", p.name, "') of ", op.name, "(), but got ", Py_TYPE(item)->tp_name);
        }
        if (Py_TYPE(item) != tensor_type) special |= overrides(item);
        list.push_back(tensor_of(item));
      }
      if (lists_.capacity() == 0) lists_.reserve(4);
      lists_.push_back(std::move(list));
      v = Value(lists_.back());
      return true;
    }
    case Type::string:
      if (!PyUnicode_Check(o)) {
        // memory formats and layouts are objects with a name
        Object text(PyObject_Str(o));
        if (p.name != "memory_format" || !text) return fail_type(op, i, o, "str");
        v = intern(PyUnicode_AsUTF8(text.get()));
        return true;
      }
      v = intern(PyUnicode_AsUTF8(o));
      return true;
    case Type::dtype: {
      DType t;
      if (!as_dtype(o, t)) return fail_type(op, i, o, "torch.dtype");
      v = t;
      return true;
    }
    case Type::device: {
      Device d;
      if (!as_device(o, d)) return fail_type(op, i, o, "torch.device");
      v = d;
      return true;
    }
    case Type::generator: {
      Object handle(PyObject_GetAttrString(o, "_handle"));
      if (!handle) {
        PyErr_Clear();
        return fail_type(op, i, o, "torch.Generator");
      }
      v.tag = Tag::generator;
      v.pointer = PyLong_AsVoidPtr(handle.get());
      return true;
    }
  }
  return false;
}

bool Arguments::parse(const Op& op, PyObject* self, PyObject* const* args, Py_ssize_t nargs,
                      PyObject* kwnames) {
  const auto& params = op.schema.params;
  int n = static_cast<int>(params.size());
  uint32_t given = 0;
  int at = 0;
  if (self) {
    if (n == 0 || !convert(op, 0, self)) return false;
    given = 1;
    at = 1;
  }
  for (Py_ssize_t k = 0; k < nargs; ++k, ++at) {
    if (at >= n || params[static_cast<size_t>(at)].keyword_only) {
      return misfit(op.name, "() takes ", at, " positional arguments but ",
                    static_cast<int>(nargs) + (self ? 1 : 0), " were given");
    }
    const Param& p = params[static_cast<size_t>(at)];
    // view(2, 3): the integers that follow are one list
    bool spread = p.type == Type::ints && is_intlike(args[k]) && k + 1 < nargs &&
                  (at == 0 || (at == 1 && self)) &&
                  (at + 1 >= n || params[static_cast<size_t>(at + 1)].keyword_only ||
                   is_intlike(args[k + 1]));
    if (spread) {
      int count = static_cast<int>(nargs - k);
      int64_t* ints = reserve_ints(count);
      for (int j = 0; j < count; ++j) {
        if (!is_intlike(args[k + j])) return fail_type(op, at, args[k + j], "int");
        ints[j] = as_int(args[k + j]);
      }
      values[at] = Value(DimsView(ints, count));
      given |= 1u << at;
      break;
    }
    // stack-like functions called with the tensors themselves: meshgrid(a, b)
    if (p.type == Type::tensors && is_tensor(args[k]) && at == 0 &&
        (n == 1 || params[1].keyword_only)) {
      TensorList list;
      for (; k < nargs; ++k) {
        if (!is_tensor(args[k])) return fail_type(op, at, args[k], "tuple of Tensors");
        if (Py_TYPE(args[k]) != tensor_type) special |= overrides(args[k]);
        list.push_back(tensor_of(args[k]));
      }
      lists_.reserve(4);
      lists_.push_back(std::move(list));
      values[at] = Value(lists_.back());
      given |= 1u << at;
      break;
    }
    if (!convert(op, at, args[k])) return false;
    given |= 1u << at;
  }
  Py_ssize_t keywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
  for (Py_ssize_t k = 0; k < keywords; ++k) {
    PyObject* name = PyTuple_GET_ITEM(kwnames, k);
    PyObject* o = args[nargs + k];
    int found = -1;
    for (int i = 0; i < n && found < 0; ++i)
      if (same_name(name, params[static_cast<size_t>(i)])) found = i;
    for (int i = 0; i < n && found < 0; ++i) {
      const char* other = other_spelling(params[static_cast<size_t>(i)].name);
      if (other && PyUnicode_CompareWithASCIIString(name, other) == 0) found = i;
    }
    if (found >= 0) {
      if (given >> found & 1) {
        return misfit(op.name, "() got multiple values for argument '",
                      params[static_cast<size_t>(found)].name, "'");
      }
      if (!convert(op, found, o)) return false;
      given |= 1u << found;
      continue;
    }
    const char* text = PyUnicode_AsUTF8(name);
    if (!strcmp(text, "out")) {
      if (o != Py_None) out = o;
      special |= out && overrides(out);
    } else if (is_factory_like(op) && !strcmp(text, "requires_grad")) {
      requires_grad = PyObject_IsTrue(o) == 1;
    } else if (is_factory_like(op) && !strcmp(text, "device")) {
      Device d;
      if (o != Py_None && !as_device(o, d))
        type_error(op.name, "(): argument 'device' must be torch.device, not ",
                   Py_TYPE(o)->tp_name);
      require_cpu(d);
    } else if (is_factory_like(op) && (!strcmp(text, "layout") || !strcmp(text, "memory_format") ||
                                       !strcmp(text, "pin_memory"))) {
      continue;
    } else {
      return misfit(op.name, "() got an unexpected keyword argument '", text, "'");
    }
  }
  for (int i = 0; i < n; ++i) {
    if (given >> i & 1) continue;
    const Param& p = params[static_cast<size_t>(i)];
    if (!p.has_default) {
      return misfit(op.name, "() missing 1 required positional argument: '", p.name, "'");
    }
    values[i] = p.standard;
  }
  if (n && params[0].type == Type::operand && values[0].tag != Tag::tensor) {
    bool any = false;
    for (int i = 1; i < n; ++i) any |= values[i].tag == Tag::tensor;
    if (!any) return misfit(op.name, "(): one of the operands must be a Tensor");
  }
  return true;
}

}  // namespace adj::py
