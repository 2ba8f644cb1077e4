// The steps of recurrent layers: LSTM, GRU, and the plain one.
#include "ops/rnn.h"

#include "ops/reduce.h"

namespace adj {

namespace {

const Fn linear{"nn.functional.linear"}, relu{"relu"};

Tensor first(const Tensor& x, int64_t count) {
  return x.size(0) == count ? x : Tensor(ops::narrow(x, int64_t{0}, int64_t{0}, count));
}
// The rows of a state that a step has replaced, and those behind them as they were.
Tensor replaced(const Tensor& state, const Tensor& rows) {
  int64_t all = state.size(0), count = rows.size(0);
  if (all == count) return rows;
  TensorList parts{rows, ops::narrow(state, int64_t{0}, count, all - count)};
  return ops::cat(parts, int64_t{0});
}

struct Unrolled {
  RnnResult result;
  TensorList cells;  // after each step, in the order of the rows
};

Unrolled unroll(RnnKind kind, const Tensor& x, const RnnState& start, const Tensor& weight,
                const Tensor& bias, const Tensor& projection, DimsView sizes, bool reverse) {
  auto steps = static_cast<int64_t>(sizes.size());
  TensorList out, cells;
  for (int64_t t = 0; t < steps; ++t) {
    out.push_back(Tensor());
    cells.push_back(Tensor());
  }
  RnnState state = start;
  int64_t row = reverse ? x.size(0) : 0;
  for (int64_t s = 0; s < steps; ++s) {
    auto t = static_cast<int>(reverse ? steps - 1 - s : s);
    int64_t count = sizes[t];
    if (reverse) row -= count;
    RnnState before{first(state.h, count), state.c.defined() ? first(state.c, count) : Tensor()};
    RnnState after =
        rnn_step(kind, ops::narrow(x, int64_t{0}, row, count), before, weight, bias, projection);
    out[t] = after.h;
    state.h = replaced(state.h, after.h);
    if (after.c.defined()) {
      cells[t] = after.c;
      state.c = replaced(state.c, after.c);
    }
    if (!reverse) row += count;
  }
  return {{ops::cat(out, int64_t{0}), state}, cells};
}

// vmap: `define` on the batches.
template <class S>
Outs batch_by_define(Batch& b) {
  TensorList held;
  for (size_t i = 0; i < b.op.schema.params.size(); ++i)
    if (b.values[i].is_tensor() && b.is_batched(static_cast<int>(i))) {
      held.push_back(make_batched(b.values[i].as_tensor(), b.id));
      b.values[i].tensor = held.back().get();
    }
  Outs outs = forward_thunk<&S::define>(Args{b.op, b.values});
  for (auto& y : outs) y = remove_batch_dim(y, b.id, b.size, 0);
  return outs;
}

RnnLayer described(RnnKind kind, const Tensor& x, const Tensor& h0, const Tensor& c0,
                   const Tensor& weight, const Tensor& bias, DimsView sizes, bool reverse) {
  return {kind,          x.dtype(),
          h0.size(1),    h0.size(0),
          x.size(0),     sizes.size(),
          sizes.data(),  reverse,
          h0.data(),     c0.defined() ? c0.data() : nullptr,
          weight.data(), bias.defined() ? bias.data() : nullptr};
}

// Outputs: h of all steps, the last states, then what backward reads.
struct LstmLayer : Fused {
  static constexpr uint32_t saves = output(0) | output(3) | output(4);

