"""Softmax, normalisation, dropout and losses."""

import numpy as np
import scipy.special as sp

import adjoint
from ops.case import S, case
from ops.matrix import torch

ones = adjoint.ones
indices = adjoint.tensor

# Softmax.


def implicit(x, dim):
    return dim if dim is not None else 0 if x.ndim in (0, 1, 3) else 1


def softmax(x, dim=None, _stacklevel=3, dtype=None):
    return sp.softmax(x, axis=implicit(x, dim)) if x.ndim else np.exp(x - x)


def log_softmax(x, dim=None, _stacklevel=3, dtype=None):
    return sp.log_softmax(x, axis=implicit(x, dim)) if x.ndim else x - x


BAD_SOFTMAX = [
    (S(ones(2), 1), IndexError),
    (S(adjoint.ones(2, dtype=adjoint.int64), 0), NotImplementedError),
]
for name, f in [("softmax", softmax), ("log_softmax", log_softmax)]:
    case(
        name,
        lambda r: [
            S(r.normal(2, 3, 4), 1),
            S(r.normal(2, 3), -1),
            S(r.normal(3, 2), 0, dtype=adjoint.float64),
            S(r.normal(4) * 500, 0),
            S(r.normal(), 0),
            S(r.normal(0, 3), 1),
        ],
        reference=f,
        bad=BAD_SOFTMAX,
    )
for name, f in [
    ("softmax", softmax),
    ("log_softmax", log_softmax),
    ("softmin", lambda x, dim=None, _stacklevel=3, dtype=None: softmax(-x, dim)),
]:
    case(
        f"nn.functional.{name}",
        lambda r: [
            S(r.normal(2, 3, 4), 1),
            S(r.normal(2, 3), dim=-1),
            S(r.normal(3), 0, dtype=adjoint.float64),
        ],
        reference=f,
        bad=BAD_SOFTMAX,
    )

# Normalisation.


def layer_norm(x, shape, weight=None, bias=None, eps=1e-5):
    axis = tuple(range(x.ndim - len(shape), x.ndim))
    mean, var = np.mean(x, axis, keepdims=True), np.var(x, axis, keepdims=True)
    rstd = 1 / np.sqrt(var + eps)
    y = (x - mean) * rstd * (1 if weight is None else weight) + (0 if bias is None else bias)
    return y, mean, rstd


def rms_norm(x, shape, weight=None, eps=None):
    axis = tuple(range(x.ndim - len(shape), x.ndim))
    rstd = 1 / np.sqrt(
        np.mean(x * x, axis, keepdims=True) + (np.finfo(x.dtype).eps if eps is None else eps)
    )
    return x * rstd * (1 if weight is None else weight), rstd


BAD_NORM = [
    (S(ones(2, 3), (4,)), RuntimeError),
    (S(ones(2, 3), (3,), ones(2)), RuntimeError),
    (S(ones(3), ()), RuntimeError),
]
case(
    "nn.functional.layer_norm",
    lambda r: [
        S(r.normal(2, 3, 4), (4,), r.normal(4), r.normal(4)),
        S(r.normal(2, 3, 4), (3, 4), eps=0.1),
        S(r.normal(2, 4), (4,), weight=r.normal(4)),
        S(r.normal(4, 3).transpose(0, 1), (4,), bias=r.normal(4)),
    ],
    reference=lambda *a, **k: layer_norm(*a, **k)[0],
    bad=BAD_NORM,
)
case(
    "_nodes.native_layer_norm",
    lambda r: [
        S(r.normal(2, 3, 4), (4,), r.normal(4), r.normal(4), 1e-5),
        S(r.normal(2, 3), (2, 3), None, None, 0.1),
    ],
    reference=layer_norm,
)
case(
    "nn.functional.rms_norm",
    lambda r: [
        S(r.normal(2, 3, 4), (4,), r.normal(4)),
        S(r.normal(2, 3, 4), (3, 4), eps=0.1),
        S(r.normal(4), (4,)),
    ],
    reference=lambda *a, **k: rms_norm(*a, **k)[0],
    bad=BAD_NORM,
)
case(
    "_nodes.rms_norm",
    lambda r: [S(r.normal(2, 3, 4), (4,), r.normal(4), 1e-5), S(r.normal(2, 3), (2, 3), None, 0.1)],
    reference=rms_norm,
)
case(
    "nn.functional.normalize",
    lambda r: [
        S(r.normal(2, 3)),
        S(r.normal(2, 3, 4), p=3.0, dim=0),
        S(r.normal(2, 3), dim=(0, 1)),
        S(r.normal(2, 3), 1.0, 0),
    ],
    reference=lambda x, p=2.0, dim=1: x / np.sum(abs(x) ** p, axis=dim, keepdims=True) ** (1 / p),
)


