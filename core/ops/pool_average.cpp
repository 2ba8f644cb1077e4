// Average pooling: over regular and over adaptive windows, and power averages.
#include <bit>
#include <cmath>

#include "ops/pool.h"
#include "ops/resample.h"

namespace adj {

namespace {

struct AvgPool2dNode : Resample {};
ADJ_OP(AvgPool2dNode, "_nodes.avg_pool2d:/AvgPool2DBackward0(input: Tensor, maps: int[]) -> Tensor",
       R"(
`_nodes.resample`.

>>> f = adjoint._core._namespaces["_nodes"]["avg_pool2d"]
>>> f(adjoint.tensor([1., 3., 5., 7.]), [0, 2, 2, 2, 0, 1, 0])
tensor([2., 6.])
)");

struct AvgPool3dNode : Resample {};
ADJ_OP(AvgPool3dNode, "_nodes.avg_pool3d:/AvgPool3DBackward0(input: Tensor, maps: int[]) -> Tensor",
       R"(
`_nodes.resample`.

>>> f = adjoint._core._namespaces["_nodes"]["avg_pool3d"]
>>> f(adjoint.tensor([1., 3., 5., 7.]), [0, 2, 2, 2, 0, 1, 0])
tensor([2., 6.])
)");

struct AdaptiveAvgPool2dNode : Resample {};
ADJ_OP(
    AdaptiveAvgPool2dNode,
    "_nodes._adaptive_avg_pool2d:/AdaptiveAvgPool2DBackward0(input: Tensor, maps: int[]) -> Tensor",
    R"(
`_nodes.resample`.

>>> f = adjoint._core._namespaces["_nodes"]["_adaptive_avg_pool2d"]
>>> f(adjoint.tensor([1., 3., 5., 7.]), [1, 2, 0, 0, 0, 0, 0])
tensor([2., 6.])
)");

struct AdaptiveAvgPool3dNode : Resample {};
ADJ_OP(
    AdaptiveAvgPool3dNode,
    "_nodes.adaptive_avg_pool3d:/AdaptiveAvgPool3DBackward0(input: Tensor, maps: int[]) -> Tensor",
    R"(
`_nodes.resample`.

>>> f = adjoint._core._namespaces["_nodes"]["adaptive_avg_pool3d"]
>>> f(adjoint.tensor([1., 3., 5., 7.]), [1, 2, 0, 0, 0, 0, 0])
tensor([2., 6.])
)");

const Fn average2d{"_nodes.avg_pool2d"}, average3d{"_nodes.avg_pool3d"};
const Fn adaptive2d{"_nodes._adaptive_avg_pool2d"}, adaptive3d{"_nodes.adaptive_avg_pool3d"};

template <int nd>
Tensor average_pooled(const char* name, const Tensor& x, DimsView kernel, DimsView stride,
                      DimsView padding, bool ceil_mode, bool count_include_pad,
                      std::optional<int64_t> divisor) {
  PoolArgs a = pool_args(name, x, nd, kernel, stride, padding, {1}, ceil_mode);
  if (divisor && *divisor == 0) runtime_error(name, ": divisor must be not zero");
  Dims maps;
  for (int i = 0; i < nd; ++i) {
    // the divisor is divided by once
    double value = divisor && i == nd - 1 ? static_cast<double>(*divisor) : 1.0;
    for (int64_t v :
         {int64_t{0}, pooled_size(x.size(i - nd), a, i), a.kernel[i], a.stride[i], a.padding[i],
          int64_t{divisor             ? 2
                  : count_include_pad ? 1
                                      : 0},
          std::bit_cast<int64_t>(value)})
      maps.push_back(v);
  }
  return (nd == 3 ? average3d : average2d)(x, maps);
}

template <int nd>
Tensor adaptive_averaged(const char* name, const Tensor& x, DimsView output_size) {
  check_pool_input(name, x, nd);
  Dims sizes = per_dim(name, "output_size", output_size, nd), maps;
  bool single = true;
  for (int64_t m : sizes) {
    if (m < 0)
      runtime_error(name, ": elements of output_size must be greater than or equal to 0 but got ",
                    DimsView(sizes));
    single = single && m == 1;
    for (int64_t v : {int64_t{1}, m, int64_t{0}, int64_t{0}, int64_t{0}, int64_t{0}, int64_t{0}})
      maps.push_back(v);
  }
  if (single) {
    Dims dims;
    for (int i = -nd; i < 0; ++i) dims.push_back(i);
    return ops::mean(x, dims, true);
  }
  return (nd == 3 ? adaptive3d : adaptive2d)(x, maps);
}

struct AvgPool1d : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x, DimsView kernel, DimsView stride, DimsView padding, bool ceil_mode,
                       bool count_include_pad) {
    return average_pooled<1>("avg_pool1d", x, kernel, stride, padding, ceil_mode, count_include_pad,
                             std::nullopt);
  }
};
ADJ_OP(AvgPool1d,
       "nn.functional.avg_pool1d(input: Tensor, kernel_size: int[], stride: int[]? = None, "
       "padding: int[] = [0], ceil_mode: bool = False, count_include_pad: bool = True) -> "
       "Tensor",
       R"(
The mean of each window of an input [N, C, L] or [C, L]. Windows hold `kernel_size` positions and
begin `stride` (by default `kernel_size`) apart; `padding` adds zeros at both ends, which count
unless `count_include_pad` is off. `ceil_mode` lets the last window reach beyond the end. A
RuntimeError for arguments that do not fit.

>>> adjoint.nn.functional.avg_pool1d(adjoint.tensor([[1., 5., 2., 4.]]), 2)
tensor([[3., 3.]])
)");

