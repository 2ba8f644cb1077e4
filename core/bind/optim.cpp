// The multi-tensor steps of optimizers: lists of tensors checked, then one pass over all elements.
#include "cpu/optim.h"

#include <nanobind/nanobind.h>

#include <cmath>
#include <utility>

#include "autograd/history.h"
#include "bind/casters.h"
#include "ops/vocabulary.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace adj::py {

namespace {

// The tensors of one list argument; empty for None.
struct Items {
  nb::object fast;
  Py_ssize_t n = 0;

  Items(nb::handle list, const char* name, Py_ssize_t expected) {
    if (list.is_none()) return;
    fast = nb::steal(PySequence_Fast(list.ptr(), "expected a sequence of tensors"));
    if (!fast) throw nb::python_error();
    n = PySequence_Fast_GET_SIZE(fast.ptr());
    if (expected >= 0 && n != expected)
      runtime_error(name, ": expected ", static_cast<int64_t>(expected),
                    " tensors, as there are parameters, got ", static_cast<int64_t>(n));
    for (Py_ssize_t i = 0; i < n; ++i) {
      PyObject* item = PySequence_Fast_GET_ITEM(fast.ptr(), i);
      if (!is_tensor(item))
        type_error(name, "[", static_cast<int64_t>(i), "]: expected a Tensor, got ",
                   Py_TYPE(item)->tp_name);
      if (impl_of(item)->flags & kWrapped)
        runtime_error(name, "[", static_cast<int64_t>(i),
                      "] is under a transform (vmap, jvp): an optimizer steps plain tensors");
    }
  }
  explicit operator bool() const { return static_cast<bool>(fast); }
  TensorImpl* operator[](Py_ssize_t i) const {
    return impl_of(PySequence_Fast_GET_ITEM(fast.ptr(), i));
  }
};

// Strides that fill memory without gaps, in whatever order.
bool dense(const TensorImpl* x) {
  if (x->contiguous) return true;
  int64_t span = 1;
  for (int d = 0; d < x->sizes.size(); ++d) {
    if (x->strides[d] <= 0) return false;
    span += (x->sizes[d] - 1) * x->strides[d];
  }
  return span == x->numel;
}

// bump_version without a counted handle, of which there would be five a parameter.
void count_write(TensorImpl* x, const char* writer) {
  if (x->flags & kUntracked) return;
  x->storage->version.fetch_add(1, std::memory_order_relaxed);
  x->storage->last_writer.store(writer, std::memory_order_relaxed);
}

// What a parameter remembers as single numbers, each one float32 or float64: its step, others.
struct Numbers {
  double t = 0, x[2] = {};
  bool narrow = true;
  double kept(double value) const { return narrow ? static_cast<float>(value) : value; }
  bool operator==(const Numbers&) const = default;
};

double read_number(const TensorImpl* x) {
  return x->dtype == DType::f64 ? *reinterpret_cast<const double*>(x->data)
                                : *reinterpret_cast<const float*>(x->data);
}

void write_number(TensorImpl* x, double value, const char* writer) {
  if (x->dtype == DType::f64) *reinterpret_cast<double*>(x->data) = value;
  else *reinterpret_cast<float*>(x->data) = static_cast<float>(value);
  count_write(x, writer);
}

// One call: the parameters as the kernels take them. Those whose memory is not alike, or of 16
// bits, are stepped as copies, which are written back.
class Call {
 public:
  Call(const char* name, nb::handle params, nb::handle grads,
       std::initializer_list<std::pair<nb::handle, const char*>> states, nb::handle steps,
       std::initializer_list<std::pair<nb::handle, const char*>> scalars = {})
      : name_(name),
        params_(params, "params", -1),
        grads_(grads, "grads", params_.n),
        steps_(steps, "steps", params_.n) {
    for (auto& [list, what] : states) {
      states_.push_back(Items(list, what, params_.n));
      names_.push_back(what);
    }
    for (auto& [list, what] : scalars) {
      scalars_.push_back(Items(list, what, params_.n));
      scalar_names_.push_back(what);
    }
    for (Py_ssize_t i = 0; i < params_.n; ++i) check(i);
  }

