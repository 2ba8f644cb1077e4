// x[i, 1:3, None, ..., mask] read and written: views for integers and slices, gathers for the rest.
#include "bind/python.h"

#include "autograd/history.h"
#include "bind/overrides.h"
#include "ops/vocabulary.h"

namespace adj::py {

namespace {

bool is_sequence(PyObject* o) { return PyList_Check(o) || PyTuple_Check(o) || PyRange_Check(o); }

// Whether a list stands for a tuple of indices, as NumPy once had it: a short one of slices,
// tensors, lists, None or an ellipsis among others.
bool stands_for_tuple(PyObject* o) {
  constexpr Py_ssize_t kShort = 32;
  if (!PyList_Check(o) || PyList_GET_SIZE(o) >= kShort) return false;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(o); ++i) {
    PyObject* item = PyList_GET_ITEM(o, i);
    if (is_tensor(item) || is_sequence(item) || PySlice_Check(item) || item == Py_None ||
        item == Py_Ellipsis)
      return true;
  }
  return false;
}

Tensor index_tensor(PyObject* o) {
  if (is_tensor(o)) return tensor_of(o);
  Tensor t = tensor_from_data(o, nullptr, true, "index");
  if (t.numel() == 0 && is_sequence(o)) return ops::to_dtype(t, DType::i64);
  return t;
}

bool is_plain_int(PyObject* o) {
  if (PyLong_Check(o)) return !PyBool_Check(o);
  if (is_tensor(o)) {
    TensorImpl* t = impl_of(o);
    return t->sizes.empty() && is_integral(t->dtype) && !(t->flags & kWrapped);
  }
  return PyIndex_Check(o) && !is_sequence(o) && !PyBool_Check(o) && is_number(o);
}

struct Indexed {
  Tensor view;  // after integers, slices, None and ellipsis
  TensorList advanced;  // by dim of the view; undefined where a whole dim is taken
  bool any_advanced = false;
};

std::optional<int64_t> slice_part(PyObject* o) {
  if (o == Py_None) return std::nullopt;
  if (is_tensor(o) || !PyIndex_Check(o)) {
    Object index = Object::checked(PyNumber_Index(o));
    return as_int(index.get());
  }
  // Beyond 64 bits a slice is clipped anyway.
  Py_ssize_t i = PyNumber_AsSsize_t(o, nullptr);
  if (i == -1 && PyErr_Occurred()) throw PythonError();
  return i;
}

Indexed apply_index(const Tensor& x, PyObject* index) {
  SmallVec<PyObject*, 6> items;
  Object listed;
  if (stands_for_tuple(index)) {
    if (PyErr_WarnEx(PyExc_UserWarning,
                     "a list of several indices, x[[i, j]], is deprecated: it is taken as x[i, j]; "
                     "write a tuple, or x[torch.tensor(...)] for an index of several dims",
                     1) < 0)
      throw PythonError();
    listed = Object::checked(PyList_AsTuple(index));
    index = listed.get();
  }
  if (PyTuple_Check(index))
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(index); ++i)
      items.push_back(PyTuple_GET_ITEM(index, i));
  else items.push_back(index);

  int used = 0, ellipses = 0;
  for (PyObject* o : items) {
    if (o == Py_Ellipsis) ++ellipses;
    else if (o == Py_None || PyBool_Check(o)) continue;
    else if (is_tensor(o) && impl_of(o)->dtype <= DType::u8) used += impl_of(o)->sizes.size();
    else if (is_sequence(o)) {
      Tensor t = index_tensor(o);
      used += t.dtype() <= DType::u8 ? t.dim() : 1;
    } else ++used;
  }
  if (x.dim() == 0 && used > 0)
    index_error(
        "invalid index of a 0-dim tensor. Use `tensor.item()` in Python to convert a 0-dim tensor "
        "to a number");
  if (ellipses > 1) index_error("an index can only have a single ellipsis ('...')");
  if (used > x.dim())
    index_error("too many indices for tensor of dimension ", x.dim(), ": got ", used);

