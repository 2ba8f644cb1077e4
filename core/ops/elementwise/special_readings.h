// The functions of core/scalar that have several operands or stand for an operator, on probes here;
// on tensors in special_var.h.
#pragma once
#include "ops/elementwise/base.h"

namespace adj {

// In the namespace `special` and among the internal ones there are no in-place forms.
template <int N, int G = N>
struct Special : Elementwise<N, G> {
  static constexpr bool in_place = false;
};

inline namespace ADJ_ISA {

#define ADJ_PROBE_OF_1(NAME) \
  constexpr Probe NAME(Probe x) { return Probe(x.reads | 1u << kInexact); }
#define ADJ_PROBE_OF_2(NAME) \
  constexpr Probe NAME(Probe x, Probe y) { return Probe(x.reads | y.reads | 1u << kInexact); }
#define ADJ_PROBE_OF_3(NAME)                                    \
  constexpr Probe NAME(Probe x, Probe y, Probe w) {             \
    return Probe(x.reads | y.reads | w.reads | 1u << kInexact); \
  }
#define ADJ_PROBE_OF_4(NAME)                                              \
  constexpr Probe NAME(Probe x, Probe y, Probe w, Probe v) {              \
    return Probe(x.reads | y.reads | w.reads | v.reads | 1u << kInexact); \
  }

ADJ_PROBE_OF_1(bessel_j0)
ADJ_PROBE_OF_1(bessel_j1)
ADJ_PROBE_OF_1(bessel_y0)
ADJ_PROBE_OF_1(bessel_y1)
ADJ_PROBE_OF_1(i0)
ADJ_PROBE_OF_1(i0e)
ADJ_PROBE_OF_1(i1)
ADJ_PROBE_OF_1(i1e)
ADJ_PROBE_OF_1(scaled_k0)
ADJ_PROBE_OF_1(scaled_k1)
ADJ_PROBE_OF_1(bessel_k0)
ADJ_PROBE_OF_1(bessel_k1)
ADJ_PROBE_OF_1(spherical_j0)
ADJ_PROBE_OF_1(spherical_j1)
ADJ_PROBE_OF_1(airy_ai)
ADJ_PROBE_OF_1(airy_ai_prime)
ADJ_PROBE_OF_1(erfcx)
ADJ_PROBE_OF_1(log_ndtr)
ADJ_PROBE_OF_2(gammainc)
ADJ_PROBE_OF_2(gammaincc)
ADJ_PROBE_OF_3(gammainc_slope)
ADJ_PROBE_OF_2(gamma_density)
ADJ_PROBE_OF_2(zeta)
ADJ_PROBE_OF_3(zeta_slope)
ADJ_PROBE_OF_3(mvpolygamma)
ADJ_PROBE_OF_4(orthogonal)

}  // namespace ADJ_ISA
}  // namespace adj
