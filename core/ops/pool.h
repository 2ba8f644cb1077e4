// The geometry that pooling operators share: arguments, sizes of results, windows.
#pragma once
#include <vector>

#include "cpu/pool.h"
#include "ops/reduce.h"

namespace adj {

// The arguments of a pooling of `nd` dims, one number for each dim.
struct PoolArgs {
  Dims kernel, stride, padding, dilation;
  bool ceil_mode = false;
};
// An int argument given as one number, or one per dim; `otherwise` if it is empty.
Dims per_dim(const char* name, const char* argument, DimsView given, int nd,
             DimsView otherwise = {});
// Checks the input (nd dims behind one or two others) and the arguments.
PoolArgs pool_args(const char* name, const Tensor& x, int nd, DimsView kernel, DimsView stride,
                   DimsView padding, DimsView dilation, bool ceil_mode);
void check_pool_input(const char* name, const Tensor& x, int nd);
// How many windows fit into n positions; torch's formula.
int64_t pooled_size(int64_t n, const PoolArgs& a, int dim);
// The sizes of the last `nd` dims replaced.
Dims with_last(DimsView sizes, DimsView last);

// [..., dims] as [..., positions], nd dims making one.
Tensor flat_planes(const Tensor& x, int nd);
// The vjp and jvp of operators whose second result is where in its plane each maximum was.
void put_at_maxima(Vjp& c, int nd);
Outs take_at_maxima(Jvp& j, int nd);

// What tells the windows of max pooling apart, six numbers for each dim: kind (0: regular, 1:
// adaptive), number of windows, kernel, stride, padding, dilation.
constexpr int kWindowNumbers = 6;
Dims regular_windows(const Tensor& x, const PoolArgs& a);
Dims adaptive_windows(DimsView sizes);

// The windows over the last dims of an input, for the kernels.
class Windows {
 public:
  Windows(DimsView sizes, DimsView numbers);
  Windows(const Windows&) = delete;
  const WindowDim* dims() const { return dims_; }
  int count() const { return nd_; }
  int64_t planes(DimsView sizes) const;
  Dims result_sizes(DimsView sizes) const;

 private:
  int nd_;
  WindowDim dims_[3];
  std::vector<int32_t> starts_[3], counts_[3];
};

}  // namespace adj
