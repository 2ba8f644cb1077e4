// Differences of neighbours.
#include "ops/shape.h"

namespace adj {

namespace {

const Fn differ{"ne"};

struct Diff : Composite {
  static Tensor define(Tensor x, int64_t n, int64_t dim, Tensor prepend, Tensor append) {
    if (x.dim() == 0)
      runtime_error("diff expects input to be at least one-dimensional, got a tensor of no dims");
    if (n < 0) runtime_error("order must be non-negative but got ", n);
    int d = normalize_dim(dim, x.dim());
    if (n == 0) return ops::clone(x);
    TensorList parts;
    for (const Tensor& part : {prepend, x, append}) {
      if (!part.defined()) continue;
      if (part.dim() != x.dim())
        runtime_error("diff expects prepend or append to be the same dimension as input: ",
                      part.dim(), " and ", x.dim());
      parts.push_back(part);
    }
    Tensor y = parts.size() > 1 ? Tensor(ops::cat(parts, int64_t{d})) : x;
    bool logical = y.dtype() == DType::b8;
    for (int64_t k = std::min(n, y.size(d)); k > 0; --k) {
      int64_t m = std::max<int64_t>(y.size(d) - 1, 0);
      if (m == 0) return ops::clone(ops::narrow(y, int64_t{d}, int64_t{0}, int64_t{0}));
      Tensor later = ops::narrow(y, int64_t{d}, int64_t{1}, m),
             earlier = ops::narrow(y, int64_t{d}, int64_t{0}, m);
      y = logical ? differ(later, earlier) : Tensor(ops::sub(later, earlier));
    }
    return y;
  }
};
ADJ_OP(Diff,
       "diff(input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor? = None, append: Tensor? = "
       "None) -> Tensor",
       R"(
The differences of neighbours along `dim`, `n` times over; `prepend` and `append` are put before and
behind first. Bools give whether neighbours differ. A RuntimeError for shapes that do not fit.

>>> adjoint.diff(adjoint.tensor([1, 3, 6]))
tensor([2, 3])
)");

}  // namespace
}  // namespace adj
