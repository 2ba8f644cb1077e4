#include "tensor/tensor.h"

#include <algorithm>

#include <atomic>
#include <cstring>
#include <vector>

#include "cpu/allocator.h"
#include "cpu/cast.h"

namespace adj {

namespace {
std::atomic<DType> default_floating{DType::f32};

constexpr size_t kAlign = 64;
static_assert(sizeof(Storage) <= kAlign, "the header of a storage takes one cache line");

void release_owned(Storage* s) {
  size_t bytes = kAlign + s->nbytes;
  s->~Storage();
  deallocate(s, bytes);
}

void release_borrowed(Storage* s) {
  auto* owner = static_cast<std::pair<void (*)(void*), void*>*>(s->context);
  if (owner->first) owner->first(owner->second);
  delete owner;
  s->~Storage();
  deallocate(s, kAlign);
}
}  // namespace

DType default_dtype() { return default_floating.load(std::memory_order_relaxed); }
void set_default_dtype(DType t) { default_floating.store(t, std::memory_order_relaxed); }

StorageRef make_storage(size_t nbytes, Device device) {
  if (device.type != DeviceType::cpu) runtime_error("this build of adjoint has no CUDA devices");
  auto* s = new (allocate(kAlign + nbytes)) Storage;
  s->nbytes = nbytes;
  s->device = device;
  s->data = reinterpret_cast<char*>(s) + kAlign;
  s->release = release_owned;
  return StorageRef(s);
}

StorageRef borrow_storage(void* data, size_t nbytes, void (*release)(void*), void* context) {
  auto* s = new (allocate(kAlign)) Storage;
  s->nbytes = nbytes;
  s->data = static_cast<char*>(data);
  s->release = release_borrowed;
  s->context = new std::pair<void (*)(void*), void*>(release, context);
  return StorageRef(s);
}

Dims contiguous_strides(DimsView sizes) {
  Dims strides(sizes.size());
  int64_t step = 1;
  for (int i = sizes.size() - 1; i >= 0; --i) {
    strides[i] = step;
    step *= sizes[i] > 0 ? sizes[i] : 1;
  }
  return strides;
}

bool is_contiguous(DimsView sizes, DimsView strides) {
  int64_t step = 1;
  for (int i = sizes.size() - 1; i >= 0; --i) {
    if (sizes[i] == 0) return true;
    if (sizes[i] != 1 && strides[i] != step) return false;
    step *= sizes[i];
  }
  return true;
}

bool overlaps_itself(DimsView sizes, DimsView strides) {
  SmallVec<int, 8> order;  // the dims that step, by stride
  int64_t numel = 1, span = 1;
  for (int i = 0; i < sizes.size(); ++i) {
    numel *= sizes[i];
    if (sizes[i] <= 1) continue;
    if (strides[i] == 0) return numel != 0;
    span += (sizes[i] - 1) * strides[i];
    order.push_back(i);
  }
  if (numel == 0) return false;
  std::sort(order.begin(), order.end(), [&](int a, int b) { return strides[a] < strides[b]; });
  bool nested = true;  // each step leaves what is inside behind
  int64_t inner = 1;
  for (int i : order) {
    nested = nested && strides[i] >= inner;
    inner += (sizes[i] - 1) * strides[i];
  }
  if (nested) return false;
  if (numel > span) return true;
  std::vector<bool> seen(static_cast<size_t>(span));
  Dims at(sizes.size());
  for (int64_t offset = 0;;) {
    if (seen[static_cast<size_t>(offset)]) return true;
    seen[static_cast<size_t>(offset)] = true;
    int d = sizes.size() - 1;
    while (d >= 0 && ++at[d] == sizes[d]) {
      offset -= (sizes[d] - 1) * strides[d];
      at[d--] = 0;
    }
    if (d < 0) return false;
    offset += strides[d];
  }
}

TensorImpl::TensorImpl(StorageRef storage, Layout layout, DType dtype)
    : storage(std::move(storage)), dtype(dtype) {
  set_layout(std::move(layout));
}

void TensorImpl::set_layout(Layout layout) {
  sizes = std::move(layout.sizes);
  strides = std::move(layout.strides);
  offset = layout.offset;
  numel = DimsView(sizes).product();
  contiguous = is_contiguous(sizes, strides);
  data = storage ? storage->data + offset * static_cast<int64_t>(itemsize(dtype)) : nullptr;
}

void* TensorImpl::operator new(size_t size) { return allocate(size); }
void TensorImpl::operator delete(void* p, size_t size) { deallocate(p, size); }

Tensor empty(DimsView sizes, DType dtype, Device device) {
  int64_t numel = 1;
  for (int64_t s : sizes) {
    if (s < 0) runtime_error("a tensor cannot have a negative dimension: got size ", sizes);
    if (__builtin_mul_overflow(numel, s, &numel) || numel > (int64_t{1} << 46))
      fail(ErrorKind::memory, "a tensor of size ", sizes, " and dtype ", dtype,
           " is larger than memory can be");
  }
  Layout layout{sizes.copy(), contiguous_strides(sizes), 0};
  size_t bytes = static_cast<size_t>(numel) * itemsize(dtype);
  return Tensor(
      TensorRef::adopt(new TensorImpl(make_storage(bytes, device), std::move(layout), dtype)));
}

Tensor empty_strided(DimsView sizes, DimsView strides, DType dtype, Device device) {
  int64_t last = 0;
  for (int i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == 0) return view_of(empty({0}, dtype, device), {sizes.copy(), strides.copy(), 0});
    last += (sizes[i] - 1) * strides[i];
  }
  Tensor flat = empty({last + 1}, dtype, device);
  return view_of(flat, {sizes.copy(), strides.copy(), 0});
}

