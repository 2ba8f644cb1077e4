// DLPack: memory shared with other libraries, on the CPU. The layouts are those of the DLPack
// specification, version 1.0 (dmlc/dlpack).
#include <nanobind/nanobind.h>

#include <cstring>

#include "autograd/history.h"
#include "autograd/python_lock.h"
#include "bind/casters.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace adj::py {

namespace {

struct DLDevice {
  int32_t type;  // 1: CPU
  int32_t id;
};
struct DLType {
  uint8_t code;  // 0 int, 1 unsigned, 2 float, 4 bfloat, 5 complex, 6 bool
  uint8_t bits;
  uint16_t lanes;
};
struct DLTensor {
  void* data;
  DLDevice device;
  int32_t ndim;
  DLType dtype;
  int64_t* shape;
  int64_t* strides;  // in elements; null if contiguous
  uint64_t byte_offset;
};
struct Managed {
  DLTensor tensor;
  void* context;
  void (*deleter)(Managed*);
};
struct ManagedVersioned {
  uint32_t major, minor;
  void* context;
  void (*deleter)(ManagedVersioned*);
  uint64_t flags;  // bit 0: read-only
  DLTensor tensor;
};

DLType type_of(DType t) {
  auto bits = static_cast<uint8_t>(itemsize(t) * 8);
  switch (t) {
    case DType::b8: return {6, bits, 1};
    case DType::u8: return {1, bits, 1};
    case DType::bf16: return {4, bits, 1};
    default: return {static_cast<uint8_t>(is_complex(t) ? 5 : is_floating(t) ? 2 : 0), bits, 1};
  }
}

DType dtype_of(DLType t) {
  if (t.lanes == 1)
    for (int i = 0; i < kDTypes; ++i) {
      DLType known = type_of(static_cast<DType>(i));
      if (known.code == t.code && known.bits == t.bits) return static_cast<DType>(i);
    }
  runtime_error("from_dlpack: unsupported type: code ", static_cast<int>(t.code), ", ",
                static_cast<int>(t.bits), " bits, ", static_cast<int>(t.lanes), " lanes");
}

// What an exported tensor needs: freed by whoever took it, with or without the interpreter's lock.
template <class M>
struct Exported {
  M managed;
  Tensor tensor;
  Dims shape, strides;
};

template <class M>
void free_exported(M* m) {
  delete static_cast<Exported<M>*>(m->context);
}

template <class M>
constexpr const char* kName = "dltensor";
template <>
constexpr const char* kName<ManagedVersioned> = "dltensor_versioned";

template <class M>
void free_capsule(PyObject* capsule) {
  // Renamed once somebody has taken it.
  if (!PyCapsule_IsValid(capsule, kName<M>)) return;
  auto* m = static_cast<M*>(PyCapsule_GetPointer(capsule, kName<M>));
  m->deleter(m);
}

template <class M>
nb::object capsule_of(const Tensor& x, bool copied) {
  auto* e = new Exported<M>{{}, detach(x), x.sizes().copy(), x.strides().copy()};
  e->managed.tensor = {x.data(),          {1, 0}, x.dim(), type_of(x.dtype()), e->shape.data(),
                       e->strides.data(), 0};
  e->managed.context = e;
  e->managed.deleter = free_exported<M>;
  if constexpr (std::is_same_v<M, ManagedVersioned>) {
    e->managed.major = 1;
    e->managed.flags = copied ? 2 : 0;  // bit 1: the memory is the taker's alone
  }
  PyObject* capsule = PyCapsule_New(&e->managed, kName<M>, free_capsule<M>);
  if (!capsule) {
    delete e;
    throw PythonError();
  }
  return nb::steal(capsule);
}

nb::object to_dlpack(Tensor x, bool versioned, bool copied) {
  if (x.wrapped())
    runtime_error("__dlpack__ cannot be called on a tensor under a transform (vmap, jvp)");
  return versioned ? capsule_of<ManagedVersioned>(x, copied) : capsule_of<Managed>(x, copied);
}

template <class M>
void release(void* context) {
  PythonLocked lock;  // the owner may be a Python object
  auto* m = static_cast<M*>(context);
  if (m->deleter && Py_IsInitialized()) m->deleter(m);
}

template <class M>
Tensor adopt(PyObject* capsule, const char* name, const char* used) {
  auto* m = static_cast<M*>(PyCapsule_GetPointer(capsule, name));
  const DLTensor& t = m->tensor;
  if (t.device.type != 1)
    runtime_error(
        "from_dlpack: only memory of the CPU (device type 1) can be taken, got device type ",
        t.device.type);
  DType dtype = dtype_of(t.dtype);
  Layout layout;
  int64_t last = 0;
  bool empty = false;
  for (int i = 0; i < t.ndim; ++i) {
    layout.sizes.push_back(t.shape[i]);
    empty |= t.shape[i] == 0;
  }
  layout.strides = contiguous_strides(layout.sizes);
  for (int i = 0; i < t.ndim; ++i) {
    if (t.strides && !empty) layout.strides[i] = t.strides[i];
    if (layout.strides[i] < 0 && layout.sizes[i] > 1)
      value_error("from_dlpack: strides must not be negative, got ", layout.strides,
                  "; copy the array first");
    last += (layout.sizes[i] - 1) * layout.strides[i];
  }
  auto bytes = empty ? 0 : static_cast<size_t>(last + 1) * itemsize(dtype);
  char* data = static_cast<char*>(t.data) + t.byte_offset;
  if (PyCapsule_SetName(capsule, used)) throw PythonError();
  StorageRef storage = borrow_storage(data, bytes, release<M>, m);
  return Tensor(TensorRef::adopt(new TensorImpl(std::move(storage), std::move(layout), dtype)));
}

Tensor from_dlpack(nb::handle capsule) {
  PyObject* o = capsule.ptr();
  if (PyCapsule_IsValid(o, "dltensor_versioned")) {
    auto* m = static_cast<ManagedVersioned*>(PyCapsule_GetPointer(o, "dltensor_versioned"));
    if (m->major > 1)
      runtime_error("from_dlpack: DLPack version ", m->major, ".", m->minor, " is not known here");
    return adopt<ManagedVersioned>(o, "dltensor_versioned", "used_dltensor_versioned");
  }
  if (PyCapsule_IsValid(o, "dltensor")) return adopt<Managed>(o, "dltensor", "used_dltensor");
  if (PyCapsule_CheckExact(o))
    runtime_error(
        "from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed only "
        "once, "
        "so you might have already constructed a tensor from it once.");
  type_error("from_dlpack expects an object with __dlpack__ or a capsule, got ",
             Py_TYPE(o)->tp_name);
}

}  // namespace

void bind_dlpack(nb::module_& m) {
  m.def("_to_dlpack", to_dlpack, "x"_a, "versioned"_a = false, "copied"_a = false);
  m.def("_from_dlpack", from_dlpack);
}

}  // namespace adj::py