  // Step numbers are counted up; make(t, numbers) gives what the kernels take, and may change the
  // parameter's other numbers (two at most): once for all parameters that share them.
  template <class Kernel, class Make>
  void run(const Kernel& kernel, const Make& make) {
    std::vector<OptimParameter> all;
    all.reserve(static_cast<size_t>(params_.n));
    std::vector<decltype(make(0.0, std::declval<Numbers&>()))> steps;
    Numbers last, after;
    int64_t total = 0;
    for (Py_ssize_t i = 0; i < params_.n; ++i) {
      Numbers now;
      if (steps_) {
        now.t = read_number(steps_[i]) + 1;
        write_number(steps_[i], now.t, name_);
      }
      for (size_t k = 0; k < scalars_.size(); ++k) {
        now.x[k] = read_number(scalars_[k][i]);
        now.narrow = scalars_[k][i]->dtype == DType::f32;
      }
      if (steps.empty() || now != last) {
        last = after = now;
        steps.push_back(make(now.t, after));
      }
      for (size_t k = 0; k < scalars_.size(); ++k) write_number(scalars_[k][i], after.x[k], name_);
      total += params_[i]->numel;
      all.push_back(parameter(i, static_cast<int>(steps.size()) - 1));
    }
    if (total < (1 << 18)) {
      kernel(all, steps);
    } else {
      TensorList kept;  // another thread may drop them meanwhile
      for (Py_ssize_t i = 0; i < params_.n; ++i) {
        kept.push_back(Tensor(params_[i]));
        kept.push_back(Tensor(grads_[i]));
        for (auto& s : states_)
          if (s) kept.push_back(Tensor(s[i]));
      }
      nb::gil_scoped_release unlocked;
      kernel(all, steps);
    }
    for (auto& [target, copy] : copies_) write_into(target, copy);
    for (Py_ssize_t i = 0; i < params_.n; ++i) {
      count_write(params_[i], name_);
      for (auto& s : states_)
        if (s) count_write(s[i], name_);
    }
  }

 private:
  void check_like(const TensorImpl* p, const TensorImpl* x, const char* what, Py_ssize_t i,
                  bool written) const {
    if (!(x->sizes == p->sizes) || x->dtype != p->dtype)
      runtime_error(name_, ": ", what, "[", static_cast<int64_t>(i),
                    "] must be like its parameter, ", p->dtype, " of shape ", p->sizes, ", but is ",
                    x->dtype, " of shape ", x->sizes);
    if (written && overlaps_itself(x->sizes, x->strides))
      runtime_error(name_, ": ", what, "[", static_cast<int64_t>(i),
                    "] has several elements in one place (strides ", x->strides,
                    "): it cannot be written");
  }
  void check(Py_ssize_t i) const {
    const TensorImpl* p = params_[i];
    if (!is_floating(p->dtype))
      runtime_error(name_, ": params[", static_cast<int64_t>(i),
                    "] must be of a floating dtype, not ", p->dtype);
    check_like(p, p, "params", i, true);
    check_like(p, grads_[i], "grads", i, false);
    for (size_t k = 0; k < states_.size(); ++k)
      if (states_[k]) check_like(p, states_[k][i], names_[k], i, true);
    if (steps_) check_scalar(steps_[i], "steps", i);
    for (size_t k = 0; k < scalars_.size(); ++k) check_scalar(scalars_[k][i], scalar_names_[k], i);
  }
  void check_scalar(const TensorImpl* x, const char* what, Py_ssize_t i) const {
    if (x->numel != 1 || (x->dtype != DType::f32 && x->dtype != DType::f64))
      runtime_error(name_, ": ", what, "[", static_cast<int64_t>(i),
                    "] must be one float32 or float64, but is ", x->dtype, " of shape ", x->sizes);
  }

  OptimParameter parameter(Py_ssize_t i, int step) {
    TensorImpl* p = params_[i];
    TensorImpl* g = grads_[i];
    auto alike = [p](const TensorImpl* x) {
      return p->contiguous ? x->contiguous : x->strides == p->strides;
    };
    bool plain = (p->dtype == DType::f32 || p->dtype == DType::f64) && dense(p) && alike(g);
    for (auto& s : states_) plain = plain && (!s || alike(s[i]));
    OptimParameter x{p->data, g->data, {}, p->numel, p->dtype == DType::f64, step};
    for (size_t k = 0; k < states_.size(); ++k)
      if (states_[k]) x.state[k] = states_[k][i]->data;
    if (plain || p->numel == 0) return x;
    DType t = p->dtype == DType::f64 ? DType::f64 : DType::f32;
    auto copy = [&](TensorImpl* from, bool written) {
      Tensor to = empty(from->sizes, t);
      write_into(to, Tensor(from));
      if (written) copies_.emplace_back(Tensor(from), to);
      else read_.push_back(to);
      return to.data();
    };
    x.p = copy(p, true);
    x.g = copy(g, false);
    for (size_t k = 0; k < states_.size(); ++k)
      if (states_[k]) x.state[k] = copy(states_[k][i], true);
    return x;
  }

