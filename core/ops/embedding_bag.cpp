// Rows of a table picked by index, and combined bag by bag.
#include "autograd/history.h"
#include "ops/embedding.h"
#include "ops/fused_rule.h"
#include "ops/shape.h"

namespace adj {

namespace {

const Fn vector_norm{"linalg.vector_norm"};

struct Bags {
  Tensor indices, bag, weights;  // one for each picked row: its index, its bag, its factor
  int64_t count;
};

// What the offsets say, checked where their values are at hand.
void check_offsets(const Tensor& offsets, int64_t n) {
  if (offsets.dim() != 1)
    value_error("offsets has to be a 1D Tensor, but got one of shape ", offsets.sizes());
  if (offsets.wrapped() || offsets.size(0) == 0) return;
  Tensor plain = ops::to_dtype(offsets, DType::i64);
  auto at = [&](int64_t i) { return plain.data<int64_t>()[i * plain.stride(0)]; };
  if (at(0) != 0)
    runtime_error(
        "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start "
        "from position 0. However, got ",
        at(0));
  int64_t last = at(offsets.size(0) - 1);
  if (last > n)
    runtime_error("offsets[-1] can not be greater than input's length(", n,
                  "), but got offsets[-1] of ", last);
}

Bags bags_of(Tensor input, const Tensor& offsets, Tensor weights, bool last_offset) {
  if (weights.defined() && !(weights.sizes() == input.sizes()))
    value_error("embedding_bag: If per_sample_weights (", weights.sizes(),
                ") is not None, then it must have the same shape as the input (", input.sizes(),
                ")");
  if (input.dim() == 2) {
    if (offsets.defined())
      value_error(
          "if input is 2D, then offsets has to be None, as input is treated is a "
          "mini-batch of fixed length sequences. However, found offsets of shape ",
          offsets.sizes());
    int64_t rows = input.size(0), each = input.size(1);
    Tensor bag =
        ops::expand(ops::unsqueeze(ops::arange(int64_t{0}, rows), int64_t{1}), Dims{rows, each});
    if (weights.defined()) weights = ops::reshape(weights, Dims{rows * each});
    return {ops::reshape(input, Dims{rows * each}), ops::reshape(bag, Dims{rows * each}), weights,
            rows};
  }
  if (input.dim() != 1)
    value_error("input has to be 1D or 2D Tensor, but got Tensor of dimension ", input.dim());
  if (!offsets.defined()) value_error("offsets has to be a 1D Tensor but got None");
  check_offsets(offsets, input.size(0));
  int64_t count = offsets.size(0) - (last_offset ? 1 : 0);
  if (count < 0) runtime_error("include_last_offset: number of offsets should be at least 1");
  Tensor starts =
      last_offset ? Tensor(ops::narrow(offsets, int64_t{0}, int64_t{0}, count)) : offsets;
  // the last bag that begins at or before each place
  Tensor places = ops::arange(int64_t{0}, input.size(0));
  Tensor bag = ops::sub(ops::searchsorted(ops::to_dtype(starts, DType::i64), places, false, true),
                        int64_t{1});
  return {input, bag, weights, count};
}

struct EmbeddingBag : Composite {
  static Tensor define(Tensor input, Tensor weight, Tensor offsets, std::optional<double> max_norm,
                       double norm_type, bool by_frequency, Text mode, bool, Tensor factors,
                       bool last_offset, std::optional<int64_t> padding_idx) {
    if (mode != "sum" && mode != "mean" && mode != "max")
      value_error("mode has to be one of sum, mean or max, got ", mode);
    if (mode == "max" && by_frequency)
      value_error("max mode does not support scaling the gradient by the frequency");
    if (factors.defined() && mode != "sum")
      fail(ErrorKind::not_implemented,
           "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported "
           "for mode='sum' (got mode='",
           mode, "')");
    if (weight.dim() != 2) runtime_error("'weight' must be 2-D, got shape ", weight.sizes());
    int64_t padding = -1;
    if (padding_idx) {
      padding = *padding_idx < 0 ? *padding_idx + weight.size(0) : *padding_idx;
      if (padding < 0 || padding >= weight.size(0))
        runtime_error("padding_idx must be within the number of embeddings, ", weight.size(0),
                      ", but got ", *padding_idx);
    }
    Bags b = bags_of(input, offsets, factors, last_offset);
    if (max_norm) renormalise_rows(weight, b.indices, *max_norm, norm_type);
    Tensor rows = ops::embedding(weight, b.indices, padding, by_frequency);  // [n, width]
    Tensor out = ops::zeros(Dims{b.count, weight.size(1)}, weight.dtype());
    if (b.weights.defined()) rows = ops::mul(rows, ops::unsqueeze(b.weights, int64_t{1}));
    Tensor skipped;  // [n]
    if (padding >= 0) {
      skipped = ops::eq(b.indices, padding);
      if (mode != "max") rows = ops::masked_fill(rows, ops::unsqueeze(skipped, int64_t{1}), 0.0);
    }
    if (mode == "sum") return ops::index_add(out, int64_t{0}, b.bag, rows);
    Tensor counted = skipped.defined()
                         ? Tensor(ops::to_dtype(ops::logical_not(skipped), weight.dtype()))
                         : Tensor(ops::ones(Dims{rows.size(0)}, weight.dtype()));
    Tensor sizes =
        ops::index_add(ops::zeros(Dims{b.count}, weight.dtype()), int64_t{0}, b.bag, counted);
    sizes = ops::unsqueeze(sizes, int64_t{1});  // [bags, 1]
    Tensor empty_bags = ops::eq(sizes, 0.0);
    if (mode == "mean")
      return ops::div(ops::index_add(out, int64_t{0}, b.bag, rows),
                      ops::masked_fill(sizes, empty_bags, 1.0));
    if (skipped.defined())
      rows = ops::masked_fill(rows, ops::unsqueeze(skipped, int64_t{1}), -__builtin_inf());
    Tensor places = ops::expand(ops::unsqueeze(b.bag, int64_t{1}), rows.sizes());
    out = ops::scatter_reduce(out, int64_t{0}, places, rows, "amax", false);
    return ops::masked_fill(out, empty_bags, 0.0);
  }
};
ADJ_OP(EmbeddingBag,
       "nn.functional.embedding_bag(input: Tensor, weight: Tensor, offsets: Tensor? = None, "
       "max_norm: float? = None, norm_type: float = 2, scale_grad_by_freq: bool = False, mode: str "
       "= 'mean', sparse: bool = False, per_sample_weights: Tensor? = None, include_last_offset: "
       "bool = False, padding_idx: int? = None) -> Tensor",
       R"(
Bags of rows of `weight` [num, width], each bag as its sum, mean or maximum: [bags, width].

An `input` [bags, n] has a bag in each row; one of a single dim is cut into bags that begin at `offsets`
(with `include_last_offset` the last offset is the end). An empty bag gives zeros. `per_sample_weights`, in
the shape of `input`, multiply the rows of sums. Entries `padding_idx` do not count. Rows whose p-norm
(`norm_type`) exceeds `max_norm` are first scaled down, in place.

>>> w = adjoint.tensor([[1., 2.], [3., 4.], [5., 6.]])
>>> input, offsets = adjoint.tensor([0, 1, 2]), adjoint.tensor([0, 2])
>>> adjoint.nn.functional.embedding_bag(input, w, offsets, mode="sum")
tensor([[4., 6.],
        [5., 6.]])
)");

}  // namespace

void renormalise_rows(const Tensor& weight, const Tensor& indices, double max_norm, double p) {
  GradMode off(false);
  Tensor table = detach(weight), index = ops::flatten(indices);
  Tensor rows = ops::index_select(table, int64_t{0}, index);
  Tensor norms = vector_norm(rows, p, Dims{1}, true);
  Tensor scale = ops::div(max_norm, ops::add(norms, 1e-7));
  scale = ops::masked_fill(scale, ops::le(norms, max_norm), 1.0);
  ops::index_copy.into(table, int64_t{0}, index, ops::mul(rows, scale));
}

}  // namespace adj
