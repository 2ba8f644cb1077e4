"""The tensor object: shape, strides, views, storage, dtypes, devices, comparison, iteration."""

import numpy as np
import pytest
from _backend import assert_close, assert_same, torch

Size = torch.Size


class TestShape:
    def test_attributes(self):
        x = torch.zeros(2, 3, 4)
        assert x.shape == x.size() == (2, 3, 4)
        assert x.ndim == x.dim() == x.ndimension() == 3
        assert x.numel() == x.nelement() == torch.numel(x) == 24
        assert x.size(0) == 2 and x.size(-1) == 4 and len(x) == 2
        assert x.element_size() == x.itemsize == 4 and x.nbytes == 96
        with pytest.raises(IndexError, match=r"\[-3, 2\].*3"):
            x.size(3)

    def test_size_is_a_tuple(self):
        s = torch.zeros(2, 3).shape
        assert isinstance(s, tuple) and isinstance(s, Size) and type(s) is Size
        assert repr(s) == "torch.Size([2, 3])" and s.numel() == 6 and Size([]).numel() == 1
        assert s[0] == 2 and type(s[:1]) is Size and type(s + (1,)) is Size
        assert Size([2, 3]) == Size((2, 3)) == (2, 3) and hash(s) == hash((2, 3))
        rows, columns = s
        assert (rows, columns) == (2, 3)
        with pytest.raises(TypeError):
            Size([1.5])

    def test_0d(self):
        x = torch.tensor(3.0)
        assert x.shape == () and x.dim() == 0 and x.numel() == 1
        assert x.stride() == () and x.is_contiguous()
        with pytest.raises(TypeError, match="0-d"):
            len(x)
        with pytest.raises(TypeError, match="0-d"):
            iter(x)
        with pytest.raises(IndexError):
            x[0]
        assert x.view(1, 1).shape == (1, 1) and x.expand(2).tolist() == [3, 3]

    def test_empty(self):
        x = torch.zeros(2, 0, 3)
        assert x.numel() == 0 and x.sum() == 0 and x.prod() == 1 and x.tolist() == [[], []]
        assert x.view(0).shape == (0,) and x.transpose(0, 2).shape == (3, 0, 2)
        assert torch.cat([torch.zeros(0), torch.ones(2)]).tolist() == [1, 1]
        assert x.sum(1).tolist() == [[0, 0, 0], [0, 0, 0]] and x.mean().isnan()
        assert (torch.zeros(2, 0) @ torch.zeros(0, 3)).tolist() == [[0, 0, 0]] * 2
        for reduce in (torch.max, torch.amin, torch.argmax):
            with pytest.raises((RuntimeError, IndexError)):
                reduce(torch.zeros(0))


