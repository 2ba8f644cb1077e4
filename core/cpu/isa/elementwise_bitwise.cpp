#include "cpu/isa/elementwise.h"
#include "ops/elementwise/bitwise.h"

namespace adj::ADJ_ISA {
[[maybe_unused]] static const LoopFn installed = kernels_of("BitwiseNot").forward[0] = not_loop;
}