  static Outs forward(Tensor x, Tensor h0, Tensor c0, Tensor w, DimsView sizes, bool reverse) {
    x = dense(x), h0 = dense(h0), c0 = dense(c0), w = dense(w);
    RnnLayer a = described(RnnKind::lstm, x, h0, c0, w, {}, sizes, reverse);
    Outs outs;
    outs.push_back(empty(Dims{a.rows, a.n}, a.dtype));
    outs.push_back(empty(h0.sizes(), a.dtype));
    outs.push_back(empty(c0.sizes(), a.dtype));
    outs.push_back(empty(x.sizes(), a.dtype));
    outs.push_back(empty(Dims{a.rows, a.n}, a.dtype));
    rnn_forward(a, x.data(), outs[0].data(), outs[1].data(), outs[2].data(), outs[3].data(),
                outs[4].data());
    return outs;
  }
  static Outs define(Tensor x, Tensor h0, Tensor c0, Tensor w, DimsView sizes, bool reverse) {
    Unrolled u = unroll(RnnKind::lstm, x, {h0, c0}, w, {}, {}, sizes, reverse);
    // the activated gates once more, from the states that they followed
    TensorList gates;
    RnnState state{h0, c0};
    int64_t n = h0.size(1), steps = sizes.size(), row = reverse ? x.size(0) : 0;
    for (int64_t t = 0; t < steps; ++t) gates.push_back(Tensor());
    for (int64_t s = 0; s < steps; ++s) {
      auto t = static_cast<int>(reverse ? steps - 1 - s : s);
      int64_t count = sizes[t];
      if (reverse) row -= count;
      Tensor g = ops::add(ops::narrow(x, int64_t{0}, row, count), linear(first(state.h, count), w));
      TensorList parts{ops::sigmoid(ops::narrow(g, int64_t{1}, int64_t{0}, 2 * n)),
                       ops::tanh(ops::narrow(g, int64_t{1}, 2 * n, n)),
                       ops::sigmoid(ops::narrow(g, int64_t{1}, 3 * n, n))};
      gates[t] = ops::cat(parts, int64_t{1});
      state.h = replaced(state.h, ops::narrow(u.result.out, int64_t{0}, row, count));
      if (!reverse) row += count;
    }
    Outs outs = as_outs(u.result.out);
    outs.push_back(u.result.last.h);
    outs.push_back(u.result.last.c);
    outs.push_back(ops::cat(gates, int64_t{0}));
    outs.push_back(ops::cat(u.cells, int64_t{0}));
    return outs;
  }
  static bool fast_vjp(Vjp& c) {
    if (c.has_g(3) || c.has_g(4)) return false;
    Tensor h0 = dense(c.in(1)), c0 = dense(c.in(2)), w = dense(c.in(3)), h = c.out(0),
           gates = c.out(3), cells = c.out(4);
    RnnLayer a = described(RnnKind::lstm, gates, h0, c0, w, {}, c.arg<DimsView>(4), c.arg<bool>(5));
    Tensor g[3];
    for (int i = 0; i < 3; ++i)
      if (c.has_g(i)) g[i] = dense(c.g(i));
    Tensor dx = empty(gates.sizes(), a.dtype), dh0 = empty(h0.sizes(), a.dtype),
           dc0 = empty(c0.sizes(), a.dtype), dw;
    if (c.needs(3)) dw = empty(w.sizes(), a.dtype);
    auto data = [](const Tensor& t) { return t.defined() ? t.data() : nullptr; };
    rnn_backward(a, data(g[0]), data(g[1]), data(g[2]), h.data(), gates.data(), cells.data(),
                 dx.data(), nullptr, dh0.data(), dc0.data(), data(dw), nullptr);
    if (c.needs(0)) c.set(0, dx);
    if (c.needs(1)) c.set(1, dh0);
    if (c.needs(2)) c.set(2, dc0);
    if (c.needs(3)) c.set(3, dw);
    return true;
  }
  static Outs batch(Batch& b) { return batch_by_define<LstmLayer>(b); }
};
ADJ_OP(LstmLayer,
       "_nodes.lstm_layer(gates: Tensor, h0: Tensor, c0: Tensor, weight: Tensor, batch_sizes: "
       "int[], reverse: bool) -> Tensor[]",
       R"(
One direction of one layer of an LSTM (Hochreiter and Schmidhuber, 1997; with the forget gate of Gers et
al., 2000): h of all steps, the last h and c; and, for backward, the activated gates i, f, g, o and c of
all steps. `gates` [rows, 4 n] is the input's share, `weight` [4 n, n] that of h.

>>> adjoint.nn.LSTM(2, 3)(adjoint.zeros(4, 1, 2))[0].shape
torch.Size([4, 1, 3])
)");

struct GruLayer : Fused {
  static constexpr uint32_t saves = output(0) | output(2);

