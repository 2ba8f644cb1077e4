// The heart: what an operator is, and the registry of all of them.
//
// An operator is one block in core/ops: a struct whose base is its kind, and ADJ_OP with its
// signature and documentation. The kinds (core/ops/kinds/) turn what the struct states into the
// functions below, and everything else (Python functions and methods, in-place forms, graph nodes,
// forward mode, vmap, documentation, tests) is made from this table.
#pragma once
#include <bit>
#include <span>
#include <string_view>
#include <vector>

#include "schema.h"
#include "tensor/tensor.h"
#include "value.h"

namespace adj {

struct Op;
struct Vjp;
struct Jvp;
struct Batch;
struct ElementwiseInfo;

using Outs = SmallVec<Tensor, 2>;

// The arguments of one call, complete (defaults filled in). `into`: write the result there if that
// is possible at no cost, and return it; a kind that cannot simply returns a new tensor.
struct Args {
  const Op& op;
  Value* values;
  const Tensor* into = nullptr;

  Value& operator[](int i) const { return values[i]; }
  int size() const;
};

enum class KindName : uint8_t {
  elementwise,  // f on each element
  linear,       // forward and its transpose
  view,         // the same memory through another layout
  bilinear,     // linear in each of two operands
  fused,        // defined by other operators, with fast kernels beside
  composite,    // defined by other operators
  rule,         // forward, and a vjp in differentiable operators
  constant,     // no derivative: comparisons, argmax
  factory,      // makes a tensor from no tensor
};

// What autocast does to the floating arguments of an operator.
enum class Autocast : uint8_t {
  keep,   // nothing
  lower,  // to the dtype of the mode: products
  full,   // halves to float32: what loses too much in fewer bits
  widest  // to float32 if they differ
};

struct Op {
  const char* signature;
  const char* documentation;
  const char* struct_name;  // "Tanh": the kernels of each ISA level are found by it
  KindName kind;
  Schema schema;
  const char* name;        // schema.name, interned
  const char* node_name;   // "TanhBackward0"
  const char* in_place_name;  // "tanh_"

  // Plain tensors in, plain tensors out: no history, no levels.
  Outs (*forward)(const Args&) = nullptr;
  // Given in other operators; the meaning of a fused or composite one.
  Outs (*define)(const Args&) = nullptr;
  // Cotangents of the outputs to those of the inputs, in differentiable operators.
  void (*vjp)(Vjp&) = nullptr;
  // The same on plain tensors when nothing records; may decline (return false).
  bool (*fast_vjp)(Vjp&) = nullptr;
  // Tangents of the inputs to those of the outputs; derived from vjp where absent.
  Outs (*jvp)(Jvp&) = nullptr;
  // The rule of vmap; a loop where absent.
  Outs (*batch)(Batch&) = nullptr;
  // reads[i]: which arguments (bit j) and outputs (bit 16 + j) the gradient of argument i reads.
  uint32_t reads[8] = {};
  ElementwiseInfo* elementwise = nullptr;
  bool in_place = false;      // has a form `name_` that writes into its first argument
  bool is_method = true;      // the first argument being a tensor, also a method of Tensor
  uint32_t linear = 0;        // of linear ones: in which arguments
  Autocast autocast = Autocast::keep;

  bool differentiable() const { return kind != KindName::constant && kind != KindName::factory; }
};

inline int Args::size() const { return static_cast<int>(op.schema.params.size()); }

// All operators, overloads of one name side by side in the order of their definition.
class Registry {
 public:
  static Registry& get();
  void add(Op* op) { ops_.push_back(op); }
  std::span<Op* const> ops() const { return ops_; }
  // The overloads of a (dotted) name; one operator by name and overload (`max:dim`).
  std::vector<const Op*> overloads(std::string_view name) const;
  const Op& find(std::string_view name) const;

 private:
  std::vector<Op*> ops_;
};

// Sets the `autocast` of each operator; called once, when all are registered.
void set_autocast_rules();

// Runs an operator on any tensors: plain, recorded, batched, dual.
Outs dispatch(const Op& op, Value* args);
// The in-place form: the result is written into `self`, whose history it becomes.
void dispatch_into(const Op& op, Value* args, const Tensor& self);

// Writes `source` (broadcast, converted) into the memory of `self`; no history, no version.
void write_into(const Tensor& self, const Tensor& source);

// Calls an operator from C++ by name, looked up once: `ops::sum(x, Dims{-1}, true)`. Arguments are
// positional in the order of the signature (keyword-only ones too); missing ones take defaults.
class Fn {
 public:
  explicit constexpr Fn(const char* name) : name_(name) {}

  template <class... A>
  Outs all(const A&... a) const {
    Value values[kMaxParams] = {Value(a)...};
    return call(values, sizeof...(A));
  }
  template <class... A>
  Tensor operator()(const A&... a) const {
    return std::move(all(a...)[0]);
  }
  // The in-place form; the first argument is written to.
  template <class... A>
  const Tensor& into(const Tensor& self, const A&... a) const {
    Value values[kMaxParams] = {Value(self), Value(a)...};
    call_into(self, values, 1 + sizeof...(A));
    return self;
  }
  const Op& op() const;

  static constexpr int kMaxParams = 20;

 private:
  Outs call(Value* values, int count) const;
  void call_into(const Tensor& self, Value* values, int count) const;
  const Op& complete(Value* values, int count) const;

  const char* name_;
  mutable const Op* op_ = nullptr;
};

// The name of an operator's graph node: "log_softmax" -> "LogSoftmaxBackward0".
const char* node_name_of(const Schema& schema);

#define ADJ_OP(STRUCT, SIGNATURE, DOCUMENTATION)         \
  [[maybe_unused]] static const ::adj::Op& op_##STRUCT = \
      ::adj::define_op<STRUCT>(#STRUCT, SIGNATURE, DOCUMENTATION)

template <class S>
const Op& define_op(const char* struct_name, const char* signature, const char* documentation) {
  Schema schema(signature);
  const char* name = intern(schema.name);
  const char* node = node_name_of(schema);
  const char* written = intern(schema.name + "_");
  auto* op = new Op{signature,         documentation, struct_name, S::kind,
                    std::move(schema), name,          node,        written};
  S::template fill<S>(*op);
  Registry::get().add(op);
  return *op;
}

}  // namespace adj
