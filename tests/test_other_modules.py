"""Modules that programs for torch import beside the main ones: devices that are not there, process
groups, overrides, names for annotations, DLPack by its older names, trees."""

import doctest
import importlib

import pytest

import adjoint as torch

pytestmark = pytest.mark.adjoint_only


@pytest.mark.parametrize("name", ["accelerator", "mps", "xpu"])
def test_devices_that_are_not_there(name):
    device = getattr(torch, name)
    assert not device.is_available() and device.device_count() == 0
    device.synchronize()
    device.empty_cache()


def test_the_idiom_that_chooses_a_device():
    device = (
        torch.accelerator.current_accelerator().type if torch.accelerator.is_available() else "cpu"
    )
    assert torch.ones(1, device=device).device == torch.device("cpu")
    with pytest.raises(RuntimeError, match="only 'cpu' is available"):
        torch.accelerator.set_device_index(0)


def test_there_are_no_process_groups():
    from adjoint import distributed
    from adjoint.nn.parallel import DistributedDataParallel

    assert not distributed.is_available() and not distributed.is_initialized()
    with pytest.raises(RuntimeError, match="run the program as one process"):
        distributed.init_process_group(backend="gloo")
    with pytest.raises(ValueError, match=r"get_rank needs a process group"):
        distributed.get_rank()
    with pytest.raises(RuntimeError, match="use the module itself"):
        DistributedDataParallel(torch.nn.Linear(1, 1), device_ids=[0])


def test_names_of_distributed_programs():
    from adjoint import distributed
    from adjoint.distributed.optim import ZeroRedundancyOptimizer

    assert all(hasattr(distributed, name) for name in distributed.__all__)
    assert not hasattr(distributed, "telepathy")
    assert distributed.group.WORLD is None and distributed.Backend("GLOO") == "gloo"
    assert not distributed.is_nccl_available()
    with pytest.raises(ValueError, match="all_gather_object needs a process group"):
        distributed.all_gather_object([None], 1)
    with pytest.raises(RuntimeError, match="TCPStore connects processes"):
        distributed.TCPStore("localhost", 1)
    with pytest.raises(RuntimeError, match="use the optimizer itself"):
        ZeroRedundancyOptimizer([], torch.optim.SGD)
    for name in ("scatter", "replicate"):
        with pytest.raises(RuntimeError, match=r"no devices \[0, 1\]"):
            getattr(torch.nn.parallel, name)(None, [0, 1])


def test_values_that_come_later():
    from adjoint.futures import Future, collect_all, wait_all

    future, seen = Future(), []
    with pytest.raises(RuntimeError, match="no value yet"):
        future.value()
    future.add_done_callback(lambda f: seen.append(f.value()))
    failed = future.then(lambda f: f.value() / 0)
    future.set_result(3)
    assert seen == [3] and future.done() and future.wait() == 3
    with pytest.raises(RuntimeError, match="set once"):
        future.set_result(4)
    with pytest.raises(ZeroDivisionError):
        wait_all([future, failed])
    assert collect_all([]).wait() == [] and wait_all([future, future]) == [3, 3]


def test_what_processes_can_share():
    from adjoint import multiprocessing as mp

    queue = mp.SimpleQueue()
    queue.put(torch.ones(2))
    assert queue.get().tolist() == [1.0, 1.0] and mp.cpu_count() > 0
    assert mp.get_sharing_strategy() in mp.get_all_sharing_strategies()
    with pytest.raises(AssertionError, match="none of"):
        mp.set_sharing_strategy("telepathy")
    with pytest.raises(NotImplementedError, match="does not share tensors"):
        mp.Process
    assert not hasattr(mp, "telepathy")


