#pragma once
#include "tensor/tensor.h"

namespace adj {

// Scales the rows of `weight` that are picked, in place and unrecorded, to at most this p-norm.
void renormalise_rows(const Tensor& weight, const Tensor& indices, double max_norm, double p);

}  // namespace adj
