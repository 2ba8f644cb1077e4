#include "ops/loss.h"

#include "cpu/loop.h"
#include "tensor/warning.h"

namespace adj {

Reduction reduction_of(Text reduction, const Value& size_average, const Value& reduce,
                       bool batchmean) {
  if (!size_average.is_none() || !reduce.is_none()) {
    bool each = !reduce.is_none() && !reduce.as_bool();
    bool mean = size_average.is_none() || size_average.as_bool();
    user_warning("size_average and reduce are deprecated: use reduction='",
                 each   ? "none"
                 : mean ? "mean"
                        : "sum",
                 "'");
    return each ? kNone : mean ? kMean : kSum;
  }
  if (reduction == "mean") return kMean;
  if (reduction == "sum") return kSum;
  if (reduction == "none") return kNone;
  if (batchmean && reduction == "batchmean") return kBatchMean;
  value_error(reduction, " is not a valid value for reduction: expected 'none', 'mean' or 'sum'",
              batchmean ? ", or 'batchmean'" : "");
}

Tensor reduced(const Tensor& each, int64_t reduction) {
  return reduction == kMean ? ops::mean_all(each) : reduction == kSum ? ops::sum_all(each) : each;
}

Tensor reduced_plain(const Tensor& each, int64_t reduction) {
  if (reduction == kNone) return each;
  Tensor out = reduce_dims(Reduce::sum, each, all_dims(each.dim()), false);
  if (reduction == kMean) {
    if (out.dtype() == DType::f32) *out.data<float>() /= static_cast<float>(each.numel());
    else *out.data<double>() /= static_cast<double>(each.numel());
  }
  return cast(out, each.dtype());
}

namespace {

// The strides of x broadcast to sizes; `store` holds them.
LoopOperand operand_of(const Tensor& x, DimsView sizes, int64_t* store) {
  int extra = sizes.size() - x.dim();
  for (int i = 0; i < sizes.size(); ++i)
    store[i] = i < extra || (x.size(i - extra) == 1 && sizes[i] != 1) ? 0 : x.stride(i - extra);
  return {x.data(), x.dtype(), store};
}

}  // namespace

void term_vjp(Vjp& c, const Fn& term, bool has_parameter) {
  Var x[4] = {Var(c.in(0)), Var(c.in(1))};
  if (has_parameter)
    x[2] = c.node.values[3].is_tensor() ? Var(c.in(3)) : Var(c.node.values[3].as_double());
  Tensor g = c.g(), weight = c.in(2);
  if (c.arg<int64_t>(4) == kMean) {
    Dims sizes = broadcast_sizes(c.like(0).sizes, c.like(1).sizes);
    g = ops::div(g, static_cast<double>(DimsView(sizes).product()));
  }
  const ElementwiseInfo& info = *term.op().elementwise;
  Tensor weighted = weight.defined() ? ops::mul(g, weight) : g;
  for (int k = 0; k < info.gradients; ++k) {
    int argument = k < 2 ? k : 3;
    if (!c.needs(argument)) continue;
    Var slope = info.derivative[k](x, x[3]);
    c.set(argument, sum_to(ops::mul(weighted, slope), c.like(argument)));
  }
  if (c.needs(2))
    c.set(2, sum_to(ops::mul(g, has_parameter ? term(x[0], x[1], x[2]) : term(x[0], x[1])),
                    c.like(2)));
}

bool term_fast_vjp(Vjp& c, const Fn& term, bool has_parameter) {
  Tensor g = c.g(), x = c.in(0), y = c.in(1), weight = c.in(2), parameter = c.in(3);
  DType t = g.dtype();
  if ((t != DType::f32 && t != DType::f64) || x.dtype() != t || y.dtype() != t ||
      !(x.sizes() == y.sizes()) || x.wrapped() || y.wrapped() || c.needs(2) || c.needs(3))
    return false;
  for (const Tensor& extra : {weight, parameter})
    if (extra.defined() && (extra.wrapped() || extra.dtype() != t ||
                            !(DimsView(broadcast_sizes(extra.sizes(), x.sizes())) == x.sizes())))
      return false;

  auto reduction = c.arg<int64_t>(4);
  if (reduction == kMean) g = ops::div(g, static_cast<double>(x.numel()));
  if (weight.defined()) g = ops::mul(g, weight);

  const ElementwiseKernels* kernels = elementwise_kernels(term.op().struct_name);
  int64_t strides[4][64];
  LoopOperand in[5];
  int count = 0;
  in[count++] = operand_of(g, x.sizes(), strides[0]);
  in[count++] = operand_of(x, x.sizes(), strides[1]);
  in[count++] = operand_of(y, x.sizes(), strides[2]);
  if (has_parameter) {
    if (!parameter.defined()) parameter = scalar_tensor(c.node.values[3].as_double(), t);
    in[count++] = operand_of(parameter, x.sizes(), strides[3]);
  }
  in[count++] = in[0];  // in place of the result, which no term reads
  for (int k = 0; k < 2; ++k) {
    if (!c.needs(k)) continue;
    Tensor grad = empty(x.sizes(), t);
    LoopOperand out{grad.data(), t, grad->strides.data()};
    run_loop(kernels->backward[k][t == DType::f64], x.sizes(), out, t, in, count, t);
    c.set(k, grad);
  }
  return true;
}

}  // namespace adj
