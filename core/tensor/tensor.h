// A tensor: a storage seen through an offset, sizes and strides, with, lazily, its history.
#pragma once
#include <cstdint>

#include "tensor/counted.h"
#include "tensor/dims.h"
#include "tensor/dtype.h"
#include "tensor/error.h"
#include "tensor/storage.h"

namespace adj {

struct History;  // autograd/history.h: gradient, graph, hooks
struct Level;    // transform/level.h: what a batched or dual tensor wraps
class TensorImpl;
using TensorRef = Ref<TensorImpl>;

struct Layout {
  Dims sizes, strides;  // strides and offset in elements
  int64_t offset = 0;
};

Dims contiguous_strides(DimsView sizes);

enum Flags : uint8_t {
  kRequiresGrad = 1,  // a leaf that wants a gradient, or a result with a graph
  kWrapped = 2,       // batched or dual: only transforms can work with it
  kInference = 4,     // made under inference_mode
  kUntracked = 8,     // from `.data`: writes through it are not counted
  kNumber = 16,       // a Python number in disguise: does not take part in promotion by size
  kNoGradView = 32,   // a view made under no_grad: recorded writes through it would be lost
};

class TensorImpl final : public Counted {
 public:
  TensorImpl(StorageRef storage, Layout layout, DType dtype);
  ~TensorImpl() override;
  void destroy() override;
  void trace(Tracer& tracer) const override;
  static void* operator new(size_t size);
  static void operator delete(void* p, size_t size);

  StorageRef storage;
  Dims sizes, strides;
  int64_t offset = 0;
  int64_t numel = 1;
  char* data = nullptr;
  DType dtype = DType::f32;
  uint8_t flags = 0;
  bool contiguous = true;
  History* history = nullptr;
  Level* level = nullptr;
  TensorRef base;  // of a view that autograd follows: the tensor at the root of its chain of views

  void set_layout(Layout layout);
};

// A handle, counted. An empty one is an undefined tensor (an absent gradient, `None`).
class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(TensorRef impl) : impl_(std::move(impl)) {}
  explicit Tensor(TensorImpl* impl) : impl_(impl) {}

  bool defined() const { return static_cast<bool>(impl_); }
  TensorImpl* get() const { return impl_.get(); }
  TensorImpl* operator->() const { return impl_.get(); }
  const TensorRef& ref() const { return impl_; }
  TensorRef take() && { return std::move(impl_); }

  int dim() const { return impl_->sizes.size(); }
  DimsView sizes() const { return impl_->sizes; }
  DimsView strides() const { return impl_->strides; }
  int64_t size(int d) const { return impl_->sizes[d < 0 ? d + dim() : d]; }
  int64_t stride(int d) const { return impl_->strides[d < 0 ? d + dim() : d]; }
  int64_t numel() const { return impl_->numel; }
  DType dtype() const { return impl_->dtype; }
  Device device() const { return impl_->storage->device; }
  bool contiguous() const { return impl_->contiguous; }
  bool requires_grad() const { return impl_->flags & kRequiresGrad; }
  bool wrapped() const { return impl_->flags & kWrapped; }
  Layout layout() const { return {impl_->sizes, impl_->strides, impl_->offset}; }
  template <class T = char>
  T* data() const {
    return reinterpret_cast<T*>(impl_->data);
  }
  bool same(const Tensor& other) const { return impl_ == other.impl_; }

 private:
  TensorRef impl_;
};

// A tensor given to a function: a pointer that the caller keeps alive.
using TensorList = SmallVec<Tensor, 2>;

Tensor empty(DimsView sizes, DType dtype, Device device = {});
Tensor empty_strided(DimsView sizes, DimsView strides, DType dtype, Device device = {});
// The same memory seen through another layout (or as another dtype of the same size); no history.
Tensor view_of(const Tensor& x, Layout layout);
Tensor view_of(const Tensor& x, Layout layout, DType dtype);
Tensor alias_of(const Tensor& x);
// One element without dims, of a number.
Tensor scalar_tensor(double value, DType dtype);
Tensor scalar_tensor(int64_t value, DType dtype);

// Counts a write: tensors saved for backward before it are stale from now on.
inline void bump_version(const Tensor& x, const char* writer) {
  if (x->flags & kUntracked) return;
  x->storage->version.fetch_add(1, std::memory_order_relaxed);
  x->storage->last_writer.store(writer, std::memory_order_relaxed);
}
inline uint32_t version_of(const Tensor& x) {
  return x->storage->version.load(std::memory_order_relaxed);
}

// Sizes after broadcasting by NumPy's rules; an error names both.
Dims broadcast_sizes(DimsView a, DimsView b, const char* caller = nullptr);
// `dim` counted from the left, in [0, ndim); an IndexError otherwise. A 0-d tensor has dims -1 and
// 0.
int normalize_dim(int64_t dim, int ndim);
// Whether two elements of this layout share memory (expanded tensors do).
bool overlaps_itself(DimsView sizes, DimsView strides);
bool is_contiguous(DimsView sizes, DimsView strides);

}  // namespace adj
