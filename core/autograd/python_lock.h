// Letting other Python threads run while the core computes; set by the binding.
#pragma once

namespace adj {

inline void* (*unlock_python)() = nullptr;
inline void (*lock_python)(void* state) = nullptr;

class PythonUnlocked {
 public:
  explicit PythonUnlocked(bool wanted = true) {
    if (wanted && unlock_python) state_ = unlock_python();
  }
  ~PythonUnlocked() {
    if (state_) lock_python(state_);
  }
  PythonUnlocked(const PythonUnlocked&) = delete;

 private:
  void* state_ = nullptr;
};

}  // namespace adj
