// Counts drawn at random: Poisson and binomial variates.
#include <cmath>

#include "ops/random.h"
#include "ops/shape.h"

namespace adj {

namespace {

// One uniform number after the other, in [0, 1).
class Uniforms {
 public:
  explicit Uniforms(RandomState& state) : state_(state) {}
  double next() {
    if (used_ == kSize) {
      random_uniform(DType::f64, numbers_, kSize, state_, 0, 1);
      used_ = 0;
    }
    return numbers_[used_++];
  }

 private:
  static constexpr int kSize = 128;
  RandomState& state_;
  double numbers_[kSize];
  int used_ = kSize;
};

// Small means by multiplying uniform numbers (Knuth), others by transformed rejection (PTRS:
// Hormann, "The transformed rejection method for generating Poisson random variables", 1993).
double poisson(double mean, Uniforms& u) {
  if (mean < 10) {
    double product = 1, least = std::exp(-mean);
    int64_t k = -1;
    do {
      product *= u.next();
      ++k;
    } while (product > least);
    return static_cast<double>(k);
  }
  double log_mean = std::log(mean), b = 0.931 + 2.53 * std::sqrt(mean);
  double a = -0.059 + 0.02483 * b, inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
  double quick = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    double x = u.next() - 0.5, v = u.next(), rest = 0.5 - std::fabs(x);
    double k = std::floor((2 * a / rest + b) * x + mean + 0.43);
    if (rest >= 0.07 && v <= quick) return k;
    if (k < 0 || (rest < 0.013 && v > rest)) continue;
    if (std::log(v * inverse_alpha / (a / (rest * rest) + b)) <=
        k * log_mean - mean - std::lgamma(k + 1))
      return k;
  }
}

// Small means by inversion, others by transformed rejection (BTRS: Hormann, "The generation of
// binomial random variates", 1993).
double binomial(double n, double p, Uniforms& u) {
  if (p > 0.5) return n - binomial(n, 1 - p, u);
  if (!(n > 0) || !(p > 0)) return 0;
  double q = 1 - p, r = p / q;
  if (n * p < 10) {
    double x = u.next(), term = std::exp(n * std::log1p(-p));
    int64_t k = 0;
    for (; x > term && static_cast<double>(k) < n;
         term *= (n + 1) * r / static_cast<double>(k) - r) {
      x -= term;
      ++k;
    }
    return static_cast<double>(k);
  }
  double deviation = std::sqrt(n * p * q), b = 1.15 + 2.53 * deviation;
  double a = -0.0873 + 0.0248 * b + 0.01 * p, c = n * p + 0.5, quick = 0.92 - 4.2 / b;
  double alpha = (2.83 + 5.1 / b) * deviation, m = std::floor((n + 1) * p);
  double top = std::lgamma(m + 1) + std::lgamma(n - m + 1);
  for (;;) {
    double x = u.next() - 0.5, v = u.next(), rest = 0.5 - std::fabs(x);
    double k = std::floor((2 * a / rest + b) * x + c);
    if (rest >= 0.07 && v <= quick) return k;
    if (k < 0 || k > n) continue;
    if (std::log(v * alpha / (a / (rest * rest) + b)) <=
        top - std::lgamma(k + 1) - std::lgamma(n - k + 1) + (k - m) * std::log(r))
      return k;
  }
}

Tensor as_double(const Tensor& x) {
  return ops::contiguous_copy(x.dtype() == DType::f64 ? x : Tensor(ops::to_dtype(x, DType::f64)));
}
void check_floating_rate(const char* name, const Tensor& x) {
  if (!is_floating(x.dtype()))
    fail(ErrorKind::not_implemented, name, " is not implemented for '", scalar_name_of(x.dtype()),
         "'");
}

struct Poisson : Rule {
  static constexpr bool is_method = false;
  static void vjp(Vjp& c) { c.set(0, ops::zeros(c.like(0).sizes, c.like(0).dtype)); }
  static Outs jvp(Jvp&) { return Outs(1); }
  static Tensor forward(Tensor rate, Value generator) {
    check_floating_rate("poisson", rate);
    Tensor means = as_double(rate), out = empty(means.sizes(), DType::f64);
    const double* m = means.data<double>();
    for (int64_t i = 0; i < means.numel(); ++i)
      if (!(m[i] >= 0) || m[i] > 9e15)
        runtime_error("invalid Poisson rate, expected rate to be non-negative, got ", m[i]);
    Generator& g = generator_of(generator);
    std::lock_guard lock(g.mutex);
    Uniforms u(g.state);
    for (int64_t i = 0; i < out.numel(); ++i) out.data<double>()[i] = poisson(m[i], u);
    return in_dtype(out, rate.dtype());
  }
};
ADJ_OP(Poisson, "poisson(input: Tensor, generator: Generator? = None) -> Tensor", R"(
Poisson variates of the means `input`, in its shape and dtype; the gradient of the means is zero. A
RuntimeError for a negative mean.

>>> adjoint.poisson(adjoint.zeros(2))
tensor([0., 0.])
)");

struct Binomial : Constant {
  static constexpr bool is_method = false;
  static Tensor forward(Tensor count, Tensor prob, Value generator) {
    check_floating_rate("binomial", count);
    check_floating_rate("binomial", prob);
    Dims sizes = broadcast_sizes(count.sizes(), prob.sizes(), "binomial");
    Tensor counts = as_double(ops::expand(count, sizes)),
           probs = as_double(ops::expand(prob, sizes));
    const double *n = counts.data<double>(), *p = probs.data<double>();
    for (int64_t i = 0; i < counts.numel(); ++i)
      if (!(n[i] >= 0) || n[i] > 9e15 || n[i] != std::floor(n[i]) || !(p[i] >= 0 && p[i] <= 1))
        runtime_error("binomial expects whole counts from 0 and probabilities in [0, 1], got ",
                      n[i], " and ", p[i]);
    Tensor out = empty(sizes, DType::f64);
    Generator& g = generator_of(generator);
    std::lock_guard lock(g.mutex);
    Uniforms u(g.state);
    for (int64_t i = 0; i < out.numel(); ++i) out.data<double>()[i] = binomial(n[i], p[i], u);
    return in_dtype(out, count.dtype());
  }
};
ADJ_OP(Binomial, "binomial(count: Tensor, prob: Tensor, generator: Generator? = None) -> Tensor",
       R"(
The numbers of successes in `count` trials of probability `prob` each, broadcast, in the dtype of
`count`. No gradient flows through them. A RuntimeError for a negative count or for what is no
probability.

>>> adjoint.binomial(adjoint.tensor([3., 5.]), adjoint.tensor([0., 1.]))
tensor([0., 5.])
)");

}  // namespace

}  // namespace adj