def test_dtypes_that_are_names_alone():
    import pickle

    names = torch._core._named_dtypes
    assert {"uint16", "uint32", "uint64", "complex32", "float8_e4m3fn"} <= set(names)
    for name, dtype in names.items():
        assert getattr(torch, name) is dtype and repr(dtype) == f"torch.{name}"
        assert isinstance(dtype, torch.dtype) and pickle.loads(pickle.dumps(dtype)) is dtype
        with pytest.raises(TypeError, match=f"no tensors of the dtype torch.{name}"):
            torch.zeros(2, dtype=dtype)
        with pytest.raises(TypeError, match="no tensors of the dtype"):
            torch.zeros(2).to(dtype)
    assert torch.zeros(1).dtype != torch.float8_e5m2 and torch.float8_e5m2.is_floating_point
    assert torch.uint32.itemsize == 4 and not torch.uint32.is_signed
    assert torch.complex32.is_complex and torch.complex32.to_real() is torch.float16
    with pytest.raises(TypeError, match="no complex dtype"):
        torch.uint16.to_complex()
    assert torch.iinfo(torch.uint16).max == 65535
    assert torch.finfo(torch.float8_e4m3fn).max == 448.0
    assert torch.finfo(torch.float8_e5m2).max == 57344.0


def test_nothing_overrides_functions():
    from adjoint import overrides

    x = torch.ones(1)
    assert not overrides.has_torch_function((x,))
    assert not overrides.has_torch_function_unary(x)
    assert not overrides.has_torch_function_variadic(x, x)
    with pytest.raises(TypeError, match="no implementation found for relu"):
        overrides.handle_torch_function(torch.relu, (x,), x)


def test_types_for_annotations():
    from adjoint.types import Device, Number, _size

    assert isinstance(True, Number) and not isinstance("1", Number)
    assert isinstance("cpu", Device) and isinstance(torch.device("cpu"), Device)
    assert _size is not None


def test_dlpack_by_its_older_names():
    from adjoint.utils.dlpack import from_dlpack, to_dlpack

    x = torch.zeros(3)
    from_dlpack(to_dlpack(x))[0] = 5
    assert x.tolist() == [5, 0, 0]


def test_trees():
    from adjoint.utils import _pytree as pytree

    tree = {"a": 1, "b": (2, [3.5])}
    assert pytree.tree_leaves(tree) == [1, 2, 3.5]
    assert pytree.tree_map(lambda x, y: x + y, tree, tree) == {"a": 2, "b": (4, [7.0])}
    assert pytree.tree_map_only(float, round, tree) == {"a": 1, "b": (2, [4])}
    assert pytree.tree_all(lambda x: x > 0, tree) and not pytree.tree_any(lambda x: x > 9, tree)
    with pytest.raises(ValueError, match="the trees differ"):
        pytree.tree_map(max, tree, [1])


def test_asarray_keeps_the_history_unless_told_not_to():
    x = torch.ones(2, requires_grad=True) * 2
    assert torch.asarray(x) is x
    assert torch.asarray(x, copy=True).grad_fn is not None
    assert torch.asarray(x, requires_grad=False).grad_fn is None
    assert torch.asarray([1.0], requires_grad=True).is_leaf


def test_empty_permuted():
    x = torch.empty_permuted((2, 3, 5, 7), (0, 2, 3, 1))
    assert x.shape == (2, 3, 5, 7) and x.dim_order() == (0, 2, 3, 1)
    with pytest.raises(RuntimeError, match="must be a permutation"):
        torch.empty_permuted((2, 3), (0, 0))


def test_dim_order_that_is_open():
    assert torch.ones(2, 3).dim_order(ambiguity_check=True) == (0, 1)
    with pytest.raises(RuntimeError, match="does not have unique dim order"):
        torch.ones(1, 3).dim_order(ambiguity_check=True)
    with pytest.raises(TypeError, match="must be a bool or a list"):
        torch.ones(1).dim_order(ambiguity_check="no")


def test_lu():
    A = torch.tensor([[2.0, 1.0], [4.0, 0.0]])
    LU, pivots = torch.lu(A)
    assert torch.equal(LU, torch.linalg.lu_factor(A).LU) and pivots.dtype == torch.int32
    assert torch.equal(A.lu()[0], LU) and torch.equal(A.lu(get_infos=True)[1], pivots)
    assert torch.lu(torch.zeros(2, 2), get_infos=True)[2] == 1


def test_names_of_types():
    assert torch.typename(torch.ones(1)) == "torch.FloatTensor"
    assert torch.typename(3) == "int"
    assert torch.typename(torch.nn.Linear).endswith("nn.modules.linear.Linear")


