// What autocast lowers, and what it keeps in float32.
#include <string_view>

#include "op.h"

namespace adj {

namespace {

constexpr std::string_view lower[] = {"matmul",
                                      "mm",
                                      "bmm",
                                      "mv",
                                      "addmm",
                                      "addmv",
                                      "addbmm",
                                      "baddbmm",
                                      "dot",
                                      "chain_matmul",
                                      "einsum",
                                      "nn.functional.linear",
                                      "nn.functional.bilinear",
                                      "nn.functional.conv1d",
                                      "nn.functional.conv2d",
                                      "nn.functional.conv3d",
                                      "nn.functional.conv_transpose1d",
                                      "nn.functional.conv_transpose2d",
                                      "nn.functional.conv_transpose3d",
                                      "linalg.multi_dot",
                                      "linalg.vecdot",
                                      "nn.functional.scaled_dot_product_attention",
                                      "conv1d",
                                      "conv2d",
                                      "conv3d",
                                      "conv_transpose1d",
                                      "conv_transpose2d",
                                      "conv_transpose3d"};

constexpr std::string_view full[] = {"exp",
                                     "expm1",
                                     "log",
                                     "log10",
                                     "log1p",
                                     "log2",
                                     "pow",
                                     "reciprocal",
                                     "rsqrt",
                                     "sinh",
                                     "cosh",
                                     "tan",
                                     "acos",
                                     "asin",
                                     "erfinv",
                                     "softmax",
                                     "log_softmax",
                                     "cumsum",
                                     "cumprod",
                                     "prod",
                                     "sum",
                                     "norm",
                                     "dist",
                                     "cdist",
                                     "logsumexp",
                                     "var",
                                     "std",
                                     "renorm",
                                     "quantile",
                                     "nanquantile",
                                     "trace",
                                     "nn.functional.softmax",
                                     "nn.functional.log_softmax",
                                     "nn.functional.softmin",
                                     "nn.functional.softplus",
                                     "nn.functional.layer_norm",
                                     "nn.functional.group_norm",
                                     "nn.functional.rms_norm",
                                     "nn.functional.normalize",
                                     "nn.functional.cosine_similarity",
                                     "nn.functional.pdist",
                                     "nn.functional.grid_sample",
                                     "nn.functional.mse_loss",
                                     "nn.functional.l1_loss",
                                     "nn.functional.smooth_l1_loss",
                                     "nn.functional.huber_loss",
                                     "nn.functional.nll_loss",
                                     "nn.functional.cross_entropy",
                                     "nn.functional.kl_div",
                                     "nn.functional.binary_cross_entropy",
                                     "nn.functional.binary_cross_entropy_with_logits",
                                     "nn.functional.cosine_embedding_loss",
                                     "nn.functional.hinge_embedding_loss",
                                     "nn.functional.margin_ranking_loss",
                                     "nn.functional.poisson_nll_loss",
                                     "nn.functional.gaussian_nll_loss",
                                     "nn.functional.soft_margin_loss",
                                     "nn.functional.triplet_margin_loss",
                                     "nn.functional.multi_margin_loss",
                                     "nn.functional.multilabel_margin_loss",
                                     "nn.functional.multilabel_soft_margin_loss",
                                     "nn.functional.ctc_loss"};

constexpr std::string_view widest[] = {"cat",         "stack",    "addcmul",    "addcdiv",
                                       "atan2",       "cross",    "index_copy", "index_put",
                                       "scatter_add", "tensordot"};

}  // namespace

void set_autocast_rules() {
  auto rule_of = [](const Op& op) {
    const Schema& s = op.schema;
    std::string name = s.space.empty() ? s.name : s.space + "." + s.name;
    for (auto n : lower)
      if (n == name) return Autocast::lower;
    for (auto n : full)
      if (n == name) return Autocast::full;
    for (auto n : widest)
      if (n == name) return Autocast::widest;
    // All of it needs float32, there being no factorization in fewer bits.
    if (s.space == "linalg" || s.space == "fft") return Autocast::full;
    return Autocast::keep;
  };
  for (Op* op : Registry::get().ops()) op->autocast = rule_of(*op);
}

}  // namespace adj
