// In-place draws: x.uniform_(), x.normal_() and their kin. The namespace is private: Tensor gets
// the in-place forms as methods, and there are no functions of these names.
#include <cmath>

#include "ops/random.h"
#include "ops/shape.h"

namespace adj {

namespace {

// True inside of a batching rule, where plain tensors hold a whole batch.
thread_local bool in_rule = false;

void refuse_outside_of_rule(const char* name) {
  for (int id = live_levels(); id > 0 && !in_rule; --id) {
    const LiveLevel& level = live_level(id);
    if (level.kind != LevelKind::batched || level.randomness[0] == 's') continue;
    runtime_error(
        "vmap: ", name,
        "_ cannot draw one value for each element of the batch into a tensor that is not "
        "batched; use randomness='same', or make the tensor with empty_like of a batched one");
  }
}

// S::draw(out, arguments, state) fills a contiguous tensor of its own dtype.
template <class S>
struct Draw : Linear {
  static constexpr bool in_place = true;
  static Outs forward(const Args& a) {
    refuse_outside_of_rule(a.op.name);
    Tensor x = a[0].as_tensor(), out = a.into ? *a.into : empty(x.sizes(), x.dtype());
    S::check(a, out.dtype());
    DType t = S::loop_type(out.dtype());
    Tensor drawn = out.contiguous() && t == out.dtype() ? out : empty(out.sizes(), t);
    Generator& g = generator_of(a[a.size() - 1]);
    {
      std::lock_guard lock(g.mutex);
      S::draw(a, t, drawn, g.state);
    }
    if (!drawn.same(out)) write_into(out, drawn);
    return as_outs(out);
  }
  static void transpose(Vjp& c) { c.set(0, ops::zeros(c.like(0).sizes, c.like(0).dtype)); }
  static Outs jvp(Jvp&) { return Outs(1); }
  static Outs batch(Batch& b) {
    const LiveLevel& level = live_level(b.id);
    if (level.randomness[0] == 'e')
      runtime_error("vmap: ", b.op.name,
                    "_ was called inside of vmap, whose randomness is 'error'. Give vmap "
                    "randomness='same' or randomness='different', or draw outside of vmap");
    bool before = std::exchange(in_rule, true);
    struct Restore {
      bool value;
      ~Restore() { in_rule = value; }
    } restore{before};
    if (level.randomness[0] == 'd') return b.run();
    Tensor all = b.in(0), one = ops::select(all, 0, 0);
    b.values[0].tensor = one.get();
    Tensor drawn = b.run()[0];
    return as_outs(ops::contiguous_copy(ops::expand(drawn, all.sizes())));
  }

