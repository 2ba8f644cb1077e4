// Warnings to the user, for what works and is likely not meant. The binding hands them to Python's
// `warnings`, which may make an exception of one.
#pragma once
#include "tensor/error.h"

namespace adj {

inline void (*warning_handler)(const std::string& message) = nullptr;

template <class... Parts>
[[gnu::cold, gnu::noinline]] void user_warning(const Parts&... parts) {
  if (warning_handler) warning_handler(cat(parts...));
}

}  // namespace adj
