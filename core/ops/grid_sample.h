// Where grid_sample reads: positions of a grid as weighted elements of a plane.
#pragma once
#include <cstdint>

#include "tensor/dims.h"

namespace adj {

enum class SampleMode : int64_t { bilinear, nearest, bicubic };
enum class SamplePadding : int64_t { zeros, border, reflection };

struct SampleGeometry {
  int nd;           // 2 or 3
  int64_t size[3];  // of the dims of x, y, z: the last dim first
  SampleMode mode;
  SamplePadding padding;
  bool align_corners;

  int taps() const {
    return mode == SampleMode::nearest ? 1 : mode == SampleMode::bicubic ? 16 : 1 << nd;
  }
  int64_t plane() const { return size[0] * size[1] * (nd == 3 ? size[2] : 1); }
};

// The taps of `m` positions, grid [m, nd]: at [taps, m], weight [taps, m], and the derivatives of
// the weights by the coordinates of the grid, slope [nd, taps, m] (may be null). What is outside
// has weight 0, at position 0.
template <class T>
void sample_taps(const SampleGeometry& s, const T* grid, int64_t m, int32_t* at, T* weight,
                 T* slope);

}  // namespace adj
