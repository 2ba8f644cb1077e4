#include "ops/grid_sample.h"

#include <cmath>

namespace adj {

namespace {

// A coordinate in pixels, and its derivative by the coordinate in the grid.
template <class T>
struct Place {
  T at, slope;
};

// From [-1, 1]: to the centres of the corner pixels, or to their outer edges.
template <class T>
Place<T> pixels(T g, int64_t n, bool align_corners) {
  auto size = static_cast<T>(n);
  if (align_corners) return {(g + 1) / 2 * (size - 1), (size - 1) / 2};
  return {((g + 1) * size - 1) / 2, size / 2};
}

template <class T>
void clip(Place<T>& p, int64_t n) {
  auto last = static_cast<T>(n - 1);
  if (!(p.at > 0)) p = {T(0), T(0)};  // NaN, too
  else if (p.at >= last) p = {last, T(0)};
}

// Mirrored at low and low + span until it is between them.
template <class T>
void reflect(Place<T>& p, T low, T span) {
  if (span <= 0) {
    p = {T(0), T(0)};
    return;
  }
  T from = p.at - low;
  if (from < 0) from = -from, p.slope = -p.slope;
  T flips = std::floor(from / span), rest = std::fmod(from, span);
  if (std::fmod(flips, T(2)) == 0) {
    p.at = rest + low;
  } else {
    p.at = span - rest + low;
    p.slope = -p.slope;
  }
}

template <class T>
void pad(Place<T>& p, int64_t n, const SampleGeometry& s) {
  if (s.padding == SamplePadding::zeros) return;
  if (s.padding == SamplePadding::reflection) {
    auto size = static_cast<T>(n);
    if (s.align_corners) reflect(p, T(0), size - 1);
    else reflect(p, T(-0.5), size);
  }
  clip(p, n);
}

// The taps of one dim.
template <class T>
struct Line {
  int count = 0;
  int64_t at[4];
  T weight[4], slope[4];

  void add(int64_t i, int64_t n, T w, T s) {
    bool inside = i >= 0 && i < n;
    at[count] = inside ? i : -1;
    weight[count] = w;
    slope[count++] = s;
  }
};

// Whole numbers that fit; far outside otherwise.
template <class T>
int64_t whole(T x) {
  return x > T(-2e9) && x < T(2e9) ? static_cast<int64_t>(x) : -100;
}

template <class T>
Line<T> line_of(T g, int64_t n, const SampleGeometry& s) {
  Line<T> line;
  Place<T> p = pixels(g, n, s.align_corners);
  if (s.mode != SampleMode::bicubic) pad(p, n, s);
  if (s.mode == SampleMode::nearest) {
    line.add(whole(std::nearbyint(p.at)), n, T(1), T(0));
    return line;
  }
  T low = std::floor(p.at), t = p.at - low;
  int64_t i = whole(low);
  if (s.mode == SampleMode::bilinear) {
    line.add(i, n, 1 - t, -p.slope);
    line.add(i + 1, n, t, p.slope);
    return line;
  }
  constexpr T a = T(-0.75);  // Keys, "Cubic convolution interpolation", 1981
  auto inner = [](T x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
  auto outer = [](T x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
  auto inner_slope = [](T x) { return (3 * (a + 2) * x - 2 * (a + 3)) * x; };
  auto outer_slope = [](T x) { return (3 * a * x - 10 * a) * x + 8 * a; };
  T weights[4] = {outer(t + 1), inner(t), inner(1 - t), outer(2 - t)};
  T slopes[4] = {outer_slope(t + 1), inner_slope(t), -inner_slope(1 - t), -outer_slope(2 - t)};
  for (int k = 0; k < 4; ++k) {
    Place<T> tap{low - 1 + static_cast<T>(k), T(0)};
    pad(tap, n, s);
    line.add(whole(tap.at), n, weights[k], slopes[k] * p.slope);
  }
  return line;
}

}  // namespace

template <class T>
void sample_taps(const SampleGeometry& s, const T* grid, int64_t m, int32_t* at, T* weight,
                 T* slope) {
  int taps = s.taps();
  for (int64_t j = 0; j < m; ++j, grid += s.nd) {
    Line<T> x = line_of(grid[0], s.size[0], s), y = line_of(grid[1], s.size[1], s), z;
    if (s.nd == 3) z = line_of(grid[2], s.size[2], s);
    else z.add(0, 1, T(1), T(0));
    int64_t t = 0;
    for (int c = 0; c < z.count; ++c)
      for (int b = 0; b < y.count; ++b)
        for (int a = 0; a < x.count; ++a, ++t) {
          bool inside = x.at[a] >= 0 && y.at[b] >= 0 && z.at[c] >= 0;
          int64_t i = (z.at[c] * s.size[1] + y.at[b]) * s.size[0] + x.at[a];
          at[t * m + j] = static_cast<int32_t>(inside ? i : 0);
          weight[t * m + j] = inside ? x.weight[a] * y.weight[b] * z.weight[c] : T(0);
          if (!slope) continue;
          auto put = [&](int d, T v) { slope[(d * taps + t) * m + j] = inside ? v : T(0); };
          put(0, x.slope[a] * y.weight[b] * z.weight[c]);
          put(1, x.weight[a] * y.slope[b] * z.weight[c]);
          if (s.nd == 3) put(2, x.weight[a] * y.weight[b] * z.slope[c]);
        }
  }
}

template void sample_taps(const SampleGeometry&, const float*, int64_t, int32_t*, float*, float*);
template void sample_taps(const SampleGeometry&, const double*, int64_t, int32_t*, double*,
                          double*);

}  // namespace adj