def cosine(x, y, dim=1, eps=1e-8):
    x, y = np.broadcast_arrays(x, y)
    lengths = [np.maximum(np.linalg.norm(v, axis=dim), eps) for v in (x, y)]
    return np.sum(x * y, axis=dim) / (lengths[0] * lengths[1])


for name in ["cosine_similarity", "nn.functional.cosine_similarity"]:
    case(
        name,
        lambda r: [
            S(r.normal(2, 3), r.normal(2, 3)),
            S(r.normal(2, 3, 4), r.normal(4), dim=-1),
            S(r.normal(3), r.normal(3), 0),
        ],
        reference=cosine,
        bad=[(S(ones(2, 3), ones(2, 4)), RuntimeError)],
    )
case(
    "nn.functional.pairwise_distance",
    lambda r: [
        S(r.normal(2, 3), r.normal(2, 3)),
        S(r.normal(2, 3), r.normal(3), p=1.0, keepdim=True),
        S(r.normal(3), r.normal(3)),
    ],
    reference=lambda x, y, p=2.0, eps=1e-6, keepdim=False: (
        np.sum(abs(x - y + eps) ** p, -1, keepdims=keepdim) ** (1 / p)
    ),
)

# Dropout where nothing is left to chance; the rest is in tests/test_dropout.py.

for name, first, kept in [
    ("dropout", (2, 3), (0.5, False)),
    ("alpha_dropout", (2, 3), (0.5, False)),
    ("dropout1d", (2, 3, 2), (0.5, False)),
    ("dropout2d", (2, 3, 2, 1), (0.5, False)),
    ("dropout3d", (2, 3, 2, 1, 1), (0.5, False)),
    ("feature_alpha_dropout", (2, 3, 2), (0.5, False)),
]:
    case(
        f"nn.functional.{name}",
        lambda r, first=first, kept=kept: [
            S(r.normal(*first), *kept),
            S(r.normal(*first), 0.0, True),
            S(r.normal(*first), p=1.0, training=True),
        ],
        reference=lambda x, p=0.5, training=False: x * (0 if training and p == 1 else 1),
        bad=[(S(ones(*first), 1.5, True), ValueError), (S(ones(*first), -0.1, True), ValueError)],
    )
case(
    "dropout",
    lambda r: [S(r.normal(2, 3), 0.5, False), S(r.normal(2, 3), 1.0, True)],
    reference=lambda x, p, train: x * (0 if train else 1),
)

# Weights are integers where torch has no gradient of them.


def in_torch(function):
    def call(x, target, *args, **kwargs):
        kwargs = {k: v.double() if k.endswith("weight") else v for k, v in kwargs.items()}
        return getattr(torch.nn.functional, function)(x, target, *args, **kwargs)

    return call


# Losses of one term per element.


def reduced(each, reduction="mean"):
    return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](each)


def softplus(x):
    return np.logaddexp(0, x)


def smooth_l1(x, y, beta=1.0):
    d = abs(x - y)
    return np.where(d < beta, 0.5 * d * d / beta, d - 0.5 * beta)


def huber(x, y, delta=1.0):
    return delta * smooth_l1(x, y, delta)


def bce(x, y):
    return -(y * np.maximum(np.log(x), -100) + (1 - y) * np.maximum(np.log1p(-x), -100))


def bce_logits(x, y, p=1.0):
    return (1 - y) * softplus(x) + p * y * softplus(-x)


def soft_margin(x, y):
    return softplus(-x * y)


CODES = {0: "none", 1: "mean", 2: "sum"}
TERMS = {
    "mse": (lambda x, y: (x - y) ** 2, "mse_loss", None),
    "smooth_l1": (smooth_l1, "smooth_l1_loss", 0.7),
    "huber": (huber, "huber_loss", 0.7),
    "bce": (bce, "binary_cross_entropy", None),
    "bce_logits": (bce_logits, "binary_cross_entropy_with_logits", None),
    "soft_margin": (soft_margin, "soft_margin_loss", None),
}


