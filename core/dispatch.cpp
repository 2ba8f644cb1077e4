// One way in for every operator call: plain, recorded, batched or dual.
#include <algorithm>
#include <cctype>

#include "autograd/history.h"
#include "autograd/python_lock.h"
#include "cpu/cast.h"
#include "op.h"
#include "ops/vocabulary.h"
#include "transform/level.h"

namespace adj {

Registry& Registry::get() {
  static Registry registry;
  return registry;
}

static bool has_name(const Schema& s, std::string_view name) {
  if (s.space.empty()) return s.name == name;
  return name.size() == s.space.size() + 1 + s.name.size() &&
         name.substr(0, s.space.size()) == s.space && name[s.space.size()] == '.' &&
         name.substr(s.space.size() + 1) == s.name;
}

std::vector<const Op*> Registry::overloads(std::string_view name) const {
  std::vector<const Op*> found;
  for (Op* op : ops_)
    if (has_name(op->schema, name)) found.push_back(op);
  return found;
}

const Op& Registry::find(std::string_view name) const {
  size_t colon = name.find(':');
  std::string_view overload = colon == std::string_view::npos ? "" : name.substr(colon + 1);
  for (Op* op : ops_)
    if (has_name(op->schema, name.substr(0, colon)) &&
        std::string_view(op->schema.overload).substr(0, op->schema.overload.find('/')) == overload)
      return *op;
  runtime_error("adjoint bug: no operator is called ", name);
}

const char* node_name_of(const Schema& schema) {
  std::string name;
  bool upper = true;
  for (char c : schema.name) {
    if (c == '_') upper = true;
    else {
      name += upper ? static_cast<char>(toupper(c)) : c;
      upper = false;
    }
  }
  // An overload may say which of torch's nodes it is: "sum:dim/1" is SumBackward1, and
  // "write_through_view:/CopySlices" is CopySlices.
  size_t slash = schema.overload.find('/');
  std::string number = slash == std::string::npos ? "0" : schema.overload.substr(slash + 1);
  if (isalpha(number[0])) return intern(number);
  return intern(name + "Backward" + number);
}

void refuse_complex(const Value& v) {
  runtime_error("a real number is needed: the complex number (", v.real_part(), "+", v.imag_part(),
                "j) cannot be converted without overflow");
}

// Elements from which letting go of the interpreter's lock costs nothing beside the work.
static constexpr int64_t kUnlockFrom = 100000;

// The arguments in the dtype that autocast wants, and then the operator without it.
static Outs dispatch_autocast(const Op& op, Value* values) {
  DType lower = static_cast<DType>(modes.autocast - 1), wanted = lower;
  struct Off {
    unsigned char before = std::exchange(modes.autocast, 0);
    ~Off() { modes.autocast = before; }
  } off;
  auto eligible = [](const TensorImpl* x) {
    return is_floating(x->dtype) && x->dtype != DType::f64;
  };
  bool differ = false;
  if (op.autocast != Autocast::lower) {
    wanted = DType::f32;
    DType first = DType::b8;
    for_each_tensor(op, values, [&](TensorImpl* x, int) {
      if (!eligible(x)) return;
      differ = differ || (first != DType::b8 && first != x->dtype);
      first = x->dtype;
    });
    if (op.autocast == Autocast::widest && !differ) return dispatch(op, values);
  }
  auto cast = [&](const Tensor& x) {
    return x.defined() && eligible(x.get()) && x.dtype() != wanted ? ops::to_dtype(x, wanted) : x;
  };
  TensorList kept;
  std::vector<TensorList> lists;
  size_t n = op.schema.params.size();
  kept.reserve(static_cast<int>(n));
  lists.reserve(n);
  for (size_t i = 0; i < n; ++i) {
    Value& v = values[i];
    if (v.tag == Tag::tensor) {
      kept.push_back(cast(Tensor(v.tensor)));
      v.tensor = kept.back().get();
    } else if (v.tag == Tag::tensors) {
      TensorList list;
      for (uint32_t k = 0; k < v.length; ++k) list.push_back(cast(v.tensors[k]));
      lists.push_back(std::move(list));
      v = Value(lists.back());
    }
  }
  return dispatch(op, values);
}

Outs dispatch(const Op& op, Value* values) {
  if (modes.autocast && op.autocast != Autocast::keep) [[unlikely]]
    return dispatch_autocast(op, values);
  unsigned flags = 0;
  int64_t largest = 0;
  for_each_tensor(op, values, [&](TensorImpl* t, int) {
    if (t->base) [[unlikely]]
      refresh_view(Tensor(t));
    flags |= t->flags;
    largest = std::max(largest, t->numel);
  });
  // Other Python threads run while there is much to compute.
  bool large = largest > kUnlockFrom && op.kind != KindName::view;
  Args args{op, values};
  if (op.kind == KindName::composite) return op.define(args);
  if (!(flags & (kRequiresGrad | kWrapped | kInference)) && !modes.inference && modes.grad)
      [[likely]] {
    if (!large) return op.forward(args);
    PythonUnlocked unlocked;
    return op.forward(args);
  }

  bool recorded = (flags & kRequiresGrad) && modes.grad && !modes.inference && op.differentiable();
  if (recorded && (flags & kInference) && !(flags & kWrapped)) {
    for_each_tensor(op, values, [&](TensorImpl* t, int i) {
      if ((t->flags & kInference) && op.reads[0] >> i & 1)
        runtime_error(
            "Inference tensors cannot be saved for backward. To work around you can make a "
            "clone to get a normal tensor and use it in autograd.");
    });
  }
  if ((flags & kWrapped) && op.kind == KindName::fused && !op.batch) return op.define(args);
  Outs outs;
  if (flags & kWrapped) {
    outs = dispatch_level(op, values);
    // So that an in-place write through a view of a wrapped tensor is known for one.
    if (op.kind == KindName::view && modes.track_views) set_base(outs[0], Tensor(values[0].tensor));
  } else {
    GradMode off(modes.grad && !recorded);
    PythonUnlocked unlocked(large);
    outs = op.forward(args);
  }
  if (recorded) record(op, values, outs);
  if ((op.kind == KindName::view || outs.size() > 1) && (!modes.grad || flags & kNoGradView))
    for (auto& y : outs)
      if (y->base) y->flags |= kNoGradView;
  if (modes.inference)
    for (auto& y : outs)  // a view of a normal tensor is a normal one
      if (!y->base || y->base->flags & kInference) y->flags |= kInference;
  return outs;
}

const Op& Fn::op() const {
  if (!op_) op_ = &Registry::get().find(name_);
  return *op_;
}

const Op& Fn::complete(Value* values, int count) const {
  const Op& op = this->op();
  int n = static_cast<int>(op.schema.params.size());
  if (count > n) runtime_error("adjoint bug: ", name_, " takes ", n, " arguments, got ", count);
  for (int i = count; i < n; ++i) values[i] = op.schema.params[static_cast<size_t>(i)].standard;
  return op;
}

Outs Fn::call(Value* values, int count) const { return dispatch(complete(values, count), values); }

void Fn::call_into(const Tensor& self, Value* values, int count) const {
  dispatch_into(complete(values, count), values, self);
}

void write_into(const Tensor& self, const Tensor& source) {
  if (self.numel() == 0) return;
  int64_t dst_strides[64], src_strides[64];
  int n = self.dim(), extra = n - source.dim();
  for (int i = 0; i < n; ++i) {
    dst_strides[i] = self.stride(i) * static_cast<int64_t>(itemsize(self.dtype()));
    bool stretched = i < extra || (source.size(i - extra) == 1 && self.size(i) != 1);
    src_strides[i] =
        stretched ? 0 : source.stride(i - extra) * static_cast<int64_t>(itemsize(source.dtype()));
  }
  copy_strided(n, self.sizes().data(), self.data(), dst_strides, self.dtype(), source.data(),
               src_strides, source.dtype());
}

}  // namespace adj
