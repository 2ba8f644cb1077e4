// The special functions, for the registry; their loops are compiled in core/cpu/isa.
#include "ops/elementwise/forwarding.h"
#include "ops/elementwise/special_var.h"
#include "ops/kinds/elementwise.h"

#include "ops/elementwise/bessel.h"
#include "ops/elementwise/gamma.h"
#include "ops/elementwise/normal.h"
#include "ops/elementwise/polynomials.h"

namespace adj {

void check_order(const Args& args) {
  if (args[2].as_int() > 4)
    runtime_error(args.op.name,
                  ": derivatives by input beyond the fourth are not there, got order ",
                  args[2].as_int());
}

void check_degree_and_order(const Args& args) {
  if (args[3].as_int() >= kMostDerivatives)
    runtime_error("orthogonal polynomials: derivatives beyond the ", kMostDerivatives - 1,
                  "th are not there, got order ", args[3].as_int());
}

namespace {

struct Mvlgamma : Composite {
  static constexpr bool in_place = true;
  static Tensor define(const Args& a) {
    int64_t p = a[1].as_int();
    if (p < 1) runtime_error("mvlgamma: p has to be greater than or equal to 1, got ", p);
    return forward_to(ops::mvpolygamma, a, {a[0], p, int64_t{0}});
  }
};
ADJ_OP(Mvlgamma, "mvlgamma(input: Tensor, p: int) -> Tensor", R"(
The logarithm of the gamma function of `p` dims: `p (p - 1) / 4 * log(pi)` and the sum of
`lgamma(input - j / 2)` over j = 0, ..., p - 1. A RuntimeError for `p` below 1.

>>> adjoint.mvlgamma(adjoint.tensor([2., 3.]), 2)
tensor([0.4516, 1.5502])
)");

}  // namespace

}  // namespace adj