def operands(r, term, *shape):
    if term == "bce":
        return r.uniform(0.1, 0.9, *shape), r.uniform(0, 1, *shape)
    if term == "bce_logits":
        return r.normal(*shape), r.uniform(0, 1, *shape)
    return r.normal(*shape), r.normal(*shape)


for term, (each, name, parameter) in TERMS.items():
    case(
        f"_nodes.{term}_term",
        lambda r, term=term, p=parameter: [
            S(*operands(r, term, 3, 4), *([] if p is None else [p])),
            S(*operands(r, term), *([] if p is None else [p])),
        ],
        reference=each,
        special="log is cut off at -100" if term == "bce" else True,
    )
    case(
        f"_nodes.{name}",
        lambda r, term=term, p=parameter: [
            S(*operands(r, term, 3, 4), None, p, 1),
            S(*operands(r, term, 3, 4), r.positive(3, 4), p, 2),
            S(*operands(r, term, 2, 3), r.positive(3), p, 1),
            S(*operands(r, term, 2, 3), None, p, 0),
            S(operands(r, term, 2, 3)[0], operands(r, term, 3)[1], None, p, 1),
        ],
        reference=lambda x, y, w, p, code, each=each: reduced(
            each(x, y, *([] if p is None else [p])) * (1 if w is None else w), CODES[code]
        ),
    )
case(
    "_nodes.bce_logits_weighted_term",
    lambda r: [
        S(r.normal(3, 4), r.uniform(0, 1, 3, 4), r.positive(4)),
        S(r.normal(), r.uniform(0, 1), r.positive()),
    ],
    reference=bce_logits,
)

NO_REDUCTION = (S(ones(2), ones(2), reduction="average"), ValueError)


def with_reductions(r, term, **kwargs):
    calls = [
        S(*operands(r, term, 3, 4), reduction=how, **kwargs) for how in ("mean", "sum", "none")
    ]
    return [*calls, S(*operands(r, term, 3, 4), **kwargs), S(*operands(r, term), **kwargs)]


def legacy(reduction="mean", size_average=None, reduce=None):
    if size_average is None and reduce is None:
        return reduction
    return "none" if reduce is False else "sum" if size_average is False else "mean"


def weighted(each, weight, reduction, over_weights=True):
    if weight is None:
        return reduced(each, reduction)
    if reduction == "mean" and over_weights:
        return np.sum(each * weight) / np.sum(weight)
    return reduced(each * weight, reduction)


case(
    "nn.functional.mse_loss",
    lambda r: [
        *with_reductions(r, "mse"),
        S(r.normal(3), r.normal(3), weight=r.positive(3)),
        S(r.normal(3), r.normal(3), reduction="none", weight=r.positive(3)),
    ],
    reference=lambda x, y, weight=None, reduction="mean": weighted((x - y) ** 2, weight, reduction),
    bad=[
        NO_REDUCTION,
        (S(ones(2), ones(3)), RuntimeError),
        (S(ones(2), ones(2), weight=ones(3)), ValueError),
    ],
)
case(
    "nn.functional.l1_loss",
    lambda r: [*with_reductions(r, "mse"), S(r.normal(3), r.normal(3), weight=r.positive(3))],
    reference=lambda x, y, weight=None, reduction="mean": weighted(abs(x - y), weight, reduction),
    bad=[NO_REDUCTION],
)
case(
    "nn.functional.smooth_l1_loss",
    lambda r: [
        *with_reductions(r, "mse", beta=0.7),
        S(r.normal(3), r.normal(3)),
        S(r.normal(3), r.normal(3), beta=0.0),
    ],
    reference=lambda x, y, beta=1.0, reduction="mean": reduced(
        smooth_l1(x, y, beta) if beta else abs(x - y), reduction
    ),
    bad=[NO_REDUCTION, (S(ones(2), ones(2), beta=-1.0), RuntimeError)],
)
case(
    "nn.functional.huber_loss",
    lambda r: [
        *with_reductions(r, "mse", delta=0.7),
        S(r.normal(3), r.normal(3), weight=r.positive(3)),
    ],
    reference=lambda x, y, delta=1.0, weight=None, reduction="mean": weighted(
        huber(x, y, delta), weight, reduction, False
    ),
    bad=[NO_REDUCTION, (S(ones(2), ones(2), delta=0.0), RuntimeError)],
)
case(
    "nn.functional.soft_margin_loss",
    lambda r: with_reductions(r, "soft_margin"),
    reference=lambda x, y, reduction="mean": reduced(soft_margin(x, y), reduction),
    torch_name=lambda x, y, **k: (
        torch.nn.functional.softplus(-x * y, threshold=1e9).mean()
        if k.get("reduction", "mean") == "mean"
        else getattr(
            torch.nn.functional.softplus(-x * y), "sum" if k["reduction"] == "sum" else "clone"
        )()
    ),
    bad=[NO_REDUCTION],
)


