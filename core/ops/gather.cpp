// Elements picked and put along a dim by a tensor of indices: gather, scatter.
#include "cpu/gather.h"
#include "ops/index.h"

namespace adj {

namespace {

// The usual case: x contiguous, the index as large as x but for one dim; [outer, n or m, inner].
struct Lines {
  bool fit;
  int dim;
  int64_t outer = 1, n = 1, m = 1, inner = 1;
  Tensor index;

  Lines(const Tensor& x, int d, const Tensor& given) : dim(d) {
    fit = x.contiguous() && x.dim() == given.dim() && x.dim() && given.numel() &&
          (given.dtype() == DType::i64 || given.dtype() == DType::i32);
    for (int i = 0; fit && i < x.dim(); ++i) {
      (i < d ? outer : i == d ? n : inner) *= x.size(i);
      fit = i == d || x.size(i) == given.size(i);
    }
    if (!fit) return;
    m = given.size(d);
    index = plain_indices(given);
  }
  void check(const char* name) const {
    int64_t bad = check_indices(index.data<int64_t>(), index.numel(), n, false);
    if (bad >= 0)
      runtime_error(name, "(): index ", index.data<int64_t>()[bad],
                    " is out of bounds for dimension ", dim, " with size ", n);
  }
};

}  // namespace

namespace {

bool shares(const Tensor& x, const Tensor& y) { return x->storage.get() == y->storage.get(); }

// What index and src must be, and the part of src that the index covers, side by side.
Tensor covered_source(const char* name, const Tensor& self, const Tensor& index,
                      const Tensor& src) {
  if (src.dtype() != self.dtype())
    runtime_error(name, "(): Expected self.dtype to be equal to src.dtype, got ", self.dtype(),
                  " and ", src.dtype());
  if (index.numel() == 0) return src;
  if (src.dim() != index.dim() && std::max(src.dim(), index.dim()) > 1)
    runtime_error(name,
                  "(): Index tensor must have the same number of dimensions as src tensor: got ",
                  index.sizes(), " and ", src.sizes());
  for (int i = 0; i < index.dim(); ++i)
    if (index.size(i) > (src.dim() ? src.size(i) : 1))
      runtime_error(name, "(): Expected index ", index.sizes(), " to be no larger than src ",
                    src.sizes(), " in every dimension");
  if (src.sizes() == index.sizes() && src.contiguous() && !shares(src, self)) return src;
  Tensor part = empty(index.sizes(), self.dtype());
  write_into(part, src.dim() ? view_of(src, {index->sizes, src->strides, src->offset}) : src);
  return part;
}

}  // namespace

Outs scatter_into(const char* name, const Args& a, const Tensor& source, Put how) {
  Tensor self = a[0].as_tensor(), index = a[2].as_tensor();
  int d = normalize_dim(a[1].as_int(), self.dim());
  Tensor src = covered_source(name, self, index, source);
  if ((how == Put::add || how == Put::copy) && (!a.into || self.contiguous())) {
    Tensor out = a.into ? self : Tensor(ops::contiguous_copy(self));
    if (Lines lines(out, d, index); lines.fit) {
      lines.check(name);
      Tensor at = shares(lines.index, out) ? Tensor(ops::clone(lines.index)) : lines.index;
      if (how == Put::add)
        adj::scatter_add(out.dtype(), out.data(), src.data(), at.data<int64_t>(), lines.outer,
                         lines.n, lines.m, lines.inner);
      else
        adj::scatter(static_cast<int64_t>(itemsize(out.dtype())), out.data(), src.data(),
                     at.data<int64_t>(), lines.outer, lines.n, lines.m, lines.inner);
      return as_outs(out);
    }
  }
  Dims strides = a.into ? a.into->strides().copy() : contiguous_strides(self.sizes());
  Tensor offsets = element_offsets(self.sizes(), strides, d, index, name);
  Tensor out = a.into ? *a.into : ops::contiguous_copy(self);
  put_runs(how, out.dtype())(out.data(), offsets.data<int64_t>(), src.data(), 1, offsets.numel(),
                             1);
  return as_outs(out);
}

Outs scatter_number(const char* name, const Args& a, const Tensor& value) {
  Tensor self = a[0].as_tensor(), index = a[2].as_tensor();
  int d = normalize_dim(a[1].as_int(), self.dim());
  Dims strides = a.into ? a.into->strides().copy() : contiguous_strides(self.sizes());
  Tensor offsets = element_offsets(self.sizes(), strides, d, index, name);
  Tensor out = a.into ? *a.into : ops::contiguous_copy(self);
  put_runs(Put::copy, out.dtype())(out.data(), offsets.data<int64_t>(), value.data(), 0,
                                   offsets.numel(), 1);
  return as_outs(out);
}

Outs batch_scatter(Batch& b) {
  int n = b.logical_dim(0);
  Tensor self = with_one_dim(b.expanded(0)), index = with_one_dim(b.expanded(2)), src;
  b.values[0].tensor = self.get();
  b.values[1] = from_right(b.arg<int64_t>(1), std::max(n, 1));
  b.values[2].tensor = index.get();
  if (b.values[3].is_tensor()) {
    src = with_one_dim(b.expanded(3));
    b.values[3].tensor = src.get();
  }
  Outs outs = b.run();
  if (n == 0) outs[0] = ops::squeeze(outs[0], Dims{1});
  return outs;
}

Tensor put_back(Vjp& c, const Tensor& g, int64_t dim, const Tensor& index) {
  Tensor zeros = ops::zeros(c.like(0).sizes, g.dtype());
  return g.wrapped() || index.wrapped() ? ops::scatter_add(zeros, dim, index, g)
                                        : ops::scatter_add.into(zeros, dim, index, g);
}

Tensor number_as(const Value& v, DType t) {
  return v.tag == Tag::real ? scalar_tensor(v.real, t) : scalar_tensor(v.as_int(), t);
}

Tensor fitted(const Tensor& part, DimsView want) {
  if (part.sizes() == want) return part;
  if (want.size() != part.dim()) return ops::reshape(part, want);
  Dims pad;
  for (int d = want.size() - 1; d >= 0; --d) {
    pad.push_back(0);
    pad.push_back(want[d] - part.size(d));
  }
  return ops::constant_pad_nd(part, pad);
}

namespace {

struct Gather : Linear {
  static Tensor forward(Tensor x, int64_t dim, Tensor index, bool) {
    int d = normalize_dim(dim, x.dim());
    if (Lines a(x, d, index); a.fit) {
      a.check("gather");
      Tensor out = empty(index.sizes(), x.dtype());
      adj::gather(static_cast<int64_t>(itemsize(x.dtype())), out.data(), x.data(),
                  a.index.data<int64_t>(), a.outer, a.n, a.m, a.inner);
      return out;
    }
    return take_elements(x, element_offsets(x.sizes(), x.strides(), d, index, "gather"),
                         index.sizes());
  }
  static void transpose(Vjp& c) { c.set(0, put_back(c, c.g(), c.arg<int64_t>(1), c.in(2))); }
  static Outs batch(Batch& b) {
    int n = std::max(b.logical_dim(0), 1);
    Tensor x = with_one_dim(b.expanded(0)), index = with_one_dim(b.expanded(2));
    Tensor y = ops::gather(x, from_right(b.arg<int64_t>(1), n), index);
    return as_outs(b.logical_dim(2) ? y : ops::squeeze(y, Dims{1}));
  }
};
ADJ_OP(Gather,
       "gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor", R"(
Elements picked along `dim`: for `dim=0`, out[i, j] = input[index[i, j], j]. The result has the
shape of `index`, which has as many dims as `input` and is no larger in the other dims. A
RuntimeError for an index that is out of range.

>>> adjoint.gather(adjoint.tensor([[1, 2], [3, 4]]), 1, adjoint.tensor([[0, 0], [1, 0]]))
tensor([[1, 1],
        [4, 3]])
)");

struct TakeAlongDim : Composite {
  // Indices below 0 count from the end.
  static Tensor take(const Tensor& x, int64_t d, const Tensor& index) {
    int64_t n = x.dim() ? x.size(static_cast<int>(d)) : 1;
    return ops::gather(x, d, ops::where(ops::lt(index, 0), ops::add(index, n), index));
  }
  static Tensor define(Tensor x, Tensor indices, std::optional<int64_t> dim) {
    if (!dim) return take(ops::flatten(x), 0, ops::flatten(indices));
    int d = normalize_dim(*dim, x.dim());
    if (x.dim() != indices.dim())
      runtime_error(
          "torch.take_along_dim(): input and indices should have the same number of dimensions, "
          "but got ",
          x.dim(), " dimensions for input, and ", indices.dim(), " dimensions for indices");
    Dims own = x.sizes().copy(), picked = indices.sizes().copy();
    if (x.dim() == 0) return take(x, 0, indices);
    int64_t n = own[d], m = picked[d];
    own[d] = picked[d] = 1;
    Dims sizes = broadcast_sizes(own, picked);
    return take(ops::expand(x, sizes_with(sizes, d, n)), d,
                ops::expand(indices, sizes_with(sizes, d, m)));
  }
};
ADJ_OP(TakeAlongDim, "take_along_dim(input: Tensor, indices: Tensor, dim: int? = None) -> Tensor",
       R"(
`gather` with `input` and `indices` broadcast against each other but for `dim`; without `dim`, of
both flattened. Negative indices count from the end.

>>> x = adjoint.tensor([[3, 1, 2], [6, 5, 4]])
>>> adjoint.take_along_dim(x, adjoint.argsort(x, 1), dim=1)
tensor([[1, 2, 3],
        [4, 5, 6]])
)");

struct Scatter : Linear {
  static constexpr uint32_t linear = input(0) | input(3);
  static constexpr bool in_place = true;
  static Outs forward(const Args& a) {
    return scatter_into("scatter", a, a[3].as_tensor(), Put::copy);
  }
  static void transpose(Vjp& c) {
    if (c.needs(0)) c.set(0, ops::scatter_value(c.g(), c.arg<int64_t>(1), c.in(2), 0));
    if (c.needs(3))
      c.set(3, fitted(ops::gather(c.g(), c.arg<int64_t>(1), c.in(2)), c.like(3).sizes));
  }
  static Outs batch(Batch& b) { return batch_scatter(b); }
};
ADJ_OP(Scatter, "scatter(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor", R"(
`input` with elements of `src` (or one number) put along `dim`: for `dim=0`,
out[index[i, j], j] = src[i, j]. `index` has as many dims as `input` and `src` and is no larger than
`src`. Of several elements for one place the last counts. A RuntimeError for an index that is out of
range.

>>> adjoint.zeros(2, 2).scatter(1, adjoint.tensor([[1], [0]]), adjoint.tensor([[5.], [6.]]))
tensor([[0., 5.],
        [6., 0.]])
)");

// Affine: the tangent of a number is zero.
struct ScatterValue : Linear {
  static constexpr bool in_place = true;
  static Outs forward(const Args& a) {
    return scatter_number("scatter", a, number_as(a[3], a[0].tensor->dtype));
  }
  static void transpose(Vjp& c) {
    c.set(0, ops::scatter_value(c.g(), c.arg<int64_t>(1), c.in(2), 0));
  }
  static Outs jvp(Jvp& j) {
    return as_outs(ops::scatter_value(j.t(0), j.arg<int64_t>(1), j.in(2), 0));
  }
  static Outs batch(Batch& b) { return batch_scatter(b); }
};
ADJ_OP(ScatterValue,
       "scatter:value/1(input: Tensor, dim: int, index: Tensor, value: Number) -> Tensor", R"(
The same with one number for all places.

>>> adjoint.zeros(2, 2).scatter(1, adjoint.tensor([[1], [0]]), 7)
tensor([[0., 7.],
        [7., 0.]])
)");

struct ScatterAdd : Linear {
  static constexpr uint32_t linear = input(0) | input(3);
  static constexpr bool in_place = true;
  static Outs forward(const Args& a) {
    return scatter_into("scatter_add", a, a[3].as_tensor(), Put::add);
  }
  static void transpose(Vjp& c) {
    if (c.needs(0)) c.set(0, c.g());
    if (c.needs(3))
      c.set(3, fitted(ops::gather(c.g(), c.arg<int64_t>(1), c.in(2)), c.like(3).sizes));
  }
  static Outs batch(Batch& b) { return batch_scatter(b); }
};
ADJ_OP(ScatterAdd, "scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor", R"(
`input` with elements of `src` added along `dim`: for `dim=0`, out[index[i, j], j] += src[i, j];
repeated indices add up.

>>> adjoint.zeros(3).scatter_add(0, adjoint.tensor([0, 2, 2]), adjoint.ones(3))
tensor([1., 0., 2.])
)");

// The older spelling: scatter(..., reduce="add").
Tensor scatter_by(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src,
                  Text reduce) {
  if (reduce == "add") return ops::scatter_add(x, dim, index, src);
  if (reduce == "multiply") return ops::scatter_reduce(x, dim, index, src, "prod", true);
  runtime_error("reduce argument must be either add or multiply, got ", reduce);
}
struct ScatterBy : Composite {
  static constexpr bool in_place = true;
  static Tensor define(Tensor x, int64_t dim, Tensor index, Tensor src, Text reduce) {
    return scatter_by(x, dim, index, src, reduce);
  }
};
ADJ_OP(
    ScatterBy,
    "scatter:reduce(input: Tensor, dim: int, index: Tensor, src: Tensor, *, reduce: str) -> Tensor",
    R"(
With `reduce` "add" or "multiply": see `scatter_reduce`.

>>> adjoint.ones(2).scatter(0, adjoint.tensor([1]), adjoint.tensor([5.]), reduce="add")
tensor([1., 6.])
)");
struct ScatterValueBy : Composite {
  static constexpr bool in_place = true;
  static Tensor define(Tensor x, int64_t dim, Tensor index, Number value, Text reduce) {
    return scatter_by(x, dim, index, ops::full(index.sizes(), value, x.dtype()), reduce);
  }
};
ADJ_OP(ScatterValueBy,
       "scatter:value_reduce(input: Tensor, dim: int, index: Tensor, value: Number, *, reduce: "
       "str) -> Tensor",
       R"(
The same with one number for all places.

>>> adjoint.ones(2).scatter(0, adjoint.tensor([1]), 5, reduce="multiply")
tensor([1., 5.])
)");

}  // namespace
}  // namespace adj
