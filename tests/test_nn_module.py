"""What a module holds and how it is found: registration, traversal, moving, copying, repr."""

import copy
import pickle

import pytest
from _backend import assert_same, torch

nn = torch.nn


class Scale(nn.Module):
    def __init__(self, size=2):
        super().__init__()
        self.factor = nn.Parameter(torch.ones(size))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.register_buffer("cache", torch.zeros(size), persistent=False)

    def forward(self, x):
        return self.factor * x


def two_layers():
    return nn.Sequential(nn.Linear(3, 4), nn.Sequential(Scale(4), nn.ReLU()))


def test_a_parameter_is_a_trainable_tensor():
    p = nn.Parameter(torch.ones(2))
    assert isinstance(p, torch.Tensor)
    assert p.requires_grad and p.is_leaf
    assert not nn.Parameter(torch.ones(2), requires_grad=False).requires_grad
    assert repr(p) == "Parameter containing:\ntensor([1., 1.], requires_grad=True)"
    assert nn.Parameter().shape == (0,)
    assert type(p * 2) is torch.Tensor


def test_a_parameter_shares_its_data():
    data = torch.zeros(2)
    p = nn.Parameter(data)
    data[0] = 5
    assert p.tolist() == [5, 0]


@pytest.mark.parametrize("bad", [3, [1.0], None])
def test_registering_what_is_not_a_tensor_is_an_error(bad):
    module = nn.Module()
    if bad is not None:
        with pytest.raises(TypeError):
            module.register_parameter("p", bad)
        with pytest.raises(TypeError):
            module.register_buffer("b", bad)
        with pytest.raises(TypeError):
            module.register_module("m", bad)
    assert not list(module.named_parameters())


def test_integers_cannot_be_trained():
    with pytest.raises(RuntimeError, match="floating point"):
        nn.Parameter(torch.arange(3))


def test_a_copy_of_a_parameter_keeps_class_and_flag():
    p = nn.Parameter(torch.ones(2), requires_grad=False)
    for twin in (copy.deepcopy(p), pickle.loads(pickle.dumps(p))):
        assert type(twin) is nn.Parameter
        assert not twin.requires_grad
        assert_same(twin, p)
        twin[0] = 7
        assert p[0] == 1


def test_assignment_registers():
    model = Scale()
    assert [name for name, _ in model.named_parameters()] == ["factor"]
    assert [name for name, _ in model.named_buffers()] == ["seen", "cache"]
    model.child = nn.ReLU()
    assert [name for name, _ in model.named_children()] == ["child"]
    assert "factor" in dir(model) and "seen" in dir(model) and "child" in dir(model)


def test_assigning_a_buffer_registers_it():
    module = nn.Module()
    module.mean = nn.Buffer(torch.zeros(2))
    module.temporary = nn.Buffer(torch.zeros(2), persistent=False)
    assert [name for name, _ in module.named_buffers()] == ["mean", "temporary"]
    assert list(module.state_dict()) == ["mean"]
    assert isinstance(module.mean, nn.Buffer)


def test_plain_tensors_are_not_registered():
    module = nn.Module()
    module.plain = torch.ones(2)
    assert not list(module.buffers()) and not list(module.parameters())


def test_assigning_before_init_is_an_error():
    class Forgetful(nn.Module):
        def __init__(self):
            self.weight = nn.Parameter(torch.ones(1))

    with pytest.raises(AttributeError, match="__init__"):
        Forgetful()


@pytest.mark.parametrize("name", ["", "a.b", "forward"])
def test_names_that_cannot_be_used(name):
    for register in ("register_parameter", "register_buffer", "register_module"):
        with pytest.raises(KeyError):
            getattr(nn.Module(), register)(name, None)


def test_a_name_must_be_a_string():
    with pytest.raises(TypeError):
        nn.Module().register_parameter(3, None)


def test_a_result_cannot_be_a_parameter():
    p = nn.Parameter(torch.ones(2))
    result = p * 2
    module = nn.Module()
    # a parameter with history: what was done to it in place became part of it
    leaf = nn.Parameter(torch.zeros(2), requires_grad=False)
    leaf.add_(result)
    with pytest.raises(ValueError, match="(?i)leaf"):
        module.register_parameter("p", leaf)