  const char* name_;
  Items params_, grads_, steps_;
  std::vector<Items> states_, scalars_;
  std::vector<const char*> names_, scalar_names_;
  std::vector<std::pair<Tensor, Tensor>> copies_;  // a tensor, and what it is to become
  TensorList read_;
};

void fused_sgd(nb::handle params, nb::handle grads, nb::handle momentum_buffers, double lr,
               double momentum, double dampening, double weight_decay, bool nesterov, bool maximize,
               bool first_step) {
  Call call("sgd_", params, grads, {{momentum_buffers, "momentum_buffers"}}, nb::none());
  call.run(sgd_step, [&](double, Numbers&) {
    return SgdStep{lr,
                   momentum,
                   1 - dampening,
                   weight_decay,
                   maximize ? -1.0 : 1.0,
                   !momentum_buffers.is_none(),
                   first_step,
                   nesterov};
  });
}

void fused_adam(nb::handle params, nb::handle grads, nb::handle exp_avgs, nb::handle exp_avg_sqs,
                nb::handle max_exp_avg_sqs, nb::handle steps, double lr, double beta1, double beta2,
                double eps, double weight_decay, bool decoupled, bool maximize) {
  if (exp_avgs.is_none() || exp_avg_sqs.is_none() || steps.is_none())
    type_error("adam_: exp_avgs, exp_avg_sqs and steps must be given");
  Call call(
      "adam_", params, grads,
      {{exp_avgs, "exp_avgs"}, {exp_avg_sqs, "exp_avg_sqs"}, {max_exp_avg_sqs, "max_exp_avg_sqs"}},
      steps);
  call.run(adam_step, [&](double t, Numbers&) {
    return AdamStep{decoupled ? 1 - lr * weight_decay : 1,
                    beta1,
                    beta2,
                    eps,
                    decoupled ? 0 : weight_decay,
                    maximize ? -1.0 : 1.0,
                    lr / (1 - std::pow(beta1, t)),
                    1 / std::sqrt(1 - std::pow(beta2, t)),
                    !max_exp_avg_sqs.is_none()};
  });
}

void fused_rmsprop(nb::handle params, nb::handle grads, nb::handle square_avgs,
                   nb::handle grad_avgs, nb::handle momentum_buffers, nb::handle steps, double lr,
                   double alpha, double eps, double weight_decay, double momentum, bool centered,
                   bool maximize) {
  if (square_avgs.is_none() || steps.is_none())
    type_error("rmsprop_: square_avgs and steps must be given");
  if (centered && grad_avgs.is_none()) type_error("rmsprop_: grad_avgs must be given if centered");
  Call call("rmsprop_", params, grads,
            {{square_avgs, "square_avgs"},
             {grad_avgs, "grad_avgs"},
             {momentum_buffers, "momentum_buffers"}},
            steps);
  call.run(rmsprop_step, [&](double, Numbers&) {
    return RmspropStep{lr,       alpha,
                       eps,      weight_decay,
                       momentum, maximize ? -1.0 : 1.0,
                       centered, !momentum_buffers.is_none()};
  });
}

// The optimizers of one formula. L2 decay is added to the gradient, decoupled decay shrinks p.
struct Common {
  double lr, weight_decay;
  bool maximize;
  RuleStep step(std::initializer_list<double> c, bool decoupled = false) const {
    RuleStep s{decoupled ? 1 - lr * weight_decay : 1,
               decoupled ? 0 : weight_decay,
               maximize ? -1.0 : 1.0,
               {}};
    std::copy(c.begin(), c.end(), s.c);
    return s;
  }
};

auto run_rule(OptimRule rule) {
  return [rule](const std::vector<OptimParameter>& parameters, const std::vector<RuleStep>& steps) {
    rule_step(rule, parameters, steps);
  };
}

void fused_adadelta(nb::handle params, nb::handle grads, nb::handle square_avgs,
                    nb::handle acc_deltas, nb::handle steps, double lr, double rho, double eps,
                    double weight_decay, bool maximize) {
  Call call("adadelta_", params, grads, {{square_avgs, "square_avgs"}, {acc_deltas, "acc_deltas"}},
            steps);
  Common common{lr, weight_decay, maximize};
  call.run(run_rule(OptimRule::adadelta),
           [&](double, Numbers&) { return common.step({lr, rho, 1 - rho, eps}); });
}

void fused_adagrad(nb::handle params, nb::handle grads, nb::handle sums, nb::handle steps,
                   double lr, double lr_decay, double eps, double weight_decay, bool maximize) {
  Call call("adagrad_", params, grads, {{sums, "sums"}}, steps);
  Common common{lr, weight_decay, maximize};
  call.run(run_rule(OptimRule::adagrad),
           [&](double t, Numbers&) { return common.step({lr / (1 + (t - 1) * lr_decay), eps}); });
}

void fused_adamax(nb::handle params, nb::handle grads, nb::handle exp_avgs, nb::handle exp_infs,
                  nb::handle steps, double lr, double beta1, double beta2, double eps,
                  double weight_decay, bool maximize) {
  Call call("adamax_", params, grads, {{exp_avgs, "exp_avgs"}, {exp_infs, "exp_infs"}}, steps);
  Common common{lr, weight_decay, maximize};
  call.run(run_rule(OptimRule::adamax), [&](double t, Numbers&) {
    return common.step({lr / (1 - std::pow(beta1, t)), 1 - beta1, beta2, eps});
  });
}

void fused_asgd(nb::handle params, nb::handle grads, nb::handle axs, nb::handle steps,
                nb::handle etas, nb::handle mus, double lr, double lambd, double alpha, double t0,
                double weight_decay, bool maximize) {
  Call call("asgd_", params, grads, {{axs, "axs"}}, steps, {{etas, "etas"}, {mus, "mus"}});
  Common common{lr, weight_decay, maximize};
  call.run(run_rule(OptimRule::asgd), [&](double t, Numbers& n) {
    double eta = n.x[0], mu = n.x[1];
    RuleStep s = common.step({eta, mu});
    s.shrink = 1 - lambd * eta;
    n.x[0] = lr / std::pow(1 + lambd * lr * t, alpha);
    n.x[1] = 1 / std::max(1.0, t - t0);
    return s;
  });
}

void fused_nadam(nb::handle params, nb::handle grads, nb::handle exp_avgs, nb::handle exp_avg_sqs,
                 nb::handle steps, nb::handle mu_products, double lr, double beta1, double beta2,
                 double eps, double weight_decay, double momentum_decay, bool decoupled,
                 bool maximize) {
  Call call("nadam_", params, grads, {{exp_avgs, "exp_avgs"}, {exp_avg_sqs, "exp_avg_sqs"}}, steps,
            {{mu_products, "mu_products"}});
  Common common{lr, weight_decay, maximize};
  call.run(run_rule(OptimRule::nadam), [&](double t, Numbers& n) {
    auto mu = [&](double at) { return beta1 * (1 - 0.5 * std::pow(0.96, at * momentum_decay)); };
    n.x[0] = n.kept(n.x[0] * mu(t));
    double next = mu(t + 1), so_far = n.x[0];  // in double: 1 - so_far cancels
    return common.step({lr * (1 - mu(t)) / (1 - so_far), lr * next / (1 - so_far * next), 1 - beta1,
                        beta2, eps, 1 / std::sqrt(1 - std::pow(beta2, t))},
                       decoupled);
  });
}

void fused_radam(nb::handle params, nb::handle grads, nb::handle exp_avgs, nb::handle exp_avg_sqs,
                 nb::handle steps, double lr, double beta1, double beta2, double eps,
                 double weight_decay, bool decoupled, bool maximize) {
  Call call("radam_", params, grads, {{exp_avgs, "exp_avgs"}, {exp_avg_sqs, "exp_avg_sqs"}}, steps);
  Common common{lr, weight_decay, maximize};
  call.run(run_rule(OptimRule::radam), [&](double t, Numbers&) {
    double left = 1 - std::pow(beta2, t), rate = lr / (1 - std::pow(beta1, t));
    double all = 2 / (1 - beta2) - 1, rho = all - 2 * t * std::pow(beta2, t) / left;
    double adaptive = 0;
    if (rho > 5) {
      double rectified = (rho - 4) * (rho - 2) * all / ((all - 4) * (all - 2) * rho);
      adaptive = rate * std::sqrt(rectified * left);
      rate = 0;
    }
    return common.step({adaptive, rate, 1 - beta1, beta2, eps}, decoupled);
  });
}

void fused_rprop(nb::handle params, nb::handle grads, nb::handle prevs, nb::handle step_sizes,
                 nb::handle steps, double eta_minus, double eta_plus, double smallest,
                 double largest, bool maximize) {
  Call call("rprop_", params, grads, {{prevs, "prevs"}, {step_sizes, "step_sizes"}}, steps);
  Common common{0, 0, maximize};
  call.run(run_rule(OptimRule::rprop),
           [&](double, Numbers&) { return common.step({eta_minus, eta_plus, smallest, largest}); });
}

}  // namespace

