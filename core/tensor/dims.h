// Lists of sizes, strides and dims: owned (Dims) and borrowed (DimsView).
#pragma once
#include <cstdint>
#include <initializer_list>

#include "tensor/small_vec.h"

namespace adj {

using Dims = SmallVec<int64_t, 5>;

class DimsView {
 public:
  constexpr DimsView() = default;
  constexpr DimsView(const int64_t* data, int size) : data_(data), size_(size) {}
  DimsView(const Dims& dims) : data_(dims.data()), size_(dims.size()) {}
  constexpr DimsView(std::initializer_list<int64_t> list)
      : data_(list.begin()), size_(static_cast<int>(list.size())) {}

  constexpr int size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr const int64_t* data() const { return data_; }
  constexpr const int64_t* begin() const { return data_; }
  constexpr const int64_t* end() const { return data_ + size_; }
  constexpr int64_t operator[](int i) const { return data_[i]; }
  constexpr int64_t back() const { return data_[size_ - 1]; }
  DimsView slice(int from, int n) const { return {data_ + from, n}; }
  Dims copy() const {
    Dims dims;
    dims.append(begin(), end());
    return dims;
  }
  int64_t product() const {
    int64_t n = 1;
    for (int64_t s : *this) n *= s;
    return n;
  }
  friend bool operator==(DimsView a, DimsView b) {
    if (a.size_ != b.size_) return false;
    for (int i = 0; i < a.size_; ++i)
      if (a[i] != b[i]) return false;
    return true;
  }

 private:
  const int64_t* data_ = nullptr;
  int size_ = 0;
};

}  // namespace adj
