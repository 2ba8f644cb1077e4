// One reference count for an object and its Python object.
//
// While an object is unknown to Python its count is an atomic number. Once it has a Python object,
// that object's reference count is the only one: every Ref holds one Python reference, so identity,
// attributes and subclasses live as long as the tensor, and Python's cycle collector sees every
// reference there is. The state word is odd for a count (count * 2 + 1), else the Python object.
#pragma once
#include <atomic>
#include <cstdint>
#include <utility>

namespace adj {

class Counted;

// What the binding supplies; both must be callable with and without the interpreter's lock.
struct PythonReferences {
  void (*increment)(void* object) = nullptr;
  void (*decrement)(void* object) = nullptr;
};
inline PythonReferences python_references;

// Told of everything that an object refers to, for the cycle collector.
class Tracer {
 public:
  virtual void visit(Counted* object) = 0;
  virtual void visit_python(void* object) = 0;

 protected:
  ~Tracer() = default;
};

class Counted {
 public:
  virtual ~Counted() = default;
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

  void increment() {
    uintptr_t s = state_.load(std::memory_order_relaxed);
    while (s & 1)
      if (state_.compare_exchange_weak(s, s + 2, std::memory_order_relaxed)) return;
    python_references.increment(reinterpret_cast<void*>(s));
  }
  void decrement() {
    uintptr_t s = state_.load(std::memory_order_acquire);
    while (s & 1) {
      if (s == 3) return destroy();  // the last reference: nobody else can be counting
      if (state_.compare_exchange_weak(s, s - 2, std::memory_order_acq_rel)) return;
    }
    python_references.decrement(reinterpret_cast<void*>(s));
  }

  void* python() const {
    uintptr_t s = state_.load(std::memory_order_acquire);
    return s & 1 ? nullptr : reinterpret_cast<void*>(s);
  }
  // Hands the count over to `object`, whose count is raised by that of this object. From now on
  // `object` owns this one and deletes it when it goes. Needs the interpreter's lock.
  void set_python(void* object) {
    uintptr_t s = state_.load(std::memory_order_relaxed);
    uintptr_t moved = 0;
    do {
      for (; moved < (s >> 1); ++moved) python_references.increment(object);
      for (; moved > (s >> 1); --moved) python_references.decrement(object);
    } while (!state_.compare_exchange_weak(s, reinterpret_cast<uintptr_t>(object),
                                           std::memory_order_acq_rel));
  }
  // The same for a sole owner, whose reference becomes the one that a new `object` starts with.
  void become_python(void* object) {
    state_.store(reinterpret_cast<uintptr_t>(object), std::memory_order_release);
  }
  bool unique() const { return state_.load(std::memory_order_acquire) == 3; }

  virtual void trace(Tracer&) const {}
  virtual void destroy() { delete this; }

 protected:
  Counted() = default;

 private:
  std::atomic<uintptr_t> state_{3};  // the maker has the first reference: see Ref::adopt
};

template <class T>
class Ref {
 public:
  Ref() = default;
  Ref(std::nullptr_t) {}
  explicit Ref(T* p) : p_(p) {
    if (p_) p_->increment();
  }
  Ref(const Ref& o) : Ref(o.p_) {}
  Ref(Ref&& o) noexcept : p_(o.release()) {}
  template <class U>
  Ref(Ref<U>&& o) noexcept : p_(o.release()) {}
  template <class U>
  Ref(const Ref<U>& o) : Ref(o.get()) {}
  Ref& operator=(Ref o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  ~Ref() {
    if (p_) p_->decrement();
  }

  T* get() const { return p_; }
  T* operator->() const { return p_; }
  T& operator*() const { return *p_; }
  explicit operator bool() const { return p_ != nullptr; }
  T* release() { return std::exchange(p_, nullptr); }
  static Ref adopt(T* p) {  // takes over a reference that somebody counted already
    Ref r;
    r.p_ = p;
    return r;
  }
  friend bool operator==(const Ref& a, const Ref& b) { return a.p_ == b.p_; }

 private:
  T* p_ = nullptr;
};

}  // namespace adj
