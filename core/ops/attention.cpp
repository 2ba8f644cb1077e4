// Attention: weighted means of values, weighted by how well their keys fit a query.
#include "cpu/attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "ops/matmul.h"
#include "ops/random.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace adj {

namespace {

// The dims before a matrix's two: [batch..., heads].
DimsView leading(const Tensor& x) { return DimsView(x.sizes()).slice(0, x.dim() - 2); }

// Where the matrices of x begin, in the order of its leading dims; `group` times each.
std::vector<int64_t> matrix_offsets(const Tensor& x, int64_t group = 1) {
  std::vector<int64_t> offsets;
  int n = x.dim() - 2;
  int64_t count = leading(x).product();
  offsets.reserve(static_cast<size_t>(count * group));
  Dims at(n);
  for (auto& i : at) i = 0;
  int64_t offset = 0;
  for (int64_t k = 0; k < count; ++k) {
    for (int64_t r = 0; r < group; ++r) offsets.push_back(offset);
    for (int d = n - 1; d >= 0; --d) {
      offset += x.stride(d);
      if (++at[d] < x.size(d)) break;
      offset -= x.size(d) * x.stride(d);
      at[d] = 0;
    }
  }
  return offsets;
}

Tensor with_contiguous_rows(const Tensor& x) {
  return x.stride(-1) == 1 || x.size(-1) == 1 ? x : dense(x);
}

// A new tensor whose dims lie in memory in the order of those of x, the last one innermost.
Tensor empty_ordered_as(const Tensor& x, DimsView sizes) {
  int n = x.dim();
  Dims order, strides(n);
  for (int i = 0; i < n; ++i) order.push_back(i);
  std::stable_sort(order.begin(), order.end() - 1, [&](int64_t a, int64_t b) {
    return x.stride(static_cast<int>(a)) > x.stride(static_cast<int>(b));
  });
  int64_t step = 1;
  for (int i = n - 1; i >= 0; --i) {
    strides[static_cast<int>(order[i])] = step;
    step *= sizes[static_cast<int>(order[i])];
  }
  return empty_strided(sizes, strides, x.dtype());
}

Dims with_last(DimsView sizes, int64_t last) {
  Dims out = sizes.copy();
  out[out.size() - 1] = last;
  return out;
}

// A call as the kernels take it; holds what they point into.
struct Prepared {
  Tensor q, k, v, mask;
  std::vector<int64_t> q_at, k_at, v_at, mask_at;
  Attention a{};

