// Normalisation of vectors, and distances between them.
#include "cpu/norm.h"

#include <limits>

#include "ops/fused_rule.h"
#include "ops/reduce.h"

namespace adj {

namespace {

// The trailing dims that are normalised over: rows of n numbers, and the dims as such.
struct Rows {
  int64_t rows = 1, n = 1;
  DimMask mask = 0;
  int first;  // the first of these dims

  Rows(const char* name, DimsView sizes, DimsView normalized)
      : first(sizes.size() - normalized.size()) {
    bool fits = normalized.size() > 0 && first >= 0;
    for (int i = 0; fits && i < normalized.size(); ++i) fits = sizes[first + i] == normalized[i];
    if (!fits)
      runtime_error(name, ": Given normalized_shape=", normalized,
                    ", expected input with shape [*, ", normalized, "], but got input of size ",
                    sizes);
    for (int i = 0; i < sizes.size(); ++i) {
      if (i < first) rows *= sizes[i];
      else n *= sizes[i];
      if (i >= first) mask |= DimMask{1} << i;
    }
  }
  Dims dims(int ndim) const {
    Dims d;
    for (int i = first; i < ndim; ++i) d.push_back(i);
    return d;
  }
};

void check_affine(const char* what, const Tensor& w, DimsView normalized) {
  if (w.defined() && !(w.sizes() == normalized))
    runtime_error("Expected ", what, " to be of same shape as normalized_shape, but got ", what,
                  " of shape ", w.sizes(), " and normalized_shape = ", normalized);
}

const void* data_or_null(const Tensor& x) { return x.defined() ? x.data() : nullptr; }
// Plain parameters in the dtype of the computation.
Tensor as_computed(const Tensor& x, DType t) { return x.defined() ? cast(x, t) : x; }

// d x from d of (x - mean) * rstd: what is left of it without its mean and its part along the
// result.
Tensor normalized_vjp(const Tensor& g, const Tensor& hat, const Tensor& rstd, const Dims& dims,
                      bool centred) {
  Tensor gx = ops::sub(g, ops::mul(hat, ops::mean(ops::mul(g, hat), dims, true)));
  if (centred) gx = ops::sub(gx, ops::mean(g, dims, true));
  return ops::mul(gx, rstd);
}

struct LayerNorm : FusedRule {
  static constexpr uint32_t saves = input(0) | input(2) | output(1) | output(2);

