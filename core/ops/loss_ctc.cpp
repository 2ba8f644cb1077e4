// Connectionist temporal classification (Graves et al., ICML 2006).
#include <cmath>
#include <limits>
#include <vector>

#include "ops/loss.h"

namespace adj {

namespace {

const Fn logaddexp{"logaddexp"}, clamp_min{"clamp_min"}, ctc{"_nodes.ctc_loss"};
constexpr double kInf = std::numeric_limits<double>::infinity();
// Instead of -inf in operators, whose derivatives stay finite with it.
constexpr double kNever = -1e30;

// One sample: the target with blanks around each label, [2 L + 1] states, and the rows of its
// log-probabilities.
struct Sample {
  const double* row;  // time 0
  int64_t step, frames;
  std::vector<int64_t> labels;

  int64_t states() const { return static_cast<int64_t>(labels.size()); }
  double at(int64_t t, int64_t s) const { return row[t * step + labels[static_cast<size_t>(s)]]; }
  // Whether state s may follow s - 2: its label is no blank, and differs from the one before.
  bool skips(int64_t s) const {
    auto i = static_cast<size_t>(s);
    return s >= 2 && s % 2 == 1 && labels[i] != labels[i - 2];
  }
};

double log_add(double a, double b) {
  double top = a > b ? a : b;
  return top == -kInf ? top : top + std::log1p(std::exp(-std::abs(a - b)));
}

// [T, N, C] log-probabilities, [N, L] targets.
struct Batched {
  Tensor x, targets, frames, lengths;
  int64_t n, classes, width, blank;

  Batched(const Tensor& log_probs, const Tensor& t, const Tensor& in, const Tensor& out, int64_t b)
      : x(cast(log_probs, DType::f64)),
        targets(cast(t, DType::i64)),
        frames(cast(in, DType::i64)),
        lengths(cast(out, DType::i64)),
        n(x.size(1)),
        classes(x.size(2)),
        width(targets.size(1)),
        blank(b) {}

  Sample sample(int64_t i) const {
    Sample s{x.data<double>() + i * classes, n * classes, frames.data<int64_t>()[i], {}};
    int64_t length = lengths.data<int64_t>()[i];
    s.labels.assign(static_cast<size_t>(2 * length + 1), blank);
    for (int64_t k = 0; k < length; ++k)
      s.labels[static_cast<size_t>(2 * k + 1)] = targets.data<int64_t>()[i * width + k];
    return s;
  }
};

// alpha[t, s]: the log-probability of all ways to be in state s at time t, its label included.
// Returns that of all ways to the end.
double run_alpha(const Sample& c, std::vector<double>& alpha) {
  int64_t states = c.states();
  alpha.assign(static_cast<size_t>(c.frames * states), -kInf);
  if (c.frames == 0) return states == 1 ? 0 : -kInf;
  for (int64_t s = 0; s < 2 && s < states; ++s) alpha[static_cast<size_t>(s)] = c.at(0, s);
  for (int64_t t = 1; t < c.frames; ++t) {
    const double* before = alpha.data() + (t - 1) * states;
    double* now = alpha.data() + t * states;
    for (int64_t s = 0; s < states; ++s) {
      double sum = before[s];
      if (s > 0) sum = log_add(sum, before[s - 1]);
      if (c.skips(s)) sum = log_add(sum, before[s - 2]);
      now[s] = sum + c.at(t, s);
    }
  }
  const double* last = alpha.data() + (c.frames - 1) * states;
  return states == 1 ? last[0] : log_add(last[states - 1], last[states - 2]);
}

// d loss / d log_probs[t, k] = -(the probability of label k at time t, given the target): sums of
// exp(alpha + beta - total), beta[t, s] being the log-probability of all ways on from (t, s).
void add_gradient(const Sample& c, const std::vector<double>& alpha, double total, double g,
                  double* out) {
  int64_t states = c.states();
  std::vector<double> beta(static_cast<size_t>(states), -kInf), next(beta);
  for (int64_t t = c.frames - 1; t >= 0; --t) {
    if (t == c.frames - 1) {
      beta[static_cast<size_t>(states - 1)] = 0;
      if (states > 1) beta[static_cast<size_t>(states - 2)] = 0;
    } else {
      for (int64_t s = 0; s < states; ++s)
        next[static_cast<size_t>(s)] = beta[static_cast<size_t>(s)] + c.at(t + 1, s);
      for (int64_t s = 0; s < states; ++s) {
        auto i = static_cast<size_t>(s);
        double sum = next[i];
        if (s + 1 < states) sum = log_add(sum, next[i + 1]);
        if (s + 2 < states && c.skips(s + 2)) sum = log_add(sum, next[i + 2]);
        beta[i] = sum;
      }
    }
    for (int64_t s = 0; s < states; ++s) {
      auto i = static_cast<size_t>(s);
      double weight = std::exp(alpha[static_cast<size_t>(t * states + s)] + beta[i] - total);
      out[t * c.step + c.labels[i]] -= g * weight;
    }
  }
}

// Losses [N] of log-probabilities [T, N, C] and targets [N, L], with int64 lengths [N].
struct Ctc : Fused {
  static constexpr bool is_method = false;
  static constexpr uint32_t saves = input(0) | input(1) | input(2) | input(3);

