// Variances and standard deviations.
#include "ops/reduce.h"

namespace adj {

namespace {

// How many degrees of freedom: elements less the correction, not below 0 (which gives inf or nan).
double freedom(DimsView sizes, DimMask mask, double correction) {
  double n = static_cast<double>(reduced_count(sizes, mask)) - correction;
  return n > 0 ? n : 0;
}

struct Call {
  DimMask mask;
  double correction;
  bool keepdim;
};
Call call_of(const Value* values, int ndim) {
  return {reduced_dims(Get<std::optional<DimsView>>::from(values[1]), ndim),
          values[2].is_none() ? 1.0 : values[2].as_double(), values[3].as_bool()};
}

Outs moments(const char* name, const Tensor& x, const Call& call, bool root, bool want_mean);

// The variance of complex numbers is the sum of those of their parts.
Outs complex_moments(const char* name, const Tensor& x, const Call& call, bool root,
                     bool want_mean) {
  Outs parts = moments(name, ops::view_as_real(x), call, false, want_mean);
  Outs outs = as_outs(ops::sum(parts[0], Dims{-1}));
  if (root) outs[0] = ops::sqrt(outs[0]);
  if (want_mean) outs.push_back(ops::view_as_complex(parts[1]));
  return outs;
}

Outs moments(const char* name, const Tensor& x, const Call& call, bool root, bool want_mean) {
  if (is_complex(x.dtype())) return complex_moments(name, x, call, root, want_mean);
  if (!is_floating(x.dtype()))
    runtime_error(name, "(): expected a floating point or complex dtype, got ",
                  scalar_name_of(x.dtype()));
  DType t = computed_in(x.dtype());
  Grouped g = grouped(x.dtype() == t ? x : cast(x, t), call.mask);
  Dims sizes = reduced_sizes(x.sizes(), call.mask, call.keepdim);
  Tensor v = empty(sizes, t), m;
  if (want_mean) m = empty(sizes, t);
  variance(t, v.data(), want_mean ? m.data() : nullptr, g.x.data(), g.outer, g.n, g.inner,
           call.correction, root);
  Outs outs = as_outs(cast(v, x.dtype()));
  if (want_mean) outs.push_back(cast(m, x.dtype()));
  return outs;
}

Dims dims_of(DimMask mask, int ndim) {
  Dims dims;
  for (int i = 0; i < ndim; ++i)
    if (mask >> i & 1) dims.push_back(i);
  return dims;
}
Tensor mean_of(const Tensor& x, DimMask mask) {
  Dims dims = dims_of(mask, x.dim());
  return dims.empty() ? x : ops::mean(x, dims, true);
}
// x less its mean over the dims.
Tensor centred(const Tensor& x, DimMask mask) { return ops::sub(x, mean_of(x, mask)); }

// A cotangent of the root made one of the variance: g / (2 root), 0 where the root is.
Tensor of_variance(const Tensor& g, const Tensor& root) {
  return ops::masked_fill(ops::div(g, ops::mul(root, 2.0)), ops::eq(root, 0.0), 0.0);
}

Tensor variance_vjp(const Tensor& g, const Tensor& x, const Call& call) {
  Tensor gk = with_kept_dims(g, x.sizes(), call.mask, call.keepdim);
  return ops::mul(ops::mul(gk, 2.0 / freedom(x.sizes(), call.mask, call.correction)),
                  centred(x, call.mask));
}
Tensor variance_jvp(const Tensor& t, const Tensor& x, const Call& call) {
  Tensor parts = ops::mul(ops::real(ops::mul(ops::conj(centred(x, call.mask)), t)),
                          2.0 / freedom(x.sizes(), call.mask, call.correction));
  Dims dims = dims_of(call.mask, x.dim());
  return dims.empty() ? parts : ops::sum(parts, dims, call.keepdim);
}
Tensor root_jvp(const Tensor& t, const Tensor& x, const Tensor& root, const Call& call) {
  return of_variance(variance_jvp(t, x, call), root);
}

Outs batch_moments(Batch& b) { return batch_over_dims(b, 1, 3); }

struct Var : Rule {
  static constexpr bool conjugates = true;
  static constexpr uint32_t saves = input(0);
  static Outs forward(const Args& args) {
    Tensor x = args[0].as_tensor();
    return moments("var", x, call_of(args.values, x.dim()), false, false);
  }
  static void vjp(Vjp& c) {
    Tensor x = c.in(0);
    c.set(0, variance_vjp(c.g(), x, call_of(c.node.values.data(), x.dim())));
  }
  static Outs jvp(Jvp& j) {
    return as_outs(variance_jvp(j.t(0), j.in(0), call_of(j.primals, j.in(0).dim())));
  }
  static Outs batch(Batch& b) { return batch_moments(b); }
};
ADJ_OP(Var,
       "var(input: Tensor, dim: int[]? = None, *, correction: Number? = 1, keepdim: bool = False) "
       "-> Tensor",
       R"(
The variance over `dim` (None: all): the sum of squared deviations from the mean, divided by the number
of elements less `correction`.

>>> adjoint.var(adjoint.tensor([1., 2., 3., 4.]))
tensor(1.6667)
>>> adjoint.var(adjoint.tensor([1., 2., 3., 4.]), correction=0)
tensor(1.2500)
)");

struct Std : Rule {
  static constexpr bool conjugates = true;
  static constexpr uint32_t saves = input(0) | output(0);
  static Outs forward(const Args& args) {
    Tensor x = args[0].as_tensor();
    return moments("std", x, call_of(args.values, x.dim()), true, false);
  }
  static void vjp(Vjp& c) {
    Tensor x = c.in(0);
    c.set(0, variance_vjp(of_variance(c.g(), c.out()), x, call_of(c.node.values.data(), x.dim())));
  }
  static Outs jvp(Jvp& j) {
    return as_outs(root_jvp(j.t(0), j.in(0), j.outs[0], call_of(j.primals, j.in(0).dim())));
  }
  static Outs batch(Batch& b) { return batch_moments(b); }
};
ADJ_OP(Std,
       "std(input: Tensor, dim: int[]? = None, *, correction: Number? = 1, keepdim: bool = False) "
       "-> Tensor",
       R"(
The standard deviation over `dim` (None: all): the root of `var`.

>>> adjoint.std(adjoint.tensor([1., 2., 3., 4.]))
tensor(1.2910)
)");

void add_mean_vjp(Vjp& c, const Tensor& x, const Call& call, Tensor gx) {
  if (c.has_g(1)) {
    Tensor g = ops::div(c.g(1), static_cast<double>(reduced_count(x.sizes(), call.mask)));
    TensorMeta like{x->sizes, x.dtype()};
    g = spread(g, like, call.mask, call.keepdim);
    gx = gx.defined() ? ops::add(gx, g) : g;
  }
  if (gx.defined()) c.set(0, gx);
}
Tensor mean_jvp(const Tensor& t, const Call& call) {
  Dims dims = dims_of(call.mask, t.dim());
  return dims.empty() ? t : ops::mean(t, dims, call.keepdim);
}

struct VarMean : Rule {
  static constexpr bool conjugates = true;
  static constexpr uint32_t saves = input(0);
  static constexpr bool is_method = false;
  static Outs forward(const Args& args) {
    Tensor x = args[0].as_tensor();
    return moments("var_mean", x, call_of(args.values, x.dim()), false, true);
  }
  static void vjp(Vjp& c) {
    Tensor x = c.in(0), gx;
    Call call = call_of(c.node.values.data(), x.dim());
    if (c.has_g(0)) gx = variance_vjp(c.g(0), x, call);
    add_mean_vjp(c, x, call, gx);
  }
  static Outs jvp(Jvp& j) {
    Tensor x = j.in(0), t = j.t(0);
    Call call = call_of(j.primals, x.dim());
    Outs outs = as_outs(variance_jvp(t, x, call));
    outs.push_back(mean_jvp(t, call));
    return outs;
  }
  static Outs batch(Batch& b) { return batch_moments(b); }
};
ADJ_OP(
    VarMean,
    "var_mean(input: Tensor, dim: int[]? = None, *, correction: Number? = 1, keepdim: bool = False)"
    " -> Tensor[]",
    R"(
The variance and the mean over `dim` (None: all), in one pass.

>>> adjoint.var_mean(adjoint.tensor([1., 2., 3.]))
(tensor(1.), tensor(2.))
)");

struct StdMean : Rule {
  static constexpr bool conjugates = true;
  static constexpr uint32_t saves = input(0) | output(0);
  static constexpr bool is_method = false;
  static Outs forward(const Args& args) {
    Tensor x = args[0].as_tensor();
    return moments("std_mean", x, call_of(args.values, x.dim()), true, true);
  }
  static void vjp(Vjp& c) {
    Tensor x = c.in(0), gx;
    Call call = call_of(c.node.values.data(), x.dim());
    if (c.has_g(0)) gx = variance_vjp(of_variance(c.g(0), c.out(0)), x, call);
    add_mean_vjp(c, x, call, gx);
  }
  static Outs jvp(Jvp& j) {
    Tensor x = j.in(0), t = j.t(0);
    Call call = call_of(j.primals, x.dim());
    Outs outs = as_outs(root_jvp(t, x, j.outs[0], call));
    outs.push_back(mean_jvp(t, call));
    return outs;
  }
  static Outs batch(Batch& b) { return batch_moments(b); }
};
ADJ_OP(
    StdMean,
    "std_mean(input: Tensor, dim: int[]? = None, *, correction: Number? = 1, keepdim: bool = False)"
    " -> Tensor[]",
    R"(
The standard deviation and the mean over `dim` (None: all), in one pass.

>>> adjoint.std_mean(adjoint.tensor([1., 2., 3.]))
(tensor(1.), tensor(2.))
)");

// The older forms, with `unbiased` for a correction of 1.

struct VarUnbiased : Composite {
  static Outs define(Tensor x, bool unbiased) {
    return ops::var.all(x, std::nullopt, int64_t{unbiased}, false);
  }
};
ADJ_OP(VarUnbiased, "var:unbiased(input: Tensor, unbiased: bool) -> Tensor", R"(
`var` of all elements, with a correction of 1 if `unbiased`, else 0.

>>> adjoint.var(adjoint.tensor([1., 2., 3.]), unbiased=True)
tensor(1.)
)");

struct VarDim : Composite {
  static Outs define(Tensor x, std::optional<DimsView> dim, bool unbiased, bool keepdim) {
    return ops::var.all(x, dim, int64_t{unbiased}, keepdim);
  }
};
ADJ_OP(
    VarDim,
    "var:dim(input: Tensor, dim: int[]?, unbiased: bool = True, keepdim: bool = False) -> Tensor",
    R"(
`var` over `dim`, with a correction of 1 if `unbiased`, else 0.

>>> adjoint.var(adjoint.tensor([1., 2., 3.]), 0, True)
tensor(1.)
)");

struct StdUnbiased : Composite {
  static Outs define(Tensor x, bool unbiased) {
    return ops::std.all(x, std::nullopt, int64_t{unbiased}, false);
  }
};
ADJ_OP(StdUnbiased, "std:unbiased(input: Tensor, unbiased: bool) -> Tensor", R"(
`std` of all elements, with a correction of 1 if `unbiased`, else 0.

>>> adjoint.std(adjoint.tensor([1., 2., 3.]), unbiased=True)
tensor(1.)
)");

struct StdDim : Composite {
  static Outs define(Tensor x, std::optional<DimsView> dim, bool unbiased, bool keepdim) {
    return ops::std.all(x, dim, int64_t{unbiased}, keepdim);
  }
};
ADJ_OP(
    StdDim,
    "std:dim(input: Tensor, dim: int[]?, unbiased: bool = True, keepdim: bool = False) -> Tensor",
    R"(
`std` over `dim`, with a correction of 1 if `unbiased`, else 0.

>>> adjoint.std(adjoint.tensor([1., 2., 3.]), 0, True)
tensor(1.)
)");

struct VarMeanUnbiased : Composite {
  static constexpr bool is_method = false;
  static Outs define(Tensor x, bool unbiased) {
    return ops::var_mean.all(x, std::nullopt, int64_t{unbiased}, false);
  }
};
ADJ_OP(VarMeanUnbiased, "var_mean:unbiased(input: Tensor, unbiased: bool) -> Tensor[]", R"(
`var_mean` of all elements, with a correction of 1 if `unbiased`, else 0.

>>> adjoint.var_mean(adjoint.tensor([1., 2., 3.]), unbiased=True)
(tensor(1.), tensor(2.))
)");

struct VarMeanDim : Composite {
  static constexpr bool is_method = false;
  static Outs define(Tensor x, std::optional<DimsView> dim, bool unbiased, bool keepdim) {
    return ops::var_mean.all(x, dim, int64_t{unbiased}, keepdim);
  }
};
ADJ_OP(VarMeanDim,
       "var_mean:dim(input: Tensor, dim: int[]?, unbiased: bool = True, keepdim: bool = False) -> "
       "Tensor[]",
       R"(
`var_mean` over `dim`, with a correction of 1 if `unbiased`, else 0.

>>> adjoint.var_mean(adjoint.tensor([1., 2., 3.]), 0, True)
(tensor(1.), tensor(2.))
)");

struct StdMeanUnbiased : Composite {
  static constexpr bool is_method = false;
  static Outs define(Tensor x, bool unbiased) {
    return ops::std_mean.all(x, std::nullopt, int64_t{unbiased}, false);
  }
};
ADJ_OP(StdMeanUnbiased, "std_mean:unbiased(input: Tensor, unbiased: bool) -> Tensor[]", R"(
`std_mean` of all elements, with a correction of 1 if `unbiased`, else 0.

>>> adjoint.std_mean(adjoint.tensor([1., 2., 3.]), unbiased=True)
(tensor(1.), tensor(2.))
)");

struct StdMeanDim : Composite {
  static constexpr bool is_method = false;
  static Outs define(Tensor x, std::optional<DimsView> dim, bool unbiased, bool keepdim) {
    return ops::std_mean.all(x, dim, int64_t{unbiased}, keepdim);
  }
};
ADJ_OP(StdMeanDim,
       "std_mean:dim(input: Tensor, dim: int[]?, unbiased: bool = True, keepdim: bool = False) -> "
       "Tensor[]",
       R"(
`std_mean` over `dim`, with a correction of 1 if `unbiased`, else 0.

>>> adjoint.std_mean(adjoint.tensor([1., 2., 3.]), 0, True)
(tensor(1.), tensor(2.))
)");

}  // namespace
}  // namespace adj