  static Outs forward(Tensor x, DimsView shape, Tensor weight, Tensor bias, double eps) {
    Rows r("layer_norm", x.sizes(), shape);
    check_affine("weight", weight, shape);
    check_affine("bias", bias, shape);
    check_floating("layer_norm", x.dtype());
    DType t = computed_in(x.dtype());
    Tensor in = cast(x, t), w = as_computed(weight, t), b = as_computed(bias, t);
    Tensor y = empty(x.sizes(), t);
    Dims kept = reduced_sizes(x.sizes(), r.mask, true);
    Tensor mean = empty(kept, t), rstd = empty(kept, t);
    if (r.n > 0)
      layer_norm(t, y.data(), mean.data(), rstd.data(), in.data(), data_or_null(w), data_or_null(b),
                 r.rows, r.n, eps);
    Outs outs = as_outs(cast(y, x.dtype()));
    outs.push_back(mean);
    outs.push_back(rstd);
    return outs;
  }
  static Outs define(Tensor x, DimsView shape, Tensor weight, Tensor bias, double eps) {
    Rows r("layer_norm", x.sizes(), shape);
    Dims dims = r.dims(x.dim());
    Outs moments = ops::var_mean.all(x, dims, int64_t{0}, true);
    Tensor mean = moments[1], rstd = ops::rsqrt(ops::add(moments[0], eps));
    Tensor y = ops::mul(ops::sub(x, mean), rstd);
    if (weight.defined()) y = ops::mul(y, weight);
    if (bias.defined()) y = ops::add(y, bias);
    Outs outs = as_outs(y);
    outs.push_back(mean);
    outs.push_back(rstd);
    return outs;
  }
  static void vjp(Vjp& c) {
    Tensor x = c.in(0), weight = c.in(2), mean = c.out(1), rstd = c.out(2);
    Rows r("layer_norm", x.sizes(), c.arg<DimsView>(1));
    Dims dims = r.dims(x.dim());
    Tensor hat = ops::mul(ops::sub(x, mean), rstd), g = c.g(0);
    if (c.needs(0)) {
      Tensor gx = normalized_vjp(weight.defined() ? ops::mul(g, weight) : g, hat, rstd, dims, true);
      double n = static_cast<double>(r.n);
      if (c.has_g(1)) gx = ops::add(gx, ops::div(c.g(1), n));
      if (c.has_g(2))  // d rstd = -rstd^2 hat dx / n
        gx = ops::sub(gx, ops::mul(hat, ops::div(ops::mul(c.g(2), ops::mul(rstd, rstd)), n)));
      c.set(0, gx);
    }
    if (c.needs(2)) c.set(2, sum_to(ops::mul(g, hat), c.like(2)));
    if (c.needs(3)) c.set(3, sum_to(g, c.like(3)));
  }
  static bool fast_vjp(Vjp& c) {
    Tensor g = c.g(0), x = c.in(0), weight = c.in(2);
    DType t = g.dtype();
    if (computed_in(t) != t || x.dtype() != t || (weight.defined() && weight.dtype() != t) ||
        c.has_g(1) || c.has_g(2))
      return false;
    if (x.numel() == 0) return false;
    Rows r("layer_norm", x.sizes(), c.arg<DimsView>(1));
    Tensor cotangent = dense(g), in = dense(x), w = as_computed(weight, t), mean = c.out(1),
           rstd = c.out(2);
    Tensor gx, gw, gb;
    if (c.needs(0)) gx = empty(x.sizes(), t);
    if (c.needs(2) || c.needs(3)) {
      gw = empty(c.arg<DimsView>(1), t);
      gb = empty(c.arg<DimsView>(1), t);
    }
    auto data = [](const Tensor& y) { return y.defined() ? y.data() : nullptr; };
    layer_norm_backward(t, data(gx), data(gw), data(gb), cotangent.data(), in.data(), mean.data(),
                        rstd.data(), data_or_null(w), r.rows, r.n);
    if (c.needs(0)) c.set(0, gx);
    if (c.needs(2)) c.set(2, gw);
    if (c.needs(3)) c.set(3, cast(gb, c.like(3).dtype));
    return true;
  }
};
ADJ_OP(LayerNorm,
       "_nodes.native_layer_norm(input: Tensor, normalized_shape: int[], weight: Tensor?, bias: "
       "Tensor?, "
       "eps: float) -> Tensor[]",
       R"(
`nn.functional.layer_norm`, with the mean and 1 / sqrt(variance + eps) of each row.

>>> adjoint.nn.functional.layer_norm(adjoint.tensor([1., 2., 3.]), (3,))
tensor([-1.2247,  0.0000,  1.2247])
)");

const Fn native_layer_norm{"_nodes.native_layer_norm"};

struct LayerNormFunction : Composite {
  static Tensor define(Tensor x, DimsView shape, Tensor weight, Tensor bias, double eps) {
    return native_layer_norm(x, shape, weight, bias, eps);
  }
};
ADJ_OP(LayerNormFunction,
       "nn.functional.layer_norm(input: Tensor, normalized_shape: int[], weight: Tensor? = None, "
       "bias: Tensor? = None, eps: float = 1e-5) -> Tensor",
       R"(
`(input - mean) / sqrt(variance + eps) * weight + bias` over the last dims, whose sizes (and those of
weight and bias) are `normalized_shape` (Ba, Kiros and Hinton, 2016). The variance is that of all
elements (no correction). A RuntimeError for shapes that do not fit.

>>> adjoint.nn.functional.layer_norm(adjoint.tensor([1., 2., 3.]), (3,))
tensor([-1.2247,  0.0000,  1.2247])
)");

struct RmsNorm : FusedRule {
  static constexpr uint32_t saves = input(0) | input(2) | output(1);

