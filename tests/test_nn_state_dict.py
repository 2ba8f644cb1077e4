"""state_dict and load_state_dict."""

import copy
import pickle
from collections import OrderedDict

import pytest
from _backend import assert_same, torch

nn = torch.nn


class Net(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, width), nn.ReLU())
        self.head = nn.Linear(width, 2, bias=False)
        self.register_buffer("count", torch.tensor(0))
        self.register_buffer("scratch", torch.zeros(3), persistent=False)


KEYS = ["count", "body.0.weight", "body.0.bias", "head.weight"]


def values(model):
    return {name: value.tolist() for name, value in model.state_dict().items()}


def test_keys_are_paths_without_the_scratch_buffers():
    state = Net().state_dict()
    assert isinstance(state, OrderedDict)
    assert list(state) == KEYS
    assert list(Net().state_dict(prefix="net."))[0] == "net.count"


def test_values_are_detached_and_share_memory():
    net = Net()
    state = net.state_dict()
    assert not any(value.requires_grad for value in state.values())
    with torch.no_grad():
        net.head.weight.zero_()
    assert state["head.weight"].abs().sum() == 0
    assert net.state_dict(keep_vars=True)["head.weight"] is net.head.weight


def test_loading_copies_into_the_same_parameters():
    net, other = Net(), Net()
    weight = net.head.weight
    report = net.load_state_dict(other.state_dict())
    assert net.head.weight is weight
    assert values(net) == values(other)
    assert report.missing_keys == [] and report.unexpected_keys == []
    assert repr(report) == "<All keys matched successfully>"


def test_loading_casts_to_the_dtype_of_the_module():
    net = Net()
    net.load_state_dict({k: v.double() for k, v in Net().state_dict().items()})
    assert net.head.weight.dtype == torch.float32


def test_assign_takes_the_tensors_themselves():
    net = Net()
    net.head.weight.requires_grad_(False)
    state = {k: v.double() for k, v in Net().state_dict().items()}
    net.load_state_dict(state, assign=True)
    assert net.body[0].weight.dtype == torch.float64
    assert isinstance(net.body[0].weight, nn.Parameter) and net.body[0].weight.requires_grad
    assert not net.head.weight.requires_grad
    state["body.0.weight"].zero_()
    assert net.body[0].weight.abs().sum() == 0


def test_missing_and_unexpected_keys_are_listed():
    state = Net().state_dict()
    state["extra"] = state.pop("head.weight")
    state["body.7.weight"] = torch.ones(1)
    with pytest.raises(RuntimeError) as error:
        Net().load_state_dict(state)
    message = str(error.value)
    assert "Net" in message
    assert 'Missing key(s) in state_dict: "head.weight"' in message
    assert "Unexpected key(s)" in message
    assert '"extra"' in message and '"body.7.weight"' in message


def test_not_strict_reports_them_instead():
    state = Net().state_dict()
    state["extra"] = state.pop("head.weight")
    net = Net()
    report = net.load_state_dict(state, strict=False)
    assert report.missing_keys == ["head.weight"]
    assert report.unexpected_keys == ["extra"]
    assert_same(net.body[0].weight, state["body.0.weight"])


@pytest.mark.parametrize("strict", [True, False])
def test_another_shape_is_an_error_that_names_path_and_shapes(strict):
    with pytest.raises(RuntimeError) as error:
        Net(width=4).load_state_dict(Net(width=5).state_dict(), strict=strict)
    message = str(error.value)
    for part in ("size mismatch", "body.0.weight", "(5, 3)", "(4, 3)", "head.weight"):
        assert part in message.replace("[", "(").replace("]", ")")


@pytest.mark.adjoint_only
def test_an_error_leaves_the_module_as_it_was():
    net = Net()
    before = values(net)
    state = Net().state_dict()
    state["head.weight"] = torch.zeros(7)
    with pytest.raises(RuntimeError):
        net.load_state_dict(state)
    del state["head.weight"]
    with pytest.raises(RuntimeError):
        net.load_state_dict(state)
    assert values(net) == before


@pytest.mark.parametrize("bad", [3, [("a", 1)], None])
def test_a_state_dict_is_a_mapping(bad):
    with pytest.raises(TypeError):
        Net().load_state_dict(bad)


def test_what_is_not_a_tensor_is_named():
    with pytest.raises(RuntimeError, match="head.weight"):
        Net().load_state_dict({**Net().state_dict(), "head.weight": [1.0]})


