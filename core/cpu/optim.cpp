#include "cpu/optim.h"

#include <algorithm>

#include "cpu/isa.h"
#include "cpu/kernels.h"
#include "cpu/thread_pool.h"

namespace adj {

namespace {

// All elements of all parameters in one row, which is cut into pieces for the threads.
template <class Step, class Kernel>
void over_elements(const std::vector<OptimParameter>& parameters, const std::vector<Step>& steps,
                   const Kernel& kernel) {
  std::vector<int64_t> ends;
  ends.reserve(parameters.size());
  int64_t total = 0;
  for (auto& x : parameters) ends.push_back(total += x.n);
  parallel_for(total, 16384, [&](int64_t begin, int64_t end) {
    auto i = static_cast<size_t>(std::upper_bound(ends.begin(), ends.end(), begin) - ends.begin());
    for (; begin < end; ++i) {
      const OptimParameter& x = parameters[i];
      int64_t from = begin - (ends[i] - x.n), n = std::min(end, ends[i]) - begin;
      int64_t bytes = from * (x.is_double ? 8 : 4);
      void* state[3];
      for (int k = 0; k < 3; ++k)
        state[k] = x.state[k] ? static_cast<char*>(x.state[k]) + bytes : nullptr;
      kernel[x.is_double](static_cast<char*>(x.p) + bytes, static_cast<const char*>(x.g) + bytes,
                          state, n, steps[static_cast<size_t>(x.step)]);
      begin += n;
    }
  });
}

}  // namespace

void sgd_step(const std::vector<OptimParameter>& parameters, const std::vector<SgdStep>& steps) {
  over_elements(parameters, steps, kernels().optim.sgd);
}
void adam_step(const std::vector<OptimParameter>& parameters, const std::vector<AdamStep>& steps) {
  over_elements(parameters, steps, kernels().optim.adam);
}
void rmsprop_step(const std::vector<OptimParameter>& parameters,
                  const std::vector<RmspropStep>& steps) {
  over_elements(parameters, steps, kernels().optim.rmsprop);
}
void rule_step(OptimRule rule, const std::vector<OptimParameter>& parameters,
               const std::vector<RuleStep>& steps) {
  over_elements(parameters, steps, kernels().optim.rule[static_cast<int>(rule)]);
}

}  // namespace adj
