// torch's type promotion: tensors with dims count before 0-d ones, those before Python numbers,
// unless the latter are of a higher category.
#pragma once
#include "value.h"

namespace adj {

class Promotion {
 public:
  void add(const TensorImpl& x) {
    join(x.flags & kNumber ? number_ : x.sizes.size() ? with_dims_ : without_, x.dtype);
  }
  void add_number(DType t) { join(number_, t); }

  // Of all that was added; the default dtype if nothing was.
  DType result() const {
    int t = combine(with_dims_, without_);
    bool whole = t >= 0 && !is_differentiable(static_cast<DType>(t));
    if (whole && number_ >= 0 && is_complex(static_cast<DType>(number_)))
      return default_complex_dtype();
    t = combine(t, number_);
    return t < 0 ? default_dtype() : static_cast<DType>(t);
  }

 private:
  static void join(int& slot, DType t) {
    slot = slot < 0 ? static_cast<int>(t) : static_cast<int>(promote(static_cast<DType>(slot), t));
  }
  static int combine(int high, int low) {
    if (high < 0) return low;
    auto h = static_cast<DType>(high), l = static_cast<DType>(low);
    if (low < 0 || category(l) <= category(h)) return high;
    // Complex in the precision of the floats.
    if (is_floating(h)) return static_cast<int>(h == DType::f64 ? DType::c128 : DType::c64);
    return static_cast<int>(promote(h, l));
  }

  int with_dims_ = -1, without_ = -1, number_ = -1;  // dtypes; -1: none
};

}  // namespace adj
