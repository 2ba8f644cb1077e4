#include "cpu/isa/elementwise.h"
#include "ops/elementwise/comparison.h"

namespace adj::ADJ_ISA {
[[maybe_unused]] static const LoopFn installed = kernels_of("LogicalNot").forward[0] = not_loop;
}
