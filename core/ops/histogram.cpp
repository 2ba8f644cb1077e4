// Counts of elements by bins.
#include <cmath>

#include "ops/reduce.h"

namespace adj {

namespace {

struct Histc : Constant {
  static Tensor forward(Tensor x, int64_t bins, double low, double high) {
    DType t = x.dtype();
    if (is_complex(t) || t == DType::b8)
      fail(ErrorKind::not_implemented, "histogram_cpu is not implemented for '", scalar_name_of(t),
           "'");
    if (bins <= 0) runtime_error("torch.histc(): bins must be > 0, got ", bins);
    Tensor values = dense(cast(x, DType::f64));
    const double* v = values.data<double>();
    int64_t n = values.numel();
    if (low == high && n) {
      low = high = v[0];
      for (int64_t i = 0; i < n; ++i) {
        if (!std::isfinite(v[i])) low = NAN;
        low = v[i] < low ? v[i] : low;
        high = v[i] > high ? v[i] : high;
      }
    }
    if (low == high) low -= 1, high += 1;
    if (!std::isfinite(low) || !std::isfinite(high))
      runtime_error("torch.histc(): range of [", low, ", ", high, "] is not finite");
    if (low > high) runtime_error("torch.histc(): max must be larger than min: ", high, ", ", low);
    Tensor counts = ops::zeros(Dims{bins}, DType::f64);
    double* c = counts.data<double>();
    for (int64_t i = 0; i < n; ++i) {
      if (!(v[i] >= low && v[i] <= high)) continue;
      auto bin = static_cast<int64_t>((v[i] - low) / (high - low) * static_cast<double>(bins));
      ++c[std::min(bin, bins - 1)];  // the last bin holds its end
    }
    return cast(counts, t);
  }
};
ADJ_OP(Histc, "histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor", R"(
How many elements lie in each of `bins` equal parts of the range from `min` to `max`, or, if both are
equal, of that of the elements; what lies outside does not count. In the dtype of `input`.

>>> adjoint.histc(adjoint.tensor([1., 2., 1.]), bins=4, min=0, max=3)
tensor([0., 2., 1., 0.])
)");

}  // namespace
}  // namespace adj