Tensor view_of(const Tensor& x, Layout layout) { return view_of(x, std::move(layout), x.dtype()); }
Tensor view_of(const Tensor& x, Layout layout, DType dtype) {
  Tensor y(TensorRef::adopt(new TensorImpl(x->storage, std::move(layout), dtype)));
  y->flags = x->flags & (kUntracked | kInference);
  return y;
}

Tensor alias_of(const Tensor& x) { return view_of(x, x.layout()); }

Tensor scalar_tensor(double value, DType dtype) {
  Tensor x = empty({}, dtype);
  if (dtype == DType::f32) *x.data<float>() = static_cast<float>(value);
  else if (dtype == DType::f64) *x.data<double>() = value;
  else {
    Tensor source = scalar_tensor(value, DType::f64);
    convert_run(x.data(), dtype, source.data(), DType::f64, 1);
  }
  return x;
}

Tensor scalar_tensor(int64_t value, DType dtype) {
  if (is_differentiable(dtype)) return scalar_tensor(static_cast<double>(value), dtype);
  Tensor x = empty({}, dtype);
  convert_run(x.data(), dtype, &value, DType::i64, 1);
  return x;
}

Dims broadcast_sizes(DimsView a, DimsView b, const char* caller) {
  if (a == b) return a.copy();
  int n = a.size() > b.size() ? a.size() : b.size();
  Dims out(n);
  for (int i = 1; i <= n; ++i) {
    int64_t x = i <= a.size() ? a[a.size() - i] : 1;
    int64_t y = i <= b.size() ? b[b.size() - i] : 1;
    if (x != y && x != 1 && y != 1)
      runtime_error("The size of tensor a (", x, ") must match the size of tensor b (", y,
                    ") at non-singleton dimension ", n - i, ": shapes ", a, " and ", b,
                    " cannot be broadcast together", caller ? " by " : "", caller ? caller : "");
    out[n - i] = x == 1 ? y : x;
  }
  return out;
}

int normalize_dim(int64_t dim, int ndim) {
  int64_t range = ndim > 0 ? ndim : 1;
  if (dim < -range || dim >= range)
    index_error("Dimension out of range (expected to be in range of [", -range, ", ", range - 1,
                "], but got ", dim, ")");
  return static_cast<int>(dim < 0 ? dim + range : dim);
}

}  // namespace adj
