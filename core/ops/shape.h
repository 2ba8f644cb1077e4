// What the operators on shapes share: views that autograd follows, and dims beside a batch dim.
#pragma once
#include <algorithm>

#include "ops/kinds/kinds.h"
#include "ops/vocabulary.h"

namespace adj {

// A view that in-place writes follow; for operators that return several.
inline Tensor tracked_view(const Tensor& x, Layout layout) {
  Tensor y = view_of(x, std::move(layout));
  if (modes.track_views) {
    set_base(y, x);
    if (y->base->history && y->base->history->rewrites)
      history_of(y).seen_rewrites = y->base->history->rewrites;
  }
  return y;
}

// Counted from the right, a dim is the same with and without a batch dim at the left.
inline int64_t from_right(int64_t dim, int ndim) {
  return normalize_dim(dim, ndim) - (ndim ? ndim : 1);
}

inline Dims with_batch(const Batch& b, DimsView sizes) {
  Dims all{b.size};
  all.append(sizes.begin(), sizes.end());
  return all;
}

// The tensors of a list argument, each with the batch dim; undefined ones stay so.
inline TensorList expanded_list(const Batch& b, int argument) {
  TensorList all;
  const Value& v = b.values[argument];
  int slot = 0;
  while (b.argument_of[slot] != argument) ++slot;
  for (uint32_t k = 0; k < v.length; ++k, ++slot) {
    const Tensor& x = v.tensors[k];
    if (!x.defined() || b.batched[slot]) all.push_back(x);
    else all.push_back(ops::expand(x, with_batch(b, x.sizes())));
  }
  return all;
}

// A 0-d tensor as one of a single element, for operators along a dim.
inline Tensor at_least_1d(const Tensor& x) { return x.dim() ? x : ops::reshape(x, Dims{1}); }

// The dtype of a gradient brought back to that of the argument.
inline Tensor in_dtype(const Tensor& g, DType dtype) {
  return g.dtype() == dtype ? g : ops::to_dtype(g, dtype);
}

// The sizes without dim `d`, or with another size there.
inline Dims sizes_without(DimsView sizes, int d) {
  Dims out = sizes.copy();
  out.erase(d);
  return out;
}
inline Dims sizes_with(DimsView sizes, int d, int64_t n) {
  Dims out = sizes.copy();
  out[d] = n;
  return out;
}

}  // namespace adj
