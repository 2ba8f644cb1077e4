// Linear maps of the last dims: what average pooling and interpolation have in common.
//
// A map is seven integers for each dim: its kind, the number of outputs, and five parameters:
//   average   kernel, stride, padding, divisor: 0 the inputs, 1 the padding too, 2 `value`; value
//   adaptive  -
//   others    align_corners, the scale factor (or 0), -, -, -
// where value and scale factor are doubles, by their bits.
#pragma once
#include <memory>
#include <vector>

#include "cpu/resample.h"
#include "ops/kinds/kinds.h"

namespace adj {

enum class MapKind : int64_t {
  average,
  adaptive,
  nearest,
  nearest_exact,
  linear,
  cubic,
  linear_antialias,
  cubic_antialias
};
constexpr int kMapNumbers = 7;

// Applies the maps to the last dims of a plain tensor; or their transpose, which takes the sizes of
// the results to `sizes`.
Tensor resampled(const Tensor& x, DimsView maps);
Tensor resampled_transpose(const Tensor& g, DimsView sizes, DimsView maps);

// Linear along the last dims; results of vmap have the batch in front.
struct Resample : Linear {
  static Tensor forward(Tensor x, DimsView maps) { return resampled(x, maps); }
  static Tensor transpose(Tensor g, const TensorMeta& like, DimsView maps);
  static Outs batch(Batch& b) { return b.run(); }
};

}  // namespace adj
