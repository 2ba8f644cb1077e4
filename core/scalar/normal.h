// The error function and the normal distribution.
#pragma once
#include "scalar/math.h"
#include "scalar/probe.h"

namespace adj {
inline namespace ADJ_ISA {

// c0 + c1 x + c2 x^2 + ...
template <Real T>
constexpr T polynomial(T, double c) {
  return T(c);
}
template <Real T, class... C>
constexpr T polynomial(T x, double c, C... rest) {
  return T(c) + x * polynomial(x, rest...);
}

// The quantile of the normal distribution at 1/2 + half, which is `tail` away from 0 or 1: by the
// rational functions of Wichura (algorithm AS 241, Applied Statistics 37, 1988).
template <Real T>  // inlined, as a loop with a call in it is not vectorised
[[gnu::always_inline]] inline T quantile_beside(T half, T tail) {
  T u = T(0.180625) - half * half;
  T center = half *
             polynomial(u, 3.3871328727963666080e0, 1.3314166789178437745e2,
                        1.9715909503065514427e3, 1.3731693765509461125e4, 4.5921953931549871457e4,
                        6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3) /
             polynomial(u, 1, 4.2313330701600911252e1, 6.8718700749205790830e2,
                        5.3941960214247511077e3, 2.1213794301586595867e4, 3.9307895800092710610e4,
                        2.8729085735721942674e4, 5.2264952788528545610e3);
  T r = sqrt(-log(tail)), v = r - T(1.6), w = r - T(5);
  T near =
      polynomial(v, 1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
                 3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
                 2.27238449892691845833e-2, 7.74545014278341407640e-4) /
      polynomial(v, 1, 2.05319162663775882187e0, 1.67638483018380384940e0,
                 6.89767334985100004550e-1, 1.48103976427480074590e-1, 1.51986665636164571966e-2,
                 5.47593808499534494600e-4, 1.05075007164441684324e-9);
  T far =
      polynomial(w, 6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
                 2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                 2.71155556874348757815e-5, 2.01033439929228813265e-7) /
      polynomial(w, 1, 5.99832206555887937690e-1, 1.36929880922735805310e-1,
                 1.48753612908506148525e-2, 7.86869131145613259100e-4, 1.84631831751005468180e-5,
                 1.42151175831644588870e-7, 2.04426310338993978564e-15);
  T outer = copysign(select(r <= T(5), near, far), half);
  outer = select(tail == T(0), half * T(kInfinity), outer);
  return select(abs(half) <= T(0.425), center, outer);
}

template <Real T>
[[gnu::always_inline]] inline T inverse_erf(T y) {
  T tail = (T(1) - abs(y)) * T(0.5);
  return quantile_beside(y * T(0.5), tail) * T(0.70710678118654752440);
}
template <Real T>
[[gnu::always_inline]] inline T normal_quantile(T p) {
  return quantile_beside(p - T(0.5), select(p < T(0.5), p, T(1) - p));
}
constexpr Probe normal_quantile(Probe p) { return erfinv(p); }
constexpr Probe inverse_erf(Probe y) { return erfinv(y); }

}  // namespace ADJ_ISA
}  // namespace adj