def test_a_parameter_without_dims_prints_as_a_parameter():
    p = torch.nn.Parameter(torch.tensor(1.0))
    assert f"{p}" == str(p) and f"{p:.2f}" == "1.00"


def test_an_lstm_says_that_its_state_is_a_pair():
    with pytest.raises(TypeError, match=r"a pair \(h_0, c_0\) of tensors, got a Tensor"):
        torch.nn.LSTM(1, 1)(torch.ones(1, 1, 1), torch.ones(1, 1, 1))


def test_assert_close_takes_related_types():
    numpy = pytest.importorskip("numpy")
    with pytest.raises(TypeError, match="related types"):
        torch.testing.assert_close(numpy.ones(1), torch.ones(1))
    torch.testing.assert_close(numpy.ones(1), numpy.ones(1))
    torch.testing.assert_close(torch.nn.Parameter(torch.ones(1)), torch.ones(1))
    torch.testing.assert_close(1, 1.0, check_dtype=False)


def test_the_profiler_adds_up_named_parts():
    from adjoint.profiler import ProfilerActivity, profile, record_function, schedule

    ready = []
    plan = schedule(wait=1, warmup=0, active=2, repeat=1)
    with profile(
        activities=[ProfilerActivity.CPU], schedule=plan, on_trace_ready=ready.append
    ) as prof:
        for _ in range(5):
            with record_function("forward"):
                torch.ones(3).sum()
            prof.step()
    assert ready == [prof]
    (event,) = prof.key_averages()
    assert event.count == 2 and event.cpu_time_total > 0
    assert "forward" in prof.key_averages().table(sort_by="cpu_time_total", row_limit=10)
    with record_function("outside"):
        pass
    assert len(prof.key_averages()) == 1

    @record_function("decorated")
    def work():
        return 3

    with torch.autograd.profiler.profile() as prof:
        assert work() == 3
    assert [event.key for event in prof.key_averages()] == ["decorated"]


def test_the_profiler_writes_traces(tmp_path):
    import json

    from adjoint.profiler import profile, record_function, tensorboard_trace_handler

    with profile(on_trace_ready=tensorboard_trace_handler(tmp_path / "log", "me")) as prof:
        for _ in range(2):
            with record_function("part"):
                pass
    prof.export_chrome_trace(tmp_path / "trace.json.gz")
    (path,) = (tmp_path / "log").glob("me.*.pt.trace.json")
    events = json.loads(path.read_text())["traceEvents"]
    assert [event["name"] for event in events] == ["part", "part"]
    assert prof.total_average().count == 2 and prof.total_average().cpu_time > 0
    assert events[0]["ts"] + events[0]["dur"] <= events[1]["ts"]


def test_timers_measure_and_tables_compare():
    from adjoint.utils.benchmark import Compare, Timer

    names = {"x": torch.ones(3)}
    once = Timer("x + x", globals=names, label="sum", sub_label="3", description="+").timeit(5)
    other = Timer(
        """
        y = torch.add(x, x)
        """,
        setup="x = torch.ones(3)", label="sum", sub_label="3", description="add", num_threads=2,
    ).blocked_autorange(min_run_time=0.001)  # fmt: skip
    assert once.number_per_run == 5 and once.mean == once.median == once.times[0] > 0
    assert sum(other.raw_times) >= 0.001 and other.num_threads == 2
    assert torch.get_num_threads() >= 1
    compare = Compare([once, other])
    compare.trim_significant_figures()
    lines = str(compare).splitlines()
    assert " sum " in lines[0] and lines[1].split() == ["|", "+", "|", "add"]
    assert [line.startswith(f"{n} threads: -") for n, line in ((1, lines[2]), (2, lines[4]))]
    few = Timer("pass").adaptive_autorange(threshold=1e9)
    assert "measurements" in repr(few)
    with pytest.raises(ValueError, match="Python"):
        Timer("x", language="c++")


