"""Errors and warnings of modules, losses, optimizers and schedulers: torch's type, and the words by
which programs and their tests know them. (Bad arguments of operators are in test_errors.py.)
"""

import pickle
import warnings

import pytest
from _backend import torch

nn, F, optim = torch.nn, torch.nn.functional, torch.optim
L, SWALR = optim.lr_scheduler, optim.swa_utils.SWALR
Parameter, parametrize, pad_sequence = (
    nn.Parameter,
    nn.utils.parametrize,
    nn.utils.rnn.pad_sequence,
)
RT, TE, VE = RuntimeError, TypeError, ValueError


class Returning(nn.Module):
    """A parametrization that changes nothing, whose inverse gives what it was told."""

    def __init__(self, inverse):
        super().__init__()
        self.inverse = inverse

    def forward(self, x):
        return x.to(torch.float32)

    def right_inverse(self, x):
        return self.inverse(x)


def parametrized(inverse):
    parametrize.register_parametrization(nn.Linear(2, 2), "weight", Returning(inverse))


def with_hook(register, hook):
    module, x = nn.Sigmoid(), torch.ones(2, requires_grad=True)
    getattr(module, register)(hook)
    module(x).sum().backward()


def hooked_mapping(x):
    class Mapping(nn.Module):
        def forward(self, given):
            return {"y": given["x"] * 2}

    module = Mapping()
    module.register_full_backward_hook(lambda *args: None)
    return module({"x": x})


def sgd(groups=2):
    return optim.SGD([{"params": [Parameter(torch.ones(1))]} for _ in range(groups)], lr=0.1)


def stepped(optimizer):
    for group in optimizer.param_groups:
        for p in group["params"]:
            p.grad = torch.ones_like(p)
    optimizer.step()


def onward(scheduler, times):
    for _ in range(times):
        scheduler.optimizer.step()
        scheduler.step()


def load(number):
    sgd(1).load_state_dict(sgd(number).state_dict())


