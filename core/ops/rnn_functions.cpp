// Recurrent networks of several layers and directions, and single cells.
#include "ops/rnn.h"
#include "ops/shape.h"

namespace adj {

namespace {

const Fn linear{"nn.functional.linear"}, dropout_of{"dropout"};

struct Settings {
  RnnKind kind;
  bool biases;
  int64_t layers;
  double dropout;
  bool train, bidirectional;
};

// The parameters of one direction of one layer.
struct Direction {
  Tensor input, hidden, input_bias, hidden_bias, projection;

  // What the input gives to the gates, with the biases that are only added.
  Tensor gates(RnnKind kind, const Tensor& x) const {
    bool apart = kind == RnnKind::gru || !input_bias.defined();
    return linear(x, input, apart ? input_bias : Tensor(ops::add(input_bias, hidden_bias)));
  }
  Tensor own_bias(RnnKind kind) const { return kind == RnnKind::gru ? hidden_bias : Tensor(); }
};

class Parameters {
 public:
  Parameters(const char* name, const Settings& s, Tensors params) : params_(params) {
    directions_ = static_cast<int>(s.layers) * (s.bidirectional ? 2 : 1);
    int least = s.biases ? 4 : 2;
    each_ = directions_ ? params.size() / directions_ : 0;
    bool projected = s.kind == RnnKind::lstm && each_ == least + 1;
    if (directions_ <= 0 || each_ * directions_ != params.size() || !(each_ == least || projected))
      runtime_error(name, ": expected ", least, " parameters for each of ", directions_,
                    " layers and directions, but got ", params.size(), " in all");
    biases_ = s.biases;
  }
  Direction operator[](int i) const {
    const Tensor* p = params_.begin() + i * each_;
    Direction d{p[0], p[1], {}, {}, {}};
    if (biases_) d.input_bias = p[2], d.hidden_bias = p[3];
    if (each_ % 2) d.projection = p[each_ - 1];
    return d;
  }
  int directions() const { return directions_; }

