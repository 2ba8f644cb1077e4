// Forward mode and vmap: tagged tensors that wrap tensors of lower levels.
//
// A dual tensor of level L holds a primal and a tangent; a batched one holds a tensor with one more
// dim, leftmost. An operator that meets wrapped tensors peels the highest level off all of them,
// runs on what is below (which may be wrapped again, or recorded), and wraps the results. Levels
// are numbered as they are entered, so nested transforms never confuse their perturbations or
// batches.
#pragma once
#include "op.h"
#include "tensor/tensor.h"

namespace adj {

enum class LevelKind : uint8_t { dual, batched };

struct Level {
  LevelKind kind;
  int id;
  Tensor value;  // the primal, or the batch with its dim leftmost
  Tensor tangent;  // of a dual one; undefined means zero
};

struct LiveLevel {
  LevelKind kind;
  int64_t batch_size = 0;
  const char* randomness = "error";  // "error", "different", "same"
};

int push_level(LevelKind kind, int64_t batch_size = 0, const char* randomness = "error");
void pop_level();
int live_levels();
const LiveLevel& live_level(int id);

inline int level_of(const TensorImpl* x) { return x->level ? x->level->id : 0; }

Tensor make_dual(const Tensor& primal, const Tensor& tangent, int id);
Tensor primal_of(const Tensor& x, int id);  // x itself if it is not dual at that level
Tensor tangent_of(const Tensor& x, int id);  // undefined if it is not
// A detached tensor on the same memory, constant to forward mode as well.
Tensor without_tangents(const Tensor& x);
Tensor make_batched(const Tensor& value, int id);  // dim 0 becomes the hidden one
Tensor add_batch_dim(const Tensor& x, int64_t dim, int id);
Tensor remove_batch_dim(const Tensor& x, int id, int64_t batch_size, int64_t out_dim);

// An operator on arguments of which some are wrapped.
Outs dispatch_level(const Op& op, Value* values);
// The in-place form on such arguments.
void write_into_level(const Op& op, Value* values, const Tensor& self);
// A view that was made before its base took on the tangent that it has gets the same part of that.
void follow_tangent(const Tensor& self);

// The context of a forward-mode rule. Arguments are numbered as in the signature.
struct Jvp {
  const Op& op;
  Value* primals;
  const TensorList& tangents;  // per tensor among the arguments, undefined where zero
  const SmallVec<uint8_t, 4>& argument_of;  // of each of these
  const Outs& outs;

  int slot(int argument) const {
    for (int i = 0; i < argument_of.size(); ++i)
      if (argument_of[i] == argument) return i;
    return -1;
  }
  Tensor t(int argument, int element = 0) const {
    int s = slot(argument);
    return s < 0 ? Tensor() : tangents[s + element];
  }
  Tensor in(int argument) const { return primals[argument].as_tensor(); }
  template <class T>
  T arg(int i) const {
    return Get<T>::from(primals[i]);
  }
};

// The context of a batching rule: `values` hold the batches (dim 0) where `batched` says so.
struct Batch {
  const Op& op;
  Value* values;
  const SmallVec<bool, 4>& batched;  // per tensor among the arguments
  const SmallVec<uint8_t, 4>& argument_of;  // of each of these
  int64_t size;
  int id;

  bool is_batched(int argument) const {
    for (int i = 0; i < argument_of.size(); ++i)
      if (argument_of[i] == argument && batched[i]) return true;
    return false;
  }
  Tensor in(int argument) const { return values[argument].as_tensor(); }
  // Dims as the mapped function sees them.
  int logical_dim(int argument) const {
    return values[argument].tensor->sizes.size() - (is_batched(argument) ? 1 : 0);
  }
  template <class T>
  T arg(int i) const {
    return Get<T>::from(values[i]);
  }
  // The tensor with its batch dim, made by expanding if it has none.
  Tensor expanded(int argument) const;
  // The same with 1s behind the batch dim until it has `ndim` logical dims, so that it broadcasts.
  Tensor aligned(int argument, int ndim) const;
  Outs run() const { return dispatch(op, values); }
};

// The rule that needs none: runs the operator once per element and stacks the results.
Outs batch_by_loop(Batch& b);
// The jvp that follows from the vjp: the vjp is linear in the cotangent, so its own vjp is the jvp.
Outs jvp_from_vjp(Jvp& j);

}  // namespace adj