MODULES = [
    "_checks",
    "_creation",
    "_dynamo",
    "_foreach",
    "_homes",
    "_limits",
    "_older_names",
    "_utils",
    "accelerator",
    "autograd.graph",
    "autograd.profiler",
    "distributed",
    "distributed.nn",
    "distributed.optim",
    "futures",
    "export",
    "fx",
    "jit",
    "library",
    "mps",
    "multiprocessing",
    "nn._reduction",
    "onnx",
    "ops",
    "optim._functional",
    "overrides",
    "profiler",
    "return_types",
    "signal.windows",
    "storage",
    "torch_version",
    "types",
    "utils._foreach_utils",
    "utils._pytree",
    "utils.checkpoint",
    "utils.data.collate",
    "utils.data.pin_memory",
    "utils.dlpack",
    "xpu",
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_give_what_they_show(name):
    module = importlib.import_module(f"adjoint.{name}")
    failed, tried = doctest.testmod(module, extraglobs={"adjoint": torch})
    assert tried and not failed


def test_conditions_that_programs_state():
    torch._assert(torch.tensor(True), "no error")
    with pytest.raises(AssertionError, match="seen"):
        torch._assert(False, "seen")
    cases = {
        "_check": RuntimeError, "_check_index": IndexError, "_check_value": ValueError,
        "_check_type": TypeError, "_check_not_implemented": NotImplementedError,
    }  # fmt: skip
    for name, error in cases.items():
        check = getattr(torch, name)
        check(True)
        with pytest.raises(error, match="told"):
            check(False, lambda: "told")
    with pytest.raises(TypeError, match="cond must be a bool"):
        torch._check(1)
    torch._check_tensor_all(torch.tensor([True, True]))
    with pytest.raises(RuntimeError, match="Expected cond to be True"):
        torch._check_tensor_all(torch.tensor([True, False]))
    with pytest.raises(TypeError, match=r"torch\.bool"):
        torch._check_tensor_all(torch.ones(1))
    torch._check_is_size(3, max=3)
    with pytest.raises(RuntimeError):
        torch._check_is_size(4, max=3)


def test_sizes_are_not_symbols():
    assert not isinstance(3, (torch.SymInt, torch.SymFloat, torch.SymBool))
    assert isinstance(3, torch.types.IntLikeType)
    with pytest.raises(TypeError, match="sizes are numbers"):
        torch.SymInt(None)


def test_versions_compare_by_their_numbers():
    from adjoint.torch_version import TorchVersion

    version = TorchVersion("2.13.0+cpu")
    assert version >= "2.9" and version > (2, 12) and version == "2.13" and version < (3,)
    assert version != "2.13.0+other" and str(version) == "2.13.0+cpu"


def test_errors_of_workers_are_raised_elsewhere():
    from adjoint._utils import ExceptionWrapper

    try:
        {}["missing"]
    except KeyError:
        wrapped = ExceptionWrapper(where="in worker 1")
    with pytest.raises(KeyError, match="(?s)Caught KeyError in worker 1.*Original Traceback"):
        wrapped.reraise()


def test_tensors_in_groups_of_limited_size():
    from adjoint._utils import _take_tensors

    tensors = [torch.ones(2), torch.ones(3), torch.ones(1, dtype=torch.float64), torch.ones(1)]
    groups = [[tuple(x.shape) for x in group] for group in _take_tensors(tensors, 16)]
    assert groups == [[(2,)], [(3,), (1,)], [(1,)]]


def test_reductions_by_number():
    from adjoint.nn import _reduction

    assert [_reduction.get_enum(name) for name in ("none", "mean", "sum")] == [0, 1, 2]
    assert _reduction.legacy_get_string(None, False, emit_warning=False) == "none"
    with pytest.warns(UserWarning, match="reduction='sum'"):
        assert _reduction.legacy_get_enum(False, None) == 2
    with pytest.raises(ValueError, match="not a valid value"):
        _reduction.get_enum("max")


def test_saved_tensors_may_be_written_to_where_that_is_allowed():
    with torch.autograd.graph.allow_mutation_on_saved_tensors() as context:
        x = torch.ones(2, requires_grad=True)
        y = x.clone()
        z = (y * y).sum()
        y.mul_(5)
        z.backward()
        context.clear()
    assert x.grad.tolist() == [2.0, 2.0]


def test_settings_without_effect():
    with torch.autograd.set_multithreading_enabled(False):
        pass
    with torch.random.fork_rng(devices=[], device_type="cpu"):
        a = torch.rand(2)
    assert torch.equal(a, torch.rand(2))
    with torch.utils.checkpoint.set_checkpoint_debug_enabled(True):
        pass


def test_an_inplace_function_is_a_function():
    class Double(torch.autograd.function.InplaceFunction):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, g):
            return 2 * g

    x = torch.ones(1, requires_grad=True)
    Double.apply(x).backward()
    assert x.grad.item() == 2.0
    assert isinstance(Double, torch.autograd.function.FunctionMeta)


