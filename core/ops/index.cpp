// Indexing by tensors: x[i], x[mask], x[i, :, j] = values. The rules are NumPy's.
#include "ops/index.h"
#include "cpu/gather.h"

namespace adj {

namespace {

// The saved index tensors of a node; entries are undefined where a whole dim is taken.
TensorList saved_list(const Vjp& c, int argument) {
  TensorList list;
  int slot = c.slot(argument), n = c.count(argument);
  for (int k = 0; k < n; ++k) {
    const Saved& saved = c.node.slots[slot + k].saved;
    list.push_back(saved.tensor.defined() || c.node.released ? c.in(argument, k) : Tensor());
  }
  return list;
}

// Where the batch dim goes when a batched tensor is indexed, and the index that does it.
struct BatchedIndex {
  TensorList indices;  // of the tensor with its batch dim
  int dims = 0;        // of the result, the batch dim aside
  Dims to_result;      // permutation that brings the result into order, if there is one
  Dims from_values;    // the inverse, for values that are put
};

BatchedIndex batched_index(const Batch& b) {
  BatchedIndex out;
  const Value& v = b.values[1];
  int slot = 0;
  while (b.argument_of[slot] != 1) ++slot;
  TensorList plain;
  SmallVec<bool, 6> batched;
  bool any = false;
  for (uint32_t k = 0; k < v.length; ++k) {
    const Tensor& x = v.tensors[k];
    bool here = x.defined() && b.batched[slot + static_cast<int>(k)];
    if (here && (x.dtype() == DType::b8 || x.dtype() == DType::u8))
      runtime_error(
          "vmap: a boolean mask that differs from element to element of the batch picks different "
          "numbers of elements; use where(mask, x, other) instead");
    TensorList expanded = expand_masks({&x, 1});
    // The dims that a mask covers may be followed by undefined entries that stand for them.
    for (auto& e : expanded) {
      plain.push_back(e);
      batched.push_back(here);
    }
    for (int skip = expanded.size() - 1;
         skip > 0 && k + 1 < v.length && !v.tensors[k + 1].defined(); --skip)
      ++k;
    any |= here;
  }
  int first = -1, last = -1, used = 0, wide = 0;
  for (int i = 0; i < plain.size(); ++i) {
    if (!plain[i].defined()) continue;
    if (first < 0) first = i;
    last = i;
    ++used;
    wide = std::max(wide, plain[i].dim() - (batched[i] ? 1 : 0));
  }
  bool adjacent = used && last - first + 1 == used;
  out.dims = b.logical_dim(0) - used + wide;
  if (any) {
    Dims column{b.size};
    for (int i = 0; i < wide; ++i) column.push_back(1);
    out.indices.push_back(
        ops::reshape(ops::arange(int64_t{0}, b.size, int64_t{1}, DType::i64), column));
  } else {
    out.indices.push_back({});
  }
  for (int i = 0; i < plain.size(); ++i) {
    Tensor x = plain[i];
    if (batched[i] && x.dim() - 1 < wide) {
      Dims sizes{b.size};
      for (int k = x.dim() - 1; k < wide; ++k) sizes.push_back(1);
      sizes.append(x.sizes().begin() + 1, x.sizes().end());
      x = ops::reshape(x, sizes);
    }
    out.indices.push_back(x);
  }
  // What the indexing gives: [index dims, batch, rest], or [batch, index dims, before, after].
  int moved = !any && !adjacent && used ? wide : 0;  // index dims before the batch dim
  int before = any && adjacent ? first : 0;          // dims to bring before the index dims
  if (!moved && !(before && wide)) return out;
  if (moved) {
    out.to_result.push_back(moved);
    for (int i = 0; i <= out.dims; ++i)
      if (i != moved) out.to_result.push_back(i);
  } else {
    out.to_result.push_back(0);
    for (int i = 0; i < before; ++i) out.to_result.push_back(1 + wide + i);
    for (int i = 0; i < wide; ++i) out.to_result.push_back(1 + i);
    for (int i = 1 + wide + before; i <= out.dims; ++i) out.to_result.push_back(i);
  }
  out.from_values.resize(out.dims + 1);
  for (int i = 0; i <= out.dims; ++i) out.from_values[static_cast<int>(out.to_result[i])] = i;
  return out;
}

struct Index : Linear {
  static Tensor forward(Tensor x, Tensors indices) {
    // The two usual cases: elements by a mask, rows by number.
    int given = indices.size();
    while (given > 1 && !indices[given - 1].defined()) --given;
    if (x.contiguous() && given == 1 && indices[0].defined() && x.dim()) {
      const Tensor& i = indices[0];
      if (i.dtype() == DType::b8 && i.sizes() == x.sizes()) return ops::masked_select(x, i);
      if (is_integral(i.dtype()) && i.dtype() != DType::u8 && indices.size() <= x.dim())
        return rows_of(x, i);
    }
    return take_positions(x, positions_of(x.sizes(), x.strides(), indices));
  }
  static Tensor rows_of(const Tensor& x, const Tensor& given) {
    Tensor index = plain_indices(given);
    const int64_t* at = index.data<int64_t>();
    int64_t n = x.size(0), row = x.sizes().slice(1, x.dim() - 1).product();
    Dims sizes = given.sizes().copy();
    sizes.append(x.sizes().begin() + 1, x.sizes().end());
    Tensor out = empty(sizes, x.dtype());
    if (out.numel() == 0 && row == 0) return out;
    int64_t bad = check_indices(at, index.numel(), n, false);
    if (bad >= 0) {
      bad = check_indices(at, index.numel(), n, true);
      if (bad >= 0)
        index_error("index ", at[bad], " is out of bounds for dimension 0 with size ", n);
      Tensor wrapped = empty(index.sizes(), DType::i64);
      wrap_indices(wrapped.data<int64_t>(), at, index.numel(), n);
      index = wrapped;
    }
    adj::index_select(static_cast<int64_t>(itemsize(x.dtype())), out.data(), x.data(),
                      index.data<int64_t>(), 1, n, index.numel(), row);
    return out;
  }
  static void transpose(Vjp& c) {
    Tensor g = c.g(), zeros = ops::zeros(c.like(0).sizes, g.dtype());
    TensorList indices = saved_list(c, 1);
    bool wrapped = g.wrapped();
    for (auto& i : indices) wrapped |= i.defined() && i.wrapped();
    c.set(0, wrapped ? ops::index_put(zeros, indices, g, true)
                     : ops::index_put.into(zeros, indices, g, true));
  }
  static Outs batch(Batch& b) {
    BatchedIndex at = batched_index(b);
    Tensor y = ops::index(b.expanded(0), at.indices);
    return as_outs(at.to_result.empty() ? y : ops::permute(y, at.to_result));
  }
};
ADJ_OP(Index, "index(input: Tensor, indices: Tensor[]?) -> Tensor", R"(
`input[indices]`: one tensor of integers, one mask or None (the whole dim) for each dim, by NumPy's
rules of advanced indexing. An IndexError for what is out of range.

>>> adjoint.index(adjoint.arange(6).view(2, 3), [None, adjoint.tensor([2, 0])])
tensor([[2, 0],
        [5, 3]])
)");

struct IndexPut : Linear {
  static constexpr uint32_t linear = input(0) | input(2);
  static constexpr bool in_place = true;
  static Outs forward(const Args& a) {
    Tensor self = a[0].as_tensor(), values = a[2].as_tensor();
    Dims strides = a.into ? a.into->strides().copy() : contiguous_strides(self.sizes());
    if (values.dtype() != self.dtype())
      runtime_error("Index put requires the source and destination dtypes match, got ",
                    scalar_name_of(self.dtype()), " for the destination and ",
                    scalar_name_of(values.dtype()), " for the source.");
    Positions at = positions_of(self.sizes(), strides, Get<Tensors>::from(a[1]));
    check_values(values.sizes(), at.result);
    if (a.into && values->storage.get() == self->storage.get()) values = ops::clone(values);
    Tensor out = a.into ? *a.into : ops::contiguous_copy(self);
    put_positions(out, at, values, a[3].as_bool());
    return as_outs(out);
  }
  static void check_values(DimsView values, DimsView result) {
    bool fits = values.size() <= result.size();
    for (int i = 1; fits && i <= values.size(); ++i) {
      int64_t n = values[values.size() - i];
      fits = n == 1 || n == result[result.size() - i];
    }
    if (!fits)
      runtime_error("shape mismatch: value tensor of shape ", values,
                    " cannot be broadcast to indexing result of shape ", result);
  }
  static void transpose(Vjp& c) {
    Tensor g = c.g();
    TensorList indices = saved_list(c, 1);
    if (c.needs(0)) {
      bool accumulate = c.arg<bool>(3);
      c.set(0, accumulate ? g : ops::index_put(g, indices, ops::zeros(Dims{}, g.dtype())));
    }
    if (c.needs(2)) c.set(2, sum_to(ops::index(g, indices), c.like(2)));
  }
  static Outs batch(Batch& b) {
    BatchedIndex at = batched_index(b);
    Tensor values = b.expanded(2);
    if (values.dim() - 1 > at.dims)
      runtime_error("shape mismatch: value tensor of ", values.dim() - 1,
                    " dims cannot be broadcast to an indexing result of ", at.dims);
    Dims sizes{b.size};
    for (int i = values.dim() - 1; i < at.dims; ++i) sizes.push_back(1);
    sizes.append(values.sizes().begin() + 1, values.sizes().end());
    values = ops::reshape(values, sizes);
    if (!at.from_values.empty()) values = ops::permute(values, at.from_values);
    return as_outs(ops::index_put(b.expanded(0), at.indices, values, b.arg<bool>(3)));
  }
};
ADJ_OP(IndexPut,
       "index_put(input: Tensor, indices: Tensor[]?, values: Tensor, accumulate: bool = False) -> "
       "Tensor",
       R"(
`input` with `input[indices] = values`, or with `values` added if `accumulate` is true: then
repeated indices add up. Without it the last of several values for one element counts.

>>> i = (adjoint.tensor([1, 1]),)
>>> adjoint.zeros(3).index_put(i, adjoint.tensor([2., 3.]), accumulate=True)
tensor([0., 5., 0.])
)");

}  // namespace
}  // namespace adj
