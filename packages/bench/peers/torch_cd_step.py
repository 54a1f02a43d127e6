"""One side of `bpc bench cd-step`: a whole outer step of contrastive divergence in PyTorch, eagerly.

As `learn` with `sampled(contrastiveDivergence())` does it: an expert is drawn and perturbed, k Langevin steps with noise on
the augmented images lead to the negative parameters, the energies at both are differentiated in the images through the
augmentation, and SGD with momentum moves the images. One draw of the augmentation's parameters per step, all six groups.
"""
import random

import torch
import torch.nn.functional as F
from subject_protocol import read_task, read_tensors, say, serve, write_tensors
from torch_augmentation import augment, draw, given
from torch_networks import channels_last, from_ours, networks, random_parameters, to_ours

task = read_task()
torch.set_num_threads(task["threads"])
torch.manual_seed(0)
random.seed(0)
network = networks[task["network"]["kind"]]


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
        value, grad = estimate(expert, x, arrays["labels"].long(), group, given(group, arrays), 0, 0)
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
