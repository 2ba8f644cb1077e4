"""The layers, one family per file; what a file offers is listed in its ``__all__``."""

# ruff: noqa: F403

import typing as _typing
from importlib import import_module as _import_module

from .activation import *
from .adaptive import *
from .batchnorm import *
from .container import *
from .conv import *
from .distance import *
from .dropout import *
from .flatten import *
from .fold import *
from .hooks import *
from .instancenorm import *
from .lazy import *
from .lazy_conv import *
from .lazy_layers import *
from .linear import *
from .linear_loss import *
from .loss import *
from .margin_loss import *
from .module import *
from .multihead_attention import *
from .normalization import *
from .padding import *
from .parameter_container import *
from .pixelshuffle import *
from .pooling import *
from .pooling_adaptive import *
from .rnn import *
from .shrink import *
from .sparse import *
from .transformer import *
from .upsampling import *

if not _typing.TYPE_CHECKING:  # type checkers take all of the above
    __all__ = [name for name in dir() if name[0].isupper()]

# torch has some of these in other files: from there, too, programs import them. For each file of
# torch, ours and the names that it lends.
_LENT = {
    "activation": {
        "linear": "NonDynamicallyQuantizableLinear",
        "multihead_attention": "MultiheadAttention",
        "shrink": "Hardshrink RReLU Softshrink Tanhshrink",
    },
    "batchnorm": {
        "lazy": "LazyModuleMixin",
        "lazy_layers": "LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d",
    },
    "container": {
        "module": "_addindent",
        "parameter_container": "ParameterDict ParameterList",
    },
    "conv": {
        "lazy": "LazyModuleMixin",
        "lazy_conv": "LazyConv1d LazyConv2d LazyConv3d "
        "LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d",
        "utils": "_ntuple _pair _reverse_repeat_tuple _single _triple",
    },
    "instancenorm": {
        "lazy_layers": "LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d",
    },
    "linear": {"lazy": "LazyModuleMixin", "lazy_layers": "LazyLinear"},
    "loss": {
        "distance": "PairwiseDistance",
        "linear_loss": "LinearCrossEntropyLoss",
        "margin_loss": "CosineEmbeddingLoss HingeEmbeddingLoss MarginRankingLoss "
        "MultiLabelMarginLoss MultiLabelSoftMarginLoss MultiMarginLoss SoftMarginLoss "
        "TripletMarginLoss TripletMarginWithDistanceLoss",
    },
    "padding": {"utils": "_ntuple _pair _quadruple"},
    "pooling": {
        "pooling_adaptive": "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d "
        "AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d FractionalMaxPool2d "
        "FractionalMaxPool3d _AdaptiveAvgPoolNd _AdaptiveMaxPoolNd",
        "utils": "_pair _single _triple",
    },
}
for _borrower, _lenders in _LENT.items():
    for _lender, _names in _lenders.items():
        for _name in _names.split():
            _value = getattr(_import_module(f".{_lender}", __name__), _name)
            setattr(_import_module(f".{_borrower}", __name__), _name, _value)
