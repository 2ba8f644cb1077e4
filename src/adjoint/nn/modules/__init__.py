"""The layers, one family per file; what a file offers is listed in its ``__all__``."""

# ruff: noqa: F403

from .activation import *
from .container import *
from .dropout import *
from .flatten import *
from .hooks import *
from .linear import *
from .loss import *
from .margin_loss import *
from .module import *
from .normalization import *
from .parameter_container import *
from .sparse import *
