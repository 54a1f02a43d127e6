"""One side of `bpc bench divergences`: a whole outer step of learning a pseudo-coreset in PyTorch, eagerly.

As `learn` with `sampled(divergence)` does it: an expert and, where the divergence wants them, an earlier snapshot and a batch of
real images are drawn, one of the groups of the augmentation with fresh parameters, then the estimate, then SGD with momentum.
"""
import random

import torch
from subject_protocol import draws_of, read_task, read_tensors, say, serve, write_tensors
from torch_augmentation import augment, draw, given
from torch_divergence_estimates import Problem, contrastive_divergence, forward_kl, hmc_phase, psvi, reverse_kl, wasserstein
from torch_kronecker_laplace import kfl_phase
from torch_networks import channels_last, from_ours, networks, random_parameters, to_ours

task = read_task()
torch.set_num_threads(task["threads"])
torch.manual_seed(0)
random.seed(0)
network = networks[task["network"]["kind"]]
settings = task["settings"]
method = task["method"]


def estimate(problem, expert, start, real, step_size, noise, accept):
    if method == "bpc-cd":
        return contrastive_divergence(problem, expert, noise)
    if method == "bpc-fkl":
        return forward_kl(problem, expert, start, noise)
    if method == "bpc-w":
        return wasserstein(problem, expert, start, step_size)
    if method == "bpc-rkl":
        return reverse_kl(problem, start, real, noise)
    if method == "hmc":
        return hmc_phase(problem, expert, noise, accept)
    if method == "kfl":
        return kfl_phase(problem, expert, noise)
    return psvi(problem, start, real, noise)


def evaluate(paths):
    arrays = {name: torch.from_numpy(array.copy()) for name, array in read_tensors(paths["inputs"]).items()}

    def params(prefix):
        return {name: from_ours(name, arrays[f"{prefix}/{name}"]) for name, _ in task["parameters"]}

    expert, start, labels = params("expert"), params("start"), arrays["labels"].long()
    real = from_ours("x", arrays["real/x"]), arrays["real/labels"].long()
    noise = lambda kind, index: params(f"noise/{kind}/{index}")
    found = {}
    for group in task["groups"] or ["none"]:
        for index, name in enumerate(draws_of(arrays)):
            own = {name.removeprefix(f"draw{index}/"): value for name, value in arrays.items() if name.startswith(f"draw{index}/")}
            drawn = given(group, own)
            augmentation = None if group == "none" else lambda images: augment(group, images, drawn)
            problem = Problem(network, from_ours("x", arrays[name]), labels, arrays["weights"], settings, augmentation)
            step_size = torch.tensor(settings["stepSize"])
            value, grads = estimate(problem, expert, start, real, step_size, noise, lambda t: arrays["accept"].item())
            found[f"{group}/{index}/value"] = value.numpy()
            for part, grad in grads.items():
                found[f"{group}/{index}/{part}"] = to_ours("x" if part == "x" else "", grad).contiguous().numpy()
    write_tensors(paths["outputs"], found)
    say({"ready": True, "version": torch.__version__})


def timed():
    experts = [[random_parameters(task["parameters"]) for _ in range(2)] for _ in range(task["experts"])]
    height, width, channels = task["network"]["inputShape"]
    count, shown = task["batch"], settings["realBatch"]
    x = channels_last(torch.randn(count, channels, height, width))
    y = torch.arange(count) % 10
    weights = torch.ones(count)
    pool = channels_last(torch.randn(max(1, 4 * shown), channels, height, width))
    step_size = torch.tensor(settings["stepSize"])
    learned = {"x": x, "weights": weights, "stepSize": step_size}
    optimizers = {name: torch.optim.SGD([part], lr=task["learningRates"][name], momentum=task["momentum"]) for name, part in learned.items()}

    def step():
        start, expert = random.choice(experts)
        augmentation = None
        if task["groups"]:
            group = random.choice(task["groups"])
            drawn = draw(group, count, height)
            augmentation = lambda images: augment(group, images, drawn)
        chosen = torch.randint(len(pool), (max(1, shown),))
        real = channels_last(pool[chosen]), chosen % 10
        problem = Problem(network, x, y, weights, settings, augmentation)
        noise = lambda kind, index: {name: torch.randn_like(p) for name, p in expert.items()}
        value, grads = estimate(problem, expert, start, real, step_size, noise, lambda t: random.random())
        for name, grad in grads.items():
            learned[name].grad = grad
            optimizers[name].step()
        # What a learner watches: whether the step went wrong.
        return value.item() + x.abs().sum().item()

    return step


if "evaluate" in task:
    evaluate(task["evaluate"])
else:
    # Nothing is compiled; one step fills the allocator.
    serve(timed(), torch.__version__, warm_ups=1)
