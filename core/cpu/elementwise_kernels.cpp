#include "cpu/elementwise_kernels.h"

#include <cstring>

#include "cpu/isa.h"

namespace adj {

namespace v2 { const ElementwiseKernels* all_elementwise_kernels(); }
namespace v3 { const ElementwiseKernels* all_elementwise_kernels(); }
namespace v4 { const ElementwiseKernels* all_elementwise_kernels(); }
namespace host { const ElementwiseKernels* all_elementwise_kernels(); }

const ElementwiseKernels* elementwise_kernels(const char* struct_name) {
  static const ElementwiseKernels* all = [] {
    switch (isa_level()) {
#ifdef ADJ_HAVE_V4
      case Isa::v4: return v4::all_elementwise_kernels();
#endif
#ifdef ADJ_HAVE_V3
      case Isa::v3: return v3::all_elementwise_kernels();
#endif
#ifdef ADJ_HAVE_V2
      case Isa::v2: return v2::all_elementwise_kernels();
#endif
#ifdef ADJ_HAVE_HOST
      case Isa::host: return host::all_elementwise_kernels();
#endif
      default: return static_cast<const ElementwiseKernels*>(nullptr);
    }
  }();
  for (auto* k = all; k; k = k->next)
    if (!strcmp(k->struct_name, struct_name)) return k;
  return nullptr;
}

}  // namespace adj
