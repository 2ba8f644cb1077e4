// The functions of special_readings.h on tensors: calls of the operators that they stand for.
#pragma once
#include "ops/elementwise/special_readings.h"
#include "ops/elementwise/var.h"

namespace adj {

namespace ops {
inline const Fn bessel_j0{"special.bessel_j0"}, bessel_j1{"special.bessel_j1"},
    bessel_y0{"special.bessel_y0"}, bessel_y1{"special.bessel_y1"}, i0{"i0"}, i0e{"special.i0e"},
    i1{"special.i1"}, i1e{"special.i1e"}, scaled_k0{"special.scaled_modified_bessel_k0"},
    scaled_k1{"special.scaled_modified_bessel_k1"}, bessel_k0{"special.modified_bessel_k0"},
    bessel_k1{"special.modified_bessel_k1"}, spherical_j0{"special.spherical_bessel_j0"},
    spherical_j1{"_nodes.spherical_j1"}, airy_ai{"special.airy_ai"},
    airy_ai_prime{"_nodes.airy_ai_prime"}, erfcx{"special.erfcx"};
inline const Fn gammainc_slope{"_nodes.gammainc_slope"}, gamma_density{"_nodes.gamma_density"},
    zeta_slope{"_nodes.zeta_slope"}, mvpolygamma{"_nodes.mvpolygamma"},
    orthogonal{"_nodes.orthogonal"};
}  // namespace ops

#define ADJ_VAR_OF_1(NAME) \
  inline Var NAME(const Var& x) { return Var(ops::NAME(x)); }
#define ADJ_VAR_OF_2(NAME) \
  inline Var NAME(const Var& x, const Var& y) { return Var(ops::NAME(x, y)); }
#define ADJ_VAR_OF_3(NAME) \
  inline Var NAME(const Var& x, const Var& y, const Var& w) { return Var(ops::NAME(x, y, w)); }
#define ADJ_VAR_OF_4(NAME)                                                  \
  inline Var NAME(const Var& x, const Var& y, const Var& w, const Var& v) { \
    return Var(ops::NAME(x, y, w, v));                                      \
  }

ADJ_VAR_OF_1(bessel_j0)
ADJ_VAR_OF_1(bessel_j1)
ADJ_VAR_OF_1(bessel_y0)
ADJ_VAR_OF_1(bessel_y1)
ADJ_VAR_OF_1(i0)
ADJ_VAR_OF_1(i0e)
ADJ_VAR_OF_1(i1)
ADJ_VAR_OF_1(i1e)
ADJ_VAR_OF_1(scaled_k0)
ADJ_VAR_OF_1(scaled_k1)
ADJ_VAR_OF_1(bessel_k0)
ADJ_VAR_OF_1(bessel_k1)
ADJ_VAR_OF_1(spherical_j0)
ADJ_VAR_OF_1(spherical_j1)
ADJ_VAR_OF_1(airy_ai)
ADJ_VAR_OF_1(airy_ai_prime)
ADJ_VAR_OF_1(erfcx)
ADJ_VAR_OF_3(gammainc_slope)
ADJ_VAR_OF_2(gamma_density)
ADJ_VAR_OF_3(zeta_slope)
ADJ_VAR_OF_3(mvpolygamma)
ADJ_VAR_OF_4(orthogonal)
inline Var power_of_2(const Var& n) { return exp2(n); }

}  // namespace adj
