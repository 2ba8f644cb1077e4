// Python data to tensors and back: tensor(data), item, tolist, buffers.
#include <cmath>
#include <cstring>

#include "autograd/history.h"
#include "bind/python.h"
#include "cpu/cast.h"
#include "ops/vocabulary.h"

namespace adj::py {

namespace {

PyObject* element(const char* p, DType t) {
  switch (t) {
    case DType::b8: return PyBool_FromLong(*p);
    case DType::u8: return PyLong_FromLong(*reinterpret_cast<const uint8_t*>(p));
    case DType::i8: return PyLong_FromLong(*reinterpret_cast<const int8_t*>(p));
    case DType::i16: return PyLong_FromLong(*reinterpret_cast<const int16_t*>(p));
    case DType::i32: return PyLong_FromLong(*reinterpret_cast<const int32_t*>(p));
    case DType::i64: return PyLong_FromLongLong(*reinterpret_cast<const int64_t*>(p));
    case DType::f32: return PyFloat_FromDouble(*reinterpret_cast<const float*>(p));
    case DType::f64: return PyFloat_FromDouble(*reinterpret_cast<const double*>(p));
    case DType::f16:
    case DType::bf16: {
      double d;
      convert_run(&d, DType::f64, p, t, 1);
      return PyFloat_FromDouble(d);
    }
    case DType::c64: {
      auto* z = reinterpret_cast<const float*>(p);
      return PyComplex_FromDoubles(z[0], z[1]);
    }
    case DType::c128: {
      auto* z = reinterpret_cast<const double*>(p);
      return PyComplex_FromDoubles(z[0], z[1]);
    }
  }
  return nullptr;
}

PyObject* nested_list(const Tensor& x, int dim, const char* p) {
  if (dim == x.dim()) return element(p, x.dtype());
  int64_t step = x.stride(dim) * static_cast<int64_t>(itemsize(x.dtype()));
  PyObject* list = PyList_New(x.size(dim));
  for (int64_t i = 0; list && i < x.size(dim); ++i)
    PyList_SET_ITEM(list, i, nested_list(x, dim + 1, p + i * step));
  return list;
}

// The dtype of one of NumPy's scalars.
bool numpy_scalar_type(PyObject* o, DType& t) {
  if (strncmp(Py_TYPE(o)->tp_name, "numpy.", 6) || is_array(o)) return false;
  Object dtype(PyObject_GetAttrString(o, "dtype"));
  Object kind(dtype ? PyObject_GetAttrString(dtype.get(), "kind") : nullptr);
  Object size(dtype ? PyObject_GetAttrString(dtype.get(), "itemsize") : nullptr);
  const char* letter = kind && PyUnicode_Check(kind.get()) ? PyUnicode_AsUTF8(kind.get()) : nullptr;
  long bytes = size ? PyLong_AsLong(size.get()) : 0;
  if (PyErr_Occurred()) PyErr_Clear();
  if (!letter) return false;
  switch (*letter) {
    case 'b': t = DType::b8; return true;
    case 'f': t = bytes == 2 ? DType::f16 : bytes == 4 ? DType::f32 : DType::f64; return bytes <= 8;
    case 'c': t = bytes == 8 ? DType::c64 : DType::c128; return bytes == 8 || bytes == 16;
    case 'u': t = DType::u8; return bytes == 1;
    case 'i':
      t = bytes == 1 ? DType::i8 : bytes == 2 ? DType::i16 : bytes == 4 ? DType::i32 : DType::i64;
      return true;
    default: return false;
  }
}

// Shape and dtype of nested sequences.
struct Probe {
  Dims sizes;
  int kind = -1;  // 0 bool, 1 int, 2 float, 3 complex
  DType tensor_type = DType::f32;
  bool has_tensor = false;

