// What is switched per thread: recording of the graph, inference mode.
#pragma once

namespace adj {

struct Modes {
  bool grad = true;
  bool inference = false;
  unsigned char autocast = 0;  // one more than the dtype that autocast lowers to; 0 is off
  bool packs = false;  // saved_tensors_hooks are in force: what nodes save goes through them
  bool track_views = true;  // off inside a plain backward, where nothing is written through views
};
inline thread_local Modes modes;

class GradMode {
 public:
  explicit GradMode(bool on) : before_(modes.grad) { modes.grad = on; }
  ~GradMode() { modes.grad = before_; }
  GradMode(const GradMode&) = delete;

 private:
  bool before_;
};

}  // namespace adj
