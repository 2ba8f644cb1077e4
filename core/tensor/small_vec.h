// A vector whose first N elements need no allocation.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <new>
#include <utility>

namespace adj {

template <class T, int N>
class SmallVec {
 public:
  SmallVec() {}
  explicit SmallVec(int n) { resize(n); }
  SmallVec(std::initializer_list<T> items) {
    reserve(static_cast<int>(items.size()));
    for (const T& x : items) push_back(x);
  }
  SmallVec(const SmallVec& other) { append(other.begin(), other.end()); }
  SmallVec(SmallVec&& other) noexcept { steal(other); }
  SmallVec& operator=(const SmallVec& other) {
    if (this != &other) {
      clear();
      append(other.begin(), other.end());
    }
    return *this;
  }
  SmallVec& operator=(SmallVec&& other) noexcept {
    if (this != &other) {
      clear();
      release();
      steal(other);
    }
    return *this;
  }
  ~SmallVec() {
    clear();
    release();
  }

  int size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  T& operator[](int i) { return data_[i]; }
  const T& operator[](int i) const { return data_[i]; }
  T& back() { return data_[size_ - 1]; }
  const T& back() const { return data_[size_ - 1]; }

  void push_back(T x) {
    if (size_ == capacity_) reserve(2 * capacity_);
    new (data_ + size_++) T(std::move(x));
  }
  T& emplace_back() {
    if (size_ == capacity_) reserve(2 * capacity_);
    return *new (data_ + size_++) T();
  }
  void pop_back() { data_[--size_].~T(); }
  void append(const T* first, const T* last) {
    reserve(size_ + static_cast<int>(last - first));
    for (; first != last; ++first) new (data_ + size_++) T(*first);
  }
  void insert(int at, T x) {
    push_back(std::move(x));
    for (int i = size_ - 1; i > at; --i) std::swap(data_[i], data_[i - 1]);
  }
  void erase(int at) {
    for (int i = at; i + 1 < size_; ++i) data_[i] = std::move(data_[i + 1]);
    pop_back();
  }
  void resize(int n) {
    reserve(n);
    while (size_ > n) pop_back();
    while (size_ < n) new (data_ + size_++) T();
  }
  void clear() {
    while (size_) data_[--size_].~T();
  }
  void reserve(int n) {
    if (n <= capacity_) return;
    T* grown = static_cast<T*>(std::malloc(sizeof(T) * static_cast<size_t>(n)));
    if (!grown) throw std::bad_alloc();
    for (int i = 0; i < size_; ++i) {
      new (grown + i) T(std::move(data_[i]));
      data_[i].~T();
    }
    release();
    data_ = grown;
    capacity_ = n;
  }

  friend bool operator==(const SmallVec& a, const SmallVec& b) {
    if (a.size_ != b.size_) return false;
    for (int i = 0; i < a.size_; ++i)
      if (!(a[i] == b[i])) return false;
    return true;
  }

 private:
  T* inline_data() { return reinterpret_cast<T*>(inline_); }
  void release() {
    if (data_ != inline_data()) std::free(data_);
    data_ = inline_data();
    capacity_ = N;
  }
  void steal(SmallVec& other) {
    if (other.data_ != other.inline_data()) {
      data_ = other.data_;
      size_ = other.size_;
      capacity_ = other.capacity_;
      other.data_ = other.inline_data();
      other.capacity_ = N;
    } else {
      for (int i = 0; i < other.size_; ++i) {
        new (data_ + i) T(std::move(other.data_[i]));
        other.data_[i].~T();
      }
      size_ = other.size_;
    }
    other.size_ = 0;
  }

  T* data_ = inline_data();
  int size_ = 0;
  int capacity_ = N;
  alignas(T) unsigned char inline_[sizeof(T) * N];
};

}  // namespace adj