  static Outs forward(Tensor x, DimsView shape, Tensor weight, double eps) {
    Rows r("rms_norm", x.sizes(), shape);
    check_affine("weight", weight, shape);
    check_floating("rms_norm", x.dtype());
    DType t = computed_in(x.dtype());
    Tensor in = cast(x, t), w = as_computed(weight, t), y = empty(x.sizes(), t);
    Tensor rstd = empty(reduced_sizes(x.sizes(), r.mask, true), t);
    if (r.n > 0)
      layer_norm(t, y.data(), nullptr, rstd.data(), in.data(), data_or_null(w), nullptr, r.rows,
                 r.n, eps);
    Outs outs = as_outs(cast(y, x.dtype()));
    outs.push_back(rstd);
    return outs;
  }
  static Outs define(Tensor x, DimsView shape, Tensor weight, double eps) {
    Rows r("rms_norm", x.sizes(), shape);
    Tensor rstd = ops::rsqrt(ops::add(ops::mean(ops::mul(x, x), r.dims(x.dim()), true), eps));
    Tensor y = ops::mul(x, rstd);
    Outs outs = as_outs(weight.defined() ? ops::mul(y, weight) : y);
    outs.push_back(rstd);
    return outs;
  }
  static void vjp(Vjp& c) {
    Tensor x = c.in(0), weight = c.in(2), rstd = c.out(1), g = c.g(0), hat = ops::mul(x, rstd);
    Rows r("rms_norm", x.sizes(), c.arg<DimsView>(1));
    if (c.needs(0)) {
      Tensor gx = normalized_vjp(weight.defined() ? ops::mul(g, weight) : g, hat, rstd,
                                 r.dims(x.dim()), false);
      if (c.has_g(1))
        gx = ops::sub(gx, ops::mul(hat, ops::div(ops::mul(c.g(1), ops::mul(rstd, rstd)),
                                                 static_cast<double>(r.n))));
      c.set(0, gx);
    }
    if (c.needs(2)) c.set(2, sum_to(ops::mul(g, hat), c.like(2)));
  }
  static bool fast_vjp(Vjp& c) {
    Tensor g = c.g(0), x = c.in(0), weight = c.in(2);
    DType t = g.dtype();
    if (computed_in(t) != t || x.dtype() != t || (weight.defined() && weight.dtype() != t) ||
        c.has_g(1) || !x.numel())
      return false;
    Rows r("rms_norm", x.sizes(), c.arg<DimsView>(1));
    Tensor cotangent = dense(g), in = dense(x), w = as_computed(weight, t), rstd = c.out(1);
    Tensor gx, gw, gb;
    if (c.needs(0)) gx = empty(x.sizes(), t);
    if (c.needs(2)) {
      gw = empty(c.arg<DimsView>(1), t);
      gb = empty(c.arg<DimsView>(1), t);
    }
    auto data = [](const Tensor& y) { return y.defined() ? y.data() : nullptr; };
    layer_norm_backward(t, data(gx), data(gw), data(gb), cotangent.data(), in.data(), nullptr,
                        rstd.data(), data_or_null(w), r.rows, r.n);
    if (c.needs(0)) c.set(0, gx);
    if (c.needs(2)) c.set(2, gw);
    return true;
  }
};
ADJ_OP(RmsNorm,
       "_nodes.rms_norm(input: Tensor, normalized_shape: int[], weight: Tensor?, eps: float) -> "
       "Tensor[]",
       R"(
`nn.functional.rms_norm`, with 1 / sqrt(mean of squares + eps) of each row.

>>> adjoint.nn.functional.rms_norm(adjoint.tensor([1., 7.]), (2,))
tensor([0.2000, 1.4000])
)");

const Fn native_rms_norm{"_nodes.rms_norm"};

struct RmsNormFunction : Composite {
  static Tensor define(Tensor x, DimsView shape, Tensor weight, std::optional<double> eps) {
    double smallest = x.dtype() == DType::f64    ? std::numeric_limits<double>::epsilon()
                      : x.dtype() == DType::f16  ? 0x1p-10
                      : x.dtype() == DType::bf16 ? 0x1p-7
                                                 : std::numeric_limits<float>::epsilon();
    return native_rms_norm(x, shape, weight, eps.value_or(smallest));
  }
};
ADJ_OP(RmsNormFunction,
       "nn.functional.rms_norm(input: Tensor, normalized_shape: int[], weight: Tensor? = None, "
       "eps: float? = None) -> Tensor",
       R"(
`input / sqrt(mean of input^2 + eps) * weight` over the last dims, whose sizes (and those of weight) are
`normalized_shape` (Zhang and Sennrich, 2019). `eps` is by default the dtype's machine epsilon.

>>> adjoint.nn.functional.rms_norm(adjoint.tensor([1., 7.]), (2,))
tensor([0.2000, 1.4000])
)");

const Fn vector_norm{"linalg.vector_norm"}, clamp_min{"clamp_min"};

struct Normalize : Composite {
  static Tensor define(Tensor x, double p, DimsView dim, double eps) {
    return ops::div(x, clamp_min(vector_norm(x, p, dim, true), eps));
  }
};
ADJ_OP(Normalize,
       "nn.functional.normalize(input: Tensor, p: float = 2.0, dim: int[] = 1, eps: float = 1e-12) "
       "-> Tensor",
       R"(
`input` divided by its p-norm over `dim`, but by no less than `eps`.

>>> adjoint.nn.functional.normalize(adjoint.tensor([[3., 4.]]))
tensor([[0.6000, 0.8000]])
)");

struct CosineSimilarity : Composite {
  static Tensor define(Tensor x, Tensor y, int64_t dim, double eps) {
    DType t = promote(x.dtype(), y.dtype());
    if (!is_floating(t))
      runtime_error(
          "cosine_similarity: expected common dtype to be floating point, yet common dtype is ",
          scalar_name_of(t));
    Dims sizes = broadcast_sizes(x.sizes(), y.sizes());
    x = ops::expand(x, sizes);
    y = ops::expand(y, sizes);
    auto unit = [&](const Tensor& v) {
      return ops::div(v, clamp_min(vector_norm(v, int64_t{2}, dim, true), eps));
    };
    return ops::sum(ops::mul(unit(x), unit(y)), dim);
  }
};
ADJ_OP(CosineSimilarity,
       "cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor", R"(
The inner product over `dim` of `x1` and `x2`, each divided by its 2-norm (by no less than `eps`);
broadcasts.

>>> adjoint.cosine_similarity(adjoint.tensor([3., 4.]), adjoint.tensor([4., 3.]), dim=0)
tensor(0.9600)
)");

struct CosineSimilarityFunction : CosineSimilarity {};
ADJ_OP(CosineSimilarityFunction,
       "nn.functional.cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) "
       "-> Tensor",
       R"(
The cosine of the angle between vectors along `dim`; broadcasts.

>>> x, y = adjoint.tensor([3., 4.]), adjoint.tensor([4., 3.])
>>> adjoint.nn.functional.cosine_similarity(x, y, dim=0)
tensor(0.9600)
)");

struct PairwiseDistance : Composite {
  static Tensor define(Tensor x, Tensor y, double p, double eps, bool keepdim) {
    return vector_norm(ops::add(ops::sub(x, y), eps), p, int64_t{-1}, keepdim);
  }
};
ADJ_OP(PairwiseDistance,
       "nn.functional.pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, "
       "keepdim: bool = False) -> Tensor",
       R"(
The p-norm of `x1 - x2 + eps` over the last dim: inputs [..., d] (broadcast) give [...].

>>> x, y = adjoint.tensor([[3., 4.]]), adjoint.tensor([[0., 0.]])
>>> adjoint.nn.functional.pairwise_distance(x, y)
tensor([5.0000])
)");

}  // namespace
}  // namespace adj