  static Outs forward(Tensor x, Tensor h0, Tensor w, Tensor bias, DimsView sizes, bool reverse) {
    x = dense(x), h0 = dense(h0), w = dense(w);
    if (bias.defined()) bias = dense(bias);
    RnnLayer a = described(RnnKind::gru, x, h0, {}, w, bias, sizes, reverse);
    Outs outs;
    outs.push_back(empty(Dims{a.rows, a.n}, a.dtype));
    outs.push_back(empty(h0.sizes(), a.dtype));
    outs.push_back(empty(Dims{a.rows, 4 * a.n}, a.dtype));
    rnn_forward(a, x.data(), outs[0].data(), outs[1].data(), nullptr, outs[2].data(), nullptr);
    return outs;
  }
  static Outs define(Tensor x, Tensor h0, Tensor w, Tensor bias, DimsView sizes, bool reverse) {
    Unrolled u = unroll(RnnKind::gru, x, {h0, {}}, w, bias, {}, sizes, reverse);
    TensorList gates;
    Tensor state = h0;
    int64_t n = h0.size(1), steps = sizes.size(), row = reverse ? x.size(0) : 0;
    for (int64_t t = 0; t < steps; ++t) gates.push_back(Tensor());
    for (int64_t s = 0; s < steps; ++s) {
      auto t = static_cast<int>(reverse ? steps - 1 - s : s);
      int64_t count = sizes[t];
      if (reverse) row -= count;
      Tensor in = ops::narrow(x, int64_t{0}, row, count),
             own = linear(first(state, count), w, bias);
      auto part = [n](const Tensor& y, int64_t from, int64_t parts) {
        return Tensor(ops::narrow(y, int64_t{1}, from * n, parts * n));
      };
      Tensor rz = ops::sigmoid(ops::add(part(in, 0, 2), part(own, 0, 2)));
      Tensor candidate =
          ops::tanh(ops::add(part(in, 2, 1), ops::mul(part(rz, 0, 1), part(own, 2, 1))));
      TensorList parts{rz, candidate, part(own, 2, 1)};
      gates[t] = ops::cat(parts, int64_t{1});
      state = replaced(state, ops::narrow(u.result.out, int64_t{0}, row, count));
      if (!reverse) row += count;
    }
    Outs outs = as_outs(u.result.out);
    outs.push_back(u.result.last.h);
    outs.push_back(ops::cat(gates, int64_t{0}));
    return outs;
  }
  static bool fast_vjp(Vjp& c) {
    if (c.has_g(2)) return false;
    Tensor h0 = dense(c.in(1)), w = dense(c.in(2)), h = c.out(0), gates = c.out(2);
    RnnLayer a = described(RnnKind::gru, h, h0, {}, w, {}, c.arg<DimsView>(4), c.arg<bool>(5));
    Tensor g[2];
    for (int i = 0; i < 2; ++i)
      if (c.has_g(i)) g[i] = dense(c.g(i));
    Dims wide{a.rows, 3 * a.n};
    Tensor dx = empty(wide, a.dtype), dgates = empty(wide, a.dtype),
           dh0 = empty(h0.sizes(), a.dtype), dw, db;
    if (c.needs(2)) dw = empty(w.sizes(), a.dtype);
    if (c.needs(3)) db = empty(c.like(3).sizes, a.dtype);
    auto data = [](const Tensor& t) { return t.defined() ? t.data() : nullptr; };
    rnn_backward(a, data(g[0]), data(g[1]), nullptr, h.data(), gates.data(), nullptr, dx.data(),
                 dgates.data(), dh0.data(), nullptr, data(dw), data(db));
    if (c.needs(0)) c.set(0, dx);
    if (c.needs(1)) c.set(1, dh0);
    if (c.needs(2)) c.set(2, dw);
    if (c.needs(3)) c.set(3, db);
    return true;
  }
  static Outs batch(Batch& b) { return batch_by_define<GruLayer>(b); }
};
ADJ_OP(GruLayer,
       "_nodes.gru_layer(gates: Tensor, h0: Tensor, weight: Tensor, bias: Tensor?, batch_sizes: "
       "int[], reverse: bool) -> Tensor[]",
       R"(
One direction of one layer of a GRU (Cho et al., 2014; the candidate's reset behind the product): h of all
steps, the last h; and, for backward, r, z, the candidate n and W_n h + b_n of all steps.

>>> adjoint.nn.GRU(2, 3)(adjoint.zeros(4, 1, 2))[0].shape
torch.Size([4, 1, 3])
)");

template <bool kRelu>
struct PlainLayer : Fused {
  static constexpr uint32_t saves = output(0);
  static constexpr RnnKind which = kRelu ? RnnKind::relu : RnnKind::tanh;

  static Outs forward(Tensor x, Tensor h0, Tensor w, DimsView sizes, bool reverse) {
    x = dense(x), h0 = dense(h0), w = dense(w);
    RnnLayer a = described(which, x, h0, {}, w, {}, sizes, reverse);
    Outs outs = as_outs(empty(Dims{a.rows, a.n}, a.dtype));
    outs.push_back(empty(h0.sizes(), a.dtype));
    rnn_forward(a, x.data(), outs[0].data(), outs[1].data(), nullptr, nullptr, nullptr);
    return outs;
  }
  static Outs define(Tensor x, Tensor h0, Tensor w, DimsView sizes, bool reverse) {
    Unrolled u = unroll(which, x, {h0, {}}, w, {}, {}, sizes, reverse);
    Outs outs = as_outs(u.result.out);
    outs.push_back(u.result.last.h);
    return outs;
  }
  static bool fast_vjp(Vjp& c) {
    Tensor h0 = dense(c.in(1)), w = dense(c.in(2)), h = c.out(0);
    RnnLayer a = described(which, h, h0, {}, w, {}, c.arg<DimsView>(3), c.arg<bool>(4));
    Tensor g[2];
    for (int i = 0; i < 2; ++i)
      if (c.has_g(i)) g[i] = dense(c.g(i));
    Tensor dx = empty(h.sizes(), a.dtype), dh0 = empty(h0.sizes(), a.dtype), dw;
    if (c.needs(2)) dw = empty(w.sizes(), a.dtype);
    auto data = [](const Tensor& t) { return t.defined() ? t.data() : nullptr; };
    rnn_backward(a, data(g[0]), data(g[1]), nullptr, h.data(), nullptr, nullptr, dx.data(), nullptr,
                 dh0.data(), nullptr, data(dw), nullptr);
    if (c.needs(0)) c.set(0, dx);
    if (c.needs(1)) c.set(1, dh0);
    if (c.needs(2)) c.set(2, dw);
    return true;
  }
  static Outs batch(Batch& b) { return batch_by_define<PlainLayer>(b); }
};
struct RnnTanhLayer : PlainLayer<false> {};
ADJ_OP(RnnTanhLayer,
       "_nodes.rnn_tanh_layer(gates: Tensor, h0: Tensor, weight: Tensor, batch_sizes: int[], "
       "reverse: bool) -> Tensor[]",
       R"(
One direction of one layer of a plain recurrent network, h = tanh(x + weight h): h of all steps and the
last h (Elman, 1990).

>>> adjoint.nn.RNN(2, 3)(adjoint.zeros(4, 1, 2))[0].shape
torch.Size([4, 1, 3])
)");
struct RnnReluLayer : PlainLayer<true> {};
ADJ_OP(RnnReluLayer,
       "_nodes.rnn_relu_layer(gates: Tensor, h0: Tensor, weight: Tensor, batch_sizes: int[], "
       "reverse: bool) -> Tensor[]",
       R"(
The same with relu in the place of tanh.

>>> adjoint.nn.RNN(2, 3, nonlinearity="relu")(adjoint.zeros(4, 1, 2))[0].shape
torch.Size([4, 1, 3])
)");

const Fn lstm_layer{"_nodes.lstm_layer"}, gru_layer{"_nodes.gru_layer"},
    tanh_layer{"_nodes.rnn_tanh_layer"}, relu_layer{"_nodes.rnn_relu_layer"};

}  // namespace

RnnState rnn_step(RnnKind kind, const Tensor& x, const RnnState& state, const Tensor& weight,
                  const Tensor& bias, const Tensor& projection) {
  Tensor own = linear(state.h, weight, bias);
  int64_t n = weight.size(0) / gates_of(kind);
  auto part = [n](const Tensor& y, int64_t from, int64_t parts = 1) {
    return Tensor(ops::narrow(y, int64_t{1}, from * n, parts * n));
  };
  if (kind == RnnKind::lstm) {
    Tensor g = ops::add(x, own), c = ops::mul(ops::sigmoid(part(g, 1)), state.c);
    c = ops::add(c, ops::mul(ops::sigmoid(part(g, 0)), ops::tanh(part(g, 2))));
    Tensor h = ops::mul(ops::sigmoid(part(g, 3)), ops::tanh(c));
    return {projection.defined() ? Tensor(linear(h, projection)) : h, c};
  }
  if (kind == RnnKind::gru) {
    Tensor r = ops::sigmoid(ops::add(part(x, 0), part(own, 0)));
    Tensor z = ops::sigmoid(ops::add(part(x, 1), part(own, 1)));
    Tensor candidate = ops::tanh(ops::add(part(x, 2), ops::mul(r, part(own, 2))));
    return {ops::add(candidate, ops::mul(z, ops::sub(state.h, candidate))), {}};
  }
  Tensor h = ops::add(x, own);
  return {kind == RnnKind::tanh ? ops::tanh(h) : relu(h), {}};
}

RnnResult run_layer(RnnKind kind, const Tensor& x, const RnnState& start, const Tensor& weight,
                    const Tensor& bias, const Tensor& projection, DimsView sizes, bool reverse) {
  bool fast = (x.dtype() == DType::f32 || x.dtype() == DType::f64) && !projection.defined();
  if (!fast) return unroll(kind, x, start, weight, bias, projection, sizes, reverse).result;
  Outs outs = kind == RnnKind::lstm   ? lstm_layer.all(x, start.h, start.c, weight, sizes, reverse)
              : kind == RnnKind::gru  ? gru_layer.all(x, start.h, weight, bias, sizes, reverse)
              : kind == RnnKind::tanh ? tanh_layer.all(x, start.h, weight, sizes, reverse)
                                      : relu_layer.all(x, start.h, weight, sizes, reverse);
  return {outs[0], {outs[1], kind == RnnKind::lstm ? outs[2] : Tensor()}};
}

}  // namespace adj
