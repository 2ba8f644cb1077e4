// Rows of a table picked by index, and one-hot vectors.
#include "ops/embedding.h"

#include "cpu/gather.h"
#include "ops/index.h"

namespace adj {

namespace {

// The indices as contiguous int64, each in [0, rows).
Tensor checked_indices(const Tensor& indices, int64_t rows) {
  if (indices.dtype() != DType::i64 && indices.dtype() != DType::i32)
    runtime_error(
        "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
        "Long, Int; "
        "but got ",
        scalar_name_of(indices.dtype()), " instead (while checking arguments for embedding)");
  Tensor plain = plain_indices(indices);
  int64_t bad = check_indices(plain.data<int64_t>(), plain.numel(), rows, false);
  if (bad >= 0)
    index_error("index out of range in self: index ", plain.data<int64_t>()[bad],
                " of an embedding with ", rows, " rows");
  return plain;
}

Dims row_sizes(DimsView indices, int64_t width) {
  Dims sizes = indices.copy();
  sizes.push_back(width);
  return sizes;
}

struct Embedding : Rule {
  static constexpr uint32_t saves = input(1);
  static constexpr bool is_method = false;
  static Tensor forward(Tensor weight, Tensor indices, int64_t, bool, bool) {
    if (weight.dim() != 2) runtime_error("'weight' must be 2-D, got shape ", weight.sizes());
    Tensor index = checked_indices(indices, weight.size(0));
    if (!weight.contiguous()) weight = ops::contiguous_copy(weight);
    Tensor out = empty(row_sizes(indices.sizes(), weight.size(1)), weight.dtype());
    adj::index_select(static_cast<int64_t>(itemsize(weight.dtype())), out.data(), weight.data(),
                      index.data<int64_t>(), 1, weight.size(0), index.numel(), weight.size(1));
    return out;
  }
  static void vjp(Vjp& c) {
    c.set(0, ops::embedding_backward(c.g(), c.in(1), c.like(0).sizes[0], c.arg<int64_t>(2),
                                     c.arg<bool>(3)));
  }
  // The row of padding is a constant in both modes.
  static Outs jvp(Jvp& j) {
    int64_t padding = j.arg<int64_t>(2);
    Tensor t = j.t(0);
    if (padding >= 0) t = ops::index_fill(t, 0, ops::full(Dims{1}, padding, DType::i64), 0);
    return as_outs(ops::embedding(t, j.in(1), padding));
  }
  static Outs batch(Batch& b) {
    Tensor weight = b.in(0), indices = b.in(1);
    if (!b.is_batched(0)) return b.run();
    if (b.logical_dim(0) != 2)
      runtime_error("'weight' must be 2-D, got ", b.logical_dim(0), " dims");
    int64_t n = weight.size(1), width = weight.size(2);
    if (b.is_batched(1)) {
      if (b.arg<int64_t>(2) >= 0 || b.arg<bool>(3)) return batch_by_loop(b);
      // gather checks the index, so the rows of another sample cannot be reached.
      Dims sizes = indices.sizes().copy();
      int64_t m = indices.sizes().slice(1, indices.dim() - 1).product();
      Tensor flat = ops::expand(ops::reshape(indices, Dims{b.size, m, 1}), Dims{b.size, m, width});
      return as_outs(ops::reshape(ops::gather(weight, 1, flat), row_sizes(sizes, width)));
    }
    // Side by side: a table of rows [batch * width].
    Tensor table = ops::reshape(ops::transpose(weight, 0, 1), Dims{n, b.size * width});
    Tensor rows = ops::embedding(table, indices, b.values[2], b.values[3]);
    rows = ops::reshape(rows, row_sizes(row_sizes(indices.sizes(), b.size), width));
    return as_outs(ops::movedim(rows, Dims{-2}, Dims{0}));
  }
};
ADJ_OP(Embedding,
       "embedding(weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool "
       "= False, "
       "sparse: bool = False) -> Tensor",
       R"(
The rows `indices` of a matrix, in the shape of `indices` with one dim more. The row `padding_idx`
gets no gradient; with `scale_grad_by_freq` gradients are divided by how often an index occurs.

>>> adjoint.embedding(adjoint.tensor([[1., 2.], [3., 4.]]), adjoint.tensor([1, 1]))
tensor([[3., 4.],
        [3., 4.]])
)");

struct EmbeddingTranspose : Linear {
  static constexpr bool is_method = false;
  static Tensor forward(Tensor g, Tensor indices, int64_t rows, int64_t padding,
                        bool by_frequency) {
    Tensor index = checked_indices(indices, rows);
    int64_t width = g.dim() ? g.size(-1) : 1;
    Tensor out = ops::zeros(Dims{rows, width}, g.dtype());
    Tensor source = g.contiguous() ? g : Tensor(ops::contiguous_copy(g));
    adj::index_add(g.dtype(), out.data(), source.data(), index.data<int64_t>(), 1, rows,
                   index.numel(), width, 1);
    if (padding >= 0 && padding < rows)
      write_into(ops::select(out, 0, padding), scalar_tensor(int64_t{0}, g.dtype()));
    if (by_frequency) out = ops::div(out, counts(index, rows, g.dtype()));
    return out;
  }
  // How often each row was picked, but at least once; [rows, 1].
  static Tensor counts(const Tensor& indices, int64_t rows, DType t) {
    Tensor flat = ops::flatten(indices);
    Tensor times = ops::index_add(ops::zeros(Dims{rows}, t), 0, flat, ops::ones(flat.sizes(), t));
    return ops::unsqueeze(ops::maximum(times, ops::ones(Dims{}, t)), -1);
  }
  static Tensor transpose(Tensor g, const TensorMeta&, Tensor indices, int64_t rows,
                          int64_t padding, bool by_frequency) {
    if (padding >= 0 && padding < rows)
      g = ops::index_fill(g, 0, ops::full(Dims{1}, padding, DType::i64), 0);
    if (by_frequency) g = ops::div(g, counts(indices, rows, g.dtype()));
    return ops::embedding(g, indices);
  }
  static Outs batch(Batch& b) {
    int64_t rows = b.arg<int64_t>(2), padding = b.arg<int64_t>(3);
    if (b.arg<bool>(4)) return batch_by_loop(b);
    Tensor g = b.expanded(0);
    int64_t width = g.size(-1);
    if (!b.is_batched(1)) {  // side by side
      g = ops::reshape(ops::movedim(g, Dims{0}, Dims{-2}),
                       row_sizes(b.in(1).sizes(), b.size * width));
      Tensor out = ops::embedding_backward(g, b.in(1), rows, padding, false);
      return as_outs(ops::transpose(ops::reshape(out, Dims{rows, b.size, width}), 0, 1));
    }
    Tensor indices = b.in(1);
    int64_t m = indices.sizes().slice(1, indices.dim() - 1).product();
    Tensor flat = ops::expand(ops::reshape(indices, Dims{b.size, m, 1}), Dims{b.size, m, width});
    Tensor zeros = ops::zeros(Dims{b.size, rows, width}, g.dtype());
    Tensor out = ops::scatter_add(zeros, 1, flat, ops::reshape(g, Dims{b.size, m, width}));
    if (padding >= 0 && padding < rows)
      out = ops::index_fill(out, 1, ops::full(Dims{1}, padding, DType::i64), 0);
    return as_outs(out);
  }
};
ADJ_OP(EmbeddingTranspose,
       "_nodes.embedding_backward(grad_output: Tensor, indices: Tensor, num_weights: int, "
       "padding_idx: int = -1, "
       "scale_grad_by_freq: bool = False) -> Tensor",
       R"(
Rows added up in a matrix of `num_weights` rows, at `indices`: the transpose of `embedding`.

>>> from adjoint import _core
>>> backward = _core._namespaces["_nodes"]["embedding_backward"]
>>> backward(adjoint.ones(2, 2), adjoint.tensor([1, 1]), 2)
tensor([[0., 0.],
        [2., 2.]])
)");

struct EmbeddingFunction : Composite {
  static Tensor define(Tensor input, Tensor weight, std::optional<int64_t> padding_idx,
                       std::optional<double> max_norm, double norm_type, bool scale_grad_by_freq,
                       bool) {
    int64_t padding = -1;
    if (padding_idx) {
      int64_t rows = weight.dim() ? weight.size(0) : 0;
      padding = *padding_idx < 0 ? *padding_idx + rows : *padding_idx;
      if (padding < 0 || padding >= rows)
        value_error("Padding_idx must be within num_embeddings: got ", *padding_idx, " for ", rows,
                    " rows");
    }
    if (max_norm) renormalise_rows(weight, input, *max_norm, norm_type);
    return ops::embedding(weight, input, padding, scale_grad_by_freq);
  }
};
ADJ_OP(EmbeddingFunction,
       "nn.functional.embedding(input: Tensor, weight: Tensor, padding_idx: int? = None, max_norm: "
       "float? = None, "
       "norm_type: float = 2, scale_grad_by_freq: bool = False, sparse: bool = False) -> Tensor",
       R"(
The rows `input` (integers of any shape) of the matrix `weight`: shape `input.shape + (columns,)`.
The row `padding_idx` gets no gradient; with `scale_grad_by_freq` gradients are divided by how
often an index occurs. Gradients are dense: `sparse` is accepted and ignored. An IndexError for an
index out of range. Rows whose p-norm (`norm_type`) exceeds `max_norm` are first scaled down, in place.

>>> w = adjoint.tensor([[1., 2.], [3., 4.]])
>>> adjoint.nn.functional.embedding(adjoint.tensor([[1], [0]]), w)
tensor([[[3., 4.]],
<BLANKLINE>
        [[1., 2.]]])
)");

struct OneHot : Constant {
  static Tensor forward(Tensor x, int64_t classes) {
    if (!is_integral(x.dtype()) || x.dtype() != DType::i64)
      runtime_error("one_hot is only applicable to index tensor of type LongTensor, got ",
                    x.dtype());
    if (x.numel() == 0 && classes <= 0)
      runtime_error("Can not infer total number of classes from empty tensor.");
    Tensor plain = plain_indices(x);
    const int64_t* from = plain.data<int64_t>();
    int64_t most = -1;
    for (int64_t i = 0; i < plain.numel(); ++i) {
      if (from[i] < 0) runtime_error("Class values must be non-negative, got ", from[i]);
      most = std::max(most, from[i]);
    }
    if (classes < -1 || classes == 0)
      runtime_error("num_classes should be positive (or -1, to infer it), got ", classes);
    if (classes < 0) classes = most + 1;
    if (most >= classes)
      runtime_error("Class values must be smaller than num_classes: got ", most, " for ", classes,
                    " classes");
    Tensor out = ops::zeros(row_sizes(x.sizes(), classes), DType::i64);
    for (int64_t i = 0; i < plain.numel(); ++i) out.data<int64_t>()[i * classes + from[i]] = 1;
    return out;
  }
  static Outs batch(Batch& b) {
    if (b.arg<int64_t>(1) < 0)
      runtime_error(
          "vmap: one_hot needs num_classes, which it cannot infer: it may differ between elements "
          "of the "
          "batch");
    return b.run();
  }
};
ADJ_OP(OneHot, "nn.functional.one_hot(input: Tensor, num_classes: int = -1) -> Tensor", R"(
For each integer k of `input` the vector that is 1 at k and 0 elsewhere (int64), along a new last
dim of `num_classes`; -1 takes the largest of them plus one. A RuntimeError for a class that is out
of range.

>>> adjoint.nn.functional.one_hot(adjoint.tensor([2, 0]))
tensor([[0, 0, 1],
        [1, 0, 0]])
)");

}  // namespace
}  // namespace adj
