// Margin losses of several classes or labels.
#include "ops/loss.h"

namespace adj {

namespace {

const Fn clamp_min{"clamp_min"}, log_sigmoid{"nn.functional.logsigmoid"};

struct MultiMargin : Composite {
  static Tensor define(Tensor x, Tensor target, int64_t p, double margin, Tensor weight,
                       Value size_average, Value reduce, Text text) {
    Reduction reduction = reduction_of(text, size_average, reduce);
    if (p != 1 && p != 2) value_error("multi_margin_loss: p must be 1 or 2, got ", p);
    if (weight.defined() && weight.dim() != 1)
      value_error("multi_margin_loss: weight must be one-dimensional, got shape ", weight.sizes());
    bool single = x.dim() <= 1;
    if (single) x = ops::reshape(x, Dims{1, x.numel()});
    if (x.dim() != 2 || x.size(1) == 0)
      runtime_error("multi_margin_loss: expected an input [N, C] or [C], got shape ", x.sizes());
    int64_t n = x.size(0), classes = x.size(1);
    if (target.numel() != n)
      runtime_error("multi_margin_loss: inconsistent target size, expected ", n, " but got ",
                    target.sizes());
    if (weight.defined() && weight.numel() != classes)
      runtime_error("multi_margin_loss: inconsistent weight size, expected ", classes, " but got ",
                    weight.sizes());
    bool one = target.dim() == 0;
    target = ops::reshape(target, Dims{n, 1});
    Tensor right = ops::gather(x, int64_t{1}, target);  // [N, 1]
    Tensor each = clamp_min(ops::add(ops::sub(x, right), margin), 0.0);
    if (p == 2) each = ops::mul(each, each);
    if (weight.defined())
      each = ops::mul(
          each, ops::reshape(ops::index_select(weight, int64_t{0}, ops::reshape(target, Dims{n})),
                             Dims{n, 1}));
    each = ops::masked_fill(each, ops::eq(ops::arange(int64_t{0}, classes), target), 0.0);
    each = ops::div(ops::sum(each, int64_t{1}), static_cast<double>(classes));
    return reduced(one ? ops::squeeze(each, int64_t{0}) : each, reduction);
  }
};
ADJ_OP(MultiMargin,
       "nn.functional.multi_margin_loss(input: Tensor, target: Tensor, p: int = 1, "
       "margin: float = 1.0, weight: Tensor? = None, size_average: bool? = None, "
       "reduce: bool? = None, reduction: str = 'mean') -> Tensor",
       R"(
The sum over the classes i other than the target y of `max(0, margin - x[y] + x[i])^p / C`, of an input
[N, C] (or [C]) and class indices [N]; `weight` [C] multiplies by that of the target. A ValueError for a p
other than 1 and 2.

>>> adjoint.nn.functional.multi_margin_loss(adjoint.tensor([[0., 0.]]), adjoint.tensor([0]))
tensor(0.5000)
)");

struct MultilabelMargin : Composite {
  static Tensor define(Tensor x, Tensor target, Value size_average, Value reduce, Text text) {
    Reduction reduction = reduction_of(text, size_average, reduce);
    if (x.dim() > 2 || !(x.sizes() == target.sizes()))
      runtime_error(
          "multilabel_margin_loss: inconsistent target size: expected an input [N, C] or "
          "[C] and a target of its shape, got ",
          x.sizes(), " and ", target.sizes());
    bool single = x.dim() <= 1;
    if (single) {
      x = ops::reshape(x, Dims{1, x.numel()});
      target = ops::reshape(target, Dims{1, target.numel()});
    }
    // labels count up to the first -1
    Tensor used = ops::cumprod(ops::to_dtype(ops::ge(target, int64_t{0}), DType::i64), int64_t{1});
    Tensor safe = ops::mul(target, used);
    Tensor labels = ops::scatter_add(ops::zeros_like(target), int64_t{1}, safe, used);  // counts
    Tensor margins = ops::sub(ops::unsqueeze(x, int64_t{1}), ops::unsqueeze(x, int64_t{2}));
    Tensor each = clamp_min(ops::add(margins, 1.0), 0.0);  // [N, label, other]
    Tensor counts = ops::mul(
        ops::unsqueeze(labels, int64_t{2}),
        ops::to_dtype(ops::unsqueeze(ops::eq(labels, int64_t{0}), int64_t{1}), DType::i64));
    each = ops::mul(each, ops::to_dtype(counts, x.dtype()));
    each = ops::div(ops::sum(each, Dims{1, 2}), static_cast<double>(x.size(1)));
    return reduced(single ? ops::squeeze(each, int64_t{0}) : each, reduction);
  }
};
ADJ_OP(MultilabelMargin,
       "nn.functional.multilabel_margin_loss(input: Tensor, target: Tensor, "
       "size_average: bool? = None, reduce: bool? = None, reduction: str = 'mean') -> Tensor",
       R"(
The sum over target labels j and other classes i of `max(0, 1 - x[j] + x[i]) / C`, of an input [N, C] (or
[C]) and a target of the same shape that lists labels, up to the first -1.

>>> x, y = adjoint.tensor([[0., 0.]]), adjoint.tensor([[1, -1]])
>>> adjoint.nn.functional.multilabel_margin_loss(x, y)
tensor(0.5000)
)");

struct MultilabelSoftMargin : Composite {
  static Tensor define(Tensor x, Tensor y, Tensor weight, Value size_average, Value reduce,
                       Text text) {
    Reduction reduction = reduction_of(text, size_average, reduce);
    Tensor each =
        ops::neg(ops::add(ops::mul(y, log_sigmoid(x)),
                          ops::mul(ops::sub(ops::ones_like(y), y), log_sigmoid(ops::neg(x)))));
    if (weight.defined()) each = ops::mul(each, weight);
    return reduced(ops::mean(each, int64_t{-1}), reduction);
  }
};
ADJ_OP(MultilabelSoftMargin,
       "nn.functional.multilabel_soft_margin_loss(input: Tensor, target: Tensor, "
       "weight: Tensor? = None, size_average: bool? = None, reduce: bool? = None, "
       "reduction: str = 'mean') -> Tensor",
       R"(
The mean over the C classes of `-(y log sigmoid(x) + (1 - y) log sigmoid(-x))`, of an input [N, C] and
targets of 0 and 1; `weight` [C] multiplies.

>>> x, y = adjoint.tensor([[0., 0.]]), adjoint.tensor([[1., 0.]])
>>> adjoint.nn.functional.multilabel_soft_margin_loss(x, y)
tensor(0.6931)
)");

}  // namespace
}  // namespace adj
