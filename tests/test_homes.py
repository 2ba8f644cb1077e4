"""Names at the places where torch keeps them, from which programs written for it import them."""

import importlib
import inspect
import pickle
import subprocess
import sys

import pytest

import adjoint
from adjoint._homes import HOMES, home

pytestmark = pytest.mark.adjoint_only

# Imports that stand in published programs.
IMPORTS = """
import torch
import torch.functional
import torch.utils.data._utils.collate
from torch import _assert, _VF
from torch._utils import _flatten_dense_tensors, _unflatten_dense_tensors, ExceptionWrapper
from torch.amp.autocast_mode import autocast
from torch.amp.grad_scaler import GradScaler
from torch.autograd.function import FunctionCtx, FunctionMeta, InplaceFunction, once_differentiable
from torch.autograd.grad_mode import _DecoratorContextManager
from torch.autograd.variable import Variable
from torch.cuda.amp.grad_scaler import GradScaler
from torch.distributions.exp_family import ExponentialFamily
from torch.distributions.kl import _KL_REGISTRY
from torch.distributions.multivariate_normal import _batch_mahalanobis, _precision_to_scale_tril
from torch.distributions.transforms import _InverseTransform
from torch.distributions.utils import _standard_normal, _sum_rightmost, lazy_property
from torch.functional import einsum, Tensor
from torch.nn.functional import _canonical_mask, _in_projection_packed, _pair, has_torch_function
from torch.nn.init import _calculate_fan_in_and_fan_out, _no_grad_trunc_normal_
from torch.nn.modules.activation import MultiheadAttention, NonDynamicallyQuantizableLinear
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase
from torch.nn.modules.channelshuffle import ChannelShuffle
from torch.nn.modules.container import ParameterList, _addindent
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd, _pair, _reverse_repeat_tuple
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.modules.loss import _Loss, _WeightedLoss, TripletMarginLoss
from torch.nn.modules.module import _addindent, _IncompatibleKeys
from torch.nn.modules.pooling import _AdaptiveAvgPoolNd, AdaptiveAvgPool2d
from torch.nn.modules.rnn import RNNBase, RNNCellBase, apply_permutation
from torch.nn.modules.transformer import _get_activation_fn, _get_clones
from torch.nn.modules.utils import _list_with_default, _ntuple, _quadruple, _single, _triple
from torch.nn.parallel.data_parallel import DataParallel
from torch.nn.parallel.distributed import DistributedDataParallel
from torch.nn.parameter import UninitializedParameter
from torch.nn.utils.clip_grad import clip_grad_norm_
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.nn.utils.spectral_norm import SpectralNorm, spectral_norm
from torch.nn.utils.weight_norm import WeightNorm, weight_norm
from torch.optim._multi_tensor import AdamW
from torch.optim.adam import Adam, adam
from torch.optim.lr_scheduler import _LRScheduler, _enable_get_lr_call
from torch.optim.optimizer import Optimizer, ParamsT, _use_grad_for_differentiable, required
from torch.torch_version import TorchVersion
from torch.types import Device, IntLikeType, Number, _size
from torch.utils._contextlib import _DecoratorContextManager
from torch.utils._foreach_utils import _group_tensors_by_device_and_dtype
from torch.utils._pytree import _register_pytree_node, register_pytree_node, tree_map
from torch.utils.data._utils.collate import collate, default_collate, default_collate_fn_map
from torch.utils.data._utils.pin_memory import pin_memory
from torch.utils.data._utils.worker import get_worker_info
from torch.utils.data.dataloader import _BaseDataLoaderIter, _MultiProcessingDataLoaderIter
from torch.utils.data.distributed import DistributedSampler
"""


def run(code):
    command = [sys.executable, "-c", "from adjoint._cli._torch import install; install()\n" + code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_imports_of_programs():
    checks = """
# a module that has the name of a function has not replaced it
print(callable(torch.nn.parallel.data_parallel), callable(torch.nn.utils.weight_norm))
print(torch.functional.einsum is torch.einsum, torch.amp.autocast_mode.autocast is torch.autocast)
print(isinstance(torch.__version__, TorchVersion), torch.__version__ >= (2, 0))
print(torch.utils.data._utils.collate.default_collate is torch.utils.data.default_collate)
"""
    assert set(run(IMPORTS + checks)) == {"True"}


def test_the_alias_of_a_module_is_the_module_itself():
    assert run("import torch.optim._multi_tensor as a, torch.optim as b; print(a is b)") == ["True"]
    code = "import torch, torch.functional; print(torch.__spec__.name, torch.nn.__spec__.name)"
    assert run(code) == ["torch", "adjoint.nn"]


@pytest.mark.parametrize("path", HOMES)
def test_every_home_is_there(path):
    importlib.import_module(home(f"torch.{path}"))


def test_home():
    assert home("torch") == "adjoint"
    assert home("torch.functional") == "adjoint"
    assert home("torch.nn.modules.linear") == "adjoint.nn.modules.linear"
    assert home("torch.utils.data._utils.collate") == "adjoint.utils.data.collate"


PACKAGES = ["nn", "optim", "optim.lr_scheduler", "optim.swa_utils", "utils.data", "distributions"]


@pytest.mark.parametrize("package", PACKAGES)
def test_public_classes_are_where_torch_says_its_own_are(package):
    oracle = pytest.importorskip(f"torch.{package}")
    mine = importlib.import_module(f"adjoint.{package}")
    for name, theirs in vars(oracle).items():
        ours = getattr(mine, name, None)
        if name.startswith("_") or not inspect.isclass(theirs) or not inspect.isclass(ours):
            continue
        if not theirs.__module__.startswith("torch.") or theirs.__module__.endswith("_exceptions"):
            continue
        module = importlib.import_module(home(theirs.__module__))
        assert getattr(module, theirs.__name__) is ours, theirs


def test_a_lent_class_is_pickled_by_its_own_module():
    attention = adjoint.nn.modules.activation.MultiheadAttention
    assert attention is adjoint.nn.MultiheadAttention
    assert attention.__module__ == "adjoint.nn.modules.multihead_attention"
    assert pickle.loads(pickle.dumps(attention)) is attention


def test_safe_globals_by_torchs_name_of_a_lent_class():
    from adjoint.serialization import _safe_globals, safe_globals

    with safe_globals([adjoint.nn.MultiheadAttention, adjoint.nn.Linear]):
        name = "torch.nn.modules.activation.MultiheadAttention"
        assert _safe_globals.find(name) is adjoint.nn.MultiheadAttention
        assert _safe_globals.find("torch.nn.modules.linear.Linear") is adjoint.nn.Linear
        assert _safe_globals.find("torch.nn.modules.conv.Linear") is None
    assert _safe_globals.find("torch.nn.modules.linear.Linear") is None


def test_an_absent_module_is_still_an_import_error():
    code = """
for name in ("torch.no_such", "torch.functional.no_such", "torch.optim._multi_tensor.no_such"):
    try:
        __import__(name)
    except ModuleNotFoundError as error:
        print(error.name == name)
"""
    assert run(code) == ["True"] * 3
