"""Names around a compiler, of the binary module and of results, which programs for torch use."""

import warnings

import pytest
from _backend import assert_same, torch


class TestReturnTypes:
    @pytest.mark.parametrize("name", ["max", "min", "sort", "topk", "median", "mode", "cummax"])
    def test_classes(self, name):
        x = torch.tensor([[3.0, 1.0], [2.0, 4.0]])
        args = (1,) if name in ("topk",) else ()
        result = getattr(torch, name)(x, *args, dim=1)
        kind = getattr(torch.return_types, name)
        assert isinstance(result, kind) and isinstance(result, tuple)
        assert repr(result).startswith(f"torch.return_types.{name}(\nvalues=")

    def test_linalg(self):
        q = torch.linalg.qr(torch.eye(2))
        assert isinstance(q, torch.return_types.linalg_qr)
        with pytest.raises(AttributeError):
            torch.return_types.nothing


class TestOlderOrders:
    """Factors in front, which torch still takes with a deprecation warning."""

    CASES = [("addmm", (2, 2), (2, 3), (3, 2)), ("addmv", (2,), (2, 3), (3,)),
             ("addr", (2, 3), (2,), (3,)), ("addbmm", (2, 2), (4, 2, 3), (4, 3, 2)),
             ("baddbmm", (4, 2, 2), (4, 2, 3), (4, 3, 2))]  # fmt: skip

    @pytest.mark.parametrize(("name", "shape", "left", "right"), CASES)
    def test_factors_first(self, name, shape, left, right):
        x, a, b = torch.full(shape, 2.0), torch.ones(left), torch.ones(right)
        function = getattr(torch, name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            one = function(3, x, a, b), getattr(x, name)(3, a, b)
            two = function(3, x, 5, a, b), getattr(x, name)(3, 5, a, b)
            there = x.clone()
            getattr(there, name + "_")(3, 5, a, b)
        for y in one:
            assert_same(y, function(x, a, b, beta=3))
        for y in (*two, there):
            assert_same(y, function(x, a, b, beta=3, alpha=5))

    @pytest.mark.adjoint_only  # torch warns once in a process
    def test_the_warning(self):
        with pytest.warns(UserWarning, match="deprecated"):
            torch.addmm(2.0, torch.ones(1, 1), torch.ones(1, 1), torch.ones(1, 1))

    def test_other_orders_are_errors(self):
        m = torch.ones(1, 1)
        with pytest.raises(TypeError):
            torch.addmm(m, 2.0, m, m)


class TestCompilers:
    def test_functions_stay(self):
        def f(x):
            return x + 1

        for decorate in (
            torch._dynamo.disable,
            torch._dynamo.allow_in_graph,
            torch.compiler.allow_in_graph,
            torch.jit.unused,
            torch.jit.ignore,
            torch.jit.export,
        ):
            assert decorate(f)(1) == 2
        torch._dynamo.reset()
        torch._dynamo.config.suppress_errors = True
        with torch._dynamo.config.patch(verbose=True):
            pass
        assert not torch.compiler.is_compiling() and not torch.jit.is_scripting()
        assert not torch.onnx.is_in_onnx_export()

    def test_annotations(self):
        assert torch.jit.annotate(list[int], [1]) == [1]
        assert torch.jit.isinstance([1], list[int]) and not torch.jit.isinstance(["a"], list[int])

    @pytest.mark.adjoint_only
    def test_what_is_not_offered_says_so(self, tmp_path):
        model = torch.nn.ReLU()
        for call in (
            lambda: torch.fx.symbolic_trace(model),
            lambda: torch.fx.Graph(),
            lambda: torch.export.export(model, (torch.ones(1),)),
            lambda: torch.onnx.export(model, (torch.ones(1),), tmp_path / "m.onnx"),
            lambda: torch.jit.save(model, tmp_path / "m.pt"),
            lambda: torch.ops.load_library("x.so"),
        ):
            with pytest.raises(NotImplementedError, match="adjoint"):
                call()


class TestBinaryModule:
    def test_names(self):
        assert torch._C.Generator is torch.Generator
        torch._C._log_api_usage_once("program")
        assert torch._C._get_tracing_state() is None
        assert isinstance(torch.ones(1), torch._C.TensorBase)

    def test_flat_buffers(self):
        utils = torch._utils
        parts = [torch.ones(2), torch.zeros(1, 2)]
        flat = utils._flatten_dense_tensors(parts)
        assert flat.tolist() == [1.0, 1.0, 0.0, 0.0]
        for x, y in zip(utils._unflatten_dense_tensors(flat, parts), parts, strict=True):
            assert_same(x, y)


class TestBytes:
    def test_asarray_reads_elements(self):
        data = bytearray(b"\0\0\x80\x3f")
        assert torch.asarray(data).tolist() == [1.0]
        assert torch.asarray(data, dtype=torch.uint8).tolist() == [0, 0, 128, 63]
        x = torch.asarray(data, dtype=torch.int16)
        x[0] = 1
        assert data[0] == 1


def test_negative_weights_of_cov():
    x = torch.ones(2, 3)
    for weights in (
        {"fweights": torch.tensor([1, -1, 1])},
        {"aweights": torch.tensor([1.0, -1, 1])},
    ):
        with pytest.raises(RuntimeError, match="cannot be negative"):
            torch.cov(x, **weights)