  void visit(PyObject* o, int depth) {
    if (is_tensor(o) || is_array(o)) {
      Tensor x = is_tensor(o) ? tensor_of(o) : tensor_from_data(o, nullptr, false, "tensor");
      // As in torch, a tensor of one element counts as a number among the elements of a list.
      descend(is_tensor(o) && depth && x.numel() == 1 ? DimsView() : x.sizes(), depth);
      have_type(x.dtype());
      return;
    }
    if (DType t; numpy_scalar_type(o, t)) {
      if (depth < sizes.size()) not_a_sequence(o, depth);
      closed = depth;
      return have_type(t);
    }
    if (PyList_Check(o) || PyTuple_Check(o) ||
        (!is_number(o) && PySequence_Check(o) && !PyUnicode_Check(o) && !PyComplex_Check(o))) {
      if (depth > 60) value_error("too many nested sequences (or a sequence that contains itself)");
      Object items = Object::checked(PySequence_Fast(o, "not a sequence"));
      Py_ssize_t n = PySequence_Fast_GET_SIZE(items.get());
      if (depth == sizes.size()) {
        if (closed >= 0 && depth >= closed)
          value_error("expected sequence of length ", depth, " at dim ", depth);
        sizes.push_back(n);
      } else if (sizes[depth] != n) {
        value_error("expected sequence of length ", sizes[depth], " at dim ", depth, " (got ",
                    static_cast<int64_t>(n), ")");
      }
      for (Py_ssize_t i = 0; i < n; ++i) visit(PySequence_Fast_GET_ITEM(items.get(), i), depth + 1);
      return;
    }
    int k;
    if (PyBool_Check(o)) k = 0;
    else if (PyFloat_Check(o)) k = 2;
    else if (PyComplex_Check(o)) k = 3;
    else if (PyLong_Check(o)) k = 1;
    else if (is_number(o))
      k = number_value(o).tag == Tag::real ? 2 : number_value(o).tag == Tag::boolean ? 0 : 1;
    else if (PyUnicode_Check(o) && depth == 0) type_error("new(): invalid data type 'str'");
    else if (PyUnicode_Check(o)) value_error("too many dimensions 'str'");
    else runtime_error("Could not infer dtype of ", Py_TYPE(o)->tp_name);
    if (depth < sizes.size()) not_a_sequence(o, depth);
    closed = depth;
    kind = std::max(kind, k);
  }
  [[noreturn]] void not_a_sequence(PyObject* o, int depth) {
    type_error("expected a sequence of length ", sizes[depth], " at dim ", depth, ", got a ",
               Py_TYPE(o)->tp_name);
  }
  void have_type(DType t) {
    tensor_type = has_tensor ? promote(tensor_type, t) : t;
    has_tensor = true;
  }
  void descend(DimsView inner, int depth) {
    if (closed >= 0 && depth + inner.size() != closed)
      value_error("expected elements of the same number of dims, but one is at depth ", closed,
                  " and another at depth ", depth + inner.size());
    for (int i = 0; i < inner.size(); ++i) {
      if (depth + i == sizes.size()) sizes.push_back(inner[i]);
      else if (sizes[depth + i] != inner[i])
        value_error("expected sequence of length ", sizes[depth + i], " at dim ", depth + i,
                    " (got ", inner[i], ")");
    }
    closed = depth + inner.size();
  }
  int closed = -1;  // the depth at which elements were found

