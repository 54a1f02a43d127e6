"""The networks of `@bpc/models` in PyTorch: functions of parameters that are named as there.

Kernels and images are channels last, the faster of PyTorch's two layouts on a processor.
"""
import math
from contextlib import contextmanager

import torch
import torch.nn.functional as F


# Inputs and outputs of affine layers by name, for who looks into a network; None when nobody does.
affine_layers = None


@contextmanager
def looked_into():
    """Within it, networks leave what goes into their affine layers and what comes out in the dictionary that this gives."""
    global affine_layers
    affine_layers = {}
    try:
        yield affine_layers
    finally:
        affine_layers = None


def seen(name, x, y):
    if affine_layers is not None:
        affine_layers[name] = x, y
    return y


def convolve(p, name, x, stride=1, padding=1):
    return seen(name, x, F.conv2d(x, p[name + "/kernel"], p.get(name + "/bias"), stride, padding))


def normalise(p, name, x):
    # One group per channel: instance norm. PyTorch's own instance_norm is slower.
    return F.group_norm(x, x.shape[1], p[name + "/gamma"], p[name + "/beta"], 1e-5)


def dense(p, x):
    # Rows in height, width, channel order, which channels-last memory has already.
    rows = x.permute(0, 2, 3, 1).flatten(1)
    return seen("dense", rows, torch.addmm(p["dense/bias"], rows, p["dense/kernel"]))


def first_padding(x):
    return 3 if x.shape[2] == 28 and x.shape[3] == 28 else 1


def convnet(p, x):
    block = 0
    while f"conv{block}/kernel" in p:
        x = convolve(p, f"conv{block}", x, 1, first_padding(x) if block == 0 else 1)
        x = F.avg_pool2d(F.relu(normalise(p, f"norm{block}", x)), 2)
        block += 1
    return dense(p, x)


def vgg11(p, x):
    pooled = (True, True, False, True, False, True, False, True)
    for i, pool in enumerate(pooled):
        x = convolve(p, f"conv{i}", x, 1, first_padding(x) if i == 0 else 1)
        x = F.relu(normalise(p, f"norm{i}", x))
        if pool:
            x = F.max_pool2d(x, 2)
    return dense(p, x)


def residual_block(p, name, x, stride):
    inner = F.relu(normalise(p, name + "/norm0", convolve(p, name + "/conv0", x, stride)))
    outer = normalise(p, name + "/norm1", convolve(p, name + "/conv1", inner))
    if name + "/shortcut/conv/kernel" in p:
        x = normalise(p, name + "/shortcut/norm", convolve(p, name + "/shortcut/conv", x, stride, 0))
    return F.relu(outer + x)


def resnet18(p, x):
    x = F.relu(normalise(p, "stem/norm", convolve(p, "stem/conv", x)))
    for stage in range(4):
        x = residual_block(p, f"stage{stage}/block0", x, 1 if stage == 0 else 2)
        x = residual_block(p, f"stage{stage}/block1", x, 1)
    return dense(p, F.avg_pool2d(x, 4))


networks = {"convnet": convnet, "vgg11": vgg11, "resnet18": resnet18}


def channels_last(x):
    return x.contiguous(memory_format=torch.channels_last)


def random_parameters(shapes):
    """PyTorch's default initialisation; shapes are ours: kernels [h, w, in, out], dense [in, out]."""
    of_name = dict(shapes)
    made = {}
    for name, shape in shapes:
        layer, last = name.rsplit("/", 1)
        if last == "gamma":
            made[name] = torch.ones(shape)
        elif last == "beta":
            made[name] = torch.zeros(shape)
        else:
            bound = 1 / math.sqrt(math.prod(of_name[layer + "/kernel"][:-1]))
            made[name] = from_ours(name, torch.empty(shape).uniform_(-bound, bound))
    return made


def from_ours(name, value):
    """HWIO kernels and NHWC images to PyTorch's; everything else has the same layout."""
    if value.ndim != 4:
        return value.contiguous()
    return channels_last(value.permute(3, 2, 0, 1) if name.endswith("kernel") else value.permute(0, 3, 1, 2))


def to_ours(name, value):
    if value.ndim != 4:
        return value
    return value.permute(2, 3, 1, 0) if name.endswith("kernel") else value.permute(0, 2, 3, 1)
