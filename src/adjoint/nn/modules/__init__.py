"""The layers, one family per file; what a file offers is listed in its ``__all__``."""

# ruff: noqa: F403

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