class TestStrides:
    def test_row_major(self):
        x = torch.zeros(2, 3, 4)
        assert x.stride() == (12, 4, 1) and x.stride(0) == 12 and x.stride(-1) == 1
        assert x.is_contiguous() and x.storage_offset() == 0

    # expression, sizes, strides, offset, contiguous
    VIEWS = [
        ("x.t()", (4, 3), (1, 4), 0, False),
        ("x.T", (4, 3), (1, 4), 0, False),
        ("x.mT", (4, 3), (1, 4), 0, False),
        ("x[1]", (4,), (1,), 4, True),
        ("x[:, 1]", (3,), (4,), 1, False),
        ("x[1:]", (2, 4), (4, 1), 4, True),
        ("x[:, 1:3]", (3, 2), (4, 1), 1, False),
        ("x[::2]", (2, 4), (8, 1), 0, False),
        ("x[2, 3]", (), (), 11, True),
        ("x[None]", (1, 3, 4), (12, 4, 1), 0, True),
        ("x.unsqueeze(1)", (3, 1, 4), (4, 4, 1), 0, True),
        ("x.unsqueeze(-1)", (3, 4, 1), (4, 1, 1), 0, True),
        ("x[:1].squeeze()", (4,), (1,), 0, True),
        ("x[:1].squeeze(1)", (1, 4), (4, 1), 0, True),
        ("x.view(2, 6)", (2, 6), (6, 1), 0, True),
        ("x.view(-1)", (12,), (1,), 0, True),
        ("x.view(2, -1, 2)", (2, 3, 2), (6, 2, 1), 0, True),
        ("x.t().view(2, 2, 3)", (2, 2, 3), (2, 1, 4), 0, False),
        ("x.reshape(4, 3)", (4, 3), (3, 1), 0, True),
        ("x.flatten()", (12,), (1,), 0, True),
        ("x.expand(2, 3, 4)", (2, 3, 4), (0, 4, 1), 0, False),
        ("x[:, :1].expand(-1, 5)", (3, 5), (4, 0), 0, False),
        ("x.expand(3, 4)", (3, 4), (4, 1), 0, True),
        ("x.permute(1, 0)", (4, 3), (1, 4), 0, False),
        ("x.movedim(0, 1)", (4, 3), (1, 4), 0, False),
        ("x.transpose(0, -1)", (4, 3), (1, 4), 0, False),
        ("x.narrow(1, 1, 2)", (3, 2), (4, 1), 1, False),
        ("x.select(1, -1)", (3,), (4,), 3, False),
        ("x.diagonal()", (3,), (5,), 0, False),
        ("x.diagonal(1)", (3,), (5,), 1, False),
        ("x.diagonal(-1)", (2,), (5,), 4, False),
        ("x.as_strided((2, 2), (1, 2), 3)", (2, 2), (1, 2), 3, False),
        ("x.split(2)[1]", (1, 4), (4, 1), 8, True),
        ("x.chunk(2, 1)[1]", (3, 2), (4, 1), 2, False),
        ("x.unbind(1)[2]", (3,), (4,), 2, False),
        ("x.detach()", (3, 4), (4, 1), 0, True),
        ("x.data", (3, 4), (4, 1), 0, True),
        ("x.view_as(x.reshape(6, 2))", (6, 2), (2, 1), 0, True),
    ]

    @pytest.mark.parametrize("expression, size, stride, offset, contiguous", VIEWS)
    def test_views(self, expression, size, stride, offset, contiguous):
        x = torch.arange(12).view(3, 4)
        y = eval(expression)
        assert (y.shape, y.stride(), y.storage_offset()) == (size, stride, offset)
        assert y.is_contiguous() == contiguous
        assert y.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
        assert y.data_ptr() == x.data_ptr() + offset * 8
        # The same numbers as NumPy sees through these strides.
        base = x.numpy().reshape(-1)[offset:]
        bytes_ = tuple(8 * s for s in stride)
        assert_same(y, np.lib.stride_tricks.as_strided(base, size, bytes_))
        assert_same(y.contiguous(), y.numpy())

    COPIES = [
        "x.clone()", "x + 0", "x.t().reshape(-1)", "x.t().contiguous()", "x.t().flatten()",
        "x[[0, 1]]", "x[x > 3]", "x.repeat(1, 1)", "x.flip(0)", "x.roll(1)", "torch.cat([x])",
        "x.double()",
    ]  # fmt: skip

    @pytest.mark.parametrize("expression", COPIES)
    def test_copies(self, expression):
        x = torch.arange(12).view(3, 4)
        y = eval(expression)
        assert y.untyped_storage().data_ptr() != x.untyped_storage().data_ptr()
        assert y.is_contiguous() and y.storage_offset() == 0

    @pytest.mark.parametrize(
        "expression",
        ["x.view(5)", "x.view(-1, 5)", "x.view(-1, -1)", "x.t().view(-1)", "x.view(-2)"],
    )
    def test_views_that_do_not_exist(self, expression):
        with pytest.raises(RuntimeError):
            eval(expression, {"x": torch.arange(12).view(3, 4)})

    def test_contiguity_ignores_dims_of_size_one(self):
        x = torch.zeros(3, 1, 4).transpose(0, 1)
        assert x.is_contiguous() and x.contiguous() is x
        assert torch.zeros(0, 3).t().is_contiguous()

    def test_writes_show_in_every_view(self):
        x = torch.zeros(2, 3)
        flat, column, window = x.view(-1), x[:, 1], x.as_strided((2,), (3,), 2)
        x.fill_(1)
        column.fill_(2)
        window.fill_(3)
        assert flat.tolist() == [1, 2, 3, 1, 2, 3]

    def test_set_data_and_is_set_to(self):
        x, y = torch.zeros(2), torch.ones(2)
        x.data = y
        assert x.data_ptr() == y.data_ptr()
        x.swap = 1  # attributes are free
        assert x.swap == 1

    def test_result_layouts(self):
        """Elementwise results keep the order of their operand's strides; others are row-major."""
        x = torch.ones(2, 3, 4).permute(2, 0, 1)
        assert (x + 1).stride() == x.exp().stride() == x.stride()
        assert (x + x.contiguous()).shape == x.shape
        assert torch.ones(3, 4).t().sum(1, keepdim=True).shape == (4, 1)
        assert (torch.ones(2, 3) @ torch.ones(4, 3).t()).is_contiguous()

    def test_is_view_and_base(self):
        x = torch.zeros(2, 3)
        row = x[0]
        assert row._is_view() and row._base is x and row[1:]._base is x
        assert not x._is_view() and x._base is None


