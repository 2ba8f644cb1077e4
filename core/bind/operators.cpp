// Python's operators on tensors: +, @, <, ~ and their kin.
#include "bind/python.h"

#include "autograd/history.h"

namespace adj::py {

namespace {

// `kept` holds what a complex number or a NumPy array becomes.
bool as_operand(PyObject* o, Value& v, Tensor& kept) {
  if (is_tensor(o)) v = Value(impl_of(o));
  else if (PyFloat_CheckExact(o)) v = PyFloat_AS_DOUBLE(o);
  else if (is_number(o)) v = number_value(o);
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

template <Name name>
PyObject* binary(PyObject* a, PyObject* b) {
  return guarded([&]() -> PyObject* {
    Value values[Fn::kMaxParams];
    Tensor kept;  // one of the two is a tensor
    if (!as_operand(a, values[0], kept) || !as_operand(b, values[1], kept))
      Py_RETURN_NOTIMPLEMENTED;
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
    if (!is_tensor(self) || !as_operand(self, values[0], kept) ||
        !as_operand(other, values[1], kept))
      Py_RETURN_NOTIMPLEMENTED;
    const Op& o = op<name>();
    for (size_t i = 2; i < o.schema.params.size(); ++i) values[i] = o.schema.params[i].standard;
    dispatch_into(o, values, tensor_of(self));
    return Py_NewRef(self);
  });
}

template <Name name>
PyObject* unary(PyObject* a) {
  return guarded([&]() -> PyObject* {
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
  if (!is_tensor(a) || !is_tensor(b)) Py_RETURN_NOTIMPLEMENTED;
  return binary<"matmul">(a, b);
}

PyObject* divmod(PyObject* a, PyObject* b) {
  Object q(binary<"floor_divide">(a, b)), r(q ? binary<"remainder">(a, b) : nullptr);
  return r ? PyTuple_Pack(2, q.get(), r.get()) : nullptr;
}

int truth(PyObject* self) {
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
  Object item(only_item(self));
  return item ? PyNumber_Float(item.get()) : nullptr;
}
PyObject* to_long(PyObject* self) {
  Object item(only_item(self));
  return item ? PyNumber_Long(item.get()) : nullptr;
}
PyObject* to_index(PyObject* self) {
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
