"""Writing to tensors: what is recorded, what is refused, and what a refused write leaves behind."""

import pytest
from _backend import assert_close, assert_same, check_gradient, f64, rand64, torch


def leaf(*values):
    return torch.tensor(values, requires_grad=True)


# Each writes to its argument, a float tensor [2, 3].
WRITES = {
    "x.add_(1)": lambda x: x.add_(1),
    "x += 1": lambda x: x.__iadd__(1),
    "x *= 2": lambda x: x.__imul__(2),
    "x[0] = 0": lambda x: x.__setitem__(0, 0),
    "x[x > 0] = 0": lambda x: x.__setitem__(x > 0, 0),
    "x[[0, 1], [0, 2]] = 0": lambda x: x.__setitem__(([0, 1], [0, 2]), 0),
    "x.zero_()": lambda x: x.zero_(),
    "x.copy_(0)": lambda x: x.copy_(torch.zeros(())),
    "x.fill_(2)": lambda x: x.fill_(2),
    "x.exp_()": lambda x: x.exp_(),
    "x.clamp_(0)": lambda x: x.clamp_(0),
    "x.normal_()": lambda x: x.normal_(),
    "x.uniform_()": lambda x: x.uniform_(),
    "x.masked_fill_": lambda x: x.masked_fill_(x > 0, 0),
    "x.index_add_": lambda x: x.index_add_(0, torch.tensor([0]), torch.ones(1, 3)),
    "x.scatter_": lambda x: x.scatter_(0, torch.tensor([[0]]), 5.0),
    "x.view(-1).mul_(2)": lambda x: x.view(-1).mul_(2),
    "x.t()[0].add_(1)": lambda x: x.t()[0].add_(1),
}


class TestLeaves:
    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
    def test_a_leaf_that_requires_grad_cannot_be_written_to(self, write):
        x = torch.ones(2, 3, requires_grad=True)
        with pytest.raises(RuntimeError, match=r"leaf Variable that requires grad"):
            write(x)
        assert_same(x, torch.ones(2, 3))
        assert x._version == 0 and x.is_leaf

    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
    def test_except_under_no_grad(self, write):
        x = torch.ones(2, 3, requires_grad=True)
        with torch.no_grad():
            write(x)
        assert x._version == 1 and x.is_leaf and x.requires_grad

    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
    def test_or_without_requires_grad(self, write):
        x = torch.ones(2, 3)
        write(x)
        assert x._version == 1 and not x.requires_grad

    def test_a_step_of_gradient_descent(self):
        w = leaf(1.0, 2.0)
        (w * w).sum().backward()
        with torch.no_grad():
            w -= 0.5 * w.grad
        assert w.tolist() == [0, 0] and w.requires_grad and w.is_leaf

    def test_a_write_can_make_a_plain_tensor_part_of_a_graph(self):
        x, buffer = leaf(1.0, 2.0), torch.zeros(2, 2)
        buffer[1] = x * 3
        assert buffer.requires_grad and not buffer.is_leaf
        (buffer * buffer).sum().backward()
        assert x.grad.tolist() == [18, 36]


class TestVersions:
    def test_every_write_counts(self):
        x = torch.zeros(3)
        assert x._version == 0
        x.add_(1).mul_(2)
        x[0] = 5
        assert x._version == 3
        x + 1
        x.sum()
        assert x._version == 3

    def test_views_and_detached_tensors_share_the_counter(self):
        x = torch.zeros(2, 3)
        row, detached, flat = x[0], x.detach(), x.view(6)
        row.fill_(1)
        detached[1] = 2
        assert x._version == row._version == detached._version == flat._version == 2
        assert flat.tolist() == [1, 1, 1, 2, 2, 2]

    def test_data_has_a_counter_of_its_own(self):
        x = torch.zeros(3)
        x.data.fill_(7)
        assert x._version == 0 and x.tolist() == [7, 7, 7]

    def test_copies_start_anew(self):
        x = torch.zeros(3).add_(1)
        assert x.clone()._version == 0 and (x + 1)._version == 0

    def test_out_counts(self):
        x = torch.zeros(3)
        torch.add(x, 1, out=x)
        assert x._version == 1


