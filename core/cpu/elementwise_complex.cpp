// The loops of elementwise operators over complex numbers: of those that say `complex`. They are
// compiled once, not for each instruction set: compilers do not vectorise them.
#include "cpu/complex.h"
#include "cpu/elementwise_kernels.h"
#include "scalar/elementwise.h"

#include <cstring>

namespace adj {
inline namespace ADJ_ISA {

namespace {

ElementwiseKernels* complex_list = nullptr;

template <class S, class V>
void complex_loop(int64_t n, void* out, const void* const* in) {
  auto x = [in](int k) { return static_cast<const V*>(in[k]); };
  auto run = [n, out](auto f) {
    using R = decltype(f(0));
    R* o = static_cast<R*>(out);
    for (int64_t i = 0; i < n; ++i) o[i] = f(i);
  };
  if constexpr (S::arity == 1) run([a = x(0)](int64_t i) { return S::f(a[i]); });
  else if constexpr (S::arity == 2)
    run([a = x(0), b = x(1)](int64_t i) { return S::f(a[i], b[i]); });
  else if constexpr (S::arity == 3)
    run([a = x(0), b = x(1), c = x(2)](int64_t i) { return S::f(a[i], b[i], c[i]); });
  else
    run([a = x(0), b = x(1), c = x(2), d = x(3)](int64_t i) {
      return S::f(a[i], b[i], c[i], d[i]);
    });
}

template <class S>
bool add_complex_kernels(const char* struct_name) {
  if constexpr (S::complex) {
    static ElementwiseKernels k{struct_name};
    k.forward[10] = complex_loop<S, Complex<float>>;
    k.forward[11] = complex_loop<S, Complex<double>>;
    k.next = complex_list;
    complex_list = &k;
  }
  return true;
}

}  // namespace
}  // namespace ADJ_ISA

const ElementwiseKernels* complex_elementwise_kernels(const char* struct_name) {
  for (auto* k = complex_list; k; k = k->next)
    if (!strcmp(k->struct_name, struct_name)) return k;
  return nullptr;
}

}  // namespace adj

#define ADJ_OP(STRUCT, SIGNATURE, DOCUMENTATION)                   \
  [[maybe_unused]] static const bool complex_kernels_of_##STRUCT = \
      ::adj::add_complex_kernels<STRUCT>(#STRUCT)

#include "ops/elementwise/arithmetic.h"
#include "ops/elementwise/comparison.h"
#include "ops/elementwise/complex.h"
#include "ops/elementwise/exponential.h"
#include "ops/elementwise/power.h"
#include "ops/elementwise/selection.h"
#include "ops/elementwise/sign.h"
#include "ops/elementwise/trigonometric.h"
