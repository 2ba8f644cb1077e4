// Gamma variates, differentiable by their shape parameter.
#include <cmath>
#include <vector>

#include "cpu/thread_pool.h"
#include "ops/random.h"
#include "ops/shape.h"
#include "scalar/math.h"

namespace adj {

namespace {

// Rejection with an acceptance above 95 % (Marsaglia and Tsang, "A simple method for generating
// gamma variables", 2000): what was refused is drawn again, all together.
void sample_gamma(const double* shape, double* out, int64_t n, RandomState& state) {
  std::vector<int64_t> waiting(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) waiting[static_cast<size_t>(i)] = i;
  std::vector<double> normal, uniform;
  while (!waiting.empty()) {
    size_t m = waiting.size();
    normal.resize(m);
    uniform.resize(m);
    random_normal(DType::f64, normal.data(), static_cast<int64_t>(m), state, 0, 1);
    random_uniform(DType::f64, uniform.data(), static_cast<int64_t>(m), state, 0, 1);
    size_t left = 0;
    for (size_t k = 0; k < m; ++k) {
      int64_t i = waiting[k];
      double a = shape[i] < 1 ? shape[i] + 1 : shape[i];
      double d = a - 1.0 / 3, x = normal[k], t = 1 + x / std::sqrt(9 * d), v = t * t * t;
      bool accept = v > 0 && std::log(1 - uniform[k]) < 0.5 * x * x + d - d * v + d * std::log(v);
      if (accept) out[i] = d * v;
      else waiting[left++] = i;
    }
    waiting.resize(left);
  }
  // A shape below 1 is that of one more, times a power of a uniform number.
  uniform.resize(static_cast<size_t>(n));
  random_uniform(DType::f64, uniform.data(), n, state, 0, 1);
  for (int64_t i = 0; i < n; ++i)
    if (shape[i] < 1) out[i] *= std::pow(1 - uniform[static_cast<size_t>(i)], 1 / shape[i]);
}

// dz/da of a gamma variate z of shape a at a fixed probability: -(dP/da) / (dP/dz), with P the
// regularized lower incomplete gamma function (Figurnov et al., "Implicit reparameterization
// gradients", 2018). P is taken from its series or its continued fraction (Abramowitz and Stegun
// 6.5.29, 6.5.31), differentiated term by term; the common factor of P and its density cancels.
double gamma_slope(double a, double z) {
  if (!(z > 0) || !(a > 0)) return 0;
  constexpr int kTerms = 20000;
  if (z < a + 1) {
    double term = 1, slope = 0, sum = 1, slopes = 0;
    for (int n = 1; n < kTerms; ++n) {
      slope = (slope - term / (a + n)) * z / (a + n);
      term *= z / (a + n);
      sum += term;
      slopes += slope;
      if (term < 1e-17 * sum && std::fabs(slope) < 1e-17 * std::fabs(slopes)) break;
    }
    return -z / a * (sum * (std::log(z) - digamma(a + 1)) + slopes);
  }
  // Lentz's method on pairs of a value and its derivative by a.
  double b = z + 1 - a, db = -1;
  double c = 1e300, dc = 0, d = 1 / b, dd = -db * d * d, h = d, dh = dd;
  for (int i = 1; i < kTerms; ++i) {
    double q = -i * (i - a), dq = i;
    b += 2;
    double u = q * d + b, du = dq * d + q * dd + db;
    d = 1 / u;
    dd = -du * d * d;
    double w = b + q / c, dw = db + dq / c - q * dc / (c * c);
    c = w;
    dc = dw;
    double step = d * c, dstep = dd * c + d * dc;
    dh = dh * step + h * dstep;
    h *= step;
    if (std::fabs(step - 1) < 1e-16 && std::fabs(dstep) < 1e-16) break;
  }
  return z * (h * (std::log(z) - digamma(a)) + dh);
}

Tensor as_double(const Tensor& x) {
  return ops::contiguous_copy(x.dtype() == DType::f64 ? x : Tensor(ops::to_dtype(x, DType::f64)));
}

struct SampleGamma : Constant {
  static constexpr bool is_method = false;
  static Tensor forward(Tensor shape, Value generator) {
    if (!is_floating(shape.dtype()))
      fail(ErrorKind::not_implemented, "_standard_gamma is not implemented for '",
           scalar_name_of(shape.dtype()), "'");
    Tensor a = as_double(shape), z = empty(a.sizes(), DType::f64);
    for (int64_t i = 0; i < a.numel(); ++i)
      if (!(a.data<double>()[i] > 0))
        runtime_error("gamma variates need a positive shape parameter, got ", a.data<double>()[i]);
    Generator& g = generator_of(generator);
    {
      std::lock_guard lock(g.mutex);
      sample_gamma(a.data<double>(), z.data<double>(), z.numel(), g.state);
    }
    return in_dtype(z, shape.dtype());
  }
};
ADJ_OP(SampleGamma, "_sample_gamma(input: Tensor, *, generator: Generator? = None) -> Tensor", R"(
Gamma variates of the shape parameters `input` and scale 1, without a gradient.

>>> adjoint._core._sample_gamma(adjoint.ones(2)).shape
torch.Size([2])
)");

struct GammaSlope : Constant {
  static constexpr bool is_method = false;
  static Tensor forward(Tensor shape, Tensor sample) {
    Tensor a = as_double(shape), z = as_double(sample), out = empty(a.sizes(), DType::f64);
    if (!(a.sizes() == z.sizes()))
      runtime_error("_standard_gamma_grad: shapes ", a.sizes(), " and ", z.sizes(), " differ");
    parallel_for(a.numel(), 256, [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; ++i)
        out.data<double>()[i] = gamma_slope(a.data<double>()[i], z.data<double>()[i]);
    });
    return in_dtype(out, shape.dtype());
  }
};
ADJ_OP(GammaSlope, "_standard_gamma_grad(input: Tensor, output: Tensor) -> Tensor", R"(
The derivative of gamma variates `output` by their shape parameters `input`, at fixed probability.

>>> adjoint._core._standard_gamma_grad(adjoint.tensor([1.]), adjoint.tensor([1.]))
tensor([1.1736])
)");

struct ValueOf : Constant {
  static Tensor forward(Tensor x) { return alias_of(x); }
};
ADJ_OP(ValueOf, "_nodes.value_of(input: Tensor) -> Tensor", R"(
The values of `input`, of which nothing is a derivative, in reverse mode or forward mode.

>>> f = adjoint._core._namespaces["_nodes"]["value_of"]
>>> f(adjoint.ones(2, requires_grad=True)).requires_grad
False
)");

const Fn draw{"_sample_gamma"}, slope_of{"_standard_gamma_grad"}, value_of{"_nodes.value_of"};

struct StandardGamma : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor shape, Value generator) {
    Tensor a = value_of(shape), z = draw(a, generator);
    if (!shape.requires_grad() && !shape.wrapped()) return z;
    // z, with the slope as its derivative by the shape
    return ops::add(z, ops::mul(ops::sub(shape, a), slope_of(a, z)));
  }
};
ADJ_OP(StandardGamma, "_standard_gamma(input: Tensor, *, generator: Generator? = None) -> Tensor",
       R"(
Gamma variates of the shape parameters `input` and scale 1. Their derivative by the shape is the
pathwise one. A RuntimeError for a shape parameter that is not positive.

>>> adjoint._core._standard_gamma(adjoint.ones(2)).shape
torch.Size([2])
)");

}  // namespace

}  // namespace adj
