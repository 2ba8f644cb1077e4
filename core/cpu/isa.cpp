#include "cpu/isa.h"

#include <cstdlib>
#include <cstring>

#include "cpu/kernels.h"

namespace adj {

namespace v2 { const Kernels& all_kernels(); }
namespace v3 { const Kernels& all_kernels(); }
namespace v4 { const Kernels& all_kernels(); }
namespace host { const Kernels& all_kernels(); }

namespace {

struct Level {
  Isa isa;
  const char* name;
  const Kernels& (*kernels)();
};

// Lowest first.
constexpr Level kLevels[] = {
#ifdef ADJ_HAVE_HOST
    {Isa::host, "host", host::all_kernels},
#endif
#ifdef ADJ_HAVE_V2
    {Isa::v2, "v2", v2::all_kernels},
#endif
#ifdef ADJ_HAVE_V3
    {Isa::v3, "v3", v3::all_kernels},
#endif
#ifdef ADJ_HAVE_V4
    {Isa::v4, "v4", v4::all_kernels},
#endif
};

bool supported(Isa isa) {
#if defined(__x86_64__)
  bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
            __builtin_cpu_supports("bmi2");
  bool v4 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
            __builtin_cpu_supports("avx512vl");
  if (isa == Isa::v3) return v3;
  if (isa == Isa::v4) return v3 && v4;
#endif
  (void)isa;
  return true;
}

const Level& chosen() {
  static const Level& level = [&]() -> const Level& {
    const char* wanted = std::getenv("ADJOINT_ISA");
    const Level* best = kLevels;
    for (const Level& candidate : kLevels) {
      if (!supported(candidate.isa)) break;
      best = &candidate;
      if (wanted && !strcmp(wanted, candidate.name)) break;
    }
    return *best;
  }();
  return level;
}

}  // namespace

Isa isa_level() { return chosen().isa; }

const char* isa_name(Isa level) {
  constexpr const char* names[] = {"v2", "v3", "v4", "host"};
  return names[static_cast<int>(level)];
}

const Kernels& kernels() {
  static const Kernels& table = chosen().kernels();
  return table;
}

}  // namespace adj