  Prepared(Tensor query, Tensor key, Tensor value, const Tensor& attn_mask, double dropout,
           bool causal, double scale, int64_t seed, int64_t position)
      : q(with_contiguous_rows(query)),
        k(with_contiguous_rows(key)),
        v(with_contiguous_rows(value)) {
    int64_t group = leading(k).product() == 0 || q.dim() == 2 ? 1 : q.size(-3) / k.size(-3);
    q_at = matrix_offsets(q);
    k_at = matrix_offsets(k, group);
    v_at = matrix_offsets(v, group);
    a.dtype = q.dtype();
    a.pairs = leading(q).product();
    a.group = group;
    a.rows = q.size(-2);
    a.columns = k.size(-2);
    a.width = q.size(-1);
    a.value_width = v.size(-1);
    a.scale = scale;
    a.causal = causal;
    a.dropout = dropout;
    a.random = {static_cast<uint64_t>(seed), static_cast<uint64_t>(position)};
    a.q = {q.data(), q_at.data(), q.stride(-2)};
    a.k = {k.data(), k_at.data(), k.stride(-2)};
    a.v = {v.data(), v_at.data(), v.stride(-2)};
    if (!attn_mask.defined()) return;
    a.bool_mask = attn_mask.dtype() == DType::b8;
    mask = ops::expand(a.bool_mask ? attn_mask : cast(attn_mask, a.dtype), scores());
    mask_at = matrix_offsets(mask);
    a.mask = {mask.data(), mask_at.data(), mask.stride(-2)};
    a.mask_column = mask.stride(-1);
  }
  Dims scores() const { return with_last(q.sizes(), k.size(-2)); }
};

// The matrices of a result, for as long as the offsets live.
struct Result {
  Tensor x;
  std::vector<int64_t> offsets;
  explicit Result(Tensor t) : x(std::move(t)), offsets(matrix_offsets(x)) {}
  HeadMatrices matrices() const { return {x.data(), offsets.data(), x.stride(-2)}; }
};

// Each head of x [..., heads, n, d] `group` times.
Tensor repeat_heads(const Tensor& x, int64_t group) {
  if (group == 1) return x;
  Dims sizes = x.sizes().copy(), wide;
  for (int i = 0; i < sizes.size(); ++i) {
    wide.push_back(sizes[i]);
    if (i == sizes.size() - 3) wide.push_back(group);
  }
  sizes[sizes.size() - 3] *= group;
  return ops::reshape(ops::expand(ops::unsqueeze(x, int64_t{-3}), wide), sizes);
}

struct Weighted {
  Tensor out, logsumexp;
};

// The meaning: softmax(scale q k^T + mask) v, where rows without any key that counts are 0.
// `drop` changes the weights before they are used.
template <class Drop>
Weighted weighted_mean(const Tensor& q, Tensor k, Tensor v, const Tensor& mask, bool causal,
                       double scale, const Drop& drop) {
  if (q.dim() > 2 && q.size(-3) != k.size(-3)) {
    int64_t group = q.size(-3) / k.size(-3);
    k = repeat_heads(k, group);
    v = repeat_heads(v, group);
  }
  const double infinity = INFINITY;
  Tensor s = ops::mul(ops::matmul(q, ops::transpose(k, int64_t{-2}, int64_t{-1})), scale);
  if (mask.defined() && mask.dtype() == DType::b8)
    s = ops::masked_fill(s, ops::logical_not(mask), -infinity);
  else if (mask.defined()) s = ops::add(s, mask);
  if (causal) {
    Tensor above = ops::triu(ops::ones(Dims{q.size(-2), k.size(-2)}, DType::b8), int64_t{1});
    s = ops::masked_fill(s, above, -infinity);
  }
  if (k.size(-2) == 0) {
    Dims rows = q.sizes().slice(0, q.dim() - 1).copy();
    return {ops::matmul(s, v), ops::full(rows, -infinity, q.dtype())};
  }
  Tensor top = ops::amax(s, int64_t{-1}, true);
  Tensor none = ops::eq(top, -infinity);
  top = ops::masked_fill(top, none, 0.0);
  Tensor e = ops::exp(ops::sub(s, top));
  Tensor total = ops::masked_fill(ops::sum(e, int64_t{-1}, true), none, 1.0);
  Tensor l = ops::masked_fill(ops::add(top, ops::log(total)), none, -infinity);
  return {ops::matmul(drop(ops::div(e, total)), v), ops::squeeze(l, int64_t{-1})};
}

struct AttentionNode : Fused {
  static constexpr uint32_t saves = output(0) | output(1);

