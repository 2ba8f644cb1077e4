// Optimizer steps over many parameters at once: contiguous float32 and float64, split over threads.
#pragma once
#include <cstdint>
#include <vector>

#include "cpu/optim_kernels.h"
#include "tensor/dtype.h"

namespace adj {

struct OptimParameter {
  void* p;
  const void* g;
  void* state[3];  // null where absent
  int64_t n;
  bool is_double;
  int step;  // which of the steps below is its own
};

// steps[i] is shared by all parameters that name it: mostly there is one.
void sgd_step(const std::vector<OptimParameter>& parameters, const std::vector<SgdStep>& steps);
void adam_step(const std::vector<OptimParameter>& parameters, const std::vector<AdamStep>& steps);
void rmsprop_step(const std::vector<OptimParameter>& parameters,
                  const std::vector<RmspropStep>& steps);
void rule_step(OptimRule rule, const std::vector<OptimParameter>& parameters,
               const std::vector<RuleStep>& steps);

}  // namespace adj
