// Random tensors: uniform, normal, integers, permutations.
#include "ops/random.h"

#include <cmath>

#include "ops/shape.h"

namespace adj {

Generator& default_generator() {
  static Generator generator;
  return generator;
}

Generator& generator_of(const Value& v) {
  return v.tag == Tag::generator && v.pointer ? *static_cast<Generator*>(v.pointer)
                                              : default_generator();
}

namespace {

enum class Law : uint8_t { uniform, normal };

// 16-bit floats are drawn as float32.
Tensor drawn(Law law, DimsView sizes, DType t, const Value& generator, double a, double b,
             const char* name) {
  if (is_complex(t)) {  // both parts, of half the variance
    Dims parts = sizes.copy();
    parts.push_back(2);
    double scale = law == Law::normal ? std::sqrt(0.5) : 1;
    Tensor x = drawn(law, parts, real_of(t), generator, a, b * scale, name);
    return view_of(x, {sizes.copy(), contiguous_strides(sizes), 0}, t);
  }
  if (!is_floating(t))
    fail(ErrorKind::not_implemented, name, " is not implemented for '", scalar_name_of(t), "'");
  DType wide = t == DType::f64 ? t : DType::f32;
  Tensor x = empty(sizes, wide);
  Generator& g = generator_of(generator);
  {
    std::lock_guard lock(g.mutex);
    (law == Law::uniform ? random_uniform : random_normal)(wide, x.data(), x.numel(), g.state, a,
                                                           b);
  }
  return in_dtype(x, t);
}

Tensor drawn_integers(DimsView sizes, DType t, const Value& generator, int64_t low, int64_t high) {
  DType wide = is_integral(t) ? t : DType::i64;
  Tensor x = empty(sizes, wide);
  Generator& g = generator_of(generator);
  {
    std::lock_guard lock(g.mutex);
    random_integers(wide, x.data(), x.numel(), g.state, low, high);
  }
  return in_dtype(x, t);
}

void check_range(int64_t low, int64_t high) {
  if (low >= high)
    runtime_error("random_ expects 'from' to be less than 'to', but got from=", low,
                  " >= to=", high);
}

struct Rand : Factory {
  static Tensor forward(DimsView size, Value generator, std::optional<DType> dtype) {
    return random_under_vmap(size, "rand", [&](DimsView sizes) {
      return drawn(Law::uniform, sizes, dtype.value_or(default_dtype()), generator, 0, 1, "rand");
    });
  }
};
ADJ_OP(Rand, "rand(size: int[], *, generator: Generator? = None, dtype: dtype? = None) -> Tensor",
       R"(
Numbers drawn uniformly from [0, 1).

>>> adjoint.rand(2, 3).shape
torch.Size([2, 3])
)");

struct Randn : Factory {
  static Tensor forward(DimsView size, Value generator, std::optional<DType> dtype) {
    return random_under_vmap(size, "randn", [&](DimsView sizes) {
      return drawn(Law::normal, sizes, dtype.value_or(default_dtype()), generator, 0, 1, "randn");
    });
  }
};
ADJ_OP(Randn, "randn(size: int[], *, generator: Generator? = None, dtype: dtype? = None) -> Tensor",
       R"(
Numbers drawn from the normal distribution of mean 0 and variance 1.

>>> adjoint.randn(2, 3).shape
torch.Size([2, 3])
)");

Tensor randint(int64_t low, int64_t high, DimsView size, const Value& generator, DType dtype) {
  check_range(low, high);
  return random_under_vmap(size, "randint", [&](DimsView sizes) {
    return drawn_integers(sizes, dtype, generator, low, high);
  });
}
struct Randint : Factory {
  static Tensor forward(int64_t high, DimsView size, Value generator, std::optional<DType> dtype) {
    return randint(0, high, size, generator, dtype.value_or(DType::i64));
  }
};
ADJ_OP(Randint,
       "randint(high: int, size: int[], *, generator: Generator? = None, dtype: dtype? = None) -> "
       "Tensor",
       R"(
Integers drawn uniformly from `low` (0 by default) to `high` - 1. A RuntimeError if there are none.

>>> adjoint.randint(0, 1, (3,))
tensor([0, 0, 0])
)");
struct RandintLow : Factory {
  static Tensor forward(int64_t low, int64_t high, DimsView size, Value generator,
                        std::optional<DType> dtype) {
    return randint(low, high, size, generator, dtype.value_or(DType::i64));
  }
};
ADJ_OP(RandintLow,
       "randint:low(low: int, high: int, size: int[], *, generator: Generator? = None, dtype: "
       "dtype? = None)"
       " -> Tensor",
       R"(
From `low` on.

>>> adjoint.randint(4, 5, (2,))
tensor([4, 4])
)");

struct Randperm : Factory {
  static Tensor forward(int64_t n, Value generator, std::optional<DType> dtype) {
    if (n < 0) runtime_error("n must be non-negative, got ", n);
    return random_under_vmap({&n, 1}, "randperm", [&](DimsView sizes) {
      Tensor x = empty(sizes, DType::i64);
      Generator& g = generator_of(generator);
      std::lock_guard lock(g.mutex);
      for (int64_t at = 0; at < x.numel(); at += n)
        random_permutation(x.data<int64_t>() + at, n, g.state);
      return in_dtype(x, dtype.value_or(DType::i64));
    });
  }
};
ADJ_OP(Randperm,
       "randperm(n: int, *, generator: Generator? = None, dtype: dtype? = None) -> Tensor", R"(
The integers 0 to `n` - 1 in a random order.

>>> adjoint.randperm(3).sort().values
tensor([0, 1, 2])
)");

// The *_like forms draw for the shape that the caller sees, as the factories do.
struct RandLike : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x, Value generator, std::optional<DType> dtype) {
    return ops::rand(x.sizes(), generator, dtype.value_or(x.dtype()));
  }
};
ADJ_OP(RandLike,
       "rand_like(input: Tensor, *, generator: Generator? = None, dtype: dtype? = None) -> Tensor",
       R"(
`rand` in the shape and dtype of `input`.

>>> adjoint.rand_like(adjoint.zeros(2)).shape
torch.Size([2])
)");
struct RandnLike : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x, Value generator, std::optional<DType> dtype) {
    return ops::randn(x.sizes(), generator, dtype.value_or(x.dtype()));
  }
};
ADJ_OP(RandnLike,
       "randn_like(input: Tensor, *, generator: Generator? = None, dtype: dtype? = None) -> Tensor",
       R"(
`randn` in the shape and dtype of `input`.

>>> adjoint.randn_like(adjoint.zeros(2)).shape
torch.Size([2])
)");
struct RandintLike : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x, int64_t high, Value generator, std::optional<DType> dtype) {
    return randint(0, high, x.sizes(), generator, dtype.value_or(x.dtype()));
  }
};
ADJ_OP(RandintLike,
       "randint_like(input: Tensor, high: int, *, generator: Generator? = None, dtype: dtype? = "
       "None) -> Tensor",
       R"(
`randint` in the shape and dtype of `input`.

>>> adjoint.randint_like(adjoint.zeros(2), 1)
tensor([0., 0.])
)");
struct RandintLikeLow : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x, int64_t low, int64_t high, Value generator,
                       std::optional<DType> dtype) {
    return randint(low, high, x.sizes(), generator, dtype.value_or(x.dtype()));
  }
};
ADJ_OP(RandintLikeLow,
       "randint_like:low(input: Tensor, low: int, high: int, *, generator: Generator? = None, "
       "dtype: dtype? = None) -> Tensor",
       R"(
From `low` on.

>>> adjoint.randint_like(adjoint.zeros(2), 3, 4)
tensor([3., 3.])
)");

