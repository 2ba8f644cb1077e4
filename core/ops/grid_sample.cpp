// Reading images at the positions of a grid (Jaderberg et al., "Spatial transformer networks",
// 2015).
#include "ops/grid_sample.h"

#include <algorithm>
#include <vector>

#include "cpu/isa.h"
#include "cpu/kernels.h"
#include "cpu/thread_pool.h"
#include "ops/reduce.h"

namespace adj {

namespace {

SampleGeometry geometry_of(DimsView sizes, int64_t mode, int64_t padding, bool align_corners) {
  SampleGeometry s{sizes.size() - 2,
                   {1, 1, 1},
                   static_cast<SampleMode>(mode),
                   static_cast<SamplePadding>(padding),
                   align_corners};
  for (int i = 0; i < s.nd; ++i) s.size[i] = sizes[sizes.size() - 1 - i];
  return s;
}

// f(sample, first position, how many): blocks whose taps stay in the cache.
constexpr int64_t kBlock = 256;
template <class F>
void over_blocks(int64_t n, int64_t positions, const F& f) {
  int64_t blocks = (positions + kBlock - 1) / kBlock;
  parallel_for(n * blocks, 1, [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; ++i) {
      int64_t p = i % blocks * kBlock;
      f(i / blocks, p, std::min(kBlock, positions - p));
    }
  });
}

template <class T>
void sample(const SampleGeometry& s, T* y, const T* x, const T* grid, int64_t n, int64_t channels,
            int64_t positions) {
  int64_t plane = s.plane();
  over_blocks(n, positions, [&](int64_t i, int64_t p, int64_t m) {
    auto taps = static_cast<size_t>(s.taps());
    std::vector<int32_t> at(taps * kBlock);
    std::vector<T> weight(taps * kBlock);
    sample_taps<T>(s, grid + (i * positions + p) * s.nd, m, at.data(), weight.data(), nullptr);
    for (int64_t c = i * channels; c < (i + 1) * channels; ++c)
      kernels().resample.weighted[sizeof(T) == 8](y + c * positions + p, x + c * plane, at.data(),
                                                  weight.data(), s.taps(), m);
  });
}

// dx (zeros at first) and dgrid; either may be null. Samples go to tasks whole, as their blocks
// share dx.
template <class T>
void sample_backward(const SampleGeometry& s, T* dx, T* dgrid, const T* g, const T* x,
                     const T* grid, int64_t n, int64_t channels, int64_t positions) {
  int64_t plane = s.plane();
  int taps = s.taps();
  parallel_for(n, 1, [&](int64_t first, int64_t last) {
    auto room = static_cast<size_t>(taps) * kBlock;
    std::vector<int32_t> at(room);
    std::vector<T> weight(room), slope(room * static_cast<size_t>(s.nd)),
        sums(static_cast<size_t>(s.nd) * kBlock);
    for (int64_t i = first; i < last; ++i)
      for (int64_t p = 0; p < positions; p += kBlock) {
        int64_t m = std::min(kBlock, positions - p);
        sample_taps<T>(s, grid + (i * positions + p) * s.nd, m, at.data(), weight.data(),
                       slope.data());
        std::fill(sums.begin(), sums.end(), T(0));
        for (int64_t c = i * channels; c < (i + 1) * channels; ++c) {
          const T *gs = g + c * positions + p, *in = x + c * plane;
          if (dgrid)
            kernels().resample.sloped[sizeof(T) == 8](sums.data(), in, at.data(), slope.data(), gs,
                                                      s.nd, taps, m);
          if (!dx) continue;
          T* out = dx + c * plane;
          for (int t = 0; t < taps; ++t) {
            const int32_t* a = at.data() + t * m;
            const T* w = weight.data() + t * m;
            for (int64_t j = 0; j < m; ++j) out[a[j]] += w[j] * gs[j];
          }
        }
        if (!dgrid) continue;
        T* to = dgrid + (i * positions + p) * s.nd;
        for (int64_t j = 0; j < m; ++j)
          for (int d = 0; d < s.nd; ++d) to[j * s.nd + d] = sums[static_cast<size_t>(d * m + j)];
      }
  });
}

const Fn remainder_of{"fmod"}, clamp_to{"clamp"}, rounded{"round"};

// The same in operators: where and with what weight each of the taps of one dim reads.
struct LineTaps {
  SmallVec<Tensor, 4> at, weight;  // at: float, perhaps outside
};

Tensor padded(Tensor p, int64_t n, const SampleGeometry& s) {
  auto size = static_cast<double>(n);
  if (s.padding == SamplePadding::zeros) return p;
  if (s.padding == SamplePadding::reflection) {
    double low = s.align_corners ? 0 : -0.5, span = s.align_corners ? size - 1 : size;
    if (span <= 0) return ops::zeros_like(p);
    Tensor from = ops::abs(ops::sub(p, low)), rest = remainder_of(from, span);
    Tensor flips = ops::floor(ops::div(from, span));
    Tensor even = ops::eq(remainder_of(flips, 2.0), 0.0);
    p = ops::add(ops::where(even, rest, ops::sub(ops::neg(rest), -span)), low);
  }
  return clamp_to(p, 0.0, size - 1);
}

LineTaps line_taps(const Tensor& g, int64_t n, const SampleGeometry& s) {
  auto size = static_cast<double>(n);
  LineTaps line;
  Tensor p = s.align_corners ? ops::mul(ops::add(g, 1.0), (size - 1) / 2)
                             : ops::div(ops::sub(ops::mul(ops::add(g, 1.0), size), 1.0), 2.0);
  if (s.mode != SampleMode::bicubic) p = padded(p, n, s);
  if (s.mode == SampleMode::nearest) {
    line.at.push_back(rounded(p));
    line.weight.push_back(ops::ones_like(p));
    return line;
  }
  Tensor low = ops::floor(p), t = ops::sub(p, low);
  if (s.mode == SampleMode::bilinear) {
    line.at.push_back(low);
    line.at.push_back(ops::add(low, 1.0));
    line.weight.push_back(ops::sub(1.0, t));
    line.weight.push_back(t);
    return line;
  }
  constexpr double a = -0.75;
  auto inner = [&](const Tensor& x) {
    Tensor xx = ops::mul(x, x);
    return ops::add(ops::mul(ops::sub(ops::mul(x, a + 2), a + 3), xx), 1.0);
  };
  auto outer = [&](const Tensor& x) {
    Tensor y = ops::add(ops::mul(ops::sub(ops::mul(x, a), 5 * a), x), 8 * a);
    return ops::sub(ops::mul(y, x), 4 * a);
  };
  line.weight.push_back(outer(ops::add(t, 1.0)));
  line.weight.push_back(inner(t));
  line.weight.push_back(inner(ops::sub(1.0, t)));
  line.weight.push_back(outer(ops::sub(2.0, t)));
  for (int k = -1; k < 3; ++k)
    line.at.push_back(padded(ops::add(low, static_cast<double>(k)), n, s));
  return line;
}

struct GridSampler : Fused {
  static Tensor forward(Tensor x, Tensor grid, int64_t mode, int64_t padding, bool align_corners) {
    SampleGeometry s = geometry_of(x.sizes(), mode, padding, align_corners);
    check_floating("grid_sample", x.dtype());
    DType t = computed_in(x.dtype());
    Tensor in = cast(x, t), at = cast(grid, t);
    Dims sizes{x.size(0), x.size(1)};
    sizes.append(grid.sizes().begin() + 1, grid.sizes().end() - 1);
    Tensor y = empty(sizes, t);
    int64_t positions = grid.sizes().slice(1, s.nd).product();
    if (y.numel() == 0) return cast(y, x.dtype());
    if (t == DType::f64)
      sample(s, y.data<double>(), in.data<double>(), at.data<double>(), x.size(0), x.size(1),
             positions);
    else
      sample(s, y.data<float>(), in.data<float>(), at.data<float>(), x.size(0), x.size(1),
             positions);
    return cast(y, x.dtype());
  }
  static Tensor define(Tensor x, Tensor grid, int64_t mode, int64_t padding, bool align_corners) {
    SampleGeometry s = geometry_of(x.sizes(), mode, padding, align_corners);
    LineTaps line[3];
    for (int d = 0; d < s.nd; ++d)
      line[d] = line_taps(ops::select(grid, int64_t{-1}, int64_t{d}), s.size[d], s);
    if (s.nd == 2) {
      line[2].at.push_back(ops::zeros_like(line[0].at[0]));
      line[2].weight.push_back(ops::ones_like(line[0].at[0]));
    }
    Dims flat{x.size(0), x.size(1), s.plane()}, sizes{x.size(0), x.size(1)};
    sizes.append(grid.sizes().begin() + 1, grid.sizes().end() - 1);
    Dims row{x.size(0), 1, grid.sizes().slice(1, s.nd).product()}, index = row;
    index[1] = x.size(1);
    Tensor planes = ops::reshape(x, flat), sum;
    for (int c = 0; c < line[2].at.size(); ++c)
      for (int b = 0; b < line[1].at.size(); ++b)
        for (int a = 0; a < line[0].at.size(); ++a) {
          const Tensor &i = line[0].at[a], &j = line[1].at[b], &k = line[2].at[c];
          Tensor inside;
          for (int d = 0; d < 3; ++d) {
            const Tensor& v = d == 0 ? i : d == 1 ? j : k;
            Tensor in =
                ops::logical_and(ops::ge(v, 0.0), ops::le(v, static_cast<double>(s.size[d] - 1)));
            inside = inside.defined() ? Tensor(ops::logical_and(inside, in)) : in;
          }
          Tensor place = ops::add(ops::mul(ops::add(ops::mul(k, static_cast<double>(s.size[1])), j),
                                           static_cast<double>(s.size[0])),
                                  i);
          place = ops::to_dtype(ops::where(inside, place, ops::zeros_like(place)), DType::i64);
          Tensor weight =
              ops::mul(ops::mul(line[0].weight[a], line[1].weight[b]), line[2].weight[c]);
          weight = ops::where(inside, weight, ops::zeros_like(weight));
          Tensor values =
              ops::gather(planes, int64_t{2}, ops::expand(ops::reshape(place, row), index));
          Tensor term = ops::mul(values, ops::reshape(weight, row));
          sum = sum.defined() ? Tensor(ops::add(sum, term)) : term;
        }
    return ops::reshape(sum, sizes);
  }
  static bool fast_vjp(Vjp& c) {
    Tensor g = c.g(), x = c.in(0), grid = c.in(1);
    DType t = g.dtype();
    if (computed_in(t) != t || x.dtype() != t || grid.dtype() != t || !g.numel() || !x.numel())
      return false;
    SampleGeometry s = geometry_of(x.sizes(), c.arg<int64_t>(2), c.arg<int64_t>(3), c.arg<bool>(4));
    Tensor dx, dgrid, gs = dense(g), xs = dense(x), at = dense(grid);
    if (c.needs(0)) dx = ops::zeros(x.sizes(), t);
    if (c.needs(1)) dgrid = empty(grid.sizes(), t);
    int64_t positions = grid.sizes().slice(1, s.nd).product();
    auto run = [&]<class T>(T) {
      sample_backward<T>(s, dx.defined() ? dx.data<T>() : nullptr,
                         dgrid.defined() ? dgrid.data<T>() : nullptr, gs.data<T>(), xs.data<T>(),
                         at.data<T>(), x.size(0), x.size(1), positions);
    };
    if (t == DType::f64) run(double());
    else run(float());
    if (c.needs(0)) c.set(0, dx);
    if (c.needs(1)) c.set(1, dgrid);
    return true;
  }
};

struct GridSampler2d : GridSampler {};
ADJ_OP(GridSampler2d,
       "_nodes.grid_sampler_2d:/GridSampler2DBackward0(input: Tensor, grid: Tensor, "
       "interpolation_mode: int, padding_mode: int, align_corners: bool) -> Tensor",
       R"(
`nn.functional.grid_sample` with its modes as numbers: bilinear, nearest, bicubic; zeros, border,
reflection.

>>> f = adjoint._core._namespaces["_nodes"]["grid_sampler_2d"]
>>> f(adjoint.tensor([[[[1., 3.]]]]), adjoint.zeros(1, 1, 1, 2), 0, 0, True)
tensor([[[[2.]]]])
)");
struct GridSampler3d : GridSampler {};
ADJ_OP(GridSampler3d,
       "_nodes.grid_sampler_3d:/GridSampler3DBackward0(input: Tensor, grid: Tensor, "
       "interpolation_mode: int, padding_mode: int, align_corners: bool) -> Tensor",
       R"(
`nn.functional.grid_sample` of volumes, with its modes as numbers: bilinear, nearest; zeros, border,
reflection.

>>> f = adjoint._core._namespaces["_nodes"]["grid_sampler_3d"]
>>> f(adjoint.tensor([[[[[1., 3.]]]]]), adjoint.zeros(1, 1, 1, 1, 3), 0, 0, True)
tensor([[[[[2.]]]]])
)");

const Fn sampler2d{"_nodes.grid_sampler_2d"}, sampler3d{"_nodes.grid_sampler_3d"};

struct GridSample : Composite {
  static Tensor define(Tensor x, Tensor grid, Text mode, Text padding_mode,
                       std::optional<bool> align_corners) {
    int64_t m = mode == "bilinear" ? 0 : mode == "nearest" ? 1 : mode == "bicubic" ? 2 : -1;
    int64_t p = padding_mode == "zeros"        ? 0
                : padding_mode == "border"     ? 1
                : padding_mode == "reflection" ? 2
                                               : -1;
    if (m < 0)
      value_error(
          "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', "
          "but got: '",
          mode, "'");
    if (p < 0)
      value_error(
          "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or "
          "'reflection', but got: '",
          padding_mode, "'");
    int nd = x.dim() - 2;
    if ((nd != 2 && nd != 3) || grid.dim() != x.dim())
      runtime_error(
          "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but "
          "got input with sizes ",
          x.sizes(), " and grid with sizes ", grid.sizes());
    if (x.size(0) != grid.size(0))
      runtime_error(
          "grid_sampler(): expected grid and input to have same batch size, but got input with "
          "sizes ",
          x.sizes(), " and grid with sizes ", grid.sizes());
    if (grid.size(-1) != nd)
      runtime_error("grid_sampler(): expected grid to have size ", nd,
                    " in last dimension, but got grid with sizes ", grid.sizes());
    for (int i = 2; i < x.dim(); ++i)
      if (x.size(i) == 0)
        runtime_error(
            "grid_sampler(): expected input to have non-empty spatial dimensions, but input has "
            "sizes ",
            x.sizes(), " with dimension ", i, " being empty");
    if (m == 2 && nd == 3)
      runtime_error("grid_sampler(): bicubic interpolation only supports 4D input");
    if (x.dtype() != grid.dtype())
      runtime_error("grid_sampler(): expected input and grid to have same dtype, but input has ",
                    x.dtype(), " and grid has ", grid.dtype());
    return (nd == 2 ? sampler2d : sampler3d)(x, grid, m, p, align_corners.value_or(false));
  }
};
ADJ_OP(GridSample,
       "nn.functional.grid_sample(input: Tensor, grid: Tensor, mode: str = 'bilinear', "
       "padding_mode: str = 'zeros', align_corners: bool? = None) -> Tensor",
       R"(
The values of images [N, C, H, W] at the positions of a grid [N, h, w, 2]: the result is [N, C, h,
w]. Positions are (x, y), -1 and 1 being the edges of the image, or, with `align_corners`, the
centres of its corner pixels. Modes: "bilinear", "nearest", "bicubic". Outside of the image are
zeros, the nearest pixel of its border, or its mirror image. Volumes [N, C, D, H, W] take a grid
[N, d, h, w, 3] of (x, y, z), and no "bicubic".

>>> x = adjoint.tensor([[[[1., 3.]]]])
>>> adjoint.nn.functional.grid_sample(x, adjoint.zeros(1, 1, 1, 2), align_corners=True)
tensor([[[[2.]]]])
)");

// The coordinates of n pixels, between -1 and 1.
Tensor pixel_centres(int64_t n, bool align_corners, DType t) {
  Tensor x = empty({n}, DType::f64);
  for (int64_t i = 0; i < n; ++i) {
    auto k = static_cast<double>(2 * i - (n - 1));
    x.data<double>()[i] = n <= 1 ? 0 : k / static_cast<double>(align_corners ? n - 1 : n);
  }
  return cast(x, t);
}

struct AffineGrid : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor theta, DimsView size, std::optional<bool> align) {
    if (!is_floating(theta.dtype()))
      value_error("Expected theta to have floating point type, but got ", theta.dtype());
    int nd = size.size() - 2;
    if (nd != 2 && nd != 3)
      fail(ErrorKind::not_implemented,
           "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, "
           "respectively. Got size ",
           size);
    if (theta.dim() != 3 || theta.size(0) != size[0] || theta.size(1) != nd ||
        theta.size(2) != nd + 1)
      value_error("Expected a batch of ", nd, "D affine matrices of shape ", size[0], "x", nd, "x",
                  nd + 1, " for size ", size, ". Got ", theta.sizes(), ".");
    for (int64_t n : size)
      if (n <= 0) value_error("Expected non-zero, positive output size. Got ", size);
    DimsView spatial = size.slice(2, nd);
    // positions (x, y, 1) or (x, y, z, 1), x being the last dim
    TensorList columns;
    for (int d = nd - 1; d >= 0; --d) {
      Dims shape(nd);
      for (auto& n : shape) n = 1;
      shape[d] = spatial[d];
      Tensor line = pixel_centres(spatial[d], align.value_or(false), theta.dtype());
      columns.push_back(ops::expand(ops::reshape(line, shape), spatial));
    }
    columns.push_back(ops::ones(spatial, theta.dtype()));
    Tensor base =
        ops::reshape(ops::stack(columns, int64_t{-1}), Dims{spatial.product(), int64_t{nd + 1}});
    Tensor grid = ops::matmul(base, ops::transpose(theta, int64_t{1}, int64_t{2}));
    Dims sizes{size[0]};
    sizes.append(spatial.begin(), spatial.end());
    sizes.push_back(nd);
    return ops::reshape(grid, sizes);
  }
};
ADJ_OP(AffineGrid,
       "nn.functional.affine_grid(theta: Tensor, size: int[], align_corners: bool? = None) -> "
       "Tensor",
       R"(
The grid for `grid_sample` that affine maps `theta` [N, 2, 3] make of the pixels of an image of
`size` (N, C, H, W): [N, H, W, 2]. Volumes (N, C, D, H, W) take [N, 3, 4] and give [N, D, H, W, 3].

>>> theta = adjoint.tensor([[[1., 0., 0.], [0., 1., 0.]]])
>>> adjoint.nn.functional.affine_grid(theta, (1, 1, 1, 2), align_corners=True)
tensor([[[[-1.,  0.],
          [ 1.,  0.]]]])
)");

}  // namespace
}  // namespace adj