void bind_optim(nb::module_& m) {
  m.def("_fused_sgd_", fused_sgd, "params"_a, "grads"_a, "momentum_buffers"_a.none(), nb::kw_only(),
        "lr"_a, "momentum"_a, "dampening"_a, "weight_decay"_a, "nesterov"_a, "maximize"_a,
        "first_step"_a);
  m.def("_fused_adam_", fused_adam, "params"_a, "grads"_a, "exp_avgs"_a, "exp_avg_sqs"_a,
        "max_exp_avg_sqs"_a.none(), "steps"_a, nb::kw_only(), "lr"_a, "beta1"_a, "beta2"_a, "eps"_a,
        "weight_decay"_a, "decoupled"_a, "maximize"_a);
  m.def("_fused_rmsprop_", fused_rmsprop, "params"_a, "grads"_a, "square_avgs"_a,
        "grad_avgs"_a.none(), "momentum_buffers"_a.none(), "steps"_a, nb::kw_only(), "lr"_a,
        "alpha"_a, "eps"_a, "weight_decay"_a, "momentum"_a, "centered"_a, "maximize"_a);
  m.def("_fused_adadelta_", fused_adadelta, "params"_a, "grads"_a, "square_avgs"_a, "acc_deltas"_a,
        "steps"_a, nb::kw_only(), "lr"_a, "rho"_a, "eps"_a, "weight_decay"_a, "maximize"_a);
  m.def("_fused_adagrad_", fused_adagrad, "params"_a, "grads"_a, "sums"_a, "steps"_a, nb::kw_only(),
        "lr"_a, "lr_decay"_a, "eps"_a, "weight_decay"_a, "maximize"_a);
  m.def("_fused_adamax_", fused_adamax, "params"_a, "grads"_a, "exp_avgs"_a, "exp_infs"_a,
        "steps"_a, nb::kw_only(), "lr"_a, "beta1"_a, "beta2"_a, "eps"_a, "weight_decay"_a,
        "maximize"_a);
  m.def("_fused_asgd_", fused_asgd, "params"_a, "grads"_a, "axs"_a, "steps"_a, "etas"_a, "mus"_a,
        nb::kw_only(), "lr"_a, "lambd"_a, "alpha"_a, "t0"_a, "weight_decay"_a, "maximize"_a);
  m.def("_fused_nadam_", fused_nadam, "params"_a, "grads"_a, "exp_avgs"_a, "exp_avg_sqs"_a,
        "steps"_a, "mu_products"_a, nb::kw_only(), "lr"_a, "beta1"_a, "beta2"_a, "eps"_a,
        "weight_decay"_a, "momentum_decay"_a, "decoupled"_a, "maximize"_a);
  m.def("_fused_radam_", fused_radam, "params"_a, "grads"_a, "exp_avgs"_a, "exp_avg_sqs"_a,
        "steps"_a, nb::kw_only(), "lr"_a, "beta1"_a, "beta2"_a, "eps"_a, "weight_decay"_a,
        "decoupled"_a, "maximize"_a);
  m.def("_fused_rprop_", fused_rprop, "params"_a, "grads"_a, "prevs"_a, "step_sizes"_a, "steps"_a,
        nb::kw_only(), "eta_minus"_a, "eta_plus"_a, "smallest"_a, "largest"_a, "maximize"_a);
}

}  // namespace adj::py