# (what saves, what is then overwritten): the gradient would silently be wrong.
SAVED = {
    "exp keeps its result": (lambda x, w: x.exp(), "result"),
    "tanh keeps its result": (lambda x, w: x.tanh(), "result"),
    "sqrt keeps its result": (lambda x, w: x.sqrt(), "result"),
    "softmax keeps its result": (lambda x, w: x.softmax(0), "result"),
    "mul keeps its factors": (lambda x, w: x * w, "w"),
    "pow keeps its base": (lambda x, w: x**3, "x"),
    "div keeps its divisor": (lambda x, w: x / w, "w"),
    "dot keeps its operands": (lambda x, w: x @ w, "w"),
    "log keeps its argument": (lambda x, w: x.log(), "x"),
    "sin keeps its argument": (lambda x, w: x.sin(), "x"),
    "relu keeps its result": (lambda x, w: x.relu(), "result"),
    "lerp keeps its weight": (lambda x, w: x.lerp(w, w), "w"),
}


class TestSavedTensors:
    @pytest.mark.parametrize("name", SAVED)
    def test_overwriting_what_backward_needs_is_an_error(self, name):
        f, which = SAVED[name]
        leaves = torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)
        x, w = (v * 1 for v in leaves)
        result = f(x, w)
        loss = result.sum()
        {"x": x, "w": w, "result": result}[which].add_(1)
        with pytest.raises(RuntimeError, match=r"modified by an inplace operation(.|\n)*version"):
            loss.backward()
        assert all(v.grad is None for v in leaves)

    @pytest.mark.parametrize(
        "write",
        [
            lambda w: w.view(3).mul_(2),
            lambda w: w[0].mul_(2),
            lambda w: w.detach().mul_(2),
            lambda w: torch.add(w.detach(), 1, out=w.detach()),
        ],
        ids=["view", "element", "detach", "out="],
    )
    def test_also_through_an_alias(self, write):
        x, w = leaf(1.0, 2.0, 3.0), torch.ones(3)
        y = (x * w).sum()
        write(w)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.backward()

    def test_the_error_gives_shape_and_versions(self):
        x, w = leaf(1.0, 2.0, 3.0), torch.ones(3)
        w.add_(1)
        y = (x * w).sum()
        w.add_(1).add_(1)
        with pytest.raises(RuntimeError, match=r"\[3\](.|\n)*version 3(.|\n)*version 1"):
            y.backward()

    @pytest.mark.adjoint_only
    @pytest.mark.parametrize(
        "write, name",
        [
            (lambda w: w.mul_(2), "mul_"),
            (lambda w: w[0].exp_(), "exp_"),
            (lambda w: w.zero_(), "zero_"),
            (lambda w: torch.add(w, 1, out=w), "add"),
        ],
    )
    def test_the_error_names_who_saved_and_who_wrote(self, write, name):
        x, w = leaf(1.0, 2.0, 3.0), torch.ones(3)
        y = torch.where(x > 1, x / w, x).sum()
        write(w)
        with pytest.raises(RuntimeError) as error:
            y.backward()
        message = str(error.value).lower()
        assert "div" in message and name in message

    def test_overwriting_what_nobody_needs_is_fine(self):
        x = leaf(1.0, 2.0)
        y = x + 1
        z = (y + y).sum()  # a sum needs neither operand
        y.zero_()
        z.backward()
        assert x.grad.tolist() == [2, 2]

    def test_only_what_a_needed_gradient_reads_is_kept(self):
        x, w = leaf(1.0, 2.0), torch.ones(2)
        y = x * w  # the gradient of w would read x, but w has none
        h = y * 1
        y2 = h * w
        h.zero_()
        y2.sum().backward()
        assert x.grad.tolist() == [1, 1]

    def test_an_error_after_the_graph_of_the_write_is_part_of_the_loss(self):
        w = leaf(1.0, 2.0)
        y = w * 1
        z = y * y
        y.mul_(3)
        with pytest.raises(RuntimeError, match="inplace"):
            (z + y).sum().backward()

    def test_data_is_not_watched(self):
        x, w = leaf(1.0, 2.0), torch.ones(2)
        y = (x * w).sum()
        w.data.fill_(5)
        y.backward()
        assert x.grad.tolist() == [5, 5]

    def test_the_saved_version_may_come_after_writes(self):
        x = rand64(3)
        w = torch.ones(3, dtype=torch.float64)
        w.mul_(3)
        (x * w).sum().backward()
        assert x.grad.tolist() == [3, 3, 3]