  static DType loop_type(DType t) { return t == DType::f64 ? t : DType::f32; }
  static void floating_only(const Args& a, DType t) {
    if (!is_floating(t))
      fail(ErrorKind::not_implemented, a.op.name, "_ is not implemented for '", scalar_name_of(t),
           "'");
  }
};

struct Uniform : Draw<Uniform> {
  static void check(const Args& a, DType t) {
    floating_only(a, t);
    if (a[1].as_double() > a[2].as_double())
      runtime_error("uniform_ expects to return a [from, to) range, but found from=",
                    a[1].as_double(), " > to=", a[2].as_double());
  }
  static void draw(const Args& a, DType t, const Tensor& x, RandomState& state) {
    random_uniform(t, x.data(), x.numel(), state, a[1].as_double(), a[2].as_double());
  }
};
ADJ_OP(Uniform,
       "_in_place.uniform(input: Tensor, from: float = 0, to: float = 1, *, generator: Generator? "
       "= None) -> Tensor",
       R"(
Numbers drawn uniformly from [from, to).

>>> bool((adjoint.empty(100).uniform_(2, 3) >= 2).all())
True
)");

struct Normal : Draw<Normal> {
  static void check(const Args& a, DType t) {
    floating_only(a, t);
    if (!(a[2].as_double() >= 0))
      runtime_error("normal expects std >= 0.0, but found std ", a[2].as_double());
  }
  static void draw(const Args& a, DType t, const Tensor& x, RandomState& state) {
    random_normal(t, x.data(), x.numel(), state, a[1].as_double(), a[2].as_double());
  }
};
ADJ_OP(Normal,
       "_in_place.normal(input: Tensor, mean: float = 0, std: float = 1, *, generator: Generator? "
       "= None) -> Tensor",
       R"(
Numbers drawn from a normal distribution.

>>> adjoint.empty(2).normal_(3, 0)
tensor([3., 3.])
)");

struct Exponential : Draw<Exponential> {
  static void check(const Args& a, DType t) {
    floating_only(a, t);
    if (!(a[1].as_double() > 0))
      runtime_error("exponential_ expects lambda > 0.0, but found lambda=", a[1].as_double());
  }
  template <class T>
  static void run(T* x, int64_t n, double lambda) {
    for (int64_t i = 0; i < n; ++i)
      x[i] = static_cast<T>(-std::log1p(-static_cast<double>(x[i])) / lambda);
  }
  static void draw(const Args& a, DType t, const Tensor& x, RandomState& state) {
    random_uniform(t, x.data(), x.numel(), state, 0, 1);
    if (t == DType::f64) run(x.data<double>(), x.numel(), a[1].as_double());
    else run(x.data<float>(), x.numel(), a[1].as_double());
  }
};
ADJ_OP(Exponential,
       "_in_place.exponential(input: Tensor, lambd: float = 1, *, generator: Generator? = None) -> "
       "Tensor",
       R"(
Numbers drawn from the exponential distribution of rate `lambd`.

>>> bool((adjoint.empty(100).exponential_() >= 0).all())
True
)");

struct BernoulliFill : Draw<BernoulliFill> {
  static DType loop_type(DType t) {
    return t == DType::b8 || t == DType::f32 || t == DType::f64 ? t : DType::b8;
  }
  static void check(const Args& a, DType) {
    double p = a[1].as_double();
    if (!(p >= 0 && p <= 1)) runtime_error("bernoulli_ expects p to be in [0, 1], but got p=", p);
  }
  static void draw(const Args& a, DType t, const Tensor& x, RandomState& state) {
    random_bernoulli(t, x.data(), x.numel(), state, a[1].as_double(), 1);
  }
};
ADJ_OP(
    BernoulliFill,
    "_in_place.bernoulli(input: Tensor, p: float = 0.5, *, generator: Generator? = None) -> Tensor",
    R"(
1 with probability `p`, else 0.

>>> adjoint.empty(3).bernoulli_(1)
tensor([1., 1., 1.])
)");

// Integers in [low, high), which S::range gives.
template <class S>
struct DrawIntegers : Draw<S> {
  static DType loop_type(DType t) { return is_integral(t) ? t : DType::i64; }
  static void check(const Args& a, DType t) {
    auto [low, high] = S::range(a, t);
    if (low >= high)
      runtime_error("random_ expects 'from' to be less than 'to', but got from=", low,
                    " >= to=", high);
  }
  static void draw(const Args& a, DType t, const Tensor& x, RandomState& state) {
    auto [low, high] = S::range(a, a[0].tensor->dtype);
    random_integers(t, x.data(), x.numel(), state, low, high);
  }
};
using Range = std::pair<int64_t, int64_t>;

struct RandomFill : DrawIntegers<RandomFill> {
  // All non-negative integers that the dtype holds exactly.
  static Range range(const Args&, DType t) {
    switch (t) {
      case DType::b8: return {0, 2};
      case DType::u8: return {0, 256};
      case DType::i8: return {0, 128};
      case DType::f16: return {0, (1 << 11) + 1};
      case DType::bf16: return {0, (1 << 8) + 1};
      case DType::i16: return {0, 1 << 15};
      case DType::f32: return {0, (int64_t{1} << 24) + 1};
      case DType::i32: return {0, int64_t{1} << 31};
      case DType::f64: return {0, (int64_t{1} << 53) + 1};
      default: return {0, INT64_MAX};
    }
  }
};
ADJ_OP(RandomFill, "_in_place.random(input: Tensor, *, generator: Generator? = None) -> Tensor", R"(
Integers drawn uniformly from [0, to), or from [from, to); without arguments from all non-negative
ones that the dtype holds exactly.

>>> adjoint.empty(2).random_(1)
tensor([0., 0.])
)");
struct RandomFillTo : DrawIntegers<RandomFillTo> {
  static Range range(const Args& a, DType) { return {0, a[1].as_int()}; }
};
ADJ_OP(RandomFillTo,
       "_in_place.random:to(input: Tensor, to: int, *, generator: Generator? = None) -> Tensor", R"(
From [0, to).

>>> adjoint.empty(2).random_(1)
tensor([0., 0.])
)");
struct RandomFillBetween : DrawIntegers<RandomFillBetween> {
  static Range range(const Args& a, DType) { return {a[1].as_int(), a[2].as_int()}; }
};
ADJ_OP(RandomFillBetween,
       "_in_place.random:between(input: Tensor, from: int, to: int, *, generator: Generator? = "
       "None) -> Tensor",
       R"(
From [from, to).

>>> adjoint.empty(2).random_(4, 5)
tensor([4., 4.])
)");

}  // namespace
}  // namespace adj
