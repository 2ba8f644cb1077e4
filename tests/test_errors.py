"""Bad arguments: torch's type of error, a message with the facts, and nothing changed.

(Errors of indexing are in test_indexing.py, of in-place writes in test_inplace.py, of backward in
test_autograd.py.)
"""

import pytest
from _backend import assert_same, torch

F = torch.nn.functional
RT, TE, IE, VE = RuntimeError, TypeError, IndexError, ValueError

# `a` is [2, 3], `b` is [4], `c` is [3, 2], `n` holds integers [2, 3], `v` is [3], `s` has no dims.
SHAPES = [
    ("a + b", RT, "3.*4"),
    ("a * c", RT, r"3.*2"),
    ("torch.where(a > 0, b, a)", RT, "3.*4|4.*3"),
    ("torch.maximum(a, b)", RT, "3.*4"),
    ("a @ a", RT, r"2x3 and 2x3|\[2, 3\].*\[2, 3\]"),
    ("a @ b", RT, r"3.*4"),
    ("b @ a", RT, r"4.*2|size|shape"),
    ("s @ v", RT, "(?i)0-?d|dim|scalar"),
    ("v.dot(b)", RT, "3.*4"),
    ("a.mv(b)", RT, "3.*4"),
    ("a.mm(v)", RT, "(?i)matri|dim"),
    ("a.bmm(c)", RT, "3D|3-D|3 dim|dim"),
    ("torch.addmm(b, a, c)", RT, "4"),
    ("F.linear(a, a.t())", RT, r"2x3 and 2x3|\[2, 3\]|3.*2"),
    ("torch.einsum('ij,jk->ik', a, a)", RT, "2.*3|3.*2"),
    ("torch.einsum('ij->ik', a)", RT, "k"),
    ("torch.einsum('ij,jk', a)", (RT, VE), "operand"),
    ("a.view(4)", RT, r"\[4\].*6"),
    ("a.view(-1, 4)", RT, r"\[-1, 4\].*6"),
    ("a.view(-1, -1)", RT, "one dim|only one"),
    ("a.t().view(6)", RT, "reshape|stride"),
    ("a.reshape(5)", RT, r"\[5\].*6"),
    ("a.expand(2, 4)", RT, "3.*4|4.*3"),
    ("a.expand(3)", RT, r"3.*2|\[3\].*\[2, 3\]"),
    ("a.expand(-1, 2, 3)", RT, "-1"),
    ("a.repeat(2)", RT, "dim"),
    ("torch.cat([a, c])", RT, "2.*3|3.*2"),
    ("torch.cat([a, v])", RT, "dim"),
    ("torch.cat([])", (RT, VE), "empty|non-empty"),
    ("torch.stack([a, c])", RT, r"\[2, 3\].*\[3, 2\]"),
    ("torch.stack([])", (RT, VE), "empty|non-empty"),
    ("a.split([1, 2])", RT, "1, 2|split_sizes"),
    ("a.split(-1)", RT, "-1|negative"),
    ("a.chunk(0)", RT, "0"),
    ("torch.zeros(2, 2, 2).t()", RT, "3"),
    ("a.permute(0)", RT, "dim"),
    ("a.permute(0, 0)", RT, "repeat|dup|twice"),
    ("a.masked_fill(b > 0, 0)", RT, "3.*4|4.*3"),
    ("a.as_strided((2, 2), (-1, 1))", RT, "(?i)negative"),
    ("a.as_strided((100,), (1,))", RT, "100|bound"),
    ("F.cross_entropy(a, torch.tensor([0]))", (RT, VE), "2.*1|1.*2"),
    ("F.cross_entropy(a, torch.tensor([0, 3]))", (RT, IE), "3"),
    ("F.nll_loss(a, torch.tensor([0, -7]))", (RT, IE), "-7"),
    ("F.binary_cross_entropy(a, b)", (RT, VE), "2, 3.*4|4.*2, 3"),
    ("F.binary_cross_entropy(a + 5, a)", RT, "between 0 and 1"),
    ("F.binary_cross_entropy_with_logits(a, b)", (RT, VE), "2, 3.*4|4.*2, 3"),
    ("F.layer_norm(a, (2,))", RT, r"\[2\]|\[\*, 2\]"),
    ("F.embedding(torch.tensor([5]), a)", (IE, RT), "range|5"),
    ("torch.tensor([[1.0, 2], [3]])", VE, "length"),
    ("a.topk(4)", RT, "range|4"),
    ("a.diagonal(0, 0, 0)", RT, "identical|differ|same"),
    ("torch.outer(a, v)", RT, "1-?D|dim"),
    ("a.unbind(2)", IE, r"\[-2, 1\].*2"),
    ("a.squeeze(5)", IE, r"\[-2, 1\].*5"),
    ("a.index_add(0, torch.tensor([0]), c)", (RT, IE), "3"),
]

