// Steps of optimizers on runs of elements, per instruction-set level.
#pragma once
#include <cstdint>

namespace adj {

// What one parameter's step depends on, as the kernels take it. Gradients are multiplied by `sign`
// (-1 maximizes), and decay * p is added to them.
struct SgdStep {
  double lr, momentum, keep, decay, sign;  // keep: 1 - dampening
  bool buffer, first, nesterov;
};
struct AdamStep {
  double shrink, beta1, beta2, eps, decay, sign;  // shrink: what decoupled decay multiplies p by
  double step_size, root_scale;                   // lr / (1 - beta1^t), 1 / sqrt(1 - beta2^t)
  bool amsgrad;
};
struct RmspropStep {
  double lr, alpha, eps, decay, momentum, sign;
  bool centered, buffer;
};

// Optimizers whose step is one formula of an element: isa/optim.cpp says what their numbers mean.
enum class OptimRule { adadelta, adagrad, adamax, asgd, nadam, radam, rprop };
inline constexpr int kOptimRules = 7;
struct RuleStep {
  double shrink, decay, sign;
  double c[6];
};

// state: the parameter's buffers, in the order of the optimizer's arguments; absent ones are null.
struct OptimKernels {  // [double]
  void (*sgd[2])(void* p, const void* g, void* const* state, int64_t n, const SgdStep& step);
  void (*adam[2])(void* p, const void* g, void* const* state, int64_t n, const AdamStep& step);
  void (*rmsprop[2])(void* p, const void* g, void* const* state, int64_t n,
                     const RmspropStep& step);
  void (*rule[kOptimRules][2])(void* p, const void* g, void* const* state, int64_t n,
                               const RuleStep& step);
};

}  // namespace adj
