// Python's operators on tensors: +, @, <, ~ and their kin.
#include "bind/python.h"

#include <cstring>

#include "autograd/history.h"
#include "bind/overrides.h"

namespace adj::py {

namespace {

// `kept` holds what a complex number or a NumPy array becomes; `special` says that a tensor is of
// a subclass, which may take the call over.
bool as_operand(PyObject* o, Value& v, Tensor& kept, bool& special) {
  if (Py_TYPE(o) == tensor_type) {
    v = Value(impl_of(o));
  } else if (PyFloat_CheckExact(o)) {
    v = PyFloat_AS_DOUBLE(o);
  } else if (is_tensor(o)) {
    v = Value(impl_of(o));
    special |= overrides(o);
  } else if (is_number(o)) v = number_value(o);
  else if (is_complex_number(o)) v = kept = complex_number(o);
  else if (is_array(o)) v = kept = tensor_from_data(o, nullptr, false, "operator");
  else return false;
  return true;
}

const Op& op_named(const char* name) { return Registry::get().find(name); }

// A struct per operator, so that each slot knows its name and looks it up once.
template <size_t N>
struct Name {
  char text[N];
  constexpr Name(const char (&s)[N]) {
    for (size_t i = 0; i < N; ++i) text[i] = s[i];
  }
};

template <Name name>
const Op& op() {
  static const Op& found = op_named(name.text);
  return found;
}

// What an override makes of an operator, which it knows as a method of the left operand, or of the
// right one (`__rsub__`) where only that is a tensor. Null if nobody takes it over.
PyObject* overridden(const char* name, bool writes, PyObject* a, PyObject* b) {
  static constexpr struct {
    const char *name, *left, *right, *into;
  } kNames[] = {{"add", "add", "add", "add_"},
                {"sub", "sub", "__rsub__", "sub_"},
                {"rsub", "__rsub__", nullptr, nullptr},
                {"mul", "mul", "mul", "mul_"},
                {"div", "div", "__rtruediv__", "div_"},
                {"floor_divide", "__floordiv__", "__rfloordiv__", "__ifloordiv__"},
                {"remainder", "remainder", "__rmod__", "__imod__"},
                {"pow", "pow", "__rpow__", "__ipow__"},
                {"matmul", "matmul", "__rmatmul__", nullptr},
                {"bitwise_and", "__and__", "__rand__", "__iand__"},
                {"bitwise_or", "__or__", "__ror__", "__ior__"},
                {"bitwise_xor", "__xor__", "__rxor__", "__ixor__"},
                {"bitwise_left_shift", "__lshift__", "__rlshift__", nullptr},
                {"bitwise_right_shift", "__rshift__", "__rrshift__", nullptr},
                {"bitwise_not", "__invert__", nullptr, nullptr},
                {"eq", "eq", nullptr, nullptr},
                {"ne", "ne", nullptr, nullptr},
                {"lt", "lt", "gt", nullptr},
                {"le", "le", "ge", nullptr},
                {"gt", "gt", "lt", nullptr},
                {"ge", "ge", "le", nullptr},
                {"neg", "neg", nullptr, nullptr},
                {"abs", "abs", nullptr, nullptr}};
  bool swapped = !is_tensor(a);
  PyObject* args[] = {swapped ? b : a, swapped ? a : b};
  for (auto& n : kNames) {
    if (strcmp(n.name, name)) continue;
    const char* method = writes ? n.into : swapped ? n.right : n.left;
    if (!method) return nullptr;
    PyObject* result = guarded([&] { return call_override_of_method(method, args, b ? 2 : 1); });
    if (result || !PyErr_Occurred()) return result;
    if (!b || !PyErr_ExceptionMatches(PyExc_TypeError)) throw PythonError();
    PyErr_Clear();
    Py_RETURN_NOTIMPLEMENTED;  // Python asks the other operand, or says that they do not fit
  }
  return nullptr;
}

template <Name name>
PyObject* binary(PyObject* a, PyObject* b) {
  return guarded([&]() -> PyObject* {
    Value values[Fn::kMaxParams];
    Tensor kept;  // one of the two is a tensor
    bool special = function_modes.load(std::memory_order_relaxed);
    bool fits = as_operand(a, values[0], kept, special) && as_operand(b, values[1], kept, special);
    if (special || !fits) [[unlikely]]
      if (PyObject* result = overridden(name.text, false, a, b)) return result;
    if (!fits) Py_RETURN_NOTIMPLEMENTED;
    const Op& o = op<name>();
    for (size_t i = 2; i < o.schema.params.size(); ++i) values[i] = o.schema.params[i].standard;
    return wrap(std::move(dispatch(o, values)[0]));
  });
}

template <Name name>
PyObject* in_place(PyObject* self, PyObject* other) {
  return guarded([&]() -> PyObject* {
    Value values[Fn::kMaxParams];
    Tensor kept;
    if (!is_tensor(self)) Py_RETURN_NOTIMPLEMENTED;
    bool special = function_modes.load(std::memory_order_relaxed);
    bool fits =
        as_operand(self, values[0], kept, special) && as_operand(other, values[1], kept, special);
    if (special || !fits) [[unlikely]]
      if (PyObject* result = overridden(name.text, true, self, other)) return result;
    if (!fits) Py_RETURN_NOTIMPLEMENTED;
    const Op& o = op<name>();
    for (size_t i = 2; i < o.schema.params.size(); ++i) values[i] = o.schema.params[i].standard;
    dispatch_into(o, values, tensor_of(self));
    return Py_NewRef(self);
  });
}

template <Name name>
PyObject* unary(PyObject* a) {
  return guarded([&]() -> PyObject* {
    if (may_override(a)) [[unlikely]]
      if (PyObject* result = overridden(name.text, false, a, nullptr)) return result;
    Value values[Fn::kMaxParams] = {Value(impl_of(a))};
    return wrap(std::move(dispatch(op<name>(), values)[0]));
  });
}

// Of a number minus a tensor torch makes a node of its own.
PyObject* subtract(PyObject* a, PyObject* b) {
  return is_tensor(a) ? binary<"sub">(a, b) : binary<"rsub">(b, a);
}
PyObject* power(PyObject* a, PyObject* b, PyObject*) { return binary<"pow">(a, b); }
PyObject* power_in_place(PyObject* a, PyObject* b, PyObject*) { return in_place<"pow">(a, b); }
PyObject* positive(PyObject* a) { return Py_NewRef(a); }

PyObject* matrix_product(PyObject* a, PyObject* b) {
  if (!(is_tensor(a) || overrides(a)) || !(is_tensor(b) || overrides(b))) Py_RETURN_NOTIMPLEMENTED;
  return binary<"matmul">(a, b);
}

PyObject* divmod(PyObject* a, PyObject* b) {
  Object q(binary<"floor_divide">(a, b)), r(q ? binary<"remainder">(a, b) : nullptr);
  return r ? PyTuple_Pack(2, q.get(), r.get()) : nullptr;
}

// A conversion to a Python number that an override takes over; null if none does.
PyObject* converted(const char* method, PyObject* self) {
  return guarded([&] { return call_override_of_method(method, &self, 1); });
}

int truth(PyObject* self) {
  if (may_override(self)) [[unlikely]] {
    Object y(converted("__bool__", self));
    if (y || PyErr_Occurred()) return y ? PyObject_IsTrue(y.get()) : -1;
  }
  return guarded([&]() -> int {
    Tensor x = tensor_of(self);
    if (x.numel() == 0) runtime_error("Boolean value of Tensor with no values is ambiguous");
    if (x.numel() != 1)
      runtime_error("Boolean value of Tensor with more than one value is ambiguous: its shape is ",
                    x.sizes(), "; use .any() or .all()");
    Object item = Object::checked(item_of(x));
    return PyObject_IsTrue(item.get());
  });
}
// The one element; a ValueError if there are others.
PyObject* only_item(PyObject* self) {
  return guarded([&] {
    Tensor x = tensor_of(self);
    if (x.numel() != 1)
      value_error("only one element tensors can be converted to Python scalars, not one of shape ",
                  x.sizes());
    return item_of(x);
  });
}
PyObject* to_float(PyObject* self) {
  if (may_override(self)) [[unlikely]] {
    PyObject* y = converted("__float__", self);
    if (y || PyErr_Occurred()) return y;
  }
  Object item(only_item(self));
  return item ? PyNumber_Float(item.get()) : nullptr;
}
PyObject* to_long(PyObject* self) {
  if (may_override(self)) [[unlikely]] {
    PyObject* y = converted("__int__", self);
    if (y || PyErr_Occurred()) return y;
  }
  Object item(only_item(self));
  return item ? PyNumber_Long(item.get()) : nullptr;
}
PyObject* to_index(PyObject* self) {
  if (may_override(self)) [[unlikely]] {
    PyObject* y = converted("__index__", self);
    if (y || PyErr_Occurred()) return y;
  }
  return guarded([&]() -> PyObject* {
    Tensor x = tensor_of(self);
    if (is_differentiable(x.dtype()) || x.numel() != 1)
      type_error("only integer tensors of a single element can be converted to an index, not ",
                 x.dtype(), " of shape ", x.sizes());
    Object item = Object::checked(item_of(x));
    return PyNumber_Index(item.get());
  });
}

PyObject* invert(PyObject* self) {
  return guarded([&]() -> PyObject* {
    if (may_override(self)) [[unlikely]]
      if (PyObject* result = overridden("bitwise_not", false, self, nullptr)) return result;
    DType t = tensor_of(self).dtype();
    if (is_differentiable(t))
      type_error(
          "~ (operator.invert) is only implemented on integer and Boolean-type tensors, not ",
          "on ", t);
    return unary<"bitwise_not">(self);
  });
}

PyObject* compare(PyObject* a, PyObject* b, int how) {
  switch (how) {
    case Py_EQ: return binary<"eq">(a, b);
    case Py_NE: return binary<"ne">(a, b);
    case Py_LT: return binary<"lt">(a, b);
    case Py_LE: return binary<"le">(a, b);
    case Py_GT: return binary<"gt">(a, b);
    default: return binary<"ge">(a, b);
  }
}

}  // namespace

void add_operators(std::vector<PyType_Slot>& slots) {
  auto add = [&](int id, auto* function) {
    slots.push_back({id, reinterpret_cast<void*>(function)});
  };
  add(Py_nb_add, binary<"add">);
  add(Py_nb_subtract, subtract);
  add(Py_nb_multiply, binary<"mul">);
  add(Py_nb_true_divide, binary<"div">);
  add(Py_nb_floor_divide, binary<"floor_divide">);
  add(Py_nb_remainder, binary<"remainder">);
  add(Py_nb_divmod, divmod);
  add(Py_nb_power, power);
  add(Py_nb_matrix_multiply, matrix_product);
  add(Py_nb_and, binary<"bitwise_and">);
  add(Py_nb_or, binary<"bitwise_or">);
  add(Py_nb_xor, binary<"bitwise_xor">);
  add(Py_nb_lshift, binary<"bitwise_left_shift">);
  add(Py_nb_rshift, binary<"bitwise_right_shift">);
  add(Py_nb_negative, unary<"neg">);
  add(Py_nb_positive, positive);
  add(Py_nb_absolute, unary<"abs">);
  add(Py_nb_invert, invert);
  add(Py_nb_inplace_add, in_place<"add">);
  add(Py_nb_inplace_subtract, in_place<"sub">);
  add(Py_nb_inplace_multiply, in_place<"mul">);
  add(Py_nb_inplace_true_divide, in_place<"div">);
  add(Py_nb_inplace_floor_divide, in_place<"floor_divide">);
  add(Py_nb_inplace_remainder, in_place<"remainder">);
  add(Py_nb_inplace_power, power_in_place);
  add(Py_nb_inplace_and, in_place<"bitwise_and">);
  add(Py_nb_inplace_or, in_place<"bitwise_or">);
  add(Py_nb_inplace_xor, in_place<"bitwise_xor">);
  add(Py_nb_bool, truth);
  add(Py_nb_float, to_float);
  add(Py_nb_int, to_long);
  add(Py_nb_index, to_index);
  add(Py_tp_richcompare, compare);
}

}  // namespace adj::py