struct AvgPool1dPlain : AvgPool1d {};
ADJ_OP(AvgPool1dPlain,
       "avg_pool1d(input: Tensor, kernel_size: int[], stride: int[]? = None, padding: int[] "
       "= [0], ceil_mode: bool = False, count_include_pad: bool = True) -> Tensor",
       R"(
`nn.functional.avg_pool1d`.

>>> adjoint.avg_pool1d(adjoint.tensor([[1., 5., 2., 4.]]), 2)
tensor([[3., 3.]])
)");

struct AdaptiveAvgPool1d : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x, DimsView output_size) {
    return adaptive_averaged<1>("adaptive_avg_pool1d", x, output_size);
  }
};
ADJ_OP(AdaptiveAvgPool1d,
       "nn.functional.adaptive_avg_pool1d(input: Tensor, output_size: int[]) -> Tensor",
       R"(
The mean of each of `output_size` windows that cover an input [N, C, L] or [C, L] evenly:
of n positions, window i of m has those from floor(i n / m) to ceil((i + 1) n / m).

>>> adjoint.nn.functional.adaptive_avg_pool1d(adjoint.tensor([[1., 5., 2., 4.]]), 2)
tensor([[3., 3.]])
)");

struct AdaptiveAvgPool1dPlain : AdaptiveAvgPool1d {};
ADJ_OP(AdaptiveAvgPool1dPlain, "adaptive_avg_pool1d(input: Tensor, output_size: int[]) -> Tensor",
       R"(
`nn.functional.adaptive_avg_pool1d`.

>>> adjoint.adaptive_avg_pool1d(adjoint.tensor([[1., 5., 2., 4.]]), 2)
tensor([[3., 3.]])
)");

struct AvgPool2d : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x, DimsView kernel, DimsView stride, DimsView padding, bool ceil_mode,
                       bool count_include_pad, std::optional<int64_t> divisor) {
    return average_pooled<2>("avg_pool2d", x, kernel, stride, padding, ceil_mode, count_include_pad,
                             divisor);
  }
};
ADJ_OP(AvgPool2d,
       "nn.functional.avg_pool2d(input: Tensor, kernel_size: int[], stride: int[]? = None, "
       "padding: int[] = [0], ceil_mode: bool = False, count_include_pad: bool = True, "
       "divisor_override: int? = None) -> Tensor",
       R"(
The mean of each window of an input [N, C, H, W] or [C, H, W]. Windows hold `kernel_size` positions
and begin `stride` (by default `kernel_size`) apart; `padding` adds zeros at both ends, which count
unless `count_include_pad` is off. `ceil_mode` lets the last window reach beyond the end.
`divisor_override` is divided by instead. A RuntimeError for arguments that do not fit.

>>> adjoint.nn.functional.avg_pool2d(adjoint.arange(16.).view(1, 4, 4), 2)
tensor([[[ 2.5000,  4.5000],
         [10.5000, 12.5000]]])
)");

struct AdaptiveAvgPool2d : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x, DimsView output_size) {
    return adaptive_averaged<2>("adaptive_avg_pool2d", x, output_size);
  }
};
ADJ_OP(AdaptiveAvgPool2d,
       "nn.functional.adaptive_avg_pool2d(input: Tensor, output_size: int[]) -> Tensor",
       R"(
The mean of each of `output_size` windows that cover an input [N, C, H, W] or [C, H, W] evenly:
of n positions, window i of m has those from floor(i n / m) to ceil((i + 1) n / m).

>>> adjoint.nn.functional.adaptive_avg_pool2d(adjoint.arange(16.).view(1, 4, 4), 2)
tensor([[[ 2.5000,  4.5000],
         [10.5000, 12.5000]]])
)");

