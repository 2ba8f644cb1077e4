"""What programs written for torch ask for around their model: settings, backends, jit, compile."""

import warnings

import pytest

import adjoint as torch


def test_settings_are_kept():
    torch.use_deterministic_algorithms(True, warn_only=True)
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_deterministic_debug_mode() == 1
    torch.set_deterministic_debug_mode("default")
    assert not torch.are_deterministic_algorithms_enabled()
    torch.set_float32_matmul_precision("high")
    assert torch.get_float32_matmul_precision() == "high"
    torch.set_float32_matmul_precision("highest")
    with pytest.raises(ValueError, match="'medium', got 'low'"):
        torch.set_float32_matmul_precision("low")


def test_default_tensor_type():
    torch.set_default_tensor_type("torch.DoubleTensor")
    try:
        assert torch.zeros(1).dtype == torch.float64
    finally:
        torch.set_default_tensor_type(torch.FloatTensor)
    assert torch.zeros(1).dtype == torch.float32
    with pytest.raises(TypeError, match="LongTensor"):
        torch.set_default_tensor_type("torch.LongTensor")


def test_a_device_that_is_not_there_is_no_default():
    for name in ("cuda", "meta"):
        with pytest.raises(RuntimeError, match="is not there"), torch.device(name):
            torch.ones(1)
    with torch.device("cpu"):
        assert torch.ones(1).device.type == "cpu"


def test_answers_about_devices_are_honest():
    import adjoint.backends.cudnn as cudnn

    cudnn.benchmark = True
    assert torch.backends.cudnn.benchmark and not cudnn.is_available()
    assert not torch.backends.mps.is_available()
    assert not torch.cuda.is_available() and torch.cuda.device_count() == 0
    assert torch.get_default_device() == torch.device("cpu")
    with pytest.raises(RuntimeError, match="only 'cpu'"):
        torch.cuda.get_device_name(0)
    with pytest.raises(RuntimeError, match="only 'cpu'"):
        torch.set_default_device("cuda")
    for f in (torch.as_tensor, torch.asarray, torch.tensor):
        assert f([1], device="cpu").tolist() == [1]
        with pytest.raises(RuntimeError):
            f([1], device="cuda")
    with pytest.raises(RuntimeError, match="Expected one of cpu, .* device type .*: abacus"):
        torch.device("abacus")
    with pytest.raises(RuntimeError, match="Invalid device string: 'cuda:x'"):
        torch.device("cuda:x")


def test_settings_of_compilers_are_accepted():
    torch._dynamo.config.suppress_errors = True
    torch._inductor.config.coordinate_descent_tuning = True
    torch._dynamo.reset()
    torch._dynamo.graph_break()
    assert torch._dynamo.config.suppress_errors and not torch.compiler.is_compiling()
    torch.compiler.cudagraph_mark_step_begin()
    torch.compiler.set_stance("force_eager")

    @torch.compiler.set_stance("default")
    def f():
        return 3

    assert torch.compiler.allow_in_graph(f)() == 3 and torch.compiler.list_backends() == []


def test_streams_can_be_named_and_not_made():
    def f(stream: torch.cuda.Stream | None = None, event: torch.cuda.Event | None = None):
        return stream

    assert f() is None
    with pytest.raises(RuntimeError, match="no CUDA"):
        torch.cuda.Stream()
    with pytest.raises(RuntimeError, match="no CUDA"):
        torch.cuda.Event(enable_timing=True)


def test_compile_runs_eagerly_and_says_so_once():
    import adjoint.compiler

    adjoint.compiler._told = False
    net = torch.nn.Linear(2, 2)
    with pytest.warns(UserWarning, match="runs it eagerly"):
        assert torch.compile(net, mode="max-autotune") is net
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        @torch.compile(fullgraph=True)
        def f(x):
            return x + 1

    assert f(torch.zeros(1)).item() == 1


def test_jit_passes_through():
    net = torch.nn.Linear(2, 2)
    assert torch.jit.trace(net, torch.ones(1, 2)) is net and torch.jit.script(net) is net
    with pytest.raises(NotImplementedError, match="state_dict"):
        torch.jit.save(net, "net.pt")


def test_what_is_absent_says_so():
    with pytest.raises(NotImplementedError, match=r"adjoint\.load"):
        torch.hub.load("someone/something", "model")
    with pytest.raises(NotImplementedError, match="num_workers"):
        torch.multiprocessing.spawn(print)