// What was drawn is constant in the parameters of its law: their gradient is zero, and what is
// drawn for parameters that require a gradient requires one, as torch has it.
struct DrawnFor : Rule {
  static Tensor forward(Tensor x, Tensor) { return alias_of(x); }
  static void vjp(Vjp& c) {
    if (c.needs(0)) c.set(0, c.g());
    if (c.needs(1)) c.set(1, ops::zeros(c.like(1).sizes, c.like(1).dtype));
  }
  static Outs batch(Batch& b) {
    return b.is_batched(0) ? b.run() : as_outs(ops::contiguous_copy(b.expanded(0)));
  }
};
ADJ_OP(DrawnFor, "_nodes.drawn_for(input: Tensor, parameter: Tensor) -> Tensor", R"(
The values of `input`, which were drawn for `parameter`: its gradient is zero.

>>> f = adjoint._core._namespaces["_nodes"]["drawn_for"]
>>> p = adjoint.ones(2, requires_grad=True)
>>> f(adjoint.zeros(2), p).sum().backward()
>>> p.grad
tensor([0., 0.])
)");

const Fn drawn_for{"_nodes.drawn_for"};

Tensor tied(Tensor x, const Tensor& parameter) {
  return parameter.requires_grad() || parameter.wrapped() ? Tensor(drawn_for(x, parameter)) : x;
}