struct AvgPool3d : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x, DimsView kernel, DimsView stride, DimsView padding, bool ceil_mode,
                       bool count_include_pad, std::optional<int64_t> divisor) {
    return average_pooled<3>("avg_pool3d", x, kernel, stride, padding, ceil_mode, count_include_pad,
                             divisor);
  }
};
ADJ_OP(AvgPool3d,
       "nn.functional.avg_pool3d(input: Tensor, kernel_size: int[], stride: int[]? = None, "
       "padding: int[] = [0], ceil_mode: bool = False, count_include_pad: bool = True, "
       "divisor_override: int? = None) -> Tensor",
       R"(
The mean of each window of an input [N, C, D, H, W] or [C, D, H, W]. Windows hold `kernel_size`
positions and begin `stride` (by default `kernel_size`) apart; `padding` adds zeros at both ends,
which count unless `count_include_pad` is off. `ceil_mode` lets the last window reach beyond the
end. `divisor_override` is divided by instead. A RuntimeError for arguments that do not fit.

>>> adjoint.nn.functional.avg_pool3d(adjoint.arange(8.).view(1, 2, 2, 2), 2)
tensor([[[[3.5000]]]])
)");

struct AdaptiveAvgPool3d : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x, DimsView output_size) {
    return adaptive_averaged<3>("adaptive_avg_pool3d", x, output_size);
  }
};
ADJ_OP(AdaptiveAvgPool3d,
       "nn.functional.adaptive_avg_pool3d(input: Tensor, output_size: int[]) -> Tensor",
       R"(
The mean of each of `output_size` windows that cover an input [N, C, D, H, W] or [C, D, H, W]
evenly: of n positions, window i of m has those from floor(i n / m) to ceil((i + 1) n / m).

>>> adjoint.nn.functional.adaptive_avg_pool3d(adjoint.arange(8.).view(1, 2, 2, 2), 1)
tensor([[[[3.5000]]]])
)");

const Fn max_pools[] = {Fn{"nn.functional.max_pool1d"}, Fn{"nn.functional.max_pool2d"},
                        Fn{"nn.functional.max_pool3d"}};

// (sum of x^p)^(1/p): relu, so that the gradient of a sum of nothing is zero.
template <int nd>
Tensor power_pooled(const char* name, const Tensor& x, double p, DimsView kernel, DimsView stride,
                    bool ceil_mode) {
  if (std::isinf(p)) {
    Tensor size = ops::abs(x);
    auto pool = [&](const Tensor& v) {
      return max_pools[nd - 1](v, kernel, stride.empty() ? Value() : Value(stride), Dims{0},
                               Dims{1}, ceil_mode, false);
    };
    return p > 0 ? pool(size) : ops::neg(pool(ops::neg(size)));
  }
  Tensor mean =
      average_pooled<nd>(name, ops::pow(x, p), kernel, stride, {0}, ceil_mode, true, std::nullopt);
  Dims k = per_dim(name, "kernel_size", kernel, nd);
  auto count = static_cast<double>(DimsView(k).product());
  Tensor sum = ops::mul(ops::mul(ops::sign(mean), ops::relu(ops::abs(mean))), count);
  return ops::pow(sum, 1 / p);
}

struct LpPool1d : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x, double p, DimsView kernel, DimsView stride, bool ceil_mode) {
    return power_pooled<1>("lp_pool1d", x, p, kernel, stride, ceil_mode);
  }
};
ADJ_OP(LpPool1d,
       "nn.functional.lp_pool1d(input: Tensor, norm_type: float, kernel_size: int[], stride: "
       "int[]? = None, ceil_mode: bool = False) -> Tensor",
       R"(
`(sum of x^p)^(1/p)`, p being `norm_type`, over each window of an input [N, C, L] or [C, L].

>>> adjoint.nn.functional.lp_pool1d(adjoint.tensor([[1., 5., 2., 4.]]), 2, 2)
tensor([[5.0990, 4.4721]])
)");

struct LpPool2d : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x, double p, DimsView kernel, DimsView stride, bool ceil_mode) {
    return power_pooled<2>("lp_pool2d", x, p, kernel, stride, ceil_mode);
  }
};
ADJ_OP(LpPool2d,
       "nn.functional.lp_pool2d(input: Tensor, norm_type: float, kernel_size: int[], stride: "
       "int[]? = None, ceil_mode: bool = False) -> Tensor",
       R"(
`(sum of x^p)^(1/p)`, p being `norm_type`, over each window of an input [N, C, H, W] or [C, H, W].

>>> adjoint.nn.functional.lp_pool2d(adjoint.arange(16.).view(1, 4, 4), 2, 2)
tensor([[[ 6.4807,  9.8995],
         [21.4009, 25.3377]]])
)");

struct LpPool3d : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x, double p, DimsView kernel, DimsView stride, bool ceil_mode) {
    return power_pooled<3>("lp_pool3d", x, p, kernel, stride, ceil_mode);
  }
};
ADJ_OP(LpPool3d,
       "nn.functional.lp_pool3d(input: Tensor, norm_type: float, kernel_size: int[], stride: "
       "int[]? = None, ceil_mode: bool = False) -> Tensor",
       R"(
`(sum of x^p)^(1/p)`, p being `norm_type`, over each window of an input [N, C, D, H, W] or [C, D,
H, W].

>>> adjoint.nn.functional.lp_pool3d(adjoint.arange(8.).view(1, 2, 2, 2), 2, 2)
tensor([[[[11.8322]]]])
)");

}  // namespace
}  // namespace adj