class TestAssertClose:
    def test_tolerances_follow_the_dtype(self):
        x = torch.tensor([1.0, 2.0])
        torch.testing.assert_close(x, x + 1e-6)
        with pytest.raises(AssertionError, match=r"Mismatched elements: 2 / 2 \(100.0%\)"):
            torch.testing.assert_close(x.double(), x.double() + 1e-6)
        with pytest.raises(AssertionError, match="not equal"):
            torch.testing.assert_close(torch.tensor([1, 2]), torch.tensor([1, 3]))

    def test_what_must_agree(self):
        x = torch.ones(2, 3)
        for other, what in ((x[:1], "shape"), (x.double(), "dtype")):
            with pytest.raises(AssertionError, match=what):
                torch.testing.assert_close(x, other)
        torch.testing.assert_close(x, x.double(), check_dtype=False)
        with pytest.raises(AssertionError, match="stride"):
            torch.testing.assert_close(x, torch.ones(3, 2).t(), check_stride=True)

    def test_containers_name_the_item(self):
        torch.testing.assert_close({"a": [1.0, (2, 3)]}, {"a": [1.0, (2, 3)]})
        with pytest.raises(AssertionError, match=r"item \['a'\]\[1\]"):
            torch.testing.assert_close({"a": [1.0, 2.0]}, {"a": [1.0, 3.0]})
        with pytest.raises(AssertionError, match="length"):
            torch.testing.assert_close([1], [1, 2])
        with pytest.raises(AssertionError, match="Missing keys.*'b'"):
            torch.testing.assert_close({}, {"b": 1})

    def test_infinities_and_nan(self):
        x = torch.tensor([float("inf"), float("nan")])
        with pytest.raises(AssertionError, match="1 / 2"):
            torch.testing.assert_close(x, x)
        torch.testing.assert_close(x, x, equal_nan=True)
        with pytest.raises(AssertionError):
            torch.testing.assert_close(
                torch.tensor(float("inf")), torch.tensor(1.0), rtol=9, atol=9
            )

    def test_arguments(self):
        with pytest.raises(ValueError, match="both"):
            torch.testing.assert_close(1.0, 1.0, rtol=1.0)
        with pytest.raises(AssertionError, match="^mine$"):
            torch.testing.assert_close(1.0, 2.0, msg="mine")
        with pytest.raises(TypeError, match="No comparison"):
            torch.testing.assert_close(object(), 1.0)


def test_make_tensor():
    x = torch.testing.make_tensor(4, 5, dtype=torch.int64, low=0, high=3, noncontiguous=True)
    assert x.shape == (4, 5) and not x.is_contiguous() and 0 <= x.min() and x.max() < 3
    y = torch.testing.make_tensor((100,), dtype=torch.int32, exclude_zero=True)
    assert bool((y != 0).all())


def test_special_functions_have_their_other_names():
    x = torch.tensor([0.3, 0.7])
    assert torch.equal(torch.special.expit(x), torch.sigmoid(x))
    assert torch.equal(torch.special.gammaln(x), torch.lgamma(x))
    assert torch.equal(torch.special.psi(x), torch.digamma(x))
    assert torch.equal(torch.special.polygamma(1, x), torch.polygamma(1, x))
    assert torch.equal(torch.special.gammainc(x, x), torch.igamma(x, x))
    assert torch.equal(torch.special.multigammaln(x + 1, 2), torch.mvlgamma(x + 1, 2))
    with pytest.raises(AttributeError, match="has no 'airy_bi'"):
        torch.special.airy_bi


def test_type_takes_a_name_a_tensor_type_or_a_dtype():
    x = torch.zeros(2)
    for kind in ("torch.DoubleTensor", torch.DoubleTensor, torch.float64):
        assert x.type(kind).dtype == torch.float64
    assert x.type() == "torch.FloatTensor"
    with pytest.raises(ValueError, match="invalid type"):
        x.type(len)


@pytest.mark.parametrize("name", ["add", "sub", "addcmul", "addcdiv"])
def test_the_older_order_with_the_factor_in_front(name):
    x, y, z = torch.ones(2), torch.full((2,), 3.0), torch.full((2,), 4.0)
    operands, factor = ((y,), "alpha") if len(name) == 3 else ((y, z), "value")
    expected = getattr(torch, name)(x, *operands, **{factor: 2.0})
    with pytest.warns(UserWarning, match=factor):
        assert torch.equal(getattr(torch, name)(x, 2.0, *operands), expected)
    with pytest.warns(UserWarning, match=factor):
        assert torch.equal(getattr(x, name)(2.0, *operands), expected)
    with pytest.warns(UserWarning, match=factor):
        getattr(x, f"{name}_")(2.0, *operands)
    assert torch.equal(x, expected)
    with pytest.raises(TypeError):
        x.add_(2.0, 3.0)