class TestDtypeObjects:
    def test_identity_and_repr(self):
        assert torch.float is torch.float32 and torch.double is torch.float64
        assert torch.long is torch.int64 and torch.int is torch.int32
        assert torch.half is torch.float16
        assert repr(torch.float32) == str(torch.float32) == "torch.float32"
        assert torch.ones(1).dtype is torch.float32
        assert torch.float32 != torch.float64 and torch.float32 != "float32"
        assert {torch.float32: 1}[torch.float32] == 1
        assert isinstance(torch.float32, torch.dtype)

    @pytest.mark.parametrize(
        "name, size, floating, complex_, signed",
        [
            ("bool", 1, False, False, False),
            ("uint8", 1, False, False, False),
            ("int16", 2, False, False, True),
            ("int64", 8, False, False, True),
            ("bfloat16", 2, True, False, True),
            ("float64", 8, True, False, True),
            ("complex64", 8, False, True, True),
        ],
    )
    def test_properties(self, name, size, floating, complex_, signed):
        d = getattr(torch, name)
        assert (d.itemsize, d.is_floating_point, d.is_complex, d.is_signed) == (
            size, floating, complex_, signed,
        )  # fmt: skip
        x = torch.zeros(1, dtype=d)
        assert x.is_floating_point() == torch.is_floating_point(x) == floating
        assert x.is_complex() == complex_ and x.element_size() == size

    def test_finfo_and_iinfo(self):
        for name in ("float16", "float32", "float64"):
            ours, numpys = torch.finfo(getattr(torch, name)), np.finfo(name)
            assert (ours.eps, ours.max, ours.min, ours.tiny, ours.bits) == tuple(
                float(v) for v in (numpys.eps, numpys.max, numpys.min, numpys.tiny, numpys.bits)
            )
        assert torch.finfo(torch.bfloat16).eps == 2**-7
        for name in ("uint8", "int8", "int32", "int64"):
            ours, numpys = torch.iinfo(getattr(torch, name)), np.iinfo(name)
            assert (ours.min, ours.max, ours.bits) == (numpys.min, numpys.max, numpys.bits)
        with pytest.raises(TypeError):
            torch.finfo(torch.int32)


class TestDeviceObjects:
    def test_device(self):
        cpu = torch.device("cpu")
        assert torch.ones(1).device == cpu == torch.device(cpu)
        assert str(cpu) == "cpu" and repr(cpu) == "device(type='cpu')"
        assert cpu.type == "cpu" and cpu.index is None and hash(cpu) == hash(torch.device("cpu"))
        assert torch.ones(1, device=cpu).device == cpu and torch.ones(1).is_cpu
        assert not torch.ones(1).is_cuda
        with pytest.raises(RuntimeError, match="nowhere"):
            torch.device("nowhere")

    def test_to(self):
        x = torch.ones(2)
        assert x.to("cpu") is x.to(torch.device("cpu")) is x.to(device="cpu") is x.cpu() is x
        y = x.to("cpu", torch.float64)
        assert y.dtype == torch.float64
        assert x.to(y).dtype == torch.float64
        assert x.to(torch.float32, copy=True) is not x
        assert x.to(dtype=torch.int64).dtype == torch.int64


