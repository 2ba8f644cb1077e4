// The kinds of operators other than elementwise: what each derives from what its author states.
#pragma once
#include "autograd/history.h"
#include "ops/kinds/unbox.h"
#include "transform/level.h"

namespace adj {

// The arguments of a vjp as Values, saved tensors restored.
SmallVec<Value, 8> restored_values(const Vjp& c);
// Every tensor argument but those in `linear`, as a mask.
uint32_t other_tensors(const Op& op, uint32_t linear);
// The tangents in place of the linear arguments (zeros where there is none), then the same
// operator.
Outs jvp_of_linear(Jvp& j);
Outs jvp_of_bilinear(Jvp& j);
// The vjp of what is defined by other operators: runs `define` again, recorded, and differentiates
// it.
void vjp_of_define(Vjp& c);

// Complex numbers. The vjp of a complex function with the derivative J is the product with the
// conjugate of its transpose. The rules of authors know real numbers only, so of complex ones
// conj(rule(conj(g))) is taken; `conjugates = true` says that a rule does it by itself.
void vjp_by_conjugates(Vjp& c, void (*rule)(Vjp&));
bool vjp_by_conjugates(Vjp& c, bool (*rule)(Vjp&));
Tensor conj_of(const Tensor& x);  // x itself if it is real
template <class S>
void conjugated(Vjp& c) {
  if constexpr (requires { S::conjugates; }) S::vjp(c);
  else vjp_by_conjugates(c, &S::vjp);
}
template <class S>
bool fast_conjugated(Vjp& c) {
  return vjp_by_conjugates(c, &S::fast_vjp);
}

template <class S>
void fill_common(Op& op) {
  if constexpr (requires(Batch& b) { S::batch(b); }) op.batch = &S::batch;
  if constexpr (requires(Jvp& j) { S::jvp(j); }) op.jvp = &S::jvp;
  if constexpr (requires { S::in_place; }) op.in_place = S::in_place;
  if constexpr (requires { S::is_method; }) op.is_method = S::is_method;
}

// forward, and transpose(g, like, the other arguments), where `like` is the TensorMeta of the first
// argument. With several linear arguments (mask `linear`), transpose(Vjp&) sets each gradient.
struct Linear {
  static constexpr KindName kind = KindName::linear;
  static constexpr uint32_t linear = 1;

  template <class S>
  static void vjp(Vjp& c) {
    if constexpr (std::is_invocable_v<decltype(&S::transpose), Vjp&>) {
      S::transpose(c);
    } else {
      if (!c.needs(0)) return;
      auto values = restored_values(c);
      c.set(0, unbox_after(&S::transpose, c.g(), c.like(0), values.data() + 1));
    }
  }
  template <class S>
  static void fill(Op& op) {
    op.linear = S::linear;
    op.forward = forward_thunk<&S::forward>;
    op.vjp = vjp<S>;
    op.jvp = jvp_of_linear;
    for (auto& r : op.reads) r = other_tensors(op, S::linear);
    fill_common<S>(op);
  }
};

// layout(x, arguments) instead of forward; transpose as above. `dtype(t)`, where the memory is seen
// as another one.
struct View : Linear {
  static constexpr KindName kind = KindName::view;

  template <class S>
  static Outs forward(const Args& args) {
    Tensor x(args[0].tensor);
    Tensor y;
    if constexpr (requires { S::dtype(DType::f32); })
      y = view_of(x, unbox(&S::layout, args.values), S::dtype(x.dtype()));
    else y = view_of(x, unbox(&S::layout, args.values));
    if (modes.track_views) {
      set_base(y, x);
      if (y->base->history && y->base->history->rewrites)
        history_of(y).seen_rewrites = y->base->history->rewrites;
    }
    return as_outs(std::move(y));
  }
  template <class S>
  static void fill(Op& op) {
    op.linear = 1;
    op.forward = forward<S>;
    op.vjp = vjp<S>;
    op.jvp = jvp_of_linear;
    fill_common<S>(op);
  }
};

// forward(x, y, arguments); left(g, y, like x, arguments) and right(g, x, like y, arguments) are
// the gradients of x and y.
struct Bilinear {
  static constexpr KindName kind = KindName::bilinear;

  template <class S>
  static void vjp(Vjp& c) {
    auto values = restored_values(c);
    if (c.needs(0))
      c.set(0, unbox_after(&S::left, c.g(), conj_of(c.in(1)), c.like(0), values.data() + 2));
    if (c.needs(1))
      c.set(1, unbox_after(&S::right, c.g(), conj_of(c.in(0)), c.like(1), values.data() + 2));
  }
  template <class S>
  static void fill(Op& op) {
    op.forward = forward_thunk<&S::forward>;
    op.vjp = vjp<S>;
    op.jvp = jvp_of_bilinear;
    op.reads[0] = 2 | other_tensors(op, 3);
    op.reads[1] = 1 | other_tensors(op, 3);
    fill_common<S>(op);
  }
};

// define(arguments) in other operators is the meaning. Beside it a fast forward(arguments) on plain
// tensors and fast_vjp(Vjp&) (which may decline), reading what `saves` says: input(i) | output(i).
constexpr uint32_t input(int i) { return 1u << i; }
constexpr uint32_t output(int i) { return 1u << (16 + i); }

struct Fused {
  static constexpr KindName kind = KindName::fused;
  static constexpr uint32_t saves = 0;

  template <class S>
  static void fill(Op& op) {
    op.forward = forward_thunk<&S::forward>;
    op.define = forward_thunk<&S::define>;
    op.fast_vjp = fast_conjugated<S>;
    op.vjp = vjp_of_define;
    // define is run again from all the tensor arguments
    for (auto& r : op.reads) r = S::saves | other_tensors(op, 0);
    fill_common<S>(op);
  }
};

// define alone.
struct Composite {
  static constexpr KindName kind = KindName::composite;

  template <class S>
  static void fill(Op& op) {
    op.define = forward_thunk<&S::define>;
    fill_common<S>(op);
  }
};

// forward, and vjp(Vjp&) in differentiable operators, reading what `saves` says.
struct Rule {
  static constexpr KindName kind = KindName::rule;
  static constexpr uint32_t saves = 0;

  template <class S>
  static void fill(Op& op) {
    op.forward = forward_thunk<&S::forward>;
    op.vjp = conjugated<S>;
    for (auto& r : op.reads) r = S::saves;
    fill_common<S>(op);
  }
};

// forward alone; results never require grad.
struct Constant {
  static constexpr KindName kind = KindName::constant;

  template <class S>
  static void fill(Op& op) {
    op.forward = forward_thunk<&S::forward>;
    fill_common<S>(op);
  }
};

// forward from sizes, numbers and dtypes. The binding adds device, requires_grad and their kin.
struct Factory {
  static constexpr KindName kind = KindName::factory;

  template <class S>
  static void fill(Op& op) {
    op.forward = forward_thunk<&S::forward>;
    op.is_method = false;
    fill_common<S>(op);
  }
};

// Gradients of what was broadcast: summed over the dims that were added or stretched, in the dtype
// of the operand.
Tensor sum_to(const Tensor& g, const TensorMeta& like);

}  // namespace adj
