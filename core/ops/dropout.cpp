// Dropout: elements are zeroed at random, the others scaled so that the mean stays.
#include <cmath>

#include "ops/random.h"
#include "ops/reduce.h"

namespace adj {

namespace {

// 1 / (1 - p) with probability 1 - p, else 0, of these sizes; under vmap as its randomness says.
Tensor drawn_mask(const Tensor& like, DimsView sizes, double p, double kept, const char* name) {
  DType t = like.dtype() == DType::f64 ? DType::f64 : DType::f32;
  return random_under_vmap(sizes, name, [&](DimsView all) {
    Tensor mask = empty(all, t);
    Generator& g = default_generator();
    std::lock_guard lock(g.mutex);
    random_bernoulli(t, mask.data(), mask.numel(), g.state, 1 - p, kept);
    return cast(mask, like.dtype());
  });
}

void check_probability(double p) {
  if (!(p >= 0 && p <= 1))
    value_error("dropout probability has to be between 0 and 1, but got ", p);
}

Tensor finish(const Tensor& x, const Tensor& mask, bool inplace) {
  return inplace ? ops::mul.into(x, mask) : ops::mul(x, mask);
}

Tensor dropped(const Tensor& x, DimsView mask_sizes, double p, bool training, bool inplace,
               const char* name) {
  check_probability(p);
  if (!training || p == 0 || x.numel() == 0) return x;
  if (p == 1) return inplace ? ops::zero.into(x) : ops::mul(x, 0.0);
  check_floating(name, x.dtype());
  return finish(x, drawn_mask(x, mask_sizes, p, 1 / (1 - p), name), inplace);
}

struct Dropout : Composite {
  static Tensor define(Tensor x, double p, bool training, bool inplace) {
    return dropped(x, x.sizes(), p, training, inplace, "dropout");
  }
};
ADJ_OP(Dropout,
       "nn.functional.dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool "
       "= False)"
       " -> Tensor",
       R"(
Zeroes each element with probability `p` and divides the others by `1 - p` (Srivastava et al., 2014). The
input itself unless `training`. A ValueError for a `p` outside of [0, 1].

>>> adjoint.nn.functional.dropout(adjoint.ones(3), 0.0)
tensor([1., 1., 1.])
)");

struct DropoutPlain : Composite {
  static Tensor define(Tensor x, double p, bool train) {
    return dropped(x, x.sizes(), p, train, false, "dropout");
  }
};
ADJ_OP(DropoutPlain, "dropout(input: Tensor, p: float, train: bool) -> Tensor", R"(
`nn.functional.dropout`.

>>> adjoint.dropout(adjoint.ones(3), 0.5, False)
tensor([1., 1., 1.])
)");

// The sizes of a mask that is the same all over a channel: dims 0 and 1 are kept.
Dims channel_sizes(const Tensor& x, int channels) {
  Dims sizes = x->sizes;
  for (int i = channels; i < sizes.size(); ++i) sizes[i] = 1;
  return sizes;
}

// Whole channels of inputs [N, C, ...], or [C, ...] with one dim less.
template <int kSpatial>
struct ChannelDropout : Composite {
  static Tensor define(Tensor x, double p, bool training, bool inplace) {
    check_probability(p);
    if (x.dim() != kSpatial + 1 && x.dim() != kSpatial + 2)
      runtime_error("dropout", kSpatial, "d: Expected ", kSpatial + 1, "D or ", kSpatial + 2,
                    "D input, but received a ", x.dim(), "D input of shape ", x.sizes());
    return dropped(x, channel_sizes(x, x.dim() - kSpatial), p, training, inplace, "dropout");
  }
};

struct Dropout1d : ChannelDropout<1> {};
ADJ_OP(Dropout1d,
       "nn.functional.dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: "
       "bool = False)"
       " -> Tensor",
       R"(
Zeroes whole channels of an input [N, C, L] or [C, L] with probability `p` each and divides the others by
`1 - p` (Tompson et al., 2015).

>>> adjoint.nn.functional.dropout1d(adjoint.ones(1, 2, 2), 0.0).flatten()
tensor([1., 1., 1., 1.])
)");
struct Dropout2d : ChannelDropout<2> {};
ADJ_OP(Dropout2d,
       "nn.functional.dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: "
       "bool = False)"
       " -> Tensor",
       R"(
Zeroes whole channels of an input [N, C, H, W] or [C, H, W].

>>> adjoint.nn.functional.dropout2d(adjoint.ones(1, 2, 1, 1), 0.0).flatten()
tensor([1., 1.])
)");
struct Dropout3d : ChannelDropout<3> {};
ADJ_OP(Dropout3d,
       "nn.functional.dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: "
       "bool = False)"
       " -> Tensor",
       R"(
Zeroes whole channels of an input [N, C, D, H, W] or [C, D, H, W].

>>> adjoint.nn.functional.dropout3d(adjoint.ones(1, 2, 1, 1, 1), 0.0).flatten()
tensor([1., 1.])
)");

// Elements become -1.7581 (the limit of selu) instead of 0; scaled and shifted so that mean 0 and
// variance 1 stay (Klambauer et al., 2017).
Tensor alpha_dropped(const Tensor& x, DimsView mask_sizes, double p, bool training, bool inplace,
                     const char* name) {
  check_probability(p);
  if (!training || p == 0 || x.numel() == 0) return x;
  if (p == 1) return inplace ? ops::zero.into(x) : ops::mul(x, 0.0);
  check_floating(name, x.dtype());
  constexpr double kAlpha = 1.7580993408473766;
  double scale = 1 / std::sqrt((kAlpha * kAlpha * p + 1) * (1 - p));
  Tensor mask = drawn_mask(x, mask_sizes, p, 1, name);
  // x where kept, -alpha where not; then scale * (that + alpha p)
  Tensor shift = ops::add(ops::mul(ops::sub(mask, 1.0), kAlpha * scale), kAlpha * p * scale);
  mask = ops::mul(mask, scale);
  if (inplace) return ops::add.into(ops::mul.into(x, mask), shift);
  return ops::add(ops::mul(x, mask), shift);
}

struct AlphaDropout : Composite {
  static Tensor define(Tensor x, double p, bool training, bool inplace) {
    return alpha_dropped(x, x.sizes(), p, training, inplace, "alpha_dropout");
  }
};
ADJ_OP(AlphaDropout,
       "nn.functional.alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, "
       "inplace: bool = False) -> Tensor",
       R"(
Dropout for `selu` networks: keeps mean 0 and variance 1 (Klambauer et al., 2017).

>>> adjoint.nn.functional.alpha_dropout(adjoint.ones(3), 0.5, training=False)
tensor([1., 1., 1.])
)");

struct FeatureAlphaDropout : Composite {
  static Tensor define(Tensor x, double p, bool training, bool inplace) {
    if (training && x.dim() < 2)
      runtime_error("feature_alpha_dropout: expected at least 2 dims, got shape ", x.sizes());
    return alpha_dropped(x, x.dim() < 2 ? x.sizes().copy() : channel_sizes(x, 2), p, training,
                         inplace, "feature_alpha_dropout");
  }
};
ADJ_OP(FeatureAlphaDropout,
       "nn.functional.feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, "
       "inplace: bool = False) -> Tensor",
       R"(
`alpha_dropout` of whole channels of an input [N, C, ...].

>>> adjoint.nn.functional.feature_alpha_dropout(adjoint.ones(1, 2), 0.5, training=False)
tensor([[1., 1.]])
)");

}  // namespace
}  // namespace adj
