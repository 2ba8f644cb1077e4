// Indexing of one dim by a vector: index_select and its kin.
#include "cpu/gather.h"
#include "ops/index.h"

namespace adj {

namespace {

// The index, checked, as a contiguous vector of int64; a 0-d tensor is one of a single element.
Tensor checked_vector(const char* name, const Tensor& index, DimsView sizes, int dim) {
  if (index.dim() > 1)
    index_error(name, "(): Index is supposed to be a vector, got shape ", index.sizes());
  if (index.dtype() != DType::i64 && index.dtype() != DType::i32)
    runtime_error(name, "(): Expected dtype int32 or int64 for index, got ", index.dtype());
  Tensor plain = plain_indices(index);
  int64_t n = sizes.empty() ? 1 : sizes[dim];
  int64_t bad = check_indices(plain.data<int64_t>(), plain.numel(), n, false);
  if (bad >= 0)
    index_error(name, "(): index ", plain.data<int64_t>()[bad], " is out of range for dimension ",
                dim, " with size ", n);
  return view_of(plain, {{plain.numel()}, {1}, plain->offset});
}

// An index [batch, n] in the shape of `like` ([batch, ...]), along its dim `dim`, for gather.
Tensor spread_index(const Tensor& index, DimsView like, int dim) {
  Dims sizes;
  for (int i = 0; i < like.size(); ++i) sizes.push_back(1);
  int64_t n = index.dim() > 1 ? index.size(1) : 1;
  sizes[0] = like[0];
  sizes[dim] = n;
  Dims all = like.copy();
  all[dim] = n;
  return ops::expand(ops::reshape(index, sizes), all);
}

struct IndexSelect : Linear {
  static Tensor forward(Tensor x, int64_t dim, Tensor index) {
    int d = normalize_dim(dim, x.dim());
    index = checked_vector("index_select", index, x.sizes(), d);
    if (x.dim() == 0) {
      if (index.numel() != 1)
        runtime_error("index_select(): Index to scalar can have only 1 value, got ", index.numel(),
                      " value(s)");
      return ops::contiguous_copy(x);
    }
    if (!x.contiguous())
      return take_positions(x, positions_along(x.sizes(), x.strides(), d, index));
    Tensor out = empty(sizes_with(x.sizes(), d, index.numel()), x.dtype());
    adj::index_select(static_cast<int64_t>(itemsize(x.dtype())), out.data(), x.data(),
                      index.data<int64_t>(), x.sizes().slice(0, d).product(), x.size(d),
                      index.numel(), x.sizes().slice(d + 1, x.dim() - d - 1).product());
    return out;
  }
  static void transpose(Vjp& c) {
    Tensor g = c.g(), index = c.in(2), zeros = ops::zeros(c.like(0).sizes, g.dtype());
    int64_t dim = c.arg<int64_t>(1);
    c.set(0, g.wrapped() || index.wrapped() ? ops::index_add(zeros, dim, index, g)
                                            : ops::index_add.into(zeros, dim, index, g));
  }
  static Outs batch(Batch& b) {
    int n = b.logical_dim(0);
    if (n == 0) return batch_by_loop(b);
    int64_t dim = from_right(b.arg<int64_t>(1), n);
    if (!b.is_batched(2)) return as_outs(ops::index_select(b.in(0), dim, b.in(2)));
    Tensor x = b.expanded(0);
    int d = static_cast<int>(dim) + x.dim();
    return as_outs(ops::gather(x, d, spread_index(b.in(2), x.sizes(), d)));
  }
};
ADJ_OP(IndexSelect, "index_select(input: Tensor, dim: int, index: Tensor) -> Tensor", R"(
The positions `index` (a vector of int32 or int64) of `dim`, as a copy. An IndexError for one that
is out of range; negative ones are.

>>> adjoint.index_select(adjoint.tensor([[1, 2], [3, 4]]), 1, adjoint.tensor([1, 1, 0]))
tensor([[2, 2, 1],
        [4, 4, 3]])
)");

// What index_add, index_copy and index_fill share: an index into one dim of `self`.
struct Target {
  Tensor out;  // self, or a copy of it
  Tensor source, index;
  int dim;