def test_a_parameter_is_replaced_by_parameters_only():
    model = nn.Linear(2, 2)
    with pytest.raises(TypeError, match="weight"):
        model.weight = torch.ones(2, 2)
    model.weight = None
    assert model.weight is None
    model.weight = nn.Parameter(torch.zeros(2, 2))
    assert [name for name, _ in model.named_parameters()] == ["weight", "bias"]


def test_buffers_and_submodules_are_replaced_by_their_kind_only():
    model = Scale()
    with pytest.raises(TypeError, match="seen"):
        model.seen = 3
    model.seen = torch.tensor(5)
    assert dict(model.named_buffers())["seen"] == 5
    model.child = nn.ReLU()
    with pytest.raises(TypeError, match="child"):
        model.child = 3
    model.child = None
    assert list(model.children()) == []


def test_another_kind_of_value_takes_over_a_name():
    module = nn.Module()
    module.x = 3
    module.x = nn.ReLU()
    module.x = nn.Parameter(torch.ones(1))
    assert isinstance(module.x, nn.Parameter)
    assert list(module.children()) == []


def test_deleting():
    model = Scale()
    model.child = nn.ReLU()
    model.note = "x"
    for name in ("factor", "cache", "child", "note"):
        delattr(model, name)
        assert not hasattr(model, name)
    with pytest.raises(AttributeError):
        del model.factor


def test_a_missing_attribute_is_named():
    with pytest.raises(AttributeError, match="'Linear' object has no attribute 'wieght'"):
        nn.Linear(2, 2).wieght


def test_init_takes_no_arguments():
    with pytest.raises(TypeError):
        nn.Module(3)
    with pytest.raises(TypeError):
        nn.Module(bias=True)


def test_forward_must_be_defined():
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match="Empty"):
        Empty()(1)


def test_traversal_gives_paths():
    model = two_layers()
    assert [path for path, _ in model.named_modules()] == ["", "0", "1", "1.0", "1.1"]
    assert [n for n, _ in model.named_parameters()] == ["0.weight", "0.bias", "1.0.factor"]
    assert [n for n, _ in model.named_parameters(recurse=False)] == []
    assert [n for n, _ in model.named_parameters(prefix="net")][0] == "net.0.weight"
    assert [n for n, _ in model.named_buffers()] == ["1.0.seen", "1.0.cache"]
    assert len(list(model.modules())) == 5
    assert len(list(model.children())) == 2


def test_what_is_shared_appears_once():
    layer = nn.Linear(2, 2)
    model = nn.Sequential(layer, layer)
    assert [n for n, _ in model.named_parameters()] == ["0.weight", "0.bias"]
    everything = [n for n, _ in model.named_parameters(remove_duplicate=False)]
    assert everything == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert len(list(model.modules())) == 2
    assert len(list(model.named_modules(remove_duplicate=False))) == 3
    assert list(model.state_dict()) == everything


def test_access_by_path():
    model = two_layers()
    assert model.get_submodule("") is model
    assert isinstance(model.get_submodule("1.0"), Scale)
    assert model.get_parameter("1.0.factor") is model[1][0].factor
    assert model.get_buffer("1.0.seen") is model[1][0].seen
    model.set_submodule("1.1", nn.Tanh())
    assert isinstance(model[1][1], nn.Tanh)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get_submodule", "1.7"),
        ("get_submodule", "0.weight"),
        ("get_parameter", "0.wrong"),
        ("get_parameter", "1.0.seen"),
        ("get_buffer", "1.0.factor"),
        ("get_buffer", "1.0.wrong"),
    ],
)
def test_a_path_that_leads_nowhere_is_an_error(method, path):
    with pytest.raises(AttributeError):
        getattr(two_layers(), method)(path)


def test_apply_visits_submodules_first():
    order = []
    two_layers().apply(lambda m: order.append(type(m).__name__))
    assert order == ["Linear", "Scale", "ReLU", "Sequential", "Sequential"]