case(
    "nn.functional.binary_cross_entropy",
    lambda r: [
        *with_reductions(r, "bce"),
        S(*operands(r, "bce", 2, 3), reduce=False),
        S(*operands(r, "bce", 2, 3), size_average=False),
    ],
    reference=lambda x, y, reduction="mean", **k: reduced(bce(x, y), legacy(reduction, **k)),
    torch_name=lambda x, y, **k: torch.nn.functional.binary_cross_entropy(
        x, y, reduction=legacy(**k)
    ),
    torch_rtol=1e-9,
    bad=[NO_REDUCTION, (S(ones(2), ones(3)), ValueError), (S(ones(2) * 2, ones(2)), RuntimeError)],
)
case(
    "nn.functional.binary_cross_entropy_with_logits",
    lambda r: [
        *with_reductions(r, "bce_logits"),
        S(
            *operands(r, "bce_logits", 2, 3),
            weight=r.integers(1, 4, 2, 1),
            pos_weight=r.integers(1, 4, 3),
        ),
        S(*operands(r, "bce_logits", 2, 3), pos_weight=r.integers(1, 4, 2, 3), reduction="none"),
    ],
    reference=lambda x, y, weight=1, pos_weight=1, reduction="mean": reduced(
        weight * bce_logits(x, y, pos_weight), reduction
    ),
    torch_name=in_torch("binary_cross_entropy_with_logits"),
    bad=[NO_REDUCTION, (S(ones(2), ones(3)), ValueError)],
)

# Losses of classifiers.


def nll(x, target, weight=None, reduction="mean", ignore_index=-100):
    axis = 0 if x.ndim == 1 else 1
    kept = target != ignore_index
    safe = np.where(kept, target, 0)
    w = (1.0 if weight is None else weight[safe]) * kept
    each = -np.take_along_axis(x, np.expand_dims(safe, axis), axis).squeeze(axis) * w
    return np.sum(each) / np.sum(w) if reduction == "mean" else reduced(each, reduction)


def class_calls(r):
    weight = indices([1, 3, 2])
    calls = [
        S(r.normal(4, 3), r.integers(0, 3, 4), reduction=how) for how in ("mean", "sum", "none")
    ]
    return [
        *calls,
        S(r.normal(4, 3), indices([0, -100, 2, 1]), weight=weight),
        S(r.normal(4, 3), indices([0, 1, 2, 1]), weight=weight, ignore_index=1, reduction="none"),
        S(r.normal(2, 3, 4), r.integers(0, 3, 2, 4)),
        S(r.normal(2, 3, 2, 2), r.integers(0, 3, 2, 2, 2), weight=weight, reduction="sum"),
        S(r.normal(3), indices(1)),
    ]


BAD_CLASSES = [
    (S(ones(2, 3), indices([0, 3])), IndexError),
    (S(ones(2, 3), indices([0, -1])), IndexError),
    (S(ones(2, 3), indices([0, 1, 2])), ValueError),
    (S(ones(2, 3), ones(2)), RuntimeError),
    (S(ones(2, 3), indices([0, 1]), weight=ones(2)), RuntimeError),
    (S(ones(2, 3, 4), indices([[0, 1], [0, 1]])), RuntimeError),
    (S(ones(2, 3), indices([0, 1]), reduction="average"), ValueError),
]
case(
    "nn.functional.nll_loss",
    class_calls,
    reference=nll,
    torch_name=in_torch("nll_loss"),
    bad=BAD_CLASSES,
)


def node(reference):
    def call(x, target, weight, code, ignore):
        return reference(x, target, weight, CODES[code], ignore)

    return call


for name in ["nll_loss", "nll_loss2d"]:
    case(
        f"_nodes.{name}",
        lambda r: [
            S(r.normal(4, 3), r.integers(0, 3, 4), None, 1, -100),
            S(r.normal(4, 3), indices([0, -100, 2, 1]), indices([1, 3, 2]), 0, -100),
            S(r.normal(2, 3, 4), r.integers(0, 3, 2, 4), None, 2, 1),
        ],
        reference=node(nll),
    )
