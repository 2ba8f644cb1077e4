// Python arguments to the Values of a call, by the operator's schema.
#pragma once
#include "bind/python.h"

namespace adj::py {

struct Arguments {
  Value values[Fn::kMaxParams];
  // The binding's own keywords.
  PyObject* out = nullptr;
  bool requires_grad = false;
  bool pin_memory = false;
  bool special = false;  // an argument is of a subclass of Tensor

  // Fills in the values; false if they do not fit (and, where `explain` is set, `why`). Throws only
  // for what no overload could accept. `self` (may be null) is the tensor that a method is called
  // on.
  bool parse(const Op& op, PyObject* self, PyObject* const* args, Py_ssize_t nargs,
             PyObject* kwnames);

  bool explain = false;
  std::string why;

 private:
  bool convert(const Op& op, int i, PyObject* o);
  bool complex_argument(const Op& op, int i, PyObject* o);
  bool fail_type(const Op& op, int i, PyObject* o, const char* expected);
  int64_t* reserve_ints(int n);
  template <class... T>
  bool misfit(const T&... parts) {
    if (explain) why = cat(parts...);
    return false;
  }

  int64_t ints_[64];
  int used_ints_ = 0;
  std::vector<std::unique_ptr<int64_t[]>> more_ints_;
  std::vector<TensorList> lists_;
  TensorList kept_;
};

}  // namespace adj::py