void check_probabilities(const Tensor& p) {
  if (p.wrapped()) return;
  Tensor plain = ops::to_dtype(detach(p), DType::f64);
  plain = ops::contiguous(plain);
  for (int64_t i = 0; i < plain.numel(); ++i) {
    double v = plain.data<double>()[i];
    if (!(v >= 0 && v <= 1)) runtime_error("bernoulli: Expected p_in >= 0 && p_in <= 1, got ", v);
  }
}
Tensor coins(DimsView sizes, const Tensor& p, const Value& generator, DType dtype) {
  if (!is_floating(p.dtype()))
    fail(ErrorKind::not_implemented, "bernoulli is not implemented for probabilities of '",
         scalar_name_of(p.dtype()), "'");
  check_probabilities(p);
  DType wide = p.dtype() == DType::f64 ? DType::f64 : DType::f32;
  return ops::to_dtype(ops::lt(ops::rand(sizes, generator, wide), detach(p)), dtype);
}
struct Bernoulli : Composite {
  static Tensor define(Tensor p, Value generator) {
    return tied(coins(p.sizes(), p, generator, p.dtype()), p);
  }
};
ADJ_OP(Bernoulli, "bernoulli(input: Tensor, *, generator: Generator? = None) -> Tensor", R"(
1 with the probability that `input` gives for each element, else 0; its gradient is zero. A
RuntimeError for a probability outside of [0, 1].

>>> adjoint.bernoulli(adjoint.tensor([0., 1.]))
tensor([0., 1.])
)");

struct BernoulliOf : Composite {
  static Tensor define(Tensor x, double p, Value generator) {
    if (!(p >= 0 && p <= 1)) runtime_error("bernoulli expects p in [0, 1], got ", p);
    DType wide = x.dtype() == DType::f64 ? DType::f64 : DType::f32;
    Tensor u = ops::rand(x.sizes(), generator, wide);
    return ops::to_dtype(ops::lt(u, p), x.dtype());
  }
};
ADJ_OP(BernoulliOf,
       "bernoulli:p(input: Tensor, p: float, *, generator: Generator? = None) -> Tensor", R"(
1 with probability `p`, else 0, in the shape and dtype of `input`, whose values do not matter. A
RuntimeError for a `p` outside of [0, 1].

>>> adjoint.bernoulli(adjoint.zeros(2), 1.)
tensor([1., 1.])
)");

void check_deviation(double deviation) {
  if (!(deviation >= 0)) runtime_error("normal expects std >= 0.0, but found std ", deviation);
}
void check_deviation(const Tensor& std) {
  if (std.wrapped() || std.numel() == 0) return;
  Tensor least = ops::to_dtype(ops::amin(ops::flatten(detach(std)), Dims{0}), DType::f64);
  if (!(*least.data<double>() >= 0))
    runtime_error("normal expects all elements of std >= 0.0, but found ", *least.data<double>());
}
struct NormalTensors : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor mean, Tensor std, Value generator) {
    check_deviation(std);
    Dims sizes = broadcast_sizes(mean.sizes(), std.sizes());
    Tensor x = ops::randn(sizes, generator, promote(mean.dtype(), std.dtype()));
    return tied(tied(ops::add(ops::mul(x, detach(std)), detach(mean)), mean), std);
  }
};
ADJ_OP(NormalTensors,
       "normal(mean: Tensor, std: Tensor, *, generator: Generator? = None) -> Tensor", R"(
Numbers drawn from normal distributions of the given means and standard deviations: each a tensor or
a number; of two numbers, `size` is the shape. The gradients of the means and deviations are zero.
A RuntimeError for a negative `std`.

>>> adjoint.normal(adjoint.tensor([1., 2.]), adjoint.zeros(2))
tensor([1., 2.])
)");
struct NormalMeans : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor mean, double std, Value generator) {
    check_deviation(std);
    Tensor x = ops::mul(ops::randn(mean.sizes(), generator, mean.dtype()), std);
    return tied(ops::add(x, detach(mean)), mean);
  }
};
ADJ_OP(NormalMeans,
       "normal:mean(mean: Tensor, std: float = 1, *, generator: Generator? = None) -> Tensor", R"(
One standard deviation for all.

>>> adjoint.normal(adjoint.tensor([1., 2.]), 0.)
tensor([1., 2.])
)");
struct NormalDeviations : Composite {
  static constexpr bool is_method = false;
  static Tensor define(double mean, Tensor std, Value generator) {
    check_deviation(std);
    Tensor x = ops::mul(ops::randn(std.sizes(), generator, std.dtype()), detach(std));
    return tied(ops::add(x, mean), std);
  }
};
ADJ_OP(NormalDeviations,
       "normal:std(mean: float, std: Tensor, *, generator: Generator? = None) -> Tensor", R"(
One mean for all.

>>> adjoint.normal(3., adjoint.zeros(2))
tensor([3., 3.])
)");
struct NormalNumbers : Factory {
  static Tensor forward(double mean, double std, DimsView size, Value generator,
                        std::optional<DType> dtype) {
    check_deviation(std);
    return random_under_vmap(size, "normal", [&](DimsView sizes) {
      return drawn(Law::normal, sizes, dtype.value_or(default_dtype()), generator, mean, std,
                   "normal");
    });
  }
};
ADJ_OP(NormalNumbers,
       "normal:numbers(mean: float, std: float, size: int[], *, generator: Generator? = None, "
       "dtype: dtype? = None) -> Tensor",
       R"(
One mean and one standard deviation, in the shape `size`.

>>> adjoint.normal(3., 0., (2,))
tensor([3., 3.])
)");

