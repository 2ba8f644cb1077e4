// From Values to the typed parameters of functions written by hand.
#pragma once
#include <type_traits>
#include <utility>

#include "op.h"

namespace adj {

inline Outs as_outs(Tensor x) {
  Outs outs;
  outs.push_back(std::move(x));
  return outs;
}
inline Outs as_outs(Outs xs) { return xs; }

template <class P>
using Plain = std::remove_cv_t<std::remove_reference_t<P>>;

template <class R, class... P, size_t... I>
R unbox(R (*f)(P...), const Value* values, std::index_sequence<I...>) {
  return f(Get<Plain<P>>::from(values[I])...);
}
// f(values[0], values[1], ...)
template <class R, class... P>
R unbox(R (*f)(P...), const Value* values) {
  return unbox(f, values, std::index_sequence_for<P...>());
}

template <class R, class A, class B, class... P, size_t... I>
R unbox_after(R (*f)(A, B, P...), const Plain<A>& a, const Plain<B>& b, const Value* rest,
              std::index_sequence<I...>) {
  return f(a, b, Get<Plain<P>>::from(rest[I])...);
}
// f(a, b, rest[0], rest[1], ...)
template <class R, class A, class B, class... P>
R unbox_after(R (*f)(A, B, P...), const Plain<A>& a, const Plain<B>& b, const Value* rest) {
  return unbox_after(f, a, b, rest, std::index_sequence_for<P...>());
}

template <class R, class A, class B, class C, class... P, size_t... I>
R unbox_after(R (*f)(A, B, C, P...), const Plain<A>& a, const Plain<B>& b, const Plain<C>& c,
              const Value* rest, std::index_sequence<I...>) {
  return f(a, b, c, Get<Plain<P>>::from(rest[I])...);
}
// f(a, b, c, rest[0], rest[1], ...)
template <class R, class A, class B, class C, class... P>
R unbox_after(R (*f)(A, B, C, P...), const Plain<A>& a, const Plain<B>& b, const Plain<C>& c,
              const Value* rest) {
  return unbox_after(f, a, b, c, rest, std::index_sequence_for<P...>());
}

// A forward (or define) as the registry stores it; one that takes Args gets them as they are.
template <auto F>
Outs forward_thunk(const Args& args) {
  if constexpr (std::is_invocable_v<decltype(F), const Args&>) return as_outs(F(args));
  else return as_outs(unbox(F, args.values));
}

}  // namespace adj