# In-place programs on `x`, a result of shape [2, 3], and a vector `v` [3]: checked numerically.
PROGRAMS = {
    "arithmetic": lambda x, v: x.add_(v).mul_(v).sub_(1).div_(v + 1),
    "functions": lambda x, v: x.pow_(3).log_().neg_().exp_(),
    "of a result that the next op reads": lambda x, v: x.sigmoid_() * x,
    "operators": "x += v; x *= v; x -= 1; x /= v",
    "a power": "x **= 2; x *= v",
    "zeroed": lambda x, v: x.zero_().add_(v),
    "copied over": lambda x, v: x.copy_(v * v),
    "filled": lambda x, v: x.fill_(v[0]),
    "clamped": lambda x, v: x.clamp_(0.9, 1.2),
    "masked": lambda x, v: x.masked_fill_(x > 1, 2.0),
    "masked by a tensor": lambda x, v: x.masked_fill_(x > 1, v[1]),
    "lerp": lambda x, v: x.lerp_(v, 0.3).addcmul_(v, v + 1, value=2),
    "scattered": lambda x, v: x.scatter_(1, torch.tensor([[2], [0]]), v[:2, None] ** 2),
    "added by index": lambda x, v: x.index_add_(0, torch.tensor([1, 1]), v.expand(2, 3) ** 2),
    "matrix product added": lambda x, v: x.addmm_(v[:2, None], v[None]),
    "an element": "x[0, 1] = v[2]",
    "a row": "x[0] = v",
    "a column": "x[:, 1].mul_(2)",
    "a row of a column": "x[:, 1][0] *= v[0]",
    "view of a view of a view": "x.t()[1:].t()[:, 0].add_(v[:2])",
    "a flat view": "x.view(-1)[::2] *= v",
    "the diagonal": "x.diagonal().add_(v[:2])",
    "a transposed write": "x.t().mul_(v[:, None])",
    "row after row": "x[0] = x[0] + v; x[1] = x[0].clone() * v",
    "a view used before and after": "row = x[0]; a = row.sum(); row.mul_(v); x = x + a * row.sum()",
    "the base after making a view": "row = x[0]; x.mul_(v); x = x.sum() * row",
    "the base, the view, the base": "r = x[0]; x.mul_(v); r.add_(v); x.mul_(2); x = x * r",
    "two views that overlap": "a = x[0]; b = x[:, 0]; a.mul_(v); b.mul_(v[:2]); x = x + a * b[1]",
    "a sibling view sees the write": "a = x.view(6); x.view(3, 2).mul_(v[:, None]); x = a * a",
    "a view that is dropped": "x[1].exp_(); x = x * 2",
    "unsqueezed": "x.unsqueeze(1)[:, 0].mul_(v)",
    "one part of a split, cloned": "a, b = x.clone().split(1); x[0] = a[0] * v",
    "narrow": "x.narrow(1, 1, 2).mul_(v[1:])",
    "real as_strided": "x.as_strided((2,), (2,), 1).mul_(v[:2])",
    "a fill then a write": "x.fill_(1); x[0].add_(v); x = x ** 2",
}
# torch refuses the first, and takes the second for a write to a leaf.
BETTER = [
    "x.mul_(x); x.add_(v)",
    "x = torch.zeros(2, 3).double(); q = x[1]; x[0] = v; q += v * 2",
]
ALL_PROGRAMS = [*PROGRAMS, *(pytest.param(p, marks=pytest.mark.adjoint_only) for p in BETTER)]


@pytest.mark.parametrize("name", ALL_PROGRAMS)
def test_gradients_of_in_place_programs(name):
    program = PROGRAMS.get(name, name)

    def run(x, v):
        x = x * v
        if callable(program):
            return program(x, v) ** 2
        scope = {"x": x, "v": v, "torch": torch}
        exec(program, scope)
        return scope["x"] ** 2

    check_gradient(run, rand64(2, 3), rand64(3))


def test_writes_outside_autograd_change_values_alone():
    x = leaf(1.0, 2.0)
    y = x + 0
    y.detach().mul_(10)
    with torch.no_grad():
        y[0] = 7
    assert y.tolist() == [7, 20]
    (y * 1).sum().backward()
    assert x.grad.tolist() == [1, 1]


class TestHistoryAfterAWrite:
    def test_the_base_points_at_the_write(self):
        x = leaf(1.0, 2.0) * 1
        before = x.grad_fn
        x[0] = 0
        assert x.grad_fn is not before
        assert type(x.grad_fn).__name__ == "CopySlices"

    def test_a_whole_write_names_its_op(self):
        x = leaf(1.0, 2.0) * 1
        x.mul_(2)
        assert type(x.grad_fn).__name__ == "MulBackward0"
        x.zero_()
        assert type(x.grad_fn).__name__ == "ZeroBackward0"

    def test_the_same_python_object(self):
        x = leaf(1.0, 2.0) * 1
        assert x.add_(1) is x
        y = x
        y *= 2
        assert y is x

    def test_an_integer_write_keeps_no_history(self):
        x = torch.zeros(2, dtype=torch.int64)
        with pytest.raises(RuntimeError, match="cast"):
            x.add_(leaf(1.0, 2.0))
        x[0] = 3
        assert not x.requires_grad

    def test_a_view_made_under_no_grad_is_not_tracked_through(self):
        x = leaf(1.0, 2.0) * 1
        with torch.no_grad():
            v = x[0]
        with pytest.raises(RuntimeError, match="no_grad"):
            v.mul_(leaf(3.0)[0])

    @pytest.mark.adjoint_only
    def test_outputs_of_one_op_that_are_views_can_be_written(self):
        x = leaf(1.0, 2.0)
        y = x * 1
        a, b = y.split(1)
        a.mul_(5)
        assert y.tolist() == [5, 2]
        (y * b).sum().backward()  # (5 x0 + x1) x1
        assert x.grad.tolist() == [10, 9]


