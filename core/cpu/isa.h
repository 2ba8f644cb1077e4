// The kernels that are compiled once for each instruction-set level, and the choice among them.
#pragma once
#include <cstdint>

namespace adj {

enum class Isa : uint8_t { v2, v3, v4, host };  // x86-64-v2 (SSE4.2), v3 (AVX2), v4 (AVX-512)

// The best level that was built and that the CPU has, or a lower one asked for by ADJOINT_ISA.
Isa isa_level();
const char* isa_name(Isa level);

struct Kernels;
// Those of the level in use.
const Kernels& kernels();

}  // namespace adj