  static Tensor forward(Tensor x, Tensor targets, Tensor frames, Tensor lengths, int64_t blank,
                        bool zero_infinity) {
    Batched c(x, targets, frames, lengths, blank);
    Tensor out = empty(Dims{c.n}, DType::f64);
    std::vector<double> alpha;
    for (int64_t i = 0; i < c.n; ++i) {
      double loss = -run_alpha(c.sample(i), alpha);
      out.data<double>()[i] = zero_infinity && loss == kInf ? 0 : loss;
    }
    return cast(out, x.dtype());
  }

  static Tensor define(Tensor x, Tensor targets, Tensor frames, Tensor lengths, int64_t blank,
                       bool zero_infinity) {
    int64_t time = x.size(0), n = x.size(1), width = targets.size(1), states = 2 * width + 1;
    Tensor used = ops::lt(ops::arange(int64_t{0}, width), ops::unsqueeze(lengths, int64_t{1}));
    Tensor labels = ops::masked_fill(targets, ops::logical_not(used), blank);
    Tensor blanks = ops::full(Dims{n, width}, static_cast<double>(blank), DType::i64);
    Tensor between[2] = {blanks, labels};
    Tensor first = ops::full(Dims{n, 1}, static_cast<double>(blank), DType::i64);
    Tensor joined[2] = {
        ops::reshape(ops::stack(Tensors{between, 2}, int64_t{2}), Dims{n, 2 * width}), first};
    Tensor s = ops::cat(Tensors{joined, 2}, int64_t{1});  // [N, S]
    Tensor shifted[2] = {ops::full(Dims{n, 2}, static_cast<double>(blank), DType::i64), s};
    Tensor before =
        ops::narrow(ops::cat(Tensors{shifted, 2}, int64_t{1}), int64_t{1}, int64_t{0}, states);
    Tensor stays = ops::logical_not(ops::logical_and(ops::ne(s, blank), ops::ne(s, before)));

    Tensor emit = ops::gather(clamp_min(x, kNever), int64_t{2},
                              ops::expand(ops::unsqueeze(s, int64_t{0}), Dims{time, n, states}));
    Tensor start[2] = {ops::zeros(Dims{n, 1}, x.dtype()),
                       ops::full(Dims{n, states - 1}, kNever, x.dtype())};
    Tensor alpha = ops::cat(Tensors{start, 2}, int64_t{1});  // in state 0 before time 0
    Tensor never = ops::full(Dims{n, 2}, kNever, x.dtype());
    for (int64_t t = 0; t < time; ++t) {
      Tensor parts[2] = {never, alpha};
      Tensor padded = ops::cat(Tensors{parts, 2}, int64_t{1});
      Tensor one = ops::narrow(padded, int64_t{1}, int64_t{1}, states);
      Tensor two =
          ops::masked_fill(ops::narrow(padded, int64_t{1}, int64_t{0}, states), stays, kNever);
      Tensor ways[3] = {alpha, one, two};
      Tensor next = ops::add(ops::logsumexp(ops::stack(Tensors{ways, 3}, int64_t{2}), int64_t{2}),
                             ops::select(emit, int64_t{0}, t));
      alpha = ops::where(ops::unsqueeze(ops::gt(frames, t), int64_t{1}), next, alpha);
    }
    Tensor end = ops::unsqueeze(ops::mul(lengths, int64_t{2}), int64_t{1});
    Tensor empty_target = ops::eq(end, int64_t{0});
    Tensor last = ops::gather(alpha, int64_t{1}, end);
    Tensor other = ops::masked_fill(
        ops::gather(alpha, int64_t{1}, clamp_min(ops::sub(end, int64_t{1}), int64_t{0})),
        empty_target, kNever);
    Tensor loss = ops::neg(ops::squeeze(logaddexp(last, other), int64_t{1}));
    return ops::masked_fill(loss, ops::gt(loss, -kNever / 2), zero_infinity ? 0.0 : kInf);
  }

