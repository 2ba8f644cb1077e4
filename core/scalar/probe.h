// A value that knows only which operands it was made from: an expression evaluated on probes, at
// compile time, says which of its operands it reads. Bit i of `reads` is operand i; bit kInexact
// says that it calls a function whose last bits the vector version rounds otherwise.
#pragma once

#ifndef ADJ_ISA
#define ADJ_ISA v2
#endif

namespace adj {
inline namespace ADJ_ISA {

inline constexpr unsigned kInexact = 31;

struct Probe {
  unsigned reads = 0;
  bool zero = false;  // a constant that is 0

  constexpr Probe() = default;
  explicit constexpr Probe(unsigned mask) : reads(mask) {}
  explicit constexpr Probe(bool constant) : zero(!constant) {}
  explicit constexpr Probe(int constant) : zero(constant == 0) {}
  explicit constexpr Probe(float constant) : zero(constant == 0) {}
  explicit constexpr Probe(double constant) : zero(constant == 0) {}
};

#define ADJ_PROBE_1(NAME) \
  constexpr Probe NAME(Probe x) { return Probe(x.reads); }
#define ADJ_PROBE_2(NAME) \
  constexpr Probe NAME(Probe x, Probe y) { return Probe(x.reads | y.reads); }
#define ADJ_PROBE_LIBM(NAME) \
  constexpr Probe NAME(Probe x) { return Probe(x.reads | 1u << kInexact); }
#define ADJ_PROBE_LIBM_2(NAME) \
  constexpr Probe NAME(Probe x, Probe y) { return Probe(x.reads | y.reads | 1u << kInexact); }
#define ADJ_PROBE_OPERATOR(OP)                                            \
  ADJ_PROBE_2(operator OP)                                                \
  constexpr Probe operator OP(Probe x, double) { return Probe(x.reads); } \
  constexpr Probe operator OP(double, Probe x) { return Probe(x.reads); }

ADJ_PROBE_OPERATOR(+)
ADJ_PROBE_OPERATOR(-)
ADJ_PROBE_OPERATOR(*)
ADJ_PROBE_OPERATOR(/)
ADJ_PROBE_OPERATOR(<)
ADJ_PROBE_OPERATOR(<=)
ADJ_PROBE_OPERATOR(>)
ADJ_PROBE_OPERATOR(>=)
ADJ_PROBE_OPERATOR(==)
ADJ_PROBE_OPERATOR(!=)
ADJ_PROBE_2(operator&)
ADJ_PROBE_2(operator|)
ADJ_PROBE_2(operator^)
ADJ_PROBE_2(operator&&)
ADJ_PROBE_2(operator||)
ADJ_PROBE_1(operator!)
ADJ_PROBE_1(operator-)
ADJ_PROBE_1(operator~)

ADJ_PROBE_LIBM(exp)
ADJ_PROBE_LIBM(exp2)
ADJ_PROBE_LIBM(expm1)
ADJ_PROBE_LIBM(log)
ADJ_PROBE_LIBM(log2)
ADJ_PROBE_LIBM(log10)
ADJ_PROBE_LIBM(log1p)
ADJ_PROBE_1(sqrt)
ADJ_PROBE_1(rsqrt)
ADJ_PROBE_LIBM(sin)
ADJ_PROBE_LIBM(cos)
ADJ_PROBE_LIBM(tan)
ADJ_PROBE_LIBM(asin)
ADJ_PROBE_LIBM(acos)
ADJ_PROBE_LIBM(atan)
ADJ_PROBE_LIBM(sinh)
ADJ_PROBE_LIBM(cosh)
ADJ_PROBE_LIBM(tanh)
ADJ_PROBE_LIBM(asinh)
ADJ_PROBE_LIBM(acosh)
ADJ_PROBE_LIBM(atanh)
ADJ_PROBE_LIBM(erf)
ADJ_PROBE_LIBM(erfc)
ADJ_PROBE_LIBM(erfinv)
ADJ_PROBE_LIBM(lgamma)
ADJ_PROBE_LIBM(digamma)
ADJ_PROBE_1(abs)
ADJ_PROBE_1(sign)
ADJ_PROBE_1(floor)
ADJ_PROBE_1(ceil)
ADJ_PROBE_1(trunc)
ADJ_PROBE_1(round)
ADJ_PROBE_1(isnan)
ADJ_PROBE_1(isinf)
ADJ_PROBE_1(isfinite)
ADJ_PROBE_LIBM_2(pow)
ADJ_PROBE_LIBM_2(atan2)
ADJ_PROBE_LIBM_2(hypot)
ADJ_PROBE_2(fmod)
ADJ_PROBE_2(remainder)
ADJ_PROBE_2(floor_divide)
ADJ_PROBE_2(copysign)
ADJ_PROBE_2(maximum)
ADJ_PROBE_2(minimum)

constexpr Probe polygamma(int, Probe x) { return Probe(x.reads | 1u << kInexact); }
constexpr Probe select(Probe c, Probe a, Probe b) { return Probe(c.reads | a.reads | b.reads); }
constexpr Probe select(bool, Probe a, Probe b) { return Probe(a.reads | b.reads); }

#undef ADJ_PROBE_1
#undef ADJ_PROBE_2
#undef ADJ_PROBE_LIBM
#undef ADJ_PROBE_LIBM_2
#undef ADJ_PROBE_OPERATOR

}  // namespace ADJ_ISA
}  // namespace adj
