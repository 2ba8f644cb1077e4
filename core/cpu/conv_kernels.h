// Convolutions of one image at a time, per instruction-set level.
//
// A source is laid out so that each tap of the kernel reads it at a fixed offset: padded, and split
// by the stride into phases (positions 0, s, 2s, ... then 1, s + 1, ...), [channel][phase][q0, q1,
// q2]. Results are then sums of shifted sources: a matrix product whose second operand is never
// written out.
#pragma once
#include <cstdint>

namespace adj {

// Position u of phase r in the layout is position u * stride + r - pad of the source.
struct ConvLayout {
  int64_t channels, in[3], stride[3], pad[3], phases[3], q[3];
  int64_t plane() const { return phases[0] * phases[1] * phases[2] * q[0] * q[1] * q[2]; }
};

// y[m, t] = bias[m] + sum over k < depth of a[m, k] layout[offsets[k] + t], t in out[0..2].
struct ConvPass {
  int64_t depth, rows;  // rows: results' channels
  const int64_t* offsets;
  const void* a;  // packed by `pack`
  int64_t out[3];
  // Results: channel m, position t lies at y[m * plane + start + t0 * step0 + ...].
  int64_t start, step[3], plane;
};

struct ConvKernels {
  void (*lay_out[2])(void* to, const void* from, const ConvLayout& l);
  int64_t block_rows;  // `rows` are made in blocks of about these
  // a[m, k] for k in order, in the order in which the kernel reads it.
  void (*pack[2])(void* to, const void* a, int64_t rows, int64_t depth);
  // Channels [from, to) of a pass; `from` is a multiple of the size of a block. The layout has a
  // slack of kConvSlack bytes behind it.
  void (*pass[2])(void* y, const void* bias, const void* layout, const ConvPass& p,
                  const ConvLayout& l, int64_t from, int64_t to);
  // dw[k, m] += sum over t of layout[offsets[k] + t] g[m, t]; dw is [depth, wide(rows)], where
  // gt is scratch for [positions, wide(rows)].
  void (*weight[2])(void* dw, void* gt, const void* g, const void* layout, const ConvPass& p,
                    const ConvLayout& l);
};

constexpr int64_t kConvSlack = 256;
constexpr int64_t conv_wide(int64_t rows) { return (rows + 15) / 16 * 16; }
// Blocks of about equal size, at most `most`.
constexpr int64_t conv_block(int64_t rows, int64_t most) {
  int64_t blocks = (rows + most - 1) / most;
  return blocks ? (rows + blocks - 1) / blocks : 1;
}

}  // namespace adj