class TestRefusedWrites:
    """Each is an error before anything has changed."""

    CASES = {
        "expanded": lambda x: x[:, :1].expand(2, 3).add_(1),
        "a column of an expanded one": lambda x: x[:1].expand(2, 3).__setitem__((..., 0), 1),
        "a shape that does not fit": lambda x: x.add_(torch.ones(4)),
        "a shape that grows": lambda x: x.add_(torch.ones(2, 2, 3)),
        "a shape that grows in a row": lambda x: x[0].mul_(torch.ones(2, 3)),
        "an assignment of another shape": lambda x: x.__setitem__(0, torch.ones(2)),
        "a mask with too few values": lambda x: x.__setitem__(x > 0, torch.ones(2)),
        "copy_ of another shape": lambda x: x.copy_(torch.ones(3, 3)),
        "an index out of range": lambda x: x.__setitem__(2, 1.0),
        "an index_add_ out of range": lambda x: x.index_add_(0, torch.tensor([5]), x[:1] + 1),
        "a scatter_ out of range": lambda x: x.scatter_(1, torch.tensor([[3, 0]]), 1.0),
        "a mask of another shape": lambda x: x.masked_fill_(torch.ones(2) > 0, 0.0),
    }

    @pytest.mark.parametrize("name", CASES)
    def test_leave_everything_as_it_was(self, name):
        x = torch.arange(6.0).view(2, 3)
        with pytest.raises((RuntimeError, IndexError)):
            self.CASES[name](x)
        assert x.tolist() == [[0, 1, 2], [3, 4, 5]] and x._version == 0

    @pytest.mark.parametrize(
        "dtype, write",
        [
            ("int64", lambda x: x.add_(1.5)),
            ("int64", lambda x: x.mul_(torch.tensor([0.5]))),
            ("int64", lambda x: x.div_(2)),
            ("int64", lambda x: x.__itruediv__(2)),
            ("bool", lambda x: x.add_(1)),
            ("int32", lambda x: torch.sqrt(x, out=x)),
            ("uint8", lambda x: x.sqrt_()),
        ],
    )
    def test_a_result_that_the_dtype_cannot_hold(self, dtype, write):
        x = torch.ones(2, dtype=getattr(torch, dtype))
        with pytest.raises(RuntimeError, match=r"can't be cast"):
            write(x)
        assert_same(x, torch.ones(2, dtype=getattr(torch, dtype)))

    @pytest.mark.parametrize(
        "dtype, write, expected",
        [
            ("float32", lambda x: x.add_(torch.ones(2, dtype=torch.float64)), [2, 2]),
            ("int8", lambda x: x.add_(torch.full((2,), 300, dtype=torch.int64)), [45, 45]),
            ("int64", lambda x: x.floor_divide_(2), [0, 0]),
            ("int64", lambda x: x.__setitem__(0, 2.7), [2, 1]),
            ("bool", lambda x: x.__setitem__(0, 0.0), [False, True]),
            ("float32", lambda x: x.eq_(1), [1, 1]),
            ("int32", lambda x: x.copy_(torch.tensor([1.9, -1.9])), [1, -1]),
        ],
    )
    def test_a_write_keeps_the_dtype(self, dtype, write, expected):
        x = torch.ones(2, dtype=getattr(torch, dtype))
        write(x)
        assert x.dtype == getattr(torch, dtype) and x.tolist() == expected

    def test_overlapping_memory(self):
        x = torch.arange(4.0)
        with pytest.raises(RuntimeError, match="single memory location"):
            x[1:].add_(x[:-1])
        assert x.tolist() == [0, 1, 2, 3]
        x.add_(x)  # the same elements exactly: no doubt about the result
        assert x.tolist() == [0, 2, 4, 6]