class TestPythonNumbers:
    def test_one_element_converts(self):
        for x in (torch.tensor(2.5), torch.tensor([2.5]), torch.tensor([[2.5]])):
            assert (x.item(), float(x), int(x)) == (2.5, 2.5, 2)
        assert complex(torch.tensor(1.5)) == 1.5 + 0j
        assert type(torch.tensor(3).item()) is int and type(torch.tensor(True).item()) is bool
        assert type(torch.tensor(3.0).item()) is float
        assert torch.tensor(2**62).item() == 2**62
        assert f"{torch.tensor(2.5):.3f}" == "2.500" and f"{torch.tensor(3):>4d}" == "   3"

    def test_more_or_fewer_do_not(self):
        for x in (torch.ones(2), torch.ones(0)):
            for convert in (lambda x: x.item(), float, int, complex):
                with pytest.raises((RuntimeError, ValueError, TypeError)):
                    convert(x)

    def test_as_an_index(self):
        items = ["a", "b", "c"]
        assert items[torch.tensor(1)] == "b" and list(range(torch.tensor(2))) == [0, 1]
        with pytest.raises(TypeError):
            items[torch.tensor(1.0)]
        with pytest.raises(TypeError):
            items[torch.tensor([1, 2])]

    def test_truth(self):
        assert torch.tensor(1) and torch.tensor([0.5]) and not torch.tensor([[0.0]])
        assert torch.tensor(float("nan"))
        for x in (torch.ones(2), torch.ones(2) == 1):
            with pytest.raises(RuntimeError, match="more than one value"):
                bool(x)
        with pytest.raises(RuntimeError, match="no values"):
            bool(torch.zeros(0))

    def test_nan_and_large_floats_to_int(self):
        with pytest.raises(ValueError):
            int(torch.tensor(float("nan")))
        with pytest.raises(OverflowError):
            int(torch.tensor(float("inf")))


class TestComparison:
    def test_elementwise(self):
        x, y = torch.tensor([1, 2, 3]), torch.tensor([3.0, 2.0, 1.0])
        assert (x < y).tolist() == [True, False, False]
        assert (x <= y).tolist() == [True, True, False]
        assert (x == y).tolist() == [False, True, False]
        assert (x != y).tolist() == [True, False, True]
        assert (x > 1).tolist() == (1 < x).tolist() == [False, True, True]
        assert (2 >= x).tolist() == [True, True, False]

    def test_nan_equals_nothing(self):
        x = torch.tensor([float("nan")])
        assert not (x == x) and (x != x) and not (x < x) and not torch.equal(x, x)

    def test_with_what_is_no_tensor(self):
        x = torch.ones(2)
        assert (x == None) is False and (x != None) is True  # noqa: E711
        assert (x == "text") is False
        with pytest.raises(TypeError):
            _ = x < None

    def test_equal_compares_shape_and_values(self):
        x = torch.tensor([1.0, 2.0])
        assert torch.equal(x, x.clone()) and x.equal(x)
        assert not torch.equal(x, x[:1]) and not torch.equal(x, x.view(1, 2))
        assert torch.allclose(x, x + 1e-9) and not torch.allclose(x, x + 1e-3)

    def test_contains(self):
        x = torch.tensor([1.0, 2.0])
        assert 2 in x and 3 not in x and torch.tensor(1.0) in x
        with pytest.raises((RuntimeError, TypeError)):
            _ = "text" in x

    def test_hash_and_dicts_go_by_identity(self):
        x, y = torch.ones(2), torch.ones(2)
        assert hash(x) == hash(x) != hash(y)
        assert {x: "x", y: "y"}[y] == "y" and len({x, y, x}) == 2


class TestIteration:
    def test_rows(self):
        x = torch.arange(6).view(3, 2)
        assert [row.tolist() for row in x] == [[0, 1], [2, 3], [4, 5]]
        for row in x:
            row += 1
        assert x.tolist() == [[1, 2], [3, 4], [5, 6]]
        a, b, c = x
        assert b.tolist() == [3, 4]
        assert [row.tolist() for row in reversed(list(x))][0] == [5, 6]
        assert dict(zip("abc", x, strict=True))["c"].tolist() == [5, 6]

    def test_elements_are_0d_tensors(self):
        assert all(isinstance(v, torch.Tensor) and v.dim() == 0 for v in torch.ones(2))
        assert max(torch.tensor([1, 5, 2])) == 5 and sum(torch.tensor([1, 5, 2])) == 8