DIMS = [
    "a.sum(2)", "a.sum(-3)", "a.mean((0, 2))", "a.max(2)", "a.argmax(2)", "a.softmax(2)",
    "a.cumsum(2)", "a.sort(2)", "a.transpose(0, 2)", "a.unsqueeze(4)", "a.select(2, 0)",
    "a.size(2)", "a.stride(2)", "torch.cat([a, a], 2)", "torch.stack([a, a], 3)",
    "a.flatten(0, 2)", "a.roll(1, 2)", "a.flip(2)", "a.norm(dim=2)", "a.logsumexp(2)", "a.any(2)",
    "a.permute(0, 2)", "a.movedim(0, 2)", "a.var(2)", "a.prod(2)", "a.chunk(2, 2)",
    "a.index_select(2, torch.tensor([0]))", "a.gather(2, torch.tensor([[0]]))",
]  # fmt: skip

TYPES = [
    # names and numbers of arguments
    ("torch.sum()", TE, None),
    ("torch.exp()", TE, None),
    ("torch.exp(a, a)", TE, None),
    ("a.sum(axes=1)", TE, None),
    ("torch.exp(a, colour=1)", TE, None),
    ("torch.add(a)", TE, None),
    ("torch.softmax(a)", TE, None),
    ("a.no_such_method()", AttributeError, "no_such_method"),
    ("torch.ones(2, dtype='float32')", TE, None),
    ("torch.zeros(2, device=3.5)", (TE, RT), None),
    # types of arguments
    ("torch.exp(2.0)", TE, "float"),
    ("torch.exp([1.0])", TE, "list"),
    ("torch.exp(None)", TE, "None"),
    ("torch.matmul(a, 2)", TE, "int"),
    ("a @ 2", TE, None),
    ("a + 'text'", TE, "str"),
    ("a + None", TE, "None"),
    ("torch.cat(a)", TE, "Tensor"),
    ("torch.cat([a, 1])", TE, "int"),
    ("torch.cat([a, None])", TE, "None"),
    ("torch.stack([1, 2])", TE, "int"),
    ("a.sum('rows')", (TE, VE), None),
    ("a.sum(1.5)", TE, "float"),
    ("a.view('x')", TE, "str"),
    ("a.view(1.5, 2)", TE, "float"),
    ("a.reshape(None)", TE, "None"),
    ("a.transpose(0, 'x')", (TE, VE), None),
    ("a.backward('x')", TE, None),
    ("torch.where(a, a, a)", RT, "bool"),
    ("a.masked_fill(a, 0)", RT, "(?i)bool"),
    ("a.index_select(0, v)", (RT, IE), "(?i)int"),
    ("F.embedding(v, a)", RT, "(?i)int|long"),
    ("F.cross_entropy(a, a[:, 0])", RT, "(?i)long|int64|class"),
    ("torch.tensor([1, 'a'])", (TE, VE), None),
    ("torch.arange('3')", TE, None),
    # dtypes
    ("n.mean()", RT, "(?i)long|int64"),
    ("n.softmax(0)", RT, "(?i)long|int64"),
    ("n.norm()", RT, "(?i)long|int64"),
    ("n @ a.t()", RT, "(?i)(long|int64).*float|same dtype|dtype"),
    ("a @ a.t().double()", RT, "(?i)float.*double|dtype|float32.*float64"),
    ("a & a", (RT, TE), "(?i)float"),
    ("~a", (RT, TE), "(?i)int|bool|float"),
    ("(a > 0) - (a > 0)", RT, "bool"),
    ("-(a > 0)", RT, "bool"),
    ("n ** -1", RT, "(?i)negative"),
    ("F.dropout(a, 1.5)", VE, "1.5"),
    ("F.layer_norm(n, (3,))", RT, None),
    ("a.to('no such dtype')", RT, None),
    ("a.type(5)", (TE, RT), None),
    # values
    ("F.mse_loss(a, a, reduction='no')", VE, "no"),
    ("F.gelu(a, approximate='no')", RT, "no"),
    ("torch.div(a, a, rounding_mode='no')", RT, "no"),
    ("F.one_hot(torch.tensor([-1]))", RT, None),
    ("a.clamp()", (RT, VE), "min|max"),
    ("torch.manual_seed('x')", (TE, VE), None),
]  # fmt: skip