struct Multinomial : Composite {
  static Tensor define(Tensor p, int64_t num_samples, bool replacement, Value generator) {
    if (p.dim() != 1 && p.dim() != 2)
      runtime_error("multinomial: prob_dist must be 1 or 2 dim, got shape ", p.sizes());
    if (!is_floating(p.dtype()))
      runtime_error("multinomial only supports floating-point dtypes for input, got: ", p.dtype());
    if (num_samples <= 0) runtime_error("cannot sample n_sample <= 0 samples, got ", num_samples);
    if (!replacement && num_samples > p.size(-1))
      runtime_error("cannot sample n_sample > prob_dist.size(-1) samples without replacement: ",
                    num_samples, " of ", p.size(-1));
    p = detach(p);
    if (!p.wrapped()) check(p, replacement ? 1 : num_samples);
    Dims sizes = sizes_with(p.sizes(), p.dim() - 1, num_samples);
    DType wide = DType::f64;
    p = ops::to_dtype(p, wide);
    if (replacement) {
      // Where a uniform number falls among the cumulated probabilities.
      Tensor ends = ops::cumsum(p, -1), total = ops::slice(ends, -1, p.size(-1) - 1, p.size(-1), 1);
      Tensor u = ops::mul(ops::rand(sizes, generator, wide), total);
      return ops::searchsorted(ends, u, false, true);
    }
    // The first of exponential clocks to ring: the k largest of p / q, where q is exponential.
    Tensor q = ops::neg(ops::log1p(ops::neg(ops::rand(p.sizes(), generator, wide))));
    return ops::topk.all(ops::div(p, q), num_samples, -1)[1];
  }
  static void check(const Tensor& p, int64_t needed) {
    Tensor plain = ops::contiguous(ops::to_dtype(p, DType::f64));
    int64_t n = p.size(-1);
    for (int64_t row = 0; row < plain.numel(); row += n) {
      double total = 0;
      int64_t positive = 0;
      for (int64_t i = 0; i < n; ++i) {
        double v = plain.data<double>()[row + i];
        if (!(v >= 0) || std::isinf(v))
          runtime_error("probability tensor contains either `inf`, `nan` or element < 0: ", v);
        total += v;
        positive += v > 0;
      }
      if (!(total > 0))
        runtime_error("invalid multinomial distribution (sum of probabilities <= 0)");
      if (positive < needed)
        runtime_error(
            "invalid multinomial distribution (with replacement=False, not enough non-negative "
            "category "
            "to sample): ",
            positive, " of ", needed);
    }
  }
};
ADJ_OP(Multinomial,
       "multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: "
       "Generator? = None)"
       " -> Tensor",
       R"(
Indices drawn with the probabilities (up to a factor) in the vector `input`, or in each row of a
matrix. A RuntimeError for negative or no weights, or if there are fewer positive ones than draws
without replacement. (Gumbel-max trick; Efraimidis, Spirakis, 2006.)

>>> adjoint.multinomial(adjoint.tensor([0., 1.]), 2, replacement=True)
tensor([1, 1])
)");

}  // namespace
}  // namespace adj
