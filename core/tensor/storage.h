// The memory of tensors: a buffer, its device, and how often it has been written.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "tensor/dtype.h"

namespace adj {

struct Op;

struct Storage {
  std::atomic<uint32_t> references{1};
  std::atomic<uint32_t> version{0};  // counts in-place writes; saved tensors remember it
  Device device;
  size_t nbytes = 0;
  char* data = nullptr;
  // Which operator wrote here last, so that the error of a stale saved tensor can name it.
  std::atomic<const char*> last_writer{nullptr};
  void (*release)(Storage*) = nullptr;  // frees the buffer and the storage itself
  void* context = nullptr;              // of a borrowed buffer: whom to tell that it is free
};

class StorageRef {
 public:
  StorageRef() = default;
  explicit StorageRef(Storage* adopted) : p_(adopted) {}
  StorageRef(const StorageRef& o) : p_(o.p_) {
    if (p_) p_->references.fetch_add(1, std::memory_order_relaxed);
  }
  StorageRef(StorageRef&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  StorageRef& operator=(StorageRef o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  ~StorageRef() {
    if (!p_) return;
    // A lone owner needs no locked instruction: nobody else can be counting.
    if (p_->references.load(std::memory_order_acquire) == 1 ||
        p_->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
      p_->release(p_);
  }
  Storage* get() const { return p_; }
  Storage* operator->() const { return p_; }
  explicit operator bool() const { return p_ != nullptr; }

 private:
  Storage* p_ = nullptr;
};

// Uninitialised memory on `device`.
StorageRef make_storage(size_t nbytes, Device device = {});

// Memory that belongs to somebody else, who is told by `release(context)` when it is free.
StorageRef borrow_storage(void* data, size_t nbytes, void (*release)(void*), void* context);

}  // namespace adj