# `p` is a parameter [1], `m` one [2, 2], `z` a complex one; `a` is [2, 3], `b` is [5, 3].
ERRORS = [
    # losses
    ("F.nll_loss(torch.tensor(1.0), torch.tensor(0))", VE, "Expected 1 or more dimensions"),
    ("F.nll_loss(a, torch.tensor([[0, 1]]))", VE, r"input batch_size \(2\).*target.*\(1\)"),
    ("F.cross_entropy(a, b)", VE, r"input batch_size \(2\).*target batch_size \(5\)"),
    ("F.nll_loss(a, torch.tensor([0, 1]), torch.ones(3).double())", RT, "Float but found Double"),
    ("F.multi_margin_loss(a, torch.tensor([0, 1]), weight=torch.ones(2))", RT, "weight size.* 3 "),
    ("nn.HuberLoss(delta=1j)", TE, "delta must be a float or int"),
    ("F.batch_norm(a, None, None, training=True, eps=0.0)", VE, "eps must be positive"),
    ("F.pad(a[None], (1, 1), 'reflect', 3.0)", RT, "doesn't take in value"),
    ("F.linear_cross_entropy(a, torch.ones(2, 4), b)", RT, r"last dimensions.*3 and 4"),
    ("nn.LinearCrossEntropyLoss(3, 2, weight=torch.ones(3))", RT, r"weight shape to be \(2,\)"),
    ("nn.LinearCrossEntropyLoss(3, 2, label_smoothing=2.0)", RT, r"in range \[0, 1\], got 2"),
    # recurrent layers
    ("nn.RNN(2, 3, bias=0)", TE, "bias should be of type bool, got: int"),
    ("nn.GRU(2, 3, batch_first='x')", TE, "batch_first should be of type bool, got: str"),
    ("nn.LSTM(0, 3)", VE, "input_size must be greater than zero"),
    ("pad_sequence(3)", RT, "Expected iterable"),
    # hooks and parametrizations
    ("with_hook('register_full_backward_hook', lambda m, i, o: ())", RT, "got 0, but expected 1"),
    ("with_hook('register_full_backward_hook', lambda m, i, o: i + o)", RT, "got 2, but expec"),
    ("with_hook('register_full_backward_pre_hook', lambda m, o: ())", RT, "got 0, but expected 1"),
    ("parametrized(lambda x: 3)", VE, "'right_inverse' must return a Tensor or a Sequence"),
    ("parametrized(torch.Tensor.double)", VE, "may not change the dtype"),
    # optimizers
    ("optim.SGD(p, lr=0.1)", TE, "should be an iterable of Tensors or dicts"),
    ("optim.SGD([3], lr=0.1)", TE, "can only optimize Tensors"),
    ("optim.Adam([p], lr=torch.ones(2))", VE, "Tensor lr must be 1-element"),
    ("optim.SGD([('p', p), m], lr=0.1)", VE, "params should be with/without names"),
    (
        "optim.SGD([{'params': [p]}, {'params': [('m', m)]}], lr=0.1)",
        VE,
        "param groups should be with/without names",
    ),
    ("load(2)", VE, "different number of parameter groups"),
    (
        "sgd(1).load_state_dict(optim.SGD([p, m], lr=1.0).state_dict())",
        VE,
        "doesn't match the size of optimizer's group",
    ),
    ("optim.Adafactor([p], eps=(-1.0, 1.0))", VE, "epsilon1"),
    ("optim.Adafactor([p], d=0.5)", VE, "Clipping threshold d should be >= 1"),
    ("optim.Adafactor([p], beta2_decay=0.8)", VE, "beta2_decay should be <= 0"),
    ("stepped(optim.Adafactor([z]))", RT, "does not support complex"),
    ("optim.Muon([p])", VE, "only supports 2D parameters"),
    ("optim.Muon([m], adjust_lr_fn='x')", VE, "function x is not supported"),
    ("stepped(optim.Muon([z.data[None].requires_grad_()]))", RT, "does not support complex"),
    # schedulers
    ("L.StepLR(sgd(), 1, last_epoch=1)", KeyError, "'initial_lr' is not specified in param_groups"),
    ("L.ChainedScheduler([])", VE, "expects at least one scheduler"),
    ("L.ChainedScheduler([L.ReduceLROnPlateau(sgd())])", VE, "not support `ReduceLROnPlateau`"),
    (
        "L.ChainedScheduler([L.ConstantLR(sgd()), L.ConstantLR(sgd())])",
        VE,
        "expects all schedulers to belong to the same optimizer",
    ),
    ("L.CosineAnnealingWarmRestarts(sgd(), 0)", VE, "Expected positive integer T_0, but got 0"),
    ("L.CosineAnnealingWarmRestarts(sgd(), 1, 0)", VE, "integer T_mult >= 1, but got 0"),
    ("L.ReduceLROnPlateau(sgd(), factor=1.0)", VE, r"Factor should be < 1\.0"),
    ("L.CyclicLR(sgd(), [1], 2)", VE, "same length as optimizer.param_groups"),
    ("L.CyclicLR(optim.Rprop([p]), 1, 2)", VE, "must support momentum or beta1"),
    ("L.OneCycleLR(sgd(), 1, total_steps=2.5)", VE, "positive integer total_steps, but got 2.5"),
    ("L.OneCycleLR(sgd(), 1, total_steps=2, pct_start=2.0)", VE, "between 0 and 1 pct_start"),
    ("onward(L.OneCycleLR(sgd(), 1, total_steps=3), 5)", VE, "Tried to step 4 times"),
    ("SWALR(sgd(), 0.1, anneal_strategy='x')", VE, "must be one of 'cos' or 'linear'"),
    ("optim.swa_utils.get_ema_avg_fn(2.0)", VE, "Invalid decay value 2.0"),
    # comparisons
    ("torch.testing.assert_close(1, 1.0)", AssertionError, r"The \(d\)types do not match"),
    (
        "torch.testing.assert_close(torch.tensor([True]), torch.tensor([False]))",
        AssertionError,
        "Greatest absolute difference",
    ),
]


@pytest.mark.parametrize(("code", "error", "words"), ERRORS, ids=[case[0] for case in ERRORS])
def test_the_error_is_known_by_its_words(code, error, words):
    names = {
        "p": Parameter(torch.ones(1)),
        "m": Parameter(torch.ones(2, 2)),
        "z": Parameter(torch.ones(2, dtype=torch.complex64)),
        "a": torch.ones(2, 3),
        "b": torch.ones(5, 3),
    }
    with pytest.raises(error, match=words):
        eval(code, globals(), names)