def test_modified_copies_of_attention_find_its_steps():
    F = torch.nn.functional
    torch.manual_seed(0)
    q, k = torch.rand(3, 1, 4), torch.rand(2, 1, 4)
    w, b = torch.rand(12, 4), torch.rand(12)
    packed = F._in_projection_packed(q, k, k, w, b)
    apart = F._in_projection(q, k, k, *w.chunk(3), *b.chunk(3))
    for x, y in zip(packed, apart):
        torch.testing.assert_close(x, y)
    mask = F._canonical_mask(torch.tensor([True, False]), "m", None, "n", torch.float32)
    assert mask.tolist() == [-float("inf"), 0.0]
    assert F._mha_shape_check(q, k, k, None, None, 2)
    assert F._none_or_dtype(None) is None and F._none_or_dtype(q) == torch.float32
    assert F._unpool_output_size(torch.ones(1, 1, 2, 2), [2, 2], [2, 2], [0, 0], None) == [4, 4]
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        F._verify_batch_size([1, 3])
    with pytest.raises(AttributeError, match="no '_no_such'"):
        F._no_such


def test_streams_and_events_of_the_cpu():
    start, end = torch.Event(enable_timing=True), torch.cpu.Event(enable_timing=True)
    with torch.cpu.stream(torch.Stream()) as nothing:
        assert nothing is None
        start.record()
        torch.cpu.current_stream().record_event(end)
        end.synchronize()
    assert end.query() and start.elapsed_time(end) >= 0
    with pytest.raises(ValueError, match="enable_timing"):
        start.elapsed_time(torch.cpu.Event())
    with pytest.raises(ValueError, match="recorded"):
        start.elapsed_time(torch.cpu.Event(enable_timing=True))
    assert torch.cpu.is_initialized() and torch.get_device_module().device_count() == 1
    assert torch.get_device_module("cuda:0") is torch.cuda
    with pytest.raises(RuntimeError, match="Invalid device_type"):
        torch.get_device_module("abacus")


def test_what_there_would_be_on_a_gpu():
    with torch.cuda.device(None), torch.cuda.stream(None):
        assert torch.cuda.memory_stats() == {} and torch.cuda.get_arch_list() == []
    for make in (torch.cuda.Stream, torch.cuda.Event, torch.cuda.CUDAGraph, torch.cuda.initial_seed,
                 torch.cuda.current_stream, torch.cuda.get_rng_state):  # fmt: skip
        with pytest.raises(RuntimeError, match="no CUDA devices"):
            make()
    with pytest.raises(RuntimeError, match="no CUDA devices"):
        torch.cuda.device(0)


def test_what_subclasses_written_elsewhere_call():
    model = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Tanh())
    assert model._get_item_by_idx(model._modules.values(), -1) is model[1]
    assert torch.nn.ModuleList(model)._get_abs_string_index(-1) == "1"
    table = torch.nn.Embedding(2, 3, padding_idx=1)
    torch.nn.init.ones_(table.weight)
    table._fill_padding_idx_with_zero()
    assert table.weight.tolist() == [[1.0] * 3, [0.0] * 3]
    assert torch.utils.data.ConcatDataset.cumsum([[1, 2], [3]]) == [2, 3]


def test_kinds_of_tensors_that_there_are_not():
    x = torch.ones(1)
    for kind in ("sparse", "sparse_csr", "mkldnn", "quantized", "nested", "meta", "cuda", "xpu",
                 "mps", "mtia", "ipu", "maia", "vulkan", "xla"):  # fmt: skip
        assert getattr(x, f"is_{kind}") is False
