// For operators that are another one with some of its arguments fixed.
#pragma once
#include "ops/kinds/kinds.h"
#include "ops/vocabulary.h"

namespace adj {

// `f` of these values, the first of them the tensor that the call is about. Where the call is the
// in-place form, or `in_place`, so is that of `f`.
inline Tensor forward_to(const Fn& f, const Args& args, std::initializer_list<Value> given,
                         bool in_place = false) {
  const Op& op = f.op();
  Value values[Fn::kMaxParams];
  int count = 0;
  for (auto& v : given) values[count++] = v;
  for (int n = static_cast<int>(op.schema.params.size()); count < n; ++count)
    values[count] = op.schema.params[static_cast<size_t>(count)].standard;
  Tensor x = values[0].as_tensor();
  if (in_place) {
    dispatch_into(op, values, x);
    return x;
  }
  Tensor kept;
  if (args.into) {
    bool recorded = false;
    for_each_tensor(op, values, [&](TensorImpl* t, int) {
      recorded |= modes.grad && t->flags & kRequiresGrad;
    });
    if (!recorded) {
      dispatch_into(op, values, x);
      return x;
    }
    // The history of the result reads the values from before the write.
    kept = ops::clone(x);
    values[0] = kept;
  }
  return std::move(dispatch(op, values)[0]);
}

}  // namespace adj