case(
    "_nodes.nll_loss_logits",
    lambda r: [
        S(r.normal(4, 3), r.integers(0, 3, 4), None, 1, -100),
        S(r.normal(4, 3), indices([0, -100, 2, 1]), indices([1, 3, 2]), 0, -100),
        S(r.normal(2, 70), indices([69, 3]), None, 2, 3),
    ],
    reference=node(lambda x, *rest: nll(sp.log_softmax(x, 1), *rest)),
)


def cross_entropy(x, target, weight=None, reduction="mean", ignore_index=-100, label_smoothing=0.0):
    axis, s = (0 if x.ndim == 1 else 1), label_smoothing
    log_p, classes = sp.log_softmax(x, axis), x.shape[axis]
    column = (
        1 if weight is None else weight.reshape([-1 if i == axis else 1 for i in range(x.ndim)])
    )
    if target.dtype.kind == "f":
        each = -np.sum(log_p * column * (target * (1 - s) + s / classes), axis)
        return np.sum(each) / max(each.size, 1) if reduction == "mean" else reduced(each, reduction)
    hard = nll(log_p, target, weight, reduction, ignore_index)
    kept = target != ignore_index
    soft = np.where(kept, -np.sum(log_p * column, axis), 0.0)
    if reduction == "mean":
        w = kept if weight is None else weight[np.where(kept, target, 0)] * kept
        soft = np.sum(soft) / np.sum(w)
    elif reduction == "sum":
        soft = np.sum(soft)
    return (1 - s) * hard + s / classes * soft


case(
    "nn.functional.cross_entropy",
    lambda r: [
        *class_calls(r),
        S(r.normal(4, 3), indices([0, -100, 2, 1]), label_smoothing=0.2),
        S(r.normal(4, 3), indices([0, -100, 2, 1]), weight=indices([1, 3, 2]), label_smoothing=0.2),
        S(r.normal(2, 3, 4), r.integers(0, 3, 2, 4), label_smoothing=0.2, reduction="none"),
        S(r.normal(4, 3), r.uniform(0, 1, 4, 3)),
        S(
            r.normal(2, 3, 4),
            r.uniform(0, 1, 2, 3, 4),
            weight=indices([1, 3, 2]),
            label_smoothing=0.2,
            reduction="sum",
        ),
        S(r.normal(3), r.uniform(0, 1, 3), reduction="none"),
    ],
    reference=cross_entropy,
    torch_name=in_torch("cross_entropy"),
    bad=[
        *BAD_CLASSES,
        (S(ones(2, 3), indices([0, 1]), label_smoothing=1.5), RuntimeError),
        (S(ones(2, 3), ones(2, 3).long()), RuntimeError),
        (S(ones(2, 3), ones(2, 3), ignore_index=1), RuntimeError),
    ],
)

# Other losses.


def kl_div(x, y, reduction="mean", log_target=False):
    each = np.exp(y) * (y - x) if log_target else sp.xlogy(y, y) - y * x
    return np.sum(each) / len(x) if reduction == "batchmean" else reduced(each, reduction)


case(
    "nn.functional.kl_div",
    lambda r: [
        S(r.normal(2, 3), r.uniform(0.1, 1, 2, 3), reduction="sum"),
        S(r.normal(2, 3), r.uniform(0.1, 1, 2, 3), reduction="batchmean"),
        S(r.normal(2, 3), r.normal(2, 3), log_target=True, reduction="none"),
        S(r.normal(3), r.normal(3), reduction="sum", log_target=True),
    ],
    reference=kl_div,
    bad=[(S(ones(2), ones(2), reduction="average"), ValueError)],
)


def poisson_nll(x, y, log_input=True, full=False, eps=1e-8, reduction="mean"):
    each = np.exp(x) - y * x if log_input else x - y * np.log(x + eps)
    if full:
        each = each + np.where(y > 1, y * np.log(y) - y + 0.5 * np.log(2 * np.pi * y), 0)
    return reduced(each, reduction)


case(
    "nn.functional.poisson_nll_loss",
    lambda r: [
        S(r.normal(2, 3), r.positive(2, 3)),
        S(r.positive(2, 3), r.positive(2, 3), log_input=False),
        S(r.normal(2, 3), r.uniform(1.1, 3, 2, 3), full=True, reduction="none"),
    ],
    reference=poisson_nll,
    bad=[NO_REDUCTION],
)