# `x` is [2, 3], `column` [2, 1], `y` [2].
WARNINGS = [
    (f"F.{name}(column, y)", "target size.*different to the input size")
    for name in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")
]
WARNINGS += [
    ("F.kl_div(x, x)", "batchmean"),
    ("F.mse_loss(x, x, size_average=False)", "size_average and reduce.*reduction='sum'"),
    ("F.l1_loss(x, x, reduce=False)", "size_average and reduce.*reduction='none'"),
    ("F.softmax(x)", "Implicit dimension choice for softmax"),
    ("nn.LogSoftmax()(x)", "Implicit dimension choice for log_softmax"),
    ("F.softmin(x)", "Implicit dimension choice for softmin"),
    ("optim.SGD([p, p], lr=0.1)", "a parameter group with duplicate parameters"),
    ("hooked_mapping(x)", "output should be a Tensor or a tuple of Tensors"),
]


@pytest.mark.parametrize(("code", "words"), WARNINGS, ids=[case[0] for case in WARNINGS])
def test_what_is_likely_not_meant_warns(code, words):
    names = {
        "x": torch.ones(2, 3),
        "column": torch.ones(2, 1),
        "y": torch.ones(2),
        "p": Parameter(torch.ones(1)),
    }
    with pytest.warns(UserWarning, match=words):
        eval(code, globals(), names)


def test_what_is_meant_does_not_warn():
    x = torch.ones(2, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        F.mse_loss(x, x)
        F.kl_div(x, x, reduction="batchmean")
        F.softmax(x, 1)


def test_a_warning_that_is_an_error_leaves_the_core_as_it_was():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning):
            F.mse_loss(torch.ones(2, 1), torch.ones(2))
    assert F.mse_loss(torch.ones(2), torch.zeros(2)) == 1


def test_statistics_of_an_empty_batch_change_nothing():
    norm = nn.BatchNorm1d(2)
    with torch.no_grad():
        norm.running_mean.fill_(3.0)
    assert norm(torch.ones(0, 2)).shape == (0, 2)
    assert norm.running_mean.tolist() == [3.0, 3.0] and norm.running_var.tolist() == [1.0, 1.0]


def test_a_computed_tensor_is_pickled_as_a_leaf():
    y = torch.tensor([1.0, 2.0], requires_grad=True) * 3
    copy = pickle.loads(pickle.dumps(y))
    assert copy.tolist() == [3.0, 6.0] and copy.requires_grad and copy.is_leaf


def test_a_margin_loss_of_one_sample_has_the_dims_of_its_target():
    x = torch.tensor([0.0, 1.0])
    for target, dims in ((torch.tensor(1), 0), (torch.tensor([1]), 1)):
        assert F.multi_margin_loss(x, target, reduction="none").dim() == dims


def test_a_dictionary_of_parameters_by_name():
    assert list(nn.ParameterDict(parameters={"a": torch.ones(1)})) == ["a"]


def test_sequences_from_a_generator():
    padded = pad_sequence(torch.ones(n) for n in (1, 3))
    assert padded.T.tolist() == [[1.0, 0.0, 0.0], [1.0, 1.0, 1.0]]


def test_a_handle_knows_the_hooks_that_it_is_of():
    module = nn.ReLU()
    handle = module.register_forward_hook(lambda *args: handle.remove())
    assert handle.id in handle.hooks_dict_ref()
    module(torch.ones(1))
    assert len(handle.hooks_dict_ref()) == 0


def test_a_convolution_without_inputs_can_be_made():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # there is nothing to initialise
        assert nn.Conv2d(0, 2, 3).weight.shape == (2, 0, 3, 3)


def test_the_padding_of_a_convolution_as_pad_takes_it():
    layer = nn.Conv2d(1, 1, 3, padding=(1, 2), padding_mode="circular")
    x = torch.ones(1, 1, 4, 4)
    padded = F.pad(x, layer._reversed_padding_repeated_twice, mode="circular")
    assert padded.shape == (1, 1, 6, 8)
