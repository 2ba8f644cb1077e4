// Normalisation of channels, per instruction-set level.
#pragma once
#include <cstdint>

namespace adj {

// x is [n, c, s]; a mean, variance, weight and bias for each of c.
struct Channels {
  int64_t n, c, s;
  double eps;
  bool training;                     // statistics are those of x, otherwise they are given
  const void *weight, *bias;         // may be null
  void *mean, *variance;             // [c]; variance without correction
};

// x is [rows, c, s]: rows are the groups of each sample, `groups` of them, of c channels each.
// weight and bias [groups * c] may be null; mean and rstd are [rows].
struct Groups {
  int64_t rows, groups, c, s;
  double eps;
  const void *weight, *bias;
  void *mean, *rstd;
};

struct BatchNormKernels {
  // Of channels from, ..., to - 1.
  void (*forward[2])(const Channels& a, void* y, const void* x, int64_t from, int64_t to);
  // dweight and dbias [c] are always written, dx unless it is null.
  void (*backward[2])(const Channels& a, void* dx, void* dweight, void* dbias, const void* g,
                      const void* x, int64_t from, int64_t to);
  // Of rows from, ..., to - 1. dweight and dbias [rows, c] are always written, dx unless null.
  void (*group_forward[2])(const Groups& a, void* y, const void* x, int64_t from, int64_t to);
  void (*group_backward[2])(const Groups& a, void* dx, void* dweight, void* dbias, const void* g,
                            const void* x, int64_t from, int64_t to);
};

}  // namespace adj