  static bool fast_vjp(Vjp& c) {
    Tensor x = c.in(0), g = c.g();
    if (x.wrapped() || g.wrapped() || c.in(1).wrapped() || c.in(2).wrapped() || c.in(3).wrapped())
      return false;
    if (!c.needs(0)) return true;
    Batched call(x, c.in(1), c.in(2), c.in(3), c.arg<int64_t>(4));
    Tensor weights = cast(g, DType::f64), out = ops::zeros(x.sizes(), DType::f64);
    std::vector<double> alpha;
    for (int64_t i = 0; i < call.n; ++i) {
      Sample sample = call.sample(i);
      double total = run_alpha(sample, alpha);
      if (total == -kInf) continue;  // impossible: constant
      add_gradient(sample, alpha, total, dense(weights).data<double>()[i],
                   out.data<double>() + i * call.classes);
    }
    c.set(0, cast(out, x.dtype()));
    return true;
  }
};
ADJ_OP(Ctc,
       "_nodes.ctc_loss(log_probs: Tensor, targets: Tensor, input_lengths: Tensor, "
       "target_lengths: Tensor, blank: int, zero_infinity: bool) -> Tensor",
       R"(
`nn.functional.ctc_loss` of a batch: losses [N] of [T, N, C] and padded targets [N, L].

>>> x = adjoint.zeros(2, 1, 2).log_softmax(2)
>>> lengths = adjoint.tensor([2])
>>> adjoint.nn.functional.ctc_loss(x, adjoint.tensor([[1]]), lengths, adjoint.tensor([1]))
tensor(0.2877)
)");

Tensor lengths_of(DimsView lengths) {
  Tensor out = empty(Dims{lengths.size()}, DType::i64);
  for (int i = 0; i < lengths.size(); ++i) out.data<int64_t>()[i] = lengths[i];
  return out;
}

void check_lengths(const char* name, const Tensor& lengths, int64_t n, int64_t most,
                   const char* of) {
  if (lengths.numel() != n)
    runtime_error("ctc_loss: ", name, " must be of size batch_size = ", n, ", got ",
                  lengths.numel(), " of them");
  if (lengths.wrapped()) return;
  Tensor plain = dense(cast(detach(lengths), DType::i64));
  for (int64_t i = 0; i < n; ++i) {
    int64_t length = plain.data<int64_t>()[i];
    if (length < 0 || (most >= 0 && length > most))
      runtime_error("ctc_loss: Expected ", name, " to have value at most ", most, " (", of,
                    ") and at least 0, but got ", length, " at batch element ", i);
  }
}

// Concatenated targets as rows [N, L].
Tensor padded(const Tensor& targets, const Tensor& lengths, int64_t n) {
  if (targets.wrapped() || lengths.wrapped())
    runtime_error("ctc_loss: concatenated targets cannot be used under vmap; pad them to [N, L]");
  Tensor all = dense(cast(detach(targets), DType::i64)),
         size = dense(cast(detach(lengths), DType::i64));
  int64_t total = 0, longest = 0;
  for (int64_t i = 0; i < n; ++i) {
    total += size.data<int64_t>()[i];
    longest = std::max(longest, size.data<int64_t>()[i]);
  }
  if (total != all.numel())
    runtime_error("ctc_loss: concatenated targets must have the sum of target_lengths = ", total,
                  " elements, got ", all.numel());
  Tensor out = ops::zeros(Dims{n, longest}, DType::i64);
  const int64_t* from = all.data<int64_t>();
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k < size.data<int64_t>()[i]; ++k)
      out.data<int64_t>()[i * longest + k] = *from++;
  return out;
}

Tensor as_index(const Tensor& x) {
  return x.dtype() == DType::i64 ? x : ops::to_dtype(x, DType::i64);
}

Tensor ctc_loss(Tensor x, Tensor targets, Tensor frames, Tensor lengths, int64_t blank,
                int64_t reduction, bool zero_infinity) {
  check_floating("ctc_loss", x.dtype());
  bool single = x.dim() == 2;
  if (!single && x.dim() != 3)
    runtime_error("ctc_loss: log_probs must be [T, N, C] or [T, C], got shape ", x.sizes());
  if (single) x = ops::unsqueeze(x, int64_t{1});
  int64_t n = x.size(1), classes = x.size(2);
  if (blank < 0 || blank >= classes)
    runtime_error("ctc_loss: blank must be in label range, 0 to ", classes - 1, ", got ", blank);
  frames = ops::reshape(as_index(frames), Dims{-1});
  lengths = ops::reshape(as_index(lengths), Dims{-1});
  targets = as_index(targets);
  check_lengths("input_lengths", frames, n, x.size(0), "the number of frames");
  check_lengths("target_lengths", lengths, n,
                targets.dim() == 2 ? targets.size(1) : targets.numel(), "the size of targets");
  if (targets.dim() == 1) targets = padded(targets, lengths, n);
  if (targets.dim() != 2 || targets.size(0) != n)
    runtime_error("ctc_loss: targets must be [N, L] with N = ", n, ", or concatenated, got shape ",
                  targets.sizes());
  if (!targets.wrapped() && !lengths.wrapped()) {
    Tensor at = dense(cast(detach(targets), DType::i64)), size = dense(detach(lengths));
    for (int64_t i = 0; i < n; ++i)
      for (int64_t k = 0; k < size.data<int64_t>()[i]; ++k) {
        int64_t label = at.data<int64_t>()[i * at.size(1) + k];
        if (label < 0 || label >= classes)
          runtime_error("ctc_loss: target ", label, " of batch element ", i,
                        " is out of bounds: there are ", classes, " classes");
      }
  }
  Tensor each = ctc(x, targets, frames, lengths, blank, zero_infinity);
  if (reduction == kMean)
    return ops::mean_all(ops::div(each, ops::to_dtype(clamp_min(lengths, int64_t{1}), x.dtype())));
  if (reduction == kSum) return ops::sum_all(each);
  return single ? ops::squeeze(each, int64_t{0}) : each;
}

struct CtcFunction : Composite {
  static Tensor define(Tensor x, Tensor targets, Tensor frames, Tensor lengths, int64_t blank,
                       Text reduction, bool zero_infinity) {
    return ctc_loss(x, targets, frames, lengths, blank, reduction_of(reduction, {}, {}),
                    zero_infinity);
  }
};
ADJ_OP(CtcFunction,
       "nn.functional.ctc_loss(log_probs: Tensor, targets: Tensor, input_lengths: Tensor, "
       "target_lengths: Tensor, blank: int = 0, reduction: str = 'mean', "
       "zero_infinity: bool = False) -> Tensor",
       R"(
Connectionist temporal classification: the negative log likelihood of label sequences under
log-probabilities [T, N, C] (or [T, C]) of labels and `blank` at each time, whatever the alignment
(Graves et al., 2006, equations 6 to 16). Targets are [N, L], or concatenated to one dim; lengths are [N],
as tensors or tuples. 'mean' divides each loss by its target's length before the mean over the batch;
`zero_infinity` makes infinite losses (targets longer than the input) and their gradients zero. A
RuntimeError for lengths and labels out of range.

>>> x = adjoint.zeros(2, 1, 2).log_softmax(2)
>>> adjoint.nn.functional.ctc_loss(x, adjoint.tensor([[1]]), (2,), (1,))
tensor(0.2877)
)");

struct CtcFunctionInts : Composite {
  static Tensor define(Tensor x, Tensor targets, DimsView frames, DimsView lengths, int64_t blank,
                       Text reduction, bool zero_infinity) {
    return ctc_loss(x, targets, lengths_of(frames), lengths_of(lengths), blank,
                    reduction_of(reduction, {}, {}), zero_infinity);
  }
};
ADJ_OP(CtcFunctionInts,
       "nn.functional.ctc_loss:ints(log_probs: Tensor, targets: Tensor, input_lengths: int[], "
       "target_lengths: int[], blank: int = 0, reduction: str = 'mean', "
       "zero_infinity: bool = False) -> Tensor",
       R"(
Lengths in tuples.

>>> x = adjoint.zeros(2, 1, 2).log_softmax(2)
>>> adjoint.nn.functional.ctc_loss(x, adjoint.tensor([1]), (2,), (1,), reduction='sum')
tensor(0.2877)
)");

struct CtcPlain : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x, Tensor targets, Tensor frames, Tensor lengths, int64_t blank,
                       int64_t reduction, bool zero_infinity) {
    return ctc_loss(x, targets, frames, lengths, blank, reduction, zero_infinity);
  }
};
ADJ_OP(CtcPlain,
       "ctc_loss(log_probs: Tensor, targets: Tensor, input_lengths: Tensor, target_lengths: "
       "Tensor, blank: int = 0, reduction: int = 1, zero_infinity: bool = False) -> Tensor",
       R"(
`nn.functional.ctc_loss` with a reduction by number: 0 none, 1 mean, 2 sum.

>>> x = adjoint.zeros(2, 1, 2).log_softmax(2)
>>> lengths = adjoint.tensor([2])
>>> adjoint.ctc_loss(x, adjoint.tensor([[1]]), lengths, adjoint.tensor([1]), reduction=2)
tensor(0.2877)
)");

struct CtcPlainInts : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x, Tensor targets, DimsView frames, DimsView lengths, int64_t blank,
                       int64_t reduction, bool zero_infinity) {
    return ctc_loss(x, targets, lengths_of(frames), lengths_of(lengths), blank, reduction,
                    zero_infinity);
  }
};
ADJ_OP(CtcPlainInts,
       "ctc_loss:ints(log_probs: Tensor, targets: Tensor, input_lengths: int[], target_lengths: "
       "int[], blank: int = 0, reduction: int = 1, zero_infinity: bool = False) -> Tensor",
       R"(
Lengths in tuples.

>>> x = adjoint.zeros(2, 1, 2).log_softmax(2)
>>> adjoint.ctc_loss(x, adjoint.tensor([1]), (2,), (1,))
tensor(0.2877)
)");

}  // namespace
}  // namespace adj