def test_a_scalar_may_come_as_one_element():
    module = nn.Module()
    module.scale = nn.Parameter(torch.tensor(1.0))
    module.load_state_dict({"scale": torch.tensor([5.0])})
    assert module.scale.item() == 5 and module.scale.shape == ()


class Counting(nn.Module):
    """Holds a number that is not a tensor."""

    def __init__(self):
        super().__init__()
        self.number = 1

    def get_extra_state(self):
        return {"number": self.number}

    def set_extra_state(self, state):
        self.number = state["number"]


def test_extra_state():
    model = nn.Sequential(Counting())
    model[0].number = 7
    state = model.state_dict()
    assert state["0._extra_state"] == {"number": 7}
    fresh = nn.Sequential(Counting())
    fresh.load_state_dict(state)
    assert fresh[0].number == 7
    with pytest.raises(RuntimeError, match="_extra_state"):
        nn.Sequential(Counting()).load_state_dict({})
    with pytest.raises(RuntimeError, match="_extra_state"):
        nn.Sequential(nn.ReLU()).load_state_dict(state)


def test_versions_travel_with_the_state():
    class Versioned(nn.Module):
        _version = 3

        def __init__(self):
            super().__init__()
            self.new = nn.Parameter(torch.zeros(1))

        def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
            if local_metadata.get("version", 1) < 3 and prefix + "old" in state_dict:
                state_dict[prefix + "new"] = state_dict.pop(prefix + "old")
            super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    assert Versioned().state_dict()._metadata[""] == {"version": 3}
    model = nn.Sequential(Versioned())
    model.load_state_dict({"0.old": torch.ones(1)})
    assert model[0].new.item() == 1


def test_state_dict_hooks():
    net, order = Net(), []
    net.register_state_dict_pre_hook(lambda m, prefix, keep: order.append(("before", prefix)))

    def rename(module, state, prefix, metadata):
        order.append("after")
        state[prefix + "renamed"] = state.pop(prefix + "head.weight")

    handle = net.register_state_dict_post_hook(rename)
    assert "renamed" in net.state_dict()
    assert order == [("before", ""), "after"]
    handle.remove()
    assert "renamed" not in net.state_dict()
    net.register_state_dict_post_hook(lambda *_: {})
    with pytest.raises(RuntimeError):
        net.state_dict()


def test_a_load_pre_hook_can_rename_keys():
    net = Net()

    def rename(module, state, prefix, *rest):
        assert module is net.head
        state[prefix + "weight"] = state.pop(prefix + "kernel")

    net.head.register_load_state_dict_pre_hook(rename)
    state = Net().state_dict()
    state["head.kernel"] = state.pop("head.weight")
    net.load_state_dict(state)
    assert_same(net.head.weight, state["head.kernel"])
    assert "head.kernel" in state  # the caller's dictionary stays as it was


class Renaming(nn.Module):
    """Its hook is a method; the keys it saw are kept."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2))
        self.seen = []
        self._register_load_state_dict_pre_hook(self.look)
        self.register_state_dict_post_hook(add_a_note)

    def look(self, state, prefix, *rest):
        self.seen.append(sorted(state))
        state.pop("note", None)


def add_a_note(module, state, prefix, metadata):
    state["note"] = torch.ones(1)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_hooks_of_a_copied_or_pickled_module_are_its_own(copied):
    net = Renaming()
    other = copied(net)
    other.load_state_dict(other.state_dict())
    assert other.seen == [["note", "weight"]] and not net.seen


def test_a_load_post_hook_can_forgive_keys_and_sees_the_loaded_module():
    net, seen = Net(), []

    def forgive(module, incompatible):
        seen.append(module.body[0].weight.tolist())
        incompatible.missing_keys.remove("head.weight")

    net.register_load_state_dict_post_hook(forgive)
    state = Net().state_dict()
    del state["head.weight"]
    net.load_state_dict(state)
    assert seen == [state["body.0.weight"].tolist()]


def test_a_load_post_hook_must_return_nothing():
    net = Net()
    net.register_load_state_dict_post_hook(lambda module, keys: keys)
    with pytest.raises(AssertionError):
        net.load_state_dict(Net().state_dict())


def test_positional_arguments_are_deprecated():
    found = {}
    with pytest.warns(FutureWarning):
        assert nn.Linear(1, 1).state_dict(found, "layer.") is found
    assert sorted(found) == ["layer.bias", "layer.weight"]
