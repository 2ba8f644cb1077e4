// Errors: each maps to one Python exception; messages are put together from parts.
#pragma once
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

#include "tensor/dims.h"
#include "tensor/dtype.h"

namespace adj {

enum class ErrorKind : uint8_t {
  runtime,
  type,
  value,
  index,
  not_implemented,
  memory,
  linalg,  // a factorisation that failed: torch.linalg.LinAlgError
};

class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message) : kind(kind), message(std::move(message)) {}
  const char* what() const noexcept override { return message.c_str(); }
  ErrorKind kind;
  std::string message;
};

inline void append(std::string& s, std::string_view part) { s += part; }
inline void append(std::string& s, const char* part) { s += part; }
inline void append(std::string& s, char c) { s += c; }
inline void append(std::string& s, bool b) { s += b ? "True" : "False"; }
inline void append(std::string& s, int i) { s += std::to_string(i); }
inline void append(std::string& s, unsigned i) { s += std::to_string(i); }
inline void append(std::string& s, long i) { s += std::to_string(i); }
inline void append(std::string& s, unsigned long i) { s += std::to_string(i); }
inline void append(std::string& s, double d) {
  char buffer[32];
  snprintf(buffer, sizeof buffer, "%g", d);
  s += buffer;
}
inline void append(std::string& s, DType t) { s += name_of(t); }
inline void append(std::string& s, DimsView dims) {
  s += '[';
  for (int i = 0; i < dims.size(); ++i) {
    if (i) s += ", ";
    s += std::to_string(dims[i]);
  }
  s += ']';
}
inline void append(std::string& s, const Dims& dims) { append(s, DimsView(dims)); }

template <class... Parts>
std::string cat(const Parts&... parts) {
  std::string s;
  (append(s, parts), ...);
  return s;
}

template <class... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void fail(ErrorKind kind, const Parts&... parts) {
  throw Error(kind, cat(parts...));
}
template <class... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void runtime_error(const Parts&... parts) {
  throw Error(ErrorKind::runtime, cat(parts...));
}
template <class... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void type_error(const Parts&... parts) {
  throw Error(ErrorKind::type, cat(parts...));
}
template <class... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void value_error(const Parts&... parts) {
  throw Error(ErrorKind::value, cat(parts...));
}
template <class... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void index_error(const Parts&... parts) {
  throw Error(ErrorKind::index, cat(parts...));
}

// `check(x > 0, "expected a positive x, got ", x)`: the message is built only on failure.
template <class... Parts>
inline void check(bool ok, const Parts&... parts) {
  if (!ok) [[unlikely]]
    runtime_error(parts...);
}

}  // namespace adj