# Writes into x [2, 2] of what is read from y, which is x itself or a copy of it.
ALIASED = {
    "x.copy_(y.t())": lambda x, y: x.copy_(y.t()),
    "x[:] = y.t()": lambda x, y: x.__setitem__(slice(None), y.t()),
    "x[0] = y[:, 0]": lambda x, y: x.__setitem__(0, y[:, 0]),
    "x.sub_(y[0])": lambda x, y: x.sub_(y[0]),
    "x.lerp_(y.t(), 0.5)": lambda x, y: x.lerp_(y.t(), 0.5),
    "x.index_add_(y.t())": lambda x, y: x.index_add_(0, torch.tensor([0, 1]), y.t()),
    "exp(y.t(), out=x)": lambda x, y: torch.exp(y.t(), out=x),
    "cumsum(y.t(), 0, out=x)": lambda x, y: torch.cumsum(y.t(), 0, out=x),
}
TORCH_READS_WHAT_IT_WROTE = {
    "x.addmm_(y, y)": lambda x, y: x.addmm_(y, y),
    "matmul(y, y, out=x)": lambda x, y: torch.matmul(y, y, out=x),
    "sum(y, 0, out=x[0])": lambda x, y: torch.sum(y, 0, out=x[0]),
}


BETTER = [pytest.param(n, marks=pytest.mark.adjoint_only) for n in TORCH_READS_WHAT_IT_WROTE]


@pytest.mark.parametrize("name", [*ALIASED, *BETTER])
def test_a_write_over_its_own_operand_is_right_or_refused(name):
    write = (ALIASED | TORCH_READS_WHAT_IT_WROTE)[name]
    start = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    x, expected = start.clone(), start.clone()
    write(expected, start)
    try:
        write(x, x)
    except RuntimeError:
        expected = start
    assert_same(x, expected)


class TestOut:
    def test_writes_there_and_returns_it(self):
        out = torch.empty(3)
        assert torch.add(torch.ones(3), 2, out=out) is out
        assert out.tolist() == [3, 3, 3]

    def test_into_a_view(self):
        x = torch.zeros(2, 3)
        torch.exp(torch.zeros(3), out=x[1])
        torch.matmul(torch.ones(2, 2), torch.ones(2), out=x[:, 0])
        assert x.tolist() == [[2, 0, 0], [2, 1, 1]]

    def test_into_one_of_the_operands(self):
        x = torch.tensor([1.0, 2.0])
        torch.mul(x, x, out=x)
        assert x.tolist() == [1, 4]

    def test_an_empty_one_takes_the_shape(self):
        out = torch.empty(0)
        torch.sum(torch.ones(2, 3), dim=1, out=out)
        assert out.tolist() == [3, 3]

    def test_several(self):
        values, indices = torch.empty(2), torch.empty(2, dtype=torch.int64)
        result = torch.max(torch.tensor([[1.0, 5.0], [7.0, 2.0]]), 1, out=(values, indices))
        assert values.tolist() == [5, 7] and indices.tolist() == [1, 0]
        assert result.values is values

    def test_converts_where_the_dtype_can_hold_it(self):
        out = torch.empty(2, dtype=torch.float64)
        torch.add(torch.ones(2), 1, out=out)
        assert_same(out, torch.tensor([2.0, 2.0], dtype=torch.float64))
        for dtype in (torch.int64, torch.bool):
            out = torch.zeros(2, dtype=dtype)
            with pytest.raises(RuntimeError, match="can't be cast"):
                torch.add(torch.ones(2), 0.5, out=out)
            assert_same(out, torch.zeros(2, dtype=dtype))

    def test_does_not_differentiate(self):
        x, out = leaf(1.0, 2.0), torch.zeros(2)
        with pytest.raises(RuntimeError, match="out=.*automatic differentiation"):
            torch.mul(x, 2, out=out)
        with pytest.raises(RuntimeError, match="out=.*automatic differentiation"):
            torch.mul(out, 2, out=x)
        assert out.tolist() == [0, 0] and x.tolist() == [1, 2]
        with torch.no_grad():
            torch.mul(x, 2, out=out)
        assert out.tolist() == [2, 4] and not out.requires_grad


def test_a_deep_tower_of_views():
    x = f64(*range(1, 9))
    y = x * 1
    top = y.view(2, 4).t().unsqueeze(0)[0].reshape(4, 2)[1:3].permute(1, 0).narrow(1, 1, 1)
    top.mul_(10)  # y[2], y[6]
    y.sum().backward()
    assert_close(x.grad, [1, 1, 10, 1, 1, 1, 10, 1])
    assert y.tolist() == [1, 2, 30, 4, 5, 6, 70, 8]
