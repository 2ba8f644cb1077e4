#include "ops/resample.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "ops/pool.h"

namespace adj {

namespace {

// The runs of one dim.
struct Runs {
  int64_t n, m;
  std::vector<int32_t> start, count, offset;
  std::vector<double> weight;
  std::vector<char> typed, across;  // weights in the type of the data

  void add(int64_t from, const double* w, int64_t k) {
    start.push_back(static_cast<int32_t>(from));
    count.push_back(static_cast<int32_t>(k));
    offset.push_back(static_cast<int32_t>(weight.size()));
    weight.insert(weight.end(), w, w + k);
  }
};

void average_runs(Runs& r, const int64_t* v) {
  int64_t kernel = v[0], stride = v[1], padding = v[2], divisor = v[3];
  double value = std::bit_cast<double>(v[4]);
  std::vector<double> w(static_cast<size_t>(kernel));
  for (int64_t o = 0; o < r.m; ++o) {
    int64_t from = o * stride - padding, to = std::min(from + kernel, r.n + padding);
    int64_t all = to - from;
    from = std::max<int64_t>(from, 0), to = std::max(std::min(to, r.n), from);
    double d = divisor == 2 ? value : static_cast<double>(divisor == 1 ? all : to - from);
    std::fill(w.begin(), w.end(), 1 / d);
    r.add(from, w.data(), to - from);
  }
}

void adaptive_runs(Runs& r) {
  std::vector<double> w;
  for (int64_t o = 0; o < r.m; ++o) {
    int64_t from = o * r.n / r.m, to = ((o + 1) * r.n + r.m - 1) / r.m;
    w.assign(static_cast<size_t>(to - from), 1 / static_cast<double>(to - from));
    r.add(from, w.data(), to - from);
  }
}

template <class T>
T step_of(const Runs& r, bool align, double scale) {
  if (align) return r.m > 1 ? static_cast<T>(r.n - 1) / static_cast<T>(r.m - 1) : T(0);
  return scale > 0 ? static_cast<T>(1 / scale) : static_cast<T>(r.n) / static_cast<T>(r.m);
}

// In float32 whatever the data, as torch does, so that the same pixels are chosen.
void nearest_runs(Runs& r, double scale, bool exact) {
  auto step = step_of<float>(r, false, scale);
  double one = 1;
  for (int64_t o = 0; o < r.m; ++o) {
    float at = std::floor((static_cast<float>(o) + (exact ? 0.5f : 0.0f)) * step);
    int64_t i = static_cast<int64_t>(at);
    if (!exact && r.n == r.m) i = o;
    r.add(std::min(i, r.n - 1), &one, 1);
  }
}

template <class T>
void linear_runs(Runs& r, bool align, double scale) {
  T step = step_of<T>(r, align, scale);
  for (int64_t o = 0; o < r.m; ++o) {
    T at = align ? step * static_cast<T>(o) : step * (static_cast<T>(o) + T(0.5)) - T(0.5);
    at = std::max(at, T(0));
    int64_t i = std::min(static_cast<int64_t>(at), r.n - 1);
    T part = std::clamp(at - static_cast<T>(i), T(0), T(1));
    double w[2] = {double(T(1) - part), double(part)};
    if (r.n == r.m) {
      w[0] = 1;
      r.add(o, w, 1);
      continue;
    }
    // with two taps for every output, the kernel need not look at counts
    if (i + 1 < r.n) {
      r.add(i, w, 2);
    } else if (r.n > 1) {
      double last[2] = {0, 1};
      r.add(r.n - 2, last, 2);
    } else {
      w[0] = 1;
      r.add(0, w, 1);
    }
  }
}

template <class T>
void cubic_runs(Runs& r, bool align, double scale) {
  T step = step_of<T>(r, align, scale);
  constexpr T a = T(-0.75);  // Keys, "Cubic convolution interpolation", 1981
  auto inner = [](T x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
  auto outer = [](T x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
  for (int64_t o = 0; o < r.m; ++o) {
    T at = align ? step * static_cast<T>(o) : step * (static_cast<T>(o) + T(0.5)) - T(0.5);
    auto i = static_cast<int64_t>(std::floor(at));
    T t = at - static_cast<T>(i);
    double w[4] = {double(outer(t + 1)), double(inner(t)), double(inner(1 - t)),
                   double(outer(2 - t))};
    // beyond the border is the border
    int64_t first = std::clamp<int64_t>(i - 1, 0, r.n - 1),
            last = std::clamp<int64_t>(i + 2, 0, r.n - 1);
    double merged[4] = {0, 0, 0, 0};
    for (int64_t k = 0; k < 4; ++k)
      merged[std::clamp<int64_t>(i - 1 + k, 0, r.n - 1) - first] += w[k];
    r.add(first, merged, last - first + 1);
  }
}

// The kernel stretched over the inputs of an output, as in Pillow.
template <class T>
void antialias_runs(Runs& r, bool align, double scale, bool cubic) {
  T step = step_of<T>(r, align, scale), reach = cubic ? T(2) : T(1);
  T support = step >= 1 ? reach * step : reach, shrink = step >= 1 ? 1 / step : T(1);
  auto weight = [&](T x) {
    x = std::abs(x);
    constexpr T a = T(-0.5);
    if (!cubic) return x < 1 ? 1 - x : T(0);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
    return T(0);
  };
  std::vector<double> w;
  for (int64_t o = 0; o < r.m; ++o) {
    T centre = step * (static_cast<T>(o) + T(0.5));
    auto from = std::max<int64_t>(static_cast<int64_t>(centre - support + T(0.5)), 0);
    auto to = std::min<int64_t>(static_cast<int64_t>(centre + support + T(0.5)), r.n);
    w.clear();
    T total = 0;
    for (int64_t i = from; i < to; ++i) {
      T v = weight((static_cast<T>(i) - centre + T(0.5)) * shrink);
      w.push_back(double(v));
      total += v;
    }
    for (auto& v : w)
      if (total != 0) v = double(static_cast<T>(v) / total);
    r.add(from, w.data(), to - from);
  }
}

template <class T>
void fill_runs(Runs& r, const int64_t* v) {
  bool align = v[2];
  double scale = std::bit_cast<double>(v[3]);
  switch (static_cast<MapKind>(v[0])) {
    case MapKind::average: return average_runs(r, v + 2);
    case MapKind::adaptive: return adaptive_runs(r);
    case MapKind::nearest: return nearest_runs(r, scale, false);
    case MapKind::nearest_exact: return nearest_runs(r, scale, true);
    case MapKind::linear: return linear_runs<T>(r, align, scale);
    case MapKind::cubic: return cubic_runs<T>(r, align, scale);
    case MapKind::linear_antialias: return antialias_runs<T>(r, align, scale, false);
    case MapKind::cubic_antialias: return antialias_runs<T>(r, align, scale, true);
  }
  runtime_error("resampling: there is no map of kind ", v[0]);
}

// Starts and ends grow with the output, so the outputs that an input goes into are a run as well.
Runs transposed(const Runs& r) {
  std::vector<std::vector<double>> weights(static_cast<size_t>(r.n));
  std::vector<int64_t> first(static_cast<size_t>(r.n), 0);
  for (int64_t o = 0; o < r.m; ++o)
    for (int32_t k = 0; k < r.count[static_cast<size_t>(o)]; ++k) {
      auto i = static_cast<size_t>(r.start[static_cast<size_t>(o)] + k);
      if (weights[i].empty()) first[i] = o;
      // an output that skips this input, which rounding of positions may give
      weights[i].resize(static_cast<size_t>(o - first[i]), 0.0);
      weights[i].push_back(r.weight[static_cast<size_t>(r.offset[static_cast<size_t>(o)] + k)]);
    }
  Runs t{r.m, r.n, {}, {}, {}, {}, {}, {}};
  for (size_t i = 0; i < weights.size(); ++i)
    t.add(first[i], weights[i].data(), static_cast<int64_t>(weights[i].size()));
  return t;
}

template <class T>
RunDim for_kernel(Runs& r) {
  RunDim d;
  d.n = r.n;
  d.m = r.m;
  d.identity = r.n == r.m;
  bool even = r.m > 0;
  for (size_t o = 0; o < r.start.size(); ++o) {
    even = even && r.count[o] == r.count[0];
    d.identity = d.identity && r.count[o] == 1 && r.start[o] == static_cast<int32_t>(o) &&
                 r.weight[static_cast<size_t>(r.offset[o])] == 1;
  }
  r.typed.resize(r.weight.size() * sizeof(T));
  auto* typed = reinterpret_cast<T*>(r.typed.data());
  for (size_t i = 0; i < r.weight.size(); ++i) typed[i] = static_cast<T>(r.weight[i]);
  if (even && r.count[0] > 0 && r.count[0] <= 4) {
    d.taps = r.count[0];
    r.across.resize(r.typed.size());
    auto* across = reinterpret_cast<T*>(r.across.data());
    for (int64_t o = 0; o < r.m; ++o)
      for (int64_t k = 0; k < d.taps; ++k) across[k * r.m + o] = typed[o * d.taps + k];
    d.across = across;
  }
  d.start = r.start.data();
  d.count = r.count.data();
  d.offset = r.offset.data();
  d.weight = typed;
  return d;
}

// `sizes`: of the last dims of the input of the maps.
template <class T>
Tensor run(const Tensor& x, DimsView sizes, DimsView maps, bool transpose) {
  int nd = sizes.size();
  Runs runs[3];
  RunDim dims[3];
  Dims last;
  for (int i = 0; i < nd; ++i) {
    const int64_t* v = maps.data() + i * kMapNumbers;
    Runs r{sizes[i], v[1], {}, {}, {}, {}, {}, {}};
    if (r.n > 0) fill_runs<T>(r, v);
    int d = 3 - nd + i;
    runs[d] = transpose ? transposed(r) : std::move(r);
    dims[d] = for_kernel<T>(runs[d]);
    last.push_back(runs[d].m);
  }
  Tensor y = empty(with_last(x.sizes(), last), x.dtype());
  int64_t planes = x.sizes().slice(0, x.dim() - nd).product();
  resample(x.dtype(), y.data(), x.data(), planes, dims);
  return y;
}

Tensor run_any(const Tensor& given, DimsView sizes, DimsView maps, bool transpose) {
  bool bytes = given.dtype() == DType::u8;
  if (!bytes) check_floating("resampling", given.dtype());
  DType t = bytes ? DType::f32 : computed_in(given.dtype());
  Tensor x = cast(given, t);
  Tensor y = t == DType::f64 ? run<double>(x, sizes, maps, transpose)
                             : run<float>(x, sizes, maps, transpose);
  if (bytes)
    for (int64_t i = 0; i < y.numel(); ++i)
      y.data<float>()[i] = std::nearbyint(std::clamp(y.data<float>()[i], 0.0f, 255.0f));
  return cast(y, given.dtype());
}

void check_maps(const Tensor& x, DimsView maps) {
  int nd = maps.size() / kMapNumbers;
  if (nd < 1 || nd > 3 || maps.size() % kMapNumbers || x.dim() < nd)
    runtime_error("resampling: ", maps, " are no maps for an input of shape ", x.sizes());
}

}  // namespace

Tensor resampled(const Tensor& x, DimsView maps) {
  check_maps(x, maps);
  int nd = maps.size() / kMapNumbers;
  return run_any(x, x.sizes().slice(x.dim() - nd, nd), maps, false);
}

Tensor resampled_transpose(const Tensor& g, DimsView sizes, DimsView maps) {
  check_maps(g, maps);
  return run_any(g, sizes, maps, true);
}

namespace {

const Fn resample_node{"_nodes.resample"}, transpose_node{"_nodes.resample_transpose"};

struct ResampleAny : Resample {};
ADJ_OP(ResampleAny, "_nodes.resample(input: Tensor, maps: int[]) -> Tensor", R"(
A linear map along each of the last dims: seven integers for each, as core/ops/resample.h tells.

>>> f = adjoint._core._namespaces["_nodes"]["resample"]
>>> f(adjoint.tensor([1., 3., 5., 7.]), [0, 2, 2, 2, 0, 1, 0])
tensor([2., 6.])
)");

struct ResampleTranspose : Linear {
  static Tensor forward(Tensor g, DimsView sizes, DimsView maps) {
    return resampled_transpose(g, sizes, maps);
  }
  static Tensor transpose(Tensor t, const TensorMeta&, DimsView, DimsView maps) {
    return resample_node(t, maps);
  }
  static Outs batch(Batch& b) { return b.run(); }
};
ADJ_OP(ResampleTranspose,
       "_nodes.resample_transpose(input: Tensor, sizes: int[], maps: int[]) -> Tensor", R"(
The transpose of `_nodes.resample` of an input whose last dims had these sizes.

>>> f = adjoint._core._namespaces["_nodes"]["resample_transpose"]
>>> f(adjoint.tensor([2., 6.]), [4], [0, 2, 2, 2, 0, 1, 0])
tensor([1., 1., 3., 3.])
)");

}  // namespace

Tensor Resample::transpose(Tensor g, const TensorMeta& like, DimsView maps) {
  int nd = maps.size() / kMapNumbers;
  DimsView all = like.sizes;
  return transpose_node(g, all.slice(all.size() - nd, nd), maps);
}

}  // namespace adj