class TestOperators:
    @pytest.mark.parametrize(
        "expression", [*(f"a {op} b" for op in "+ - * / // % ** @".split()), "-a", "+a", "abs(-a)"]
    )
    def test_arithmetic_is_numpys(self, expression):
        a, b = np.array([4.0, 9.0, 2.5]), np.array([2.0, 4.0, 0.5])
        expected = eval(expression)
        a, b = torch.from_numpy(a), torch.from_numpy(b)
        assert_close(eval(expression), expected, rtol=1e-15)

    @pytest.mark.parametrize("operator", "+ - * / // % **".split())
    def test_with_a_number_on_the_left(self, operator):
        expression = f"3 {operator} a"
        a = np.array([4.0, 9.0, 2.5])
        expected = eval(expression)
        a = torch.from_numpy(a)
        assert_close(eval(expression), expected, rtol=1e-15)  # torch multiplies by a reciprocal

    @pytest.mark.parametrize("expression", ["a & b", "a | b", "a ^ b", "~a", "a & 1", "1 ^ a"])
    def test_bits(self, expression):
        for dtype in (bool, np.int32):
            a, b = np.array([0, 1, 1]).astype(dtype), np.array([1, 1, 0]).astype(dtype)
            if dtype is bool and "1" in expression:
                continue
            expected = eval(expression)
            a, b = torch.from_numpy(a), torch.from_numpy(b)
            assert_same(eval(expression), expected)

    def test_unknown_operands_get_their_chance(self):
        class Other:
            def __radd__(self, x):
                return "radd"

            def __rmatmul__(self, x):
                return "rmatmul"

        assert torch.ones(2) + Other() == "radd" and torch.ones(2) @ Other() == "rmatmul"
        for bad in ("text", None, [1, 2], {}):
            with pytest.raises(TypeError):
                torch.ones(2) + bad

    @pytest.mark.parametrize(
        "a, b, expected",
        [
            ((2, 1), (3,), (2, 3)),
            ((), (2, 2), (2, 2)),
            ((4, 1, 3), (2, 1), (4, 2, 3)),
            ((0, 1), (1, 5), (0, 5)),
            ((1,), (0,), (0,)),
        ],
    )
    def test_broadcasting(self, a, b, expected):
        assert (torch.ones(a) + torch.ones(b)).shape == expected

    def test_is_tensor(self):
        assert torch.is_tensor(torch.ones(1)) and not torch.is_tensor(np.ones(1))
        assert isinstance(torch.nn.Parameter(torch.ones(1)), torch.Tensor)


class TestPrinting:
    @pytest.mark.parametrize(
        "make, text",
        [
            ("torch.tensor(3)", "tensor(3)"),
            ("torch.tensor([1.0, 2.5])", "tensor([1.0000, 2.5000])"),
            ("torch.tensor([1.0, 2.0])", "tensor([1., 2.])"),
            ("torch.tensor([1e-9, 1.0])", "tensor([1.0000e-09, 1.0000e+00])"),
            ("torch.zeros(2, 0)", "tensor([], size=(2, 0))"),
            ("torch.ones(1, dtype=torch.float64)", "tensor([1.], dtype=torch.float64)"),
            ("torch.tensor([True, False])", "tensor([ True, False])"),
            ("torch.ones(1, requires_grad=True)", "tensor([1.], requires_grad=True)"),
            ("torch.ones(1, requires_grad=True) * 2", "tensor([2.], grad_fn=<MulBackward0>)"),
            ("torch.tensor([float('nan'), float('-inf')])", "tensor([nan, -inf])"),
            (
                "torch.nn.Parameter(torch.ones(1))",
                "Parameter containing:\ntensor([1.], requires_grad=True)",
            ),
        ],
    )
    def test_repr(self, make, text):
        x = eval(make)
        assert repr(x) == str(x) == text