def names():
    return {
        "torch": torch,
        "F": F,
        "a": torch.arange(6.0).view(2, 3),
        "b": torch.ones(4),
        "c": torch.ones(3, 2),
        "n": torch.arange(6).view(2, 3),
        "v": torch.ones(3),
        "s": torch.tensor(1.0),
    }


@pytest.mark.parametrize("code, error, message", SHAPES, ids=[case[0] for case in SHAPES])
def test_shapes(code, error, message):
    with pytest.raises(error, match=message):
        eval(code, names())


@pytest.mark.parametrize("code", DIMS)
def test_dims(code):
    """Every op names the dim that is not there and the range that is."""
    with pytest.raises(IndexError, match=r"\[-\d, \d\].*-?\d"):
        eval(code, names())


@pytest.mark.parametrize("code, error, message", TYPES, ids=[case[0] for case in TYPES])
def test_arguments(code, error, message):
    with pytest.raises(error, match=message):
        eval(code, names())


@pytest.mark.parametrize("requires_grad", [False, True])
def test_a_failed_op_leaves_its_operands_alone(requires_grad):
    for code, _, _ in SHAPES + TYPES:
        scope = names()
        tensors = {name: scope[name] for name in "abcvs"}
        before = {name: t.clone() for name, t in tensors.items()}
        for t in tensors.values():
            t.requires_grad_(requires_grad)
        with pytest.raises(Exception):  # noqa: B017
            eval(code, scope)
        for name, t in tensors.items():
            assert_same(t, before[name])
            assert t._version == 0 and t.grad is None and t.is_leaf


class TestAfterAnError:
    def test_an_interrupted_expression_records_nothing(self):
        x = torch.ones(2, requires_grad=True)
        y = x * 2
        with pytest.raises(RuntimeError):
            y + torch.ones(3)
        y.sum().backward()
        assert x.grad.tolist() == [2, 2]

    def test_an_error_in_backward_leaves_the_engine_usable(self):
        class Fails(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x.clone()

            @staticmethod
            def backward(ctx, g):
                raise ValueError("on purpose")

        x = torch.ones(2, requires_grad=True)
        for _ in range(3):
            with pytest.raises(ValueError, match="on purpose"):
                Fails.apply(x * 2).sum().backward()
        assert x.grad is None
        (x * 2).sum().backward()
        assert x.grad.tolist() == [2, 2]

    def test_a_bad_gradient_shape_from_a_function_is_an_error(self):
        class Wrong(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x.clone()

            @staticmethod
            def backward(ctx, g):
                return torch.ones(5)

        x = torch.ones(2, requires_grad=True)
        with pytest.raises(RuntimeError, match=r"Wrong(.|\n)*\[5\](.|\n)*\[2\]"):
            Wrong.apply(x).sum().backward()
        assert x.grad is None

    def test_a_keyboard_interrupt_passes_through(self):
        x = torch.ones(2, requires_grad=True)
        y = x * 2

        def interrupt(g):
            raise KeyboardInterrupt

        y.register_hook(interrupt)
        with pytest.raises(KeyboardInterrupt):
            y.sum().backward()
        assert x.grad is None


@pytest.mark.adjoint_only
@pytest.mark.parametrize(
    "code, facts",
    [
        ("a + b", ["add", "[2, 3]", "[4]"]),
        ("a @ a", ["2x3 and 2x3"]),
        ("a.sum(2)", ["2", "[-2, 1]"]),
        ("torch.exp([1.0])", ["exp", "list", "input"]),
        ("a.sum(axes=1)", ["sum", "axes"]),
        ("torch.softmax(a)", ["softmax", "dim"]),
        ("n.mean()", ["mean", "Long"]),
    ],
)
def test_messages_name_the_op_and_the_values(code, facts):
    with pytest.raises(Exception) as error:
        eval(code, names())
    for fact in facts:
        assert fact in str(error.value)