def test_train_and_eval_reach_everything():
    model = two_layers()
    assert model.training
    assert model.eval() is model
    assert not any(m.training for m in model.modules())
    model.train()
    assert all(m.training for m in model.modules())
    with pytest.raises(ValueError):
        model.train("yes")


def test_freezing():
    model = two_layers().requires_grad_(False)
    assert not any(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize("set_to_none", [True, False])
def test_zero_grad(set_to_none):
    model = nn.Linear(2, 1)
    model(torch.ones(1, 2)).sum().backward()
    model.zero_grad(set_to_none)
    if set_to_none:
        assert model.weight.grad is None
    else:
        assert model.weight.grad.tolist() == [[0, 0]]


def test_casting_keeps_identity_and_leaves_integers_alone():
    model = Scale()
    p = model.factor
    (p.sum() * 3).backward()
    assert model.double() is model
    assert model.factor is p
    assert p.dtype == torch.float64 and p.grad.dtype == torch.float64
    assert p.grad.tolist() == [3, 3]
    assert p.requires_grad and p.is_leaf
    assert model.cache.dtype == torch.float64
    assert model.seen.dtype == torch.int64
    assert model.float().factor.dtype == torch.float32


@pytest.mark.parametrize(
    "args",
    [
        (torch.float64,),
        ("cpu", torch.float64),
        (torch.device("cpu"), torch.float64),
        (torch.ones(1, dtype=torch.float64),),
    ],
)
def test_to(args):
    model = Scale().to(*args)
    assert model.factor.dtype == torch.float64
    assert model.seen.dtype == torch.int64


def test_to_by_keyword_and_device_alone():
    assert Scale().to(dtype=torch.float64, device="cpu").factor.dtype == torch.float64
    assert Scale().to("cpu").factor.dtype == torch.float32
    assert Scale().cpu().factor.device.type == "cpu"


@pytest.mark.parametrize("bad", [torch.int64, torch.bool])
def test_a_module_cannot_become_integers(bad):
    model = Scale()
    with pytest.raises(TypeError, match="floating point"):
        model.to(bad)
    assert model.factor.dtype == torch.float32


def test_to_refuses_what_it_does_not_know():
    with pytest.raises(TypeError):
        Scale().to(dtipe=torch.float64)


def test_type_casts_everything():
    model = Scale().type(torch.float64)
    assert model.seen.dtype == torch.float64


def test_to_empty_keeps_shapes():
    model = nn.Linear(3, 2).to_empty(device="cpu")
    assert model.weight.shape == (2, 3)


def test_copies_are_independent():
    model = two_layers()
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(nn.Linear(3, 4)))):
        assert [type(p) for p in twin.parameters()] == [nn.Parameter] * len(list(twin.parameters()))
    twin = copy.deepcopy(model)
    with torch.no_grad():
        twin[0].weight.zero_()
    assert model[0].weight.abs().sum() > 0


def test_a_tied_copy_stays_tied():
    model = nn.Module()
    model.a, model.b = nn.Linear(2, 2), nn.Linear(2, 2)
    model.b.weight = model.a.weight
    twin = copy.deepcopy(model)
    assert twin.b.weight is twin.a.weight
    assert twin.a.weight is not model.a.weight


def test_repr_nests():
    assert repr(two_layers()) == (
        "Sequential(\n"
        "  (0): Linear(in_features=3, out_features=4, bias=True)\n"
        "  (1): Sequential(\n"
        "    (0): Scale()\n"
        "    (1): ReLU()\n"
        "  )\n"
        ")"
    )
    assert repr(nn.Module()) == "Module()"


def test_repr_of_a_module_with_extra_lines_and_children():
    class Extra(nn.Module):
        def extra_repr(self):
            return "one\ntwo"

    module = Extra()
    assert repr(module) == "Extra(\n  one\n  two\n)"
    module.child = nn.ReLU()
    assert repr(module) == "Extra(\n  one\n  two\n  (child): ReLU()\n)"


def test_call_super_init_passes_arguments_on():
    class Named:
        def __init__(self, name):
            self.name = name

    class Both(nn.Module, Named):
        call_super_init = True

    assert Both("x").name == "x"