def gaussian_nll(x, y, var, full=False, eps=1e-6, reduction="mean"):
    var = np.asarray(var)
    var = var[..., None] if var.ndim == x.ndim - 1 else var
    var = np.maximum(var, eps)
    return reduced(
        0.5 * (np.log(var) + (x - y) ** 2 / var + (np.log(2 * np.pi) if full else 0)), reduction
    )


case(
    "nn.functional.gaussian_nll_loss",
    lambda r: [
        S(r.normal(2, 3), r.normal(2, 3), r.positive(2, 3)),
        S(r.normal(2, 3), r.normal(2, 3), r.positive(2, 1), full=True, reduction="none"),
        S(r.normal(2, 3), r.normal(2, 3), r.positive(2), reduction="sum"),
    ],
    reference=gaussian_nll,
    bad=[
        (S(ones(2), ones(2), -ones(2)), ValueError),
        (S(ones(2, 3), ones(2, 3), ones(3)), ValueError),
        (S(ones(2), ones(2), ones(2), reduction="average"), ValueError),
    ],
)
case(
    "nn.functional.gaussian_nll_loss:number",
    lambda r: [S(r.normal(2, 3), r.normal(2, 3), 2.0)],
    reference=lambda x, y, var: gaussian_nll(x, y, np.full(x.shape, var)),
    bad=[(S(ones(2), ones(2), -1.0), ValueError)],
)

SIGNS = indices([[1, -1, 1], [-1, -1, 1]])
case(
    "nn.functional.hinge_embedding_loss",
    lambda r: [S(r.normal(2, 3), SIGNS), S(r.normal(2, 3), SIGNS, margin=0.5, reduction="none")],
    reference=lambda x, y, margin=1.0, reduction="mean": reduced(
        np.where(y == 1, x, np.maximum(0, margin - x)), reduction
    ),
)
case(
    "nn.functional.margin_ranking_loss",
    lambda r: [
        S(r.normal(2, 3), r.normal(2, 3), SIGNS),
        S(r.normal(3), r.normal(3), SIGNS[0], margin=0.5, reduction="sum"),
    ],
    reference=lambda x, y, target, margin=0.0, reduction="mean": reduced(
        np.maximum(0, margin - target * (x - y)), reduction
    ),
    bad=[(S(ones(2), ones(2, 1), ones(2)), RuntimeError)],
)


def cosine_embedding(x, y, target, margin=0.0, reduction="mean"):
    c = np.sum(x * y, -1) / np.sqrt((np.sum(x * x, -1) + 1e-12) * (np.sum(y * y, -1) + 1e-12))
    return reduced(np.where(target == 1, 1 - c, np.maximum(0, c - margin)), reduction)


case(
    "nn.functional.cosine_embedding_loss",
    lambda r: [
        S(r.normal(3, 4), r.normal(3, 4), indices([1, -1, 1])),
        S(r.positive(3, 4), r.positive(3, 4), indices([-1, -1, 1]), margin=0.2, reduction="none"),
        S(r.normal(4), r.normal(4), indices(1)),
    ],
    reference=cosine_embedding,
    bad=[(S(ones(2, 3), ones(2, 3), ones(2, 3)), RuntimeError)],
)


def distance(x, y, p, eps=1e-6):
    return np.sum(abs(x - y + eps) ** p, -1) ** (1 / p)


def triplet(a, b, c, margin=1.0, p=2.0, swap=False, reduction="mean"):
    far = distance(a, c, p)
    far = np.minimum(far, distance(b, c, p)) if swap else far
    return reduced(np.maximum(0, distance(a, b, p) - far + margin), reduction)


case(
    "nn.functional.triplet_margin_loss",
    lambda r: [
        S(r.normal(2, 3), r.normal(2, 3), r.normal(2, 3)),
        S(r.normal(2, 3), r.normal(2, 3), r.normal(2, 3), margin=2.0, swap=True, reduction="none"),
        S(r.normal(3), r.normal(3), r.normal(3), p=1.0),
    ],
    reference=triplet,
    bad=[
        (S(ones(2), ones(2), ones(2), margin=0.0), ValueError),
        (S(ones(2), ones(1, 2), ones(2)), RuntimeError),
    ],
)