  Target(const char* name, const Args& a, bool has_source) {
    Tensor self = a[0].as_tensor();
    int d = dim = normalize_dim(a[1].as_int(), self.dim());
    index = checked_vector(name, a[2].as_tensor(), self.sizes(), d);
    if (has_source) {
      source = a[3].as_tensor();
      if (source.dtype() != self.dtype())
        runtime_error(name, "(): self (", scalar_name_of(self.dtype()), ") and source (",
                      scalar_name_of(source.dtype()), ") must have the same scalar type");
      // index_copy takes a number for a vector of one, and the other way round.
      bool copies = std::string_view(name) == "index_copy";
      int apart = std::abs(source.dim() - self.dim()), lower = std::min(source.dim(), self.dim());
      if (apart && !(copies && lower == 0 && (apart == 1 || source.dim() == 0)))
        runtime_error(name,
                      "(): source tensor shape must match self tensor shape, excluding the "
                      "specified dimension. Got self.shape = ",
                      self.sizes(), " source.shape = ", source.sizes());
      int64_t n = source.dim() ? source.size(self.dim() ? d : 0) : 1;
      if (n != index.numel())
        fail(copies ? ErrorKind::index : ErrorKind::runtime, name, "(): Number of indices (",
             index.numel(), ") should be equal to source.size(dim): (", n, "), for dim: ", d);
      for (int i = 0; i < self.dim() && source.dim(); ++i)
        if (i != d && source.size(i) != self.size(i))
          runtime_error(name, "(): source of shape ", source.sizes(),
                        " does not fit destination of shape ", self.sizes(),
                        " apart from dimension ", d);
      if (a.into && source->storage.get() == self->storage.get()) source = ops::clone(source);
      if (a.into && index->storage.get() == self->storage.get()) index = ops::clone(index);
    }
    out = a.into ? *a.into : ops::contiguous_copy(self);
  }
  void put(const Tensor& values, bool accumulate) const {
    Tensor line = out.dim() ? out : view_of(out, {{1}, {1}, out->offset});
    put_positions(line, positions_along(line.sizes(), line.strides(), dim, index), values,
                  accumulate);
  }
  void add(double alpha) const {
    if (!out.contiguous() || (alpha != 1 && !is_floating(out.dtype()))) {
      put(alpha == 1 ? source : Tensor(ops::mul(source, scalar_tensor(alpha, out.dtype()))), true);
      return;
    }
    Tensor rows = source.contiguous() ? source : Tensor(ops::contiguous_copy(source));
    int64_t outer = out.sizes().slice(0, out.dim() ? dim : 0).product();
    int64_t n = out.dim() ? out.size(dim) : 1,
            inner = n ? out.numel() / n / std::max<int64_t>(outer, 1) : 0;
    if (out.numel())
      adj::index_add(out.dtype(), out.data(), rows.data(), index.data<int64_t>(), outer, n,
                     index.numel(), inner, alpha);
  }
};

struct IndexAdd : Linear {
  static constexpr uint32_t linear = input(0) | input(3);
  static constexpr bool in_place = true;
  static Outs forward(const Args& a) {
    Target t("index_add", a, true);
    double alpha = a[4].as_double();
    if (a[4].tag == Tag::real && !is_differentiable(t.out.dtype()))
      runtime_error(
          "For integral input tensors, argument alpha must not be a floating point number.");
    t.add(alpha);
    return as_outs(t.out);
  }
  static void transpose(Vjp& c) {
    Tensor g = c.g();
    if (c.needs(0)) c.set(0, g);
    if (!c.needs(3)) return;
    Tensor part = ops::index_select(g, c.arg<int64_t>(1), c.in(2));
    if (!(part.sizes() == DimsView(c.like(3).sizes))) part = ops::reshape(part, c.like(3).sizes);
    c.set(3, c.value(4).as_double() == 1 ? part : Tensor(ops::mul(part, c.value(4))));
  }
  static Outs batch(Batch& b) {
    int n = b.logical_dim(0);
    if (n == 0) return batch_by_loop(b);
    int64_t dim = from_right(b.arg<int64_t>(1), n);
    Tensor self = b.expanded(0), source = with_one_dim(b.expanded(3));
    if (!b.is_batched(2)) return as_outs(ops::index_add(self, dim, b.in(2), source, b.values[4]));
    int d = static_cast<int>(dim) + self.dim();
    if (b.values[4].as_double() != 1) source = ops::mul(source, b.values[4]);
    return as_outs(ops::scatter_add(self, d, spread_index(b.in(2), self.sizes(), d), source));
  }
};
ADJ_OP(IndexAdd,
       "index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1) -> "
       "Tensor",
       R"(
`input` with `alpha * source` added at the positions `index` of `dim`; repeated ones add up.

>>> adjoint.zeros(3).index_add(0, adjoint.tensor([0, 2, 2]), adjoint.ones(3))
tensor([1., 0., 2.])
)");

struct IndexCopy : Linear {
  static constexpr uint32_t linear = input(0) | input(3);
  static constexpr bool in_place = true;
  static Outs forward(const Args& a) {
    Target t("index_copy", a, true);
    t.put(t.source, false);
    return as_outs(t.out);
  }
  static void transpose(Vjp& c) {
    Tensor g = c.g();
    if (c.needs(0)) c.set(0, ops::index_fill(g, c.arg<int64_t>(1), c.in(2), 0));
    if (!c.needs(3)) return;
    if (g.dim() == 0) g = ops::reshape(g, Dims{1});
    Tensor part = ops::index_select(g, c.arg<int64_t>(1), c.in(2));
    c.set(3, part.sizes() == DimsView(c.like(3).sizes)
                 ? part
                 : Tensor(ops::reshape(part, c.like(3).sizes)));
  }
  static Outs batch(Batch& b) {
    int n = b.logical_dim(0);
    if (n == 0) return batch_by_loop(b);
    int64_t dim = from_right(b.arg<int64_t>(1), n);
    Tensor self = b.expanded(0), source = with_one_dim(b.expanded(3));
    if (!b.is_batched(2)) return as_outs(ops::index_copy(self, dim, b.in(2), source));
    int d = static_cast<int>(dim) + self.dim();
    return as_outs(ops::scatter(self, d, spread_index(b.in(2), self.sizes(), d), source));
  }
};
ADJ_OP(IndexCopy, "index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor",
       R"(
`input` with the positions `index` of `dim` replaced by those of `source`.

>>> adjoint.zeros(3).index_copy(0, adjoint.tensor([2, 0]), adjoint.tensor([5., 6.]))
tensor([6., 0., 5.])
)");

// Affine in its first argument: tangents are filled with that of the value.
struct IndexFill : Linear {
  static constexpr uint32_t linear = input(0) | input(3);
  static constexpr bool in_place = true;
  static Outs forward(const Args& a) {
    Target t("index_fill", a, false);
    const Value& v = a[3];
    if (v.is_tensor() && v.tensor->sizes.size())
      runtime_error("index_fill_ only supports a 0-dimensional value tensor, but got tensor with ",
                    v.tensor->sizes.size(), " dimension(s).");
    if (v.is_tensor() && is_complex(v.tensor->dtype) && !is_complex(t.out.dtype()))
      runtime_error("value cannot be converted to type ", t.out.dtype(),
                    " without overflow: it is complex");
    Tensor value = v.is_tensor()        ? v.as_tensor()
                   : v.tag == Tag::real ? scalar_tensor(v.real, t.out.dtype())
                                        : scalar_tensor(v.as_int(), t.out.dtype());
    t.put(value, false);
    return as_outs(t.out);
  }
  static void transpose(Vjp& c) {
    Tensor g = c.g();
    Tensor kept = ops::index_fill(g, c.arg<int64_t>(1), c.in(2), 0);
    if (c.needs(0)) c.set(0, kept);
    if (c.needs(3)) c.set(3, sum_to(ops::sub(g, kept), c.like(3)));  // an index may repeat
  }
  static Outs jvp(Jvp& j) {
    Tensor t = j.t(0), v = j.slot(3) >= 0 ? j.t(3) : Tensor();
    if (!t.defined()) t = ops::zeros_like(j.in(0));
    Value value = v.defined() ? Value(v) : Value(0);
    return as_outs(ops::index_fill(t, j.arg<int64_t>(1), j.in(2), value));
  }
  static Outs batch(Batch& b) {
    int n = b.logical_dim(0);
    if (n == 0 || b.is_batched(2) || b.is_batched(3)) return batch_by_loop(b);
    return as_outs(
        ops::index_fill(b.in(0), from_right(b.arg<int64_t>(1), n), b.in(2), b.values[3]));
  }
};
ADJ_OP(IndexFill, "index_fill(input: Tensor, dim: int, index: Tensor, value: Operand) -> Tensor",
       R"(
`input` with `value` at the positions `index` of `dim`.

>>> adjoint.zeros(3).index_fill(0, adjoint.tensor([0, 2]), 1)
tensor([1., 0., 1.])
)");

struct Take : Composite {
  static Tensor define(Tensor x, Tensor index) {
    if (index.dtype() != DType::i64)
      runtime_error("take(): Expected a long tensor for index, but got ",
                    scalar_name_of(index.dtype()));
    TensorList list{index};
    return ops::index(ops::flatten(x), list);
  }
};
ADJ_OP(Take, "take(input: Tensor, index: Tensor) -> Tensor", R"(
The elements with the numbers `index`, counted in row-major order; in the shape of `index`.

>>> adjoint.take(adjoint.tensor([[4, 3], [5, 6]]), adjoint.tensor([0, 3, -1]))
tensor([4, 6, 6])
)");

}  // namespace
}  // namespace adj
