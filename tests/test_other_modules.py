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
    torch.testing.assert_close(1, 1.0)


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
    with pytest.raises(RuntimeError, match="keeps sums"):
        prof.export_chrome_trace("trace.json")


MODULES = [
    "_creation",
    "_limits",
    "_older_names",
    "accelerator",
    "autograd.profiler",
    "distributed",
    "mps",
    "overrides",
    "profiler",
    "types",
    "utils._pytree",
    "utils.dlpack",
    "xpu",
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_give_what_they_show(name):
    module = importlib.import_module(f"adjoint.{name}")
    failed, tried = doctest.testmod(module, extraglobs={"adjoint": torch})
    assert tried and not failed