  static Outs forward(Tensor q, Tensor k, Tensor v, Tensor mask, double dropout, bool causal,
                      double scale, int64_t seed, int64_t position) {
    Prepared p(q, k, v, mask, dropout, causal, scale, seed, position);
    Result out(empty_ordered_as(p.q, with_last(p.q.sizes(), v.size(-1))));
    Tensor logsumexp = empty(q.sizes().slice(0, q.dim() - 1), q.dtype());
    attention(p.a, out.matrices(), logsumexp.data());
    Outs outs = as_outs(out.x);
    outs.push_back(logsumexp);
    return outs;
  }
  static Outs define(Tensor q, Tensor k, Tensor v, Tensor mask, double dropout, bool causal,
                     double scale, int64_t seed, int64_t position) {
    Weighted w = weighted_mean(q, k, v, mask, causal, scale, [&](const Tensor& weights) {
      if (dropout <= 0) return weights;
      Tensor factors = empty(weights.sizes(), weights.dtype());
      attention_dropout(weights.dtype(), factors.data(), leading(weights).product(),
                        weights.size(-2), weights.size(-1), dropout,
                        {static_cast<uint64_t>(seed), static_cast<uint64_t>(position)});
      return Tensor(ops::mul(weights, factors));
    });
    Outs outs = as_outs(w.out);
    outs.push_back(w.logsumexp);
    return outs;
  }
  static bool fast_vjp(Vjp& c) {
    if (c.needs(3) || c.has_g(1) || !c.has_g(0)) return false;
    Prepared p(c.in(0), c.in(1), c.in(2), c.in(3), c.arg<double>(4), c.arg<bool>(5),
               c.arg<double>(6), c.arg<int64_t>(7), c.arg<int64_t>(8));
    Tensor g = c.g(0), out = c.out(0), logsumexp = c.out(1);
    if (g.dtype() != out.dtype()) return false;
    Result go(with_contiguous_rows(g)), o(out);
    Result dq(empty_ordered_as(p.q, p.q.sizes())), dk(empty_ordered_as(p.k, p.k.sizes())),
        dv(empty_ordered_as(p.v, p.v.sizes()));
    attention_backward(p.a, go.matrices(), o.matrices(), logsumexp.data(), dq.matrices(),
                       dk.matrices(), dv.matrices());
    if (c.needs(0)) c.set(0, dq.x);
    if (c.needs(1)) c.set(1, dk.x);
    if (c.needs(2)) c.set(2, dv.x);
    return true;
  }
  static Outs batch(Batch& b) {
    if (b.arg<double>(4) > 0) return batch_by_loop(b);  // its factors are those of one element
    TensorList held;
    int ndim = b.logical_dim(0);
    for (int i = 0; i < 4; ++i) {
      if (!b.values[i].is_tensor()) continue;
      if (i == 3 && !b.is_batched(3)) continue;
      held.push_back(i == 3 ? b.aligned(3, ndim) : b.expanded(i));
      b.values[i].tensor = held.back().get();
    }
    return b.run();
  }
};
ADJ_OP(AttentionNode,
       "_nodes.scaled_dot_product_flash_attention_for_cpu(query: Tensor, key: Tensor, value: "
       "Tensor, attn_mask: Tensor?, dropout_p: float, is_causal: bool, scale: float, seed: int, "
       "position: int) -> Tensor[]",
       R"(
`nn.functional.scaled_dot_product_attention` of operands with the same leading dims (heads of keys may be
fewer, and divide those of queries), and the logarithm of each row's sum of exponentials. `seed` and
`position` are where the generator stands that dropout draws from.

>>> x = adjoint.ones(1, 2)
>>> adjoint.nn.functional.scaled_dot_product_attention(x, x, x)
tensor([[1., 1.]])
)");

const Fn attention_node{"_nodes.scaled_dot_product_flash_attention_for_cpu"};
const Fn dropout{"dropout"};

void check_operands(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask,
                    double p) {
  if (q.dim() < 2 || k.dim() < 2 || v.dim() < 2)
    runtime_error(
        "Expected query, key, and value to all be at least 2 dimensional, but got query.dim: ",
        q.dim(), " key.dim: ", k.dim(), " and value.dim: ", v.dim(), " instead.");
  if (q.dtype() != k.dtype() || q.dtype() != v.dtype())
    runtime_error("Expected query, key, and value to have the same dtype, but got query.dtype: ",
                  c_name_of(q.dtype()), " key.dtype: ", c_name_of(k.dtype()),
                  " and value.dtype: ", c_name_of(v.dtype()), " instead.");
  if (!is_floating(q.dtype()))
    runtime_error("scaled_dot_product_attention: expected a floating dtype, but got ",
                  scalar_name_of(q.dtype()));
  if (q.size(-1) != k.size(-1) || k.size(-2) != v.size(-2))
    runtime_error(
        "scaled_dot_product_attention: expected a query [..., L, E], a key [..., S, E] and "
        "a value [..., S, Ev], but got ",
        q.sizes(), ", ", k.sizes(), " and ", v.sizes());
  if (mask.defined() && mask.dtype() != DType::b8 && mask.dtype() != DType::f32 &&
      mask.dtype() != q.dtype())
    runtime_error(
        "Expected attn_mask dtype to be bool or float or to match query dtype, but got "
        "attn_mask.dtype: ",
        c_name_of(mask.dtype()), " and query.dtype: ", c_name_of(q.dtype()), " instead.");
  if (!(p >= 0 && p <= 1))
    runtime_error("dropout probability has to be between 0 and 1, but got ", p);
}

// Leading dims broadcast, without the last `keep` of them.
void broadcast_leading(Tensor& q, Tensor& k, Tensor& v, int keep) {
  auto common = [&](const Tensor& x) {
    int n = x.dim() - 2 - keep;
    return x.sizes().slice(0, n < 0 ? 0 : n);
  };
  if (common(q) == common(k) && common(q) == common(v)) return;
  Dims all = broadcast_sizes(broadcast_sizes(common(q), common(k)), common(v));
  auto expand = [&](const Tensor& x) {
    Dims sizes = all;
    for (int i = x.dim() - 2 - keep; i < x.dim(); ++i) sizes.push_back(x.size(i));
    return Tensor(ops::expand(x, sizes));
  };
  q = expand(q);
  k = expand(k);
  v = expand(v);
}

struct ScaledDotProductAttention : Composite {
  static Tensor define(Tensor q, Tensor k, Tensor v, Tensor mask, double p, bool causal,
                       std::optional<double> given_scale, bool grouped_heads) {
    check_operands(q, k, v, mask, p);
    DType t = q.dtype(), computed = computed_in(t);
    q = in_dtype(q, computed);
    k = in_dtype(k, computed);
    v = in_dtype(v, computed);
    if (mask.defined() && mask.dtype() != DType::b8) mask = in_dtype(mask, computed);
    if (grouped_heads) {
      if (q.dim() < 3 || k.dim() < 3 || v.dim() < 3)
        runtime_error("scaled_dot_product_attention: enable_gqa needs a dim of heads, but got ",
                      q.sizes(), ", ", k.sizes(), " and ", v.sizes());
      int64_t heads = q.size(-3), keys = k.size(-3), values = v.size(-3);
      if (!keys || !values || heads % keys || heads % values)
        runtime_error(
            "Number of heads in key and value must divide the number of heads in query, "
            "but got ",
            keys, " and ", values, " for ", heads);
      if (keys != values) {
        k = repeat_heads(k, heads / keys);
        v = repeat_heads(v, heads / values);
      }
    }
    broadcast_leading(q, k, v, grouped_heads ? 1 : 0);
    double scale = given_scale.value_or(1 / std::sqrt(static_cast<double>(q.size(-1))));
    if (mask.defined()) {
      Dims scores = with_last(q.sizes(), k.size(-2));
      if (mask.dim() < 2) mask = ops::expand(mask, scores);
      if (!(DimsView(broadcast_sizes(mask.sizes(), scores)) == DimsView(scores)))
        runtime_error("scaled_dot_product_attention: an attn_mask of shape ", mask.sizes(),
                      " does not broadcast to ", scores);
    }
    Tensor out;
    if (p == 0) {
      out = attention_node(q, k, v, mask, 0.0, causal, scale, 0, 0);
    } else if (p == 1 || live_levels()) {
      out = weighted_mean(q, k, v, mask, causal, scale, [&](const Tensor& weights) {
              return Tensor(dropout(weights, p, true));
            }).out;
    } else {
      RandomState at;
      {
        Generator& g = default_generator();
        std::lock_guard lock(g.mutex);
        at = g.state;
        g.state.position +=
            attention_dropout_span(computed, leading(q).product(), q.size(-2), k.size(-2));
      }
      out = attention_node(q, k, v, mask, p, causal, scale, static_cast<int64_t>(at.seed),
                           static_cast<int64_t>(at.position));
    }
    return in_dtype(out, t);
  }
};
ADJ_OP(ScaledDotProductAttention,
       "nn.functional.scaled_dot_product_attention(query: Tensor, key: Tensor, value: Tensor, "
       "attn_mask: Tensor? = None, dropout_p: float = 0.0, is_causal: bool = False, *, scale: "
       "float? = None, enable_gqa: bool = False) -> Tensor",
       R"(
`softmax(query @ key.T * scale + mask) @ value` (Vaswani et al., "Attention is all you need", 2017,
equation 1), computed in blocks: memory is linear in the sequences' lengths.

Query [..., heads, L, E], key [..., heads, S, E] and value [..., heads, S, Ev] give [..., heads, L, Ev];
leading dims broadcast. `scale` is 1 / sqrt(E) unless given. A mask broadcasts to [..., L, S]: of bools, True
where a key takes part; of floats, added to the scores. With `is_causal` query i sees keys 0 .. i alone. A
query that sees no key gets zeros. `dropout_p` drops weights (always: pass 0 in evaluation). With
`enable_gqa` keys and values may have fewer heads, each shared by neighbouring heads of queries.

>>> x = adjoint.tensor([[1., 0.], [0., 1.]])
>>> adjoint.nn.functional.scaled_dot_product_attention(x, x, x, is_causal=True, scale=1.0)
tensor([[1.0000, 0.0000],
        [0.2689, 0.7311]])
)");

}  // namespace
}  // namespace adj