  DType dtype() const {
    DType t = kind == 0   ? DType::b8
              : kind == 1 ? DType::i64
              : kind == 3 ? (default_dtype() == DType::f64 ? DType::c128 : DType::c64)
                          : default_dtype();
    if (kind < 0) return has_tensor ? tensor_type : default_dtype();
    return has_tensor ? promote(tensor_type, t) : t;
  }
};

void put_element(char* p, DType t, PyObject* o) {
  if (PyFloat_Check(o) && t == DType::f32) {
    *reinterpret_cast<float*>(p) = static_cast<float>(PyFloat_AS_DOUBLE(o));
    return;
  }
  if (is_complex(t)) {
    Py_complex z = PyComplex_AsCComplex(o);
    if (z.real == -1 && PyErr_Occurred()) throw PythonError();
    double pair[2] = {z.real, z.imag};
    convert_run(p, t, pair, DType::c128, 1);
    return;
  }
  Value v = number_value(o);
  if (v.tag == Tag::real && is_integral(t) && t != DType::b8 &&
      !(v.real >= -0x1p63 && v.real < 0x1p63))
    runtime_error("value ", v.real, " cannot be converted to type ", name_of(t),
                  " without overflow");
  if (v.tag == Tag::real) convert_run(p, t, &v.real, DType::f64, 1);
  else {
    int64_t i = v.as_int();
    if (is_integral(t) && t != DType::i64) {
      int bits = static_cast<int>(itemsize(t)) * 8;
      int64_t low = t == DType::u8 ? 0 : -(int64_t{1} << (bits - 1));
      int64_t high = t == DType::u8 ? 255 : (int64_t{1} << (bits - 1)) - 1;
      if (t == DType::u8) low = -255;  // negative numbers wrap around, as in torch
      if (i < low || i > high)
        runtime_error("value ", i, " cannot be converted to type ", name_of(t),
                      " without overflow");
    }
    convert_run(p, t, &i, DType::i64, 1);
  }
}

void put_nested(const Tensor& x, int dim, char*& p, PyObject* o) {
  if (is_tensor(o) || is_array(o)) {
    Tensor part = is_tensor(o) ? tensor_of(o) : tensor_from_data(o, nullptr, false, "tensor");
    Tensor dst = view_of(x, {part->sizes, contiguous_strides(part.sizes()),
                             (p - x.data()) / static_cast<int64_t>(itemsize(x.dtype()))});
    write_into(dst, detach(part));
    p += part.numel() * static_cast<int64_t>(itemsize(x.dtype()));
    return;
  }
  if (dim == x.dim()) {
    put_element(p, x.dtype(), o);
    p += itemsize(x.dtype());
    return;
  }
  Object items = Object::checked(PySequence_Fast(o, "not a sequence"));
  if (PySequence_Fast_GET_SIZE(items.get()) != x.size(dim))
    value_error("expected sequence of length ", x.size(dim), " at dim ", dim, " (got ",
                static_cast<int64_t>(PySequence_Fast_GET_SIZE(items.get())), ")");
  for (int64_t i = 0; i < x.size(dim); ++i)
    put_nested(x, dim + 1, p, PySequence_Fast_GET_ITEM(items.get(), i));
}

bool dtype_of_format(const char* format, Py_ssize_t size, DType& t) {
  while (*format == '<' || *format == '=' || *format == '@' || *format == '|') ++format;
  char c = *format;
  if (c == 'Z') {
    t = format[1] == 'f' ? DType::c64 : DType::c128;
    return format[1] == 'f' || format[1] == 'd';
  }
  if (format[0] && format[1]) return false;
  if (c == '?') t = DType::b8;
  else if (c == 'f') t = DType::f32;
  else if (c == 'd') t = DType::f64;
  else if (c == 'e') t = DType::f16;
  else if (c == 'B' || c == 'c') t = DType::u8;
  else if (strchr("bhilq", c) && c)
    t = size == 1 ? DType::i8 : size == 2 ? DType::i16 : size == 4 ? DType::i32 : DType::i64;
  else return false;
  return true;
}

void release_buffer(void* context) {
  PythonLocked lock;
  auto* buffer = static_cast<Py_buffer*>(context);
  if (Py_IsInitialized()) PyBuffer_Release(buffer);
  delete buffer;
}

}  // namespace

// A tensor on the memory of an object with the buffer protocol; undefined if it has none that fits.
Tensor from_buffer(PyObject* o, bool writable, const char* caller) {
  auto buffer = std::make_unique<Py_buffer>();
  if (PyObject_GetBuffer(o, buffer.get(), writable ? PyBUF_FULL : PyBUF_FULL_RO)) {
    PyErr_Clear();
    return {};
  }
  if (buffer->format && (*buffer->format == '>' || *buffer->format == '!') &&
      buffer->itemsize > 1) {
    PyBuffer_Release(buffer.get());
    value_error(caller,
                ": the array has a byte order other than this machine's; convert it first, with "
                "array.astype(array.dtype.newbyteorder('='))");
  }
  DType t;
  if (!dtype_of_format(buffer->format ? buffer->format : "B", buffer->itemsize, t)) {
    std::string format = buffer->format;
    PyBuffer_Release(buffer.get());
    if (format.back() == 'w' || format.back() == 's') format = "str";
    type_error(
        caller, ": can't convert data of type '", format,
        "'. The only supported types are: float64, "
        "float32, float16, complex64, complex128, int64, int32, int16, int8, uint8, and bool.");
  }
  Layout layout;
  int64_t low = 0;
  for (int i = 0; i < buffer->ndim; ++i) {
    Py_ssize_t stride = buffer->strides[i];
    if (stride < 0 && buffer->shape[i] > 1) low = -1;
    layout.sizes.push_back(buffer->shape[i]);
    layout.strides.push_back(stride / buffer->itemsize);
    if (stride % buffer->itemsize) low = -1;
  }
  if (low < 0) {
    PyBuffer_Release(buffer.get());
    value_error(
        "At least one stride in the given numpy array is negative or not a multiple of the "
        "element size, and tensors with such strides are not supported. (You can work around "
        "this by making a copy of your array with array.copy().)");
  }
  int64_t last = 1;
  for (int i = 0; i < buffer->ndim; ++i) last += (buffer->shape[i] - 1) * layout.strides[i];
  void* data = buffer->buf;
  auto* context = buffer.release();
  StorageRef storage = borrow_storage(
      data, static_cast<size_t>(std::max<int64_t>(last, 0)) * itemsize(t), release_buffer, context);
  return Tensor(TensorRef::adopt(new TensorImpl(std::move(storage), std::move(layout), t)));
}

PyObject* item_of(const Tensor& x) {
  if (x.wrapped()) {
    runtime_error(
        "item() cannot be called on a tensor under a transform (vmap, jvp): its value is not "
        "one number. Control flow on values is not possible there; use where().");
  }
  if (x.numel() != 1)
    runtime_error("a Tensor with ", x.numel(), " elements cannot be converted to Scalar");
  return element(x.data(), x.dtype());
}

PyObject* list_of(const Tensor& x) {
  if (x.wrapped())
    runtime_error("tolist() cannot be called on a tensor under a transform (vmap, jvp)");
  return nested_list(x, 0, x.data());
}

Tensor tensor_from_data(PyObject* data, const DType* dtype, bool copy, const char* caller) {
  if (is_tensor(data)) {
    Tensor x = tensor_of(data);
    if (dtype && *dtype != x.dtype()) return detach(ops::to_dtype(detach(x), *dtype));
    return copy ? ops::clone(detach(x)) : x;
  }
  bool sequence = PyList_Check(data) || PyTuple_Check(data);
  if (!sequence && !PyFloat_CheckExact(data) && !PyLong_CheckExact(data) && !PyBool_Check(data) &&
      (PyObject_CheckBuffer(data) || PyObject_HasAttrString(data, "__array_interface__"))) {
    Object holder = Object::borrowed(data);
    Tensor x = from_buffer(data, false, caller);
    if (!x.defined() && PyObject_HasAttrString(data, "__array__")) {
      Object array = Object::checked(PyObject_CallMethod(data, "__array__", nullptr));
      x = from_buffer(array.get(), false, caller);
    }
    if (!x.defined() && is_array(data))
      type_error(caller,
                 ": can't convert an array of dates, texts or objects: ", Py_TYPE(data)->tp_name);
    if (x.defined()) {
      if (dtype && *dtype != x.dtype()) return ops::to_dtype(x, *dtype);
      return copy ? ops::clone(x) : x;
    }
  }
  Probe probe;
  probe.visit(data, 0);
  DType t = dtype ? *dtype : probe.dtype();
  Tensor x = empty(probe.sizes, t);
  char* p = x.data();
  if (x.numel()) put_nested(x, 0, p, data);
  return x;
}

}  // namespace adj::py
