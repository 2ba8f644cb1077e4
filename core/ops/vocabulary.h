// The operators that other operators and the engine call, by name; `ops::sum(x, dims, true)`.
// Arguments are those of the signature, keyword-only ones included, in order.
#pragma once
#include "op.h"

namespace adj::ops {

#define ADJ_USE(NAME) \
  inline const Fn NAME { #NAME }
#define ADJ_USE_AS(NAME, FULL) \
  inline const Fn NAME { FULL }

// elementwise
ADJ_USE(add);
ADJ_USE(sub);
ADJ_USE(mul);
ADJ_USE(div);
ADJ_USE(neg);
ADJ_USE(pow);
ADJ_USE(reciprocal);
ADJ_USE(exp);
ADJ_USE(log);
ADJ_USE(log1p);
ADJ_USE(expm1);
ADJ_USE(exp2);
ADJ_USE(log2);
ADJ_USE(log10);
ADJ_USE(sqrt);
ADJ_USE(rsqrt);
ADJ_USE(square);
ADJ_USE(abs);
ADJ_USE(sign);
ADJ_USE(sigmoid);
ADJ_USE(sin);
ADJ_USE(cos);
ADJ_USE(tan);
ADJ_USE(asin);
ADJ_USE(acos);
ADJ_USE(atan);
ADJ_USE(atan2);
ADJ_USE(sinh);
ADJ_USE(cosh);
ADJ_USE(tanh);
ADJ_USE(asinh);
ADJ_USE(acosh);
ADJ_USE(atanh);
ADJ_USE(erf);
ADJ_USE(erfc);
ADJ_USE(lgamma);
ADJ_USE(digamma);
ADJ_USE(floor);
ADJ_USE(ceil);
ADJ_USE(trunc);
ADJ_USE(round);
ADJ_USE(fmod);
ADJ_USE(floor_divide);
ADJ_USE(remainder);
ADJ_USE(hypot);
ADJ_USE(copysign);
ADJ_USE(maximum);
ADJ_USE(minimum);
ADJ_USE(where);
ADJ_USE(clamp);
ADJ_USE(eq);
ADJ_USE(ne);
ADJ_USE(lt);
ADJ_USE(le);
ADJ_USE(gt);
ADJ_USE(ge);
ADJ_USE(isnan);
ADJ_USE(isinf);
ADJ_USE(isfinite);
ADJ_USE(logical_and);
ADJ_USE(logical_or);
ADJ_USE(logical_not);
ADJ_USE(masked_fill);
// complex numbers
ADJ_USE(conj);
ADJ_USE(real);
ADJ_USE(imag);
ADJ_USE(complex);
ADJ_USE(sgn);
ADJ_USE(view_as_real);
ADJ_USE(view_as_complex);
// copies and creation
ADJ_USE(copy);
ADJ_USE(clone);
ADJ_USE(contiguous);
ADJ_USE(contiguous_copy);
ADJ_USE(to_dtype);
ADJ_USE(alias);
ADJ_USE(zero);
ADJ_USE(fill);
ADJ_USE(zeros);
ADJ_USE(ones);
ADJ_USE(full);
ADJ_USE(zeros_like);
ADJ_USE(ones_like);
ADJ_USE(full_like);
ADJ_USE(arange);
ADJ_USE(eye);
ADJ_USE(empty_like);
// views and shape
ADJ_USE(view);
ADJ_USE(reshape);
ADJ_USE(expand);
ADJ_USE(permute);
ADJ_USE(transpose);
ADJ_USE(movedim);
ADJ_USE(unsqueeze);
ADJ_USE(squeeze);
ADJ_USE(flatten);
ADJ_USE(select);
ADJ_USE(slice);
ADJ_USE(narrow);
ADJ_USE(diagonal);
ADJ_USE(as_strided);
ADJ_USE_AS(as_strided_view, "as_strided:view");
ADJ_USE_AS(as_strided_take, "_nodes.as_strided_take");
ADJ_USE_AS(as_strided_put, "_nodes.as_strided_put");
ADJ_USE_AS(write_through_view, "_nodes.write_through_view");
ADJ_USE(select_transpose);
ADJ_USE(slice_transpose);
ADJ_USE(diagonal_transpose);
ADJ_USE(cat);
ADJ_USE(stack);
ADJ_USE(flip);
ADJ_USE(tril);
ADJ_USE(triu);
ADJ_USE(unbind);
ADJ_USE_AS(roll, "roll:dims");
ADJ_USE(split);
ADJ_USE(split_with_sizes);
ADJ_USE(repeat);
ADJ_USE(unfold);
ADJ_USE_AS(unfold_transpose, "_nodes.unfold_transpose");
ADJ_USE(constant_pad_nd);
ADJ_USE(diag_embed);
ADJ_USE(broadcast_to);
ADJ_USE_AS(chunk, "chunk");
// reductions
ADJ_USE_AS(sum, "sum:dim");
ADJ_USE_AS(sum_all, "sum:all");
ADJ_USE_AS(mean, "mean:dim");
ADJ_USE_AS(mean_all, "mean:all");
ADJ_USE_AS(prod, "prod:dim");
ADJ_USE(amax);
ADJ_USE(amin);
ADJ_USE(argmax);
ADJ_USE(argmin);
ADJ_USE(any);
ADJ_USE(all);
ADJ_USE(var);
ADJ_USE(std);
ADJ_USE(var_mean);
ADJ_USE(std_mean);
ADJ_USE(logsumexp);
ADJ_USE(cumsum);
ADJ_USE(cumprod);
// products
ADJ_USE(matmul);
ADJ_USE(mm);
ADJ_USE(mv);
ADJ_USE(dot);
ADJ_USE(bmm);
ADJ_USE(outer);
ADJ_USE(addmm);
// indexing
ADJ_USE(gather);
ADJ_USE(scatter);
ADJ_USE(scatter_add);
ADJ_USE(index_select);
ADJ_USE(index_add);
ADJ_USE(index);
ADJ_USE(index_put);
ADJ_USE(nonzero);
ADJ_USE(sort);
ADJ_USE(argsort);
ADJ_USE(topk);
ADJ_USE_AS(median_dim, "median:dim");
ADJ_USE_AS(nanmedian_dim, "nanmedian:dim");
ADJ_USE_AS(scatter_value, "scatter:value");
ADJ_USE(scatter_reduce);
ADJ_USE(index_fill);
ADJ_USE(index_copy);
ADJ_USE(masked_select);
ADJ_USE_AS(masked_take, "_nodes.masked_take");
ADJ_USE(masked_scatter);
ADJ_USE(embedding);
ADJ_USE_AS(embedding_backward, "_nodes.embedding_backward");
ADJ_USE(searchsorted);
// random
ADJ_USE(rand);
ADJ_USE(randn);
ADJ_USE(bernoulli);
// nn.functional
ADJ_USE(softmax);
ADJ_USE(log_softmax);
ADJ_USE_AS(relu, "relu");

}  // namespace adj::ops