  Indexed out{x, {}, false};
  int dim = 0, source = 0;  // of the view so far, and of x
  auto advance = [&](const Tensor& t) {
    while (out.advanced.size() < dim) out.advanced.push_back({});
    out.advanced.push_back(t);
    out.any_advanced = true;
  };
  for (PyObject* o : items) {
    if (o == Py_None) {
      out.view = ops::unsqueeze(out.view, dim++);
    } else if (o == Py_Ellipsis) {
      dim += x.dim() - used;
      source += x.dim() - used;
    } else if (PySlice_Check(o)) {
      auto* s = reinterpret_cast<PySliceObject*>(o);
      auto start = slice_part(s->start), stop = slice_part(s->stop), step = slice_part(s->step);
      if (step.value_or(1) <= 0) value_error("step must be greater than zero, got ", *step);
      bool whole = !start && !stop && step.value_or(1) == 1;
      if (!whole) out.view = ops::slice(out.view, dim, Value(start), Value(stop), step.value_or(1));
      ++dim;
      ++source;
    } else if (PyBool_Check(o)) {
      // A new dim of size 1 or 0
      out.view = ops::unsqueeze(out.view, dim);
      Tensor mask = empty({1}, DType::b8);
      *mask.data<bool>() = o == Py_True;
      advance(mask);
      ++dim;
    } else if (is_plain_int(o)) {
      int64_t i = is_tensor(o)
                      ? Get<int64_t>::from(number_value(Object(item_of(tensor_of(o))).get()))
                      : as_int(o);
      int64_t n = out.view.size(dim);
      if (i < -n || i >= n)
        index_error("index ", i, " is out of bounds for dimension ", source, " with size ", n);
      out.view = ops::select(out.view, dim, i);
      ++source;
    } else if (is_tensor(o) || is_sequence(o) || PyObject_HasAttrString(o, "__array__")) {
      Tensor t = index_tensor(o);
      if (t.dtype() == DType::u8) {
        if (PyErr_WarnEx(PyExc_UserWarning,
                         "indexing with dtype torch.uint8 is deprecated: it is taken as "
                         "a mask; use a dtype torch.bool instead",
                         1) < 0)
          throw PythonError();
        t = ops::to_dtype(t, DType::b8);
      }
      if (t.dtype() == DType::b8) {
        for (int k = 0; k < t.dim(); ++k)
          if (dim + k >= out.view.dim() || t.size(k) != out.view.size(dim + k))
            index_error("The shape of the mask ", t.sizes(), " at index ", k,
                        " does not match the shape of the indexed tensor ", out.view.sizes(),
                        " at index ", dim + k);
        if (t.dim() == 0) {
          out.view = ops::unsqueeze(out.view, dim);
          t = ops::unsqueeze(t, 0);
        }
        int covered = t.dim();
        advance(t);
        for (int k = 1; k < covered; ++k) advance({});
        dim += covered;
        source += covered;
        continue;
      }
      if (!is_integral(t.dtype()))
        index_error("tensors used as indices must be long, int, byte or bool tensors, not ",
                    t.dtype());
      advance(t);
      ++dim;
      ++source;
    } else {
      index_error(
          "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are "
          "valid indices (got ",
          Py_TYPE(o)->tp_name, ")");
    }
  }
  return out;
}

Tensor value_for(PyObject* value, const Tensor& self) {
  if (is_tensor(value)) return tensor_of(value);
  if (is_number(value)) {
    Value v = number_value(value);
    return v.tag == Tag::real ? scalar_tensor(v.real, self.dtype())
                              : scalar_tensor(v.as_int(), self.dtype());
  }
  if (value == Py_None || PyUnicode_Check(value))
    type_error("can't assign a ", Py_TYPE(value)->tp_name, " to a tensor of ", self.dtype());
  DType t = self.dtype();
  return tensor_from_data(value, &t, true, "index assignment");
}

// Whether a tensor of a subclass, or a mode, may take the indexing over.
bool may_be_overridden(PyObject* self, PyObject* index) {
  if (may_override(self)) return true;
  PyTypeObject* t = Py_TYPE(index);
  return t != &PyLong_Type && t != &PySlice_Type && t != tensor_type && overrides(index);
}

}  // namespace

PyObject* get_item(PyObject* self, PyObject* index) {
  return guarded([&]() -> PyObject* {
    if (may_be_overridden(self, index)) [[unlikely]] {
      PyObject* args[] = {self, index};
      PyObject* result = call_override_of_method("__getitem__", args, 2);
      if (result) return result;
      if (PyErr_Occurred()) throw PythonError();
    }
    Tensor x = tensor_of(self);
    if (PyLong_CheckExact(index) && x.dim() > 0)
      return wrap(ops::select(x, int64_t{0}, as_int(index)));
    Indexed r = apply_index(x, index);
    if (r.any_advanced) return wrap(ops::index(r.view, r.advanced));
    return wrap(r.view.same(x) ? ops::alias(x) : std::move(r.view));
  });
}

int set_item(PyObject* self, PyObject* index, PyObject* value) {
  return guarded([&]() -> int {
    if (!value) type_error("Tensor does not support deleting items");
    if (may_be_overridden(self, index) || (Py_TYPE(value) != tensor_type && overrides(value)))
        [[unlikely]] {
      PyObject* args[] = {self, index, value};
      Object result(call_override_of_method("__setitem__", args, 3));
      if (result) return 0;
      if (PyErr_Occurred()) throw PythonError();
    }
    Tensor x = tensor_of(self);
    Indexed r = apply_index(x, index);
    Tensor v = value_for(value, x);
    if (r.any_advanced) {
      if (v.dtype() != x.dtype() && v.dim() == 0) v = ops::to_dtype(v, x.dtype());
      ops::index_put.into(r.view, r.advanced, v);
      return 0;
    }
    // Leading 1s of the value are dropped, as in NumPy.
    while (v.dim() > r.view.dim() && v.size(0) == 1) v = ops::squeeze(v, Dims{0});
    ops::copy.into(r.view, v);
    return 0;
  });
}

}  // namespace adj::py
