// An advanced index, x[i, :, mask], in a plain form: offsets into x, and the dims beside them.
#pragma once
#include "ops/shape.h"

namespace adj {

struct Positions {
  Dims shape;      // of the index tensors, broadcast together
  Tensor offsets;  // one per element of that shape, in elements of x; int64
  Dims rest_sizes, rest_strides; // of the dims that are taken whole
  int before = 0;                // how many of these come before `shape` in the result
  Dims result;                   // sizes of x[index]
};

// Masks as the index tensors of their true elements; every entry is then an integer tensor or
// undefined, one per dim. Undefined entries behind a mask of several dims may stand for those.
TensorList expand_masks(Tensors indices);

// Of a tensor with these sizes and strides. An IndexError for what is out of range.
Positions positions_of(DimsView sizes, DimsView strides, Tensors indices);
// Of one dim, by a vector of indices that have been checked.
Positions positions_along(DimsView sizes, DimsView strides, int dim, const Tensor& index);

// x[positions] in row-major order.
Tensor take_positions(const Tensor& x, const Positions& at);
// x[positions] = values (or += values), broadcast; positions are visited in order.
void put_positions(const Tensor& x, const Positions& at, const Tensor& values, bool accumulate);

// For each element of `index`: the offset of the element of a tensor (of these sizes and strides)
// whose position is that of the index, but for dim `dim`, where it is the index. A RuntimeError for
// what is out of range or does not fit.
Tensor element_offsets(DimsView sizes, DimsView strides, int dim, const Tensor& index,
                       const char* name);
// x at these offsets, as a contiguous tensor of shape `sizes`.
Tensor take_elements(const Tensor& x, const Tensor& offsets, DimsView sizes);

// How values are put: in the order of the names that users write.
enum class Put : uint8_t { copy, add, mul, amax, amin };
// For each i < n: dst[offsets[i] + j] = src[i * src_step + j] for j < run.
using PutRuns = void (*)(void* dst, const int64_t* offsets, const void* src, int64_t src_step,
                         int64_t n, int64_t run);
PutRuns put_runs(Put how, DType t);

// The writes of the scatter family: arguments (self, dim, index, ...), and what to put.
Outs scatter_into(const char* name, const Args& a, const Tensor& source, Put how);
// One element of the tensor's own dtype at all places.
Outs scatter_number(const char* name, const Args& a, const Tensor& value);
Outs batch_scatter(Batch& b);
// A gradient picked for a source that may be larger than its index: zeros are added behind.
Tensor fitted(const Tensor& part, DimsView want);
Tensor number_as(const Value& v, DType t);

// The indices among a node's results, which have no history.
inline Tensor saved_indices(const Vjp& c, int output) {
  return c.node.unpack(c.node.outs[output], "result");
}
// Zeros in the shape of argument 0 of a node, with g put at `index` along a dim: the gradient of
// what picks elements along a dim.
Tensor put_back(Vjp& c, const Tensor& g, int64_t dim, const Tensor& index);

// [batch] as [batch, 1] where a 0-d tensor was mapped over.
inline Tensor with_one_dim(const Tensor& x) { return x.dim() == 1 ? ops::unsqueeze(x, 1) : x; }

// Indices as contiguous int64.
Tensor plain_indices(const Tensor& index);

// f(offset in a, offset in b) for every position of a box.
template <class F>
void for_each_offset(DimsView sizes, DimsView a, DimsView b, const F& f) {
  int n = sizes.size();
  for (int64_t s : sizes)
    if (s == 0) return;
  Dims at(n);
  for (auto& i : at) i = 0;
  int64_t x = 0, y = 0;
  while (true) {
    f(x, y);
    int d = n - 1;
    for (; d >= 0; --d) {
      x += a[d];
      y += b[d];
      if (++at[d] < sizes[d]) break;
      x -= sizes[d] * a[d];
      y -= sizes[d] * b[d];
      at[d] = 0;
    }
    if (d < 0) return;
  }
}

}  // namespace adj