 private:
  Tensors params_;
  int directions_, each_;
  bool biases_;
};

// x [rows, in] through all layers: the last one's output, and the last states [directions, b, n].
Outs through_layers(const char* name, const Settings& s, Tensor x, const Tensor& h0,
                    const Tensor& c0, Tensors params, DimsView batch_sizes) {
  Parameters all(name, s, params);
  int both = s.bidirectional ? 2 : 1;
  if (h0.dim() != 3 || h0.size(0) != all.directions())
    runtime_error(name, ": expected a state of shape [", all.directions(),
                  ", batch, hidden], but got ", h0.sizes());
  TensorList last_h, last_c;
  for (int layer = 0; layer < static_cast<int>(s.layers); ++layer) {
    TensorList out;
    for (int d = 0; d < both; ++d) {
      int i = layer * both + d;
      Direction p = all[i];
      RnnState start{ops::select(h0, int64_t{0}, int64_t{i}),
                     c0.defined() ? Tensor(ops::select(c0, int64_t{0}, int64_t{i})) : Tensor()};
      RnnResult r = run_layer(s.kind, p.gates(s.kind, x), start, p.hidden, p.own_bias(s.kind),
                              p.projection, batch_sizes, d == 1);
      out.push_back(r.out);
      last_h.push_back(r.last.h);
      if (c0.defined()) last_c.push_back(r.last.c);
    }
    x = both == 1 ? out[0] : Tensor(ops::cat(out, int64_t{1}));
    if (s.dropout > 0 && s.train && layer + 1 < s.layers) x = dropout_of(x, s.dropout, true);
  }
  auto stacked = [](const TensorList& list) {
    return list.size() == 1 ? Tensor(ops::unsqueeze(list[0], int64_t{0}))
                            : Tensor(ops::stack(list, int64_t{0}));
  };
  Outs outs = as_outs(x);
  outs.push_back(stacked(last_h));
  if (c0.defined()) outs.push_back(stacked(last_c));
  return outs;
}

// x [steps, batch, in], or with batch_first [batch, steps, in].
Outs through_sequence(const char* name, const Settings& s, Tensor x, const Tensor& h0,
                      const Tensor& c0, Tensors params, bool batch_first) {
  if (x.dim() != 3) runtime_error(name, ": expected an input with 3 dims, got ", x.sizes());
  if (batch_first) x = ops::transpose(x, int64_t{0}, int64_t{1});
  int64_t steps = x.size(0), batch = x.size(1);
  if (steps == 0) runtime_error("Expected sequence length to be larger than 0 in RNN");
  Dims batch_sizes;
  for (int64_t t = 0; t < steps; ++t) batch_sizes.push_back(batch);
  Tensor rows = ops::reshape(x, Dims{steps * batch, x.size(2)});
  Outs outs = through_layers(name, s, rows, h0, c0, params, batch_sizes);
  outs[0] = ops::reshape(outs[0], Dims{steps, batch, outs[0].size(1)});
  if (batch_first) outs[0] = ops::transpose(outs[0], int64_t{0}, int64_t{1});
  return outs;
}

Dims sizes_from(const Tensor& batch_sizes) {
  if (batch_sizes.dim() != 1 || batch_sizes.dtype() != DType::i64)
    runtime_error("batch_sizes should always be a vector of int64 on the CPU, got ",
                  scalar_name_of(batch_sizes.dtype()), " of shape ", batch_sizes.sizes());
  Dims sizes;
  for (int64_t i = 0; i < batch_sizes.size(0); ++i)
    sizes.push_back(batch_sizes.data<int64_t>()[i * batch_sizes.stride(0)]);
  return sizes;
}

struct LstmInput : Composite {
  static Outs define(Tensor x, Tensors hx, Tensors params, bool biases, int64_t layers, double p,
                     bool train, bool bidirectional, bool batch_first) {
    if (hx.size() != 2) runtime_error("lstm expects two hidden states");
    return through_sequence("lstm", {RnnKind::lstm, biases, layers, p, train, bidirectional}, x,
                            hx[0], hx[1], params, batch_first);
  }
};
ADJ_OP(LstmInput,
       "lstm:input(input: Tensor, hx: Tensor[], params: Tensor[], has_biases: bool, num_layers: "
       "int, dropout: float, train: bool, bidirectional: bool, batch_first: bool) -> Tensor[]",
       R"(
An LSTM over sequences, as `nn.LSTM` calls it: (output, last h, last c). `hx` is (h, c), `params` lists
for each layer and direction weight_ih, weight_hh, the two biases, and weight_hr if there is one.

>>> cell = adjoint.nn.LSTM(2, 3)
>>> hx = (adjoint.zeros(1, 1, 3), adjoint.zeros(1, 1, 3))
>>> weights = list(cell.parameters())
>>> y = adjoint.lstm(adjoint.zeros(4, 1, 2), hx, weights, True, 1, 0.0, False, False, False)
>>> y[0].shape
torch.Size([4, 1, 3])
)");
struct LstmData : Composite {
  static Outs define(Tensor x, Tensor batch_sizes, Tensors hx, Tensors params, bool biases,
                     int64_t layers, double p, bool train, bool bidirectional) {
    if (hx.size() != 2) runtime_error("lstm expects two hidden states");
    return through_layers("lstm", {RnnKind::lstm, biases, layers, p, train, bidirectional}, x,
                          hx[0], hx[1], params, sizes_from(batch_sizes));
  }
};
ADJ_OP(LstmData,
       "lstm:data(data: Tensor, batch_sizes: Tensor, hx: Tensor[], params: Tensor[], has_biases: "
       "bool, num_layers: int, dropout: float, train: bool, bidirectional: bool) -> Tensor[]",
       R"(
An LSTM over a packed sequence (`nn.utils.rnn.PackedSequence`).

>>> cell = adjoint.nn.LSTM(2, 3)
>>> hx = (adjoint.zeros(1, 2, 3), adjoint.zeros(1, 2, 3))
>>> sizes, weights = adjoint.tensor([2, 1]), list(cell.parameters())
>>> y = adjoint.lstm(adjoint.zeros(3, 2), sizes, hx, weights, True, 1, 0.0, False, False)
>>> y[0].shape
torch.Size([3, 3])
)");

template <RnnKind kKind>
struct OneState {
  static constexpr const char* name = kKind == RnnKind::gru    ? "gru"
                                      : kKind == RnnKind::tanh ? "rnn_tanh"
                                                               : "rnn_relu";
};
template <RnnKind kKind>
struct RnnInput : Composite, OneState<kKind> {
  static Outs define(Tensor x, Tensor hx, Tensors params, bool biases, int64_t layers, double p,
                     bool train, bool bidirectional, bool batch_first) {
    return through_sequence(OneState<kKind>::name, {kKind, biases, layers, p, train, bidirectional},
                            x, hx, {}, params, batch_first);
  }
};
template <RnnKind kKind>
struct RnnData : Composite, OneState<kKind> {
  static Outs define(Tensor x, Tensor batch_sizes, Tensor hx, Tensors params, bool biases,
                     int64_t layers, double p, bool train, bool bidirectional) {
    return through_layers(OneState<kKind>::name, {kKind, biases, layers, p, train, bidirectional},
                          x, hx, {}, params, sizes_from(batch_sizes));
  }
};

#define ADJ_RNN(STRUCT, NAME, KIND, MODULE, WHAT)                                                 \
  struct STRUCT##Input : RnnInput<KIND> {};                                                       \
  ADJ_OP(STRUCT##Input,                                                                           \
         NAME                                                                                     \
         ":input(input: Tensor, hx: Tensor, params: Tensor[], has_biases: bool, num_layers: "     \
         "int, dropout: float, train: bool, bidirectional: bool, batch_first: bool) -> Tensor[]", \
         "\n" WHAT " over sequences, as `" MODULE                                                 \
         "` calls it: (output, last h). `params` lists for each layer\nand direction weight_ih, " \
         "weight_hh and the two biases.\n\n"                                                      \
         ">>> weights = list(adjoint." MODULE                                                     \
         "(2, 3).parameters())\n"                                                                 \
         ">>> x, h = adjoint.zeros(4, 1, 2), adjoint.zeros(1, 1, 3)\n"                            \
         ">>> adjoint." NAME                                                                      \
         "(x, h, weights, True, 1, 0.0, False, False, False)[0].shape\n"                          \
         "torch.Size([4, 1, 3])\n");                                                              \
  struct STRUCT##Data : RnnData<KIND> {};                                                         \
  ADJ_OP(STRUCT##Data,                                                                            \
         NAME                                                                                     \
         ":data(data: Tensor, batch_sizes: Tensor, hx: Tensor, params: Tensor[], has_biases: "    \
         "bool, num_layers: int, dropout: float, train: bool, bidirectional: bool) -> Tensor[]",  \
         "\n" WHAT                                                                                \
         " over a packed sequence.\n\n"                                                           \
         ">>> weights = list(adjoint." MODULE                                                     \
         "(2, 3).parameters())\n"                                                                 \
         ">>> sizes, h = adjoint.tensor([2, 1]), adjoint.zeros(1, 2, 3)\n"                        \
         ">>> adjoint." NAME                                                                      \
         "(adjoint.zeros(3, 2), sizes, h, weights, True, 1, 0.0, False, False)[0].shape\n"        \
         "torch.Size([3, 3])\n")

ADJ_RNN(Gru, "gru", RnnKind::gru, "nn.GRU", "A GRU");
ADJ_RNN(RnnTanh, "rnn_tanh", RnnKind::tanh, "nn.RNN", "A plain recurrent network with tanh");
ADJ_RNN(RnnRelu, "rnn_relu", RnnKind::relu, "nn.RNN", "A plain recurrent network with relu");
#undef ADJ_RNN

void check_cell(const Tensor& x, const Tensor& h, const Tensor& w, const Tensor& hidden,
                int index) {
  if (x.dim() != 2 || h.dim() != 2)
    runtime_error("a cell expects an input [batch, in] and states [batch, n], got ", x.sizes(),
                  " and ", h.sizes());
  if (x.size(1) != w.size(1))
    runtime_error("input has inconsistent input_size: got ", x.size(1), " expected ", w.size(1));
  if (x.size(0) != h.size(0))
    runtime_error("Input batch size ", x.size(0), " doesn't match hidden", index, " batch size ",
                  h.size(0));
  if (h.size(1) != hidden.size(1))
    runtime_error("hidden", index, " has inconsistent hidden_size: got ", h.size(1), ", expected ",
                  hidden.size(1));
}

RnnState one_step(RnnKind kind, const Tensor& x, const RnnState& state, const Direction& p) {
  check_cell(x, state.h, p.input, p.hidden, 0);
  if (state.c.defined()) check_cell(x, state.c, p.input, p.hidden, 1);
  return run_layer(kind, p.gates(kind, x), state, p.hidden, p.own_bias(kind), {}, {x.size(0)},
                   false)
      .last;
}

struct LstmCell : Composite {
  static Outs define(Tensor x, Tensors hx, Tensor w_ih, Tensor w_hh, Tensor b_ih, Tensor b_hh) {
    if (hx.size() != 2) runtime_error("lstm_cell expects two hidden states");
    RnnState next = one_step(RnnKind::lstm, x, {hx[0], hx[1]}, {w_ih, w_hh, b_ih, b_hh, {}});
    Outs outs = as_outs(next.h);
    outs.push_back(next.c);
    return outs;
  }
};
ADJ_OP(LstmCell,
       "lstm_cell(input: Tensor, hx: Tensor[], w_ih: Tensor, w_hh: Tensor, b_ih: Tensor? = None, "
       "b_hh: Tensor? = None) -> Tensor[]",
       R"(
One step of an LSTM: input [b, in] and the states (h, c) [b, n] give the next h and c.

>>> h = adjoint.zeros(1, 3)
>>> adjoint.lstm_cell(adjoint.ones(1, 2), (h, h), adjoint.zeros(12, 2), adjoint.zeros(12, 3))[0]
tensor([[0., 0., 0.]])
)");

template <RnnKind kKind>
struct Cell : Composite {
  static Tensor define(Tensor x, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor b_ih, Tensor b_hh) {
    return one_step(kKind, x, {hx, {}}, {w_ih, w_hh, b_ih, b_hh, {}}).h;
  }
};
struct GruCell : Cell<RnnKind::gru> {};
ADJ_OP(GruCell,
       "gru_cell(input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor? = None, "
       "b_hh: Tensor? = None) -> Tensor",
       R"(
One step of a GRU: input [b, in] and the state h [b, n] give the next h.

>>> h = adjoint.ones(1, 2)
>>> adjoint.gru_cell(adjoint.ones(1, 2), h, adjoint.zeros(6, 2), adjoint.zeros(6, 2))
tensor([[0.5000, 0.5000]])
)");
struct RnnTanhCell : Cell<RnnKind::tanh> {};
ADJ_OP(RnnTanhCell,
       "rnn_tanh_cell(input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor? = None, "
       "b_hh: Tensor? = None) -> Tensor",
       R"(
tanh(w_ih x + b_ih + w_hh h + b_hh): input [b, in] and the state h [b, n] give the next h.

>>> h = adjoint.ones(1, 2)
>>> adjoint.rnn_tanh_cell(adjoint.ones(1, 2), h, adjoint.zeros(2, 2), adjoint.eye(2))
tensor([[0.7616, 0.7616]])
)");
struct RnnReluCell : Cell<RnnKind::relu> {};
ADJ_OP(RnnReluCell,
       "rnn_relu_cell(input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor? = None, "
       "b_hh: Tensor? = None) -> Tensor",
       R"(
The same with relu in the place of tanh.

>>> h = adjoint.ones(1, 2)
>>> adjoint.rnn_relu_cell(adjoint.ones(1, 2), h, adjoint.zeros(2, 2), adjoint.eye(2))
tensor([[1., 1.]])
)");

}  // namespace
}  // namespace adj
