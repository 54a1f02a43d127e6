"""One side of `bpc bench cd-step`: a whole outer step of contrastive divergence in PyTorch, eagerly.

As `learn` with `sampled(contrastiveDivergence())` does it: an expert is drawn and perturbed, k Langevin steps with noise on
the augmented images lead to the negative parameters, the energies at both are differentiated in the images through the
augmentation, and SGD with momentum moves the images. One draw of the augmentation's parameters per step, all six groups.
"""
import math
import random

import torch
import torch.nn.functional as F
from subject_protocol import read_task, read_tensors, say, serve, write_tensors
from torch_networks import channels_last, from_ours, networks, random_parameters, to_ours

task = read_task()
torch.set_num_threads(task["threads"])
torch.manual_seed(0)
random.seed(0)
network = networks[task["network"]["kind"]]


def draw(group, count, size):
    """Parameters of one augmentation, drawn as in the released code of DSA."""
    shift, side = math.floor(0.125 * size + 0.5), math.floor(0.5 * size + 0.5)
    if group == "color":
        return {name: torch.rand(count) for name in ("brightness", "saturation", "contrast")}
    if group == "crop":
        return {"shift": torch.randint(-shift, shift + 1, (count, 2))}
    if group == "cutout":
        return {"centre": torch.randint(0, size + 1 - side % 2, (count, 2))}
    if group == "flip":
        return {"flip": torch.rand(count) < 0.5}
    if group == "scale":
        return {"scale": torch.rand(count, 2) * (1.2 - 1 / 1.2) + 1 / 1.2}
    return {"angle": (torch.rand(count) * 2 - 1) * (15 * math.pi / 180)}


def resample(x, matrix):
    return F.grid_sample(x, F.affine_grid(matrix, x.shape, align_corners=True), align_corners=True)


def augment(group, x, p):
    count, _, height, width = x.shape
    rows, columns = torch.arange(height), torch.arange(width)
    if group == "color":
        x = x + (p["brightness"] - 0.5).view(-1, 1, 1, 1)
        mean = x.mean(1, keepdim=True)
        x = (x - mean) * (2 * p["saturation"]).view(-1, 1, 1, 1) + mean
        mean = x.mean((1, 2, 3), keepdim=True)
        return (x - mean) * (p["contrast"] + 0.5).view(-1, 1, 1, 1) + mean
    if group == "crop":
        pad = math.floor(0.125 * height + 0.5)
        moved_rows = rows.view(1, -1, 1) + p["shift"][:, 0].view(-1, 1, 1) + pad
        moved_columns = columns.view(1, 1, -1) + p["shift"][:, 1].view(-1, 1, 1) + pad
        padded = F.pad(x, (pad, pad, pad, pad)).permute(0, 2, 3, 1)
        return padded[torch.arange(count).view(-1, 1, 1), moved_rows, moved_columns].permute(0, 3, 1, 2)
    if group == "cutout":
        side = math.floor(0.5 * height + 0.5)
        top, left = p["centre"][:, 0].view(-1, 1, 1) - side // 2, p["centre"][:, 1].view(-1, 1, 1) - side // 2
        r, c = rows.view(1, -1, 1), columns.view(1, 1, -1)
        hidden = (r >= top) & (r < top + side) & (c >= left) & (c < left + side)
        return x * (~hidden).to(x.dtype).unsqueeze(1)
    if group == "flip":
        return torch.where(p["flip"].view(-1, 1, 1, 1), x.flip(3), x)
    zero = torch.zeros(count)
    if group == "scale":
        return resample(x, torch.stack([p["scale"][:, 0], zero, zero, zero, p["scale"][:, 1], zero], 1).view(-1, 2, 3))
    cosine, sine = p["angle"].cos(), p["angle"].sin()
    return resample(x, torch.stack([cosine, -sine, zero, sine, cosine, zero], 1).view(-1, 2, 3))


def energy(params, x, y):
    return F.cross_entropy(network(params, x), y)


def estimate(expert, x, y, group, parameters, sigma, temperature):
    """Value and image gradient of E(S, expert + noise) - E(S, end of the chain)."""
    images = x.detach().requires_grad_()
    augmented = augment(group, images, parameters)
    fixed = channels_last(augmented.detach())
    positive = dict(zip(expert, torch._foreach_add(list(expert.values()), [torch.randn_like(p) for p in expert.values()], alpha=sigma)))
    chain = {name: p.clone().requires_grad_() for name, p in positive.items()}
    leaves = list(chain.values())
    scale = (2 * task["stepSize"] * temperature) ** 0.5
    for _ in range(task["steps"]):
        grads = torch.autograd.grad(energy(chain, fixed, y), leaves)
        with torch.no_grad():
            torch._foreach_add_(leaves, grads, alpha=-task["stepSize"])
            if scale > 0:
                torch._foreach_add_(leaves, [torch.randn_like(p) for p in leaves], alpha=scale)
    negative = {name: p.detach() for name, p in chain.items()}
    value = energy(positive, augmented, y) - energy(negative, augmented, y)
    (grad,) = torch.autograd.grad(value, images)
    return value.detach(), grad


def evaluate(paths):
    arrays = {name: torch.from_numpy(array.copy()) for name, array in read_tensors(paths["inputs"]).items()}
    expert = {name: from_ours(name, arrays["params/" + name]) for name, _ in task["parameters"]}
    x = from_ours("x", arrays["x0"])
    found = {}
    for group in task["groups"]:
        prefix = f"augment/{group}/"
        parameters = {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
        if group == "flip":
            parameters["flip"] = parameters["flip"] == 1
        value, grad = estimate(expert, x, arrays["labels"].long(), group, parameters, 0, 0)
        found[f"{group}/value"] = value.numpy()
        found[f"{group}/grad"] = to_ours("x", grad).contiguous().numpy()
    write_tensors(paths["outputs"], found)
    say({"ready": True, "version": torch.__version__})


def timed():
    experts = [random_parameters(task["parameters"]) for _ in range(task["experts"])]
    height, width, channels = task["network"]["inputShape"]
    count = task["batch"]
    x = channels_last(torch.randn(count, channels, height, width))
    y = torch.arange(count) % 10
    optimizer = torch.optim.SGD([x], lr=task["learningRate"], momentum=task["momentum"])

    def step():
        group = random.choice(task["groups"])
        value, x.grad = estimate(
            random.choice(experts), x, y, group, draw(group, count, height), task["sigma"], task["temperature"]
        )
        optimizer.step()
        # What a learner watches: whether the step went wrong.
        return value.item() + x.abs().sum().item()

    return step


if "evaluate" in task:
    evaluate(task["evaluate"])
else:
    serve(timed(), torch.__version__)
