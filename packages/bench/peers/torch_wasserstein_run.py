"""The peer of `bpc bench wasserstein-pin`: a whole Wasserstein run in PyTorch, from given experts to scores on given images.

Learning and evaluation are written from their definitions, with PyTorch's own initialisation, optimiser and randomness; only the
settings, the images, the experts and the coresets to start from are those of `bpc learn`. Asked for a seed, it answers with
accuracy and negative log-likelihood of the coreset before and after learning, how far its pixels moved, and the learned step size.
"""
import math

import torch
import torch.nn.functional as F
from subject_protocol import answer, read_task, read_tensors
from torch_augmentation import augment, draw
from torch_networks import channels_last, from_ours, networks, random_parameters

task = read_task()
torch.set_num_threads(task["threads"])
config, shapes = task["config"], task["parameters"]
network = networks["convnet"]
images = read_tensors(task["images"])


def tensor(name):
    return torch.from_numpy(images[name].copy())


test_x, test_y = from_ours("x", tensor("test/x")), tensor("test/labels").long()


def read_expert(path):
    arrays = {name: torch.from_numpy(array.copy()) for name, array in read_tensors(path).items()}
    return [
        {name: from_ours(name, arrays[f"epoch{epoch}/{name}"]) for name, _ in shapes} for epoch in range(config["expertEpochs"] + 1)
    ]


experts = [read_expert(path) for path in task["experts"]]


def integer(first, last):
    """Uniform on first, ..., last."""
    return int(torch.randint(first, last + 1, ()))


def drawn_augmentation(strategy, count, size, draws):
    """One of the groups, with so many draws of its parameters; the identity for 'none'."""
    if strategy == "none":
        return lambda x, step: x
    groups = strategy.split("_")
    group = groups[integer(0, len(groups) - 1)]
    parameters = [draw(group, count, size) for _ in range(draws)]
    return lambda x, step: augment(group, x, parameters[min(step, draws - 1)])


def matching_loss(x, y, step_size):
    """|theta_T - theta_D|^2 / |theta_0 - theta_D|^2 after T gradient steps on the mean cross-entropy of x, from a drawn snapshot."""
    first, last = config["startEpochRange"]
    expert, epoch = experts[integer(0, len(experts) - 1)], integer(first, last)
    start, target = expert[epoch], expert[epoch + config["epochsAhead"]]
    augmentation = drawn_augmentation(config["augment"], len(y), x.shape[2], config["augmentDraws"])
    theta = {name: p.detach().requires_grad_() for name, p in start.items()}
    for step in range(config["innerSteps"]):
        # Draw 0 is that of loss terms, which this loss does not have.
        loss = F.cross_entropy(network(theta, augmentation(x, step + 1)), y)
        grads = torch.autograd.grad(loss, list(theta.values()), create_graph=True)
        theta = {name: p - step_size * grad for (name, p), grad in zip(theta.items(), grads)}
    squared = lambda a, b: sum(((a[name] - b[name]) ** 2).sum() for name in a)
    return squared(theta, target) / squared(start, target)


def learn(x, y):
    x = x.clone().requires_grad_()
    step_size = torch.tensor(config["stepSize"], requires_grad=True)
    optimizer = torch.optim.SGD(
        [
            {"params": [x], "lr": config["imageLearningRate"], "momentum": config["momentum"]},
            {"params": [step_size], "lr": config["stepSizeLearningRate"], "momentum": 0.5},
        ]
    )
    for _ in range(config["steps"]):
        optimizer.zero_grad()
        matching_loss(x, y, step_size).backward()
        optimizer.step()
    return x.detach(), step_size.item()


def rate_at(settings, step):
    if settings["decay"] == "cosine":
        return settings["stepSize"] / 2 * (1 + math.cos(math.pi * step / settings["steps"]))
    return settings["stepSize"]


def chain(x, y, settings):
    """Softmax outputs on the test images of draws from exp(-U/T), U = mean cross-entropy + rho/2 |theta|^2, one at a time."""
    theta = {name: p.requires_grad_() for name, p in random_parameters(shapes).items()}
    leaves = list(theta.values())
    optimizer = torch.optim.SGD(leaves, lr=settings["stepSize"], momentum=settings["momentum"])

    def gradient():
        optimizer.zero_grad()
        augmentation = drawn_augmentation(settings["augment"], len(y), x.shape[2], 1)
        energy = F.cross_entropy(network(theta, augmentation(x, 0)), y)
        energy = energy + settings["priorPrecision"] / 2 * sum((p * p).sum() for p in leaves)
        energy.backward()

    def langevin():
        size = settings.get("samplerStepSize", settings["stepSize"])
        gradient()
        with torch.no_grad():
            for p in leaves:
                p += -size * p.grad + math.sqrt(2 * size * settings["temperature"]) * torch.randn_like(p)

    for step in range(settings["steps"]):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(settings, step)
        gradient()
        optimizer.step()
    warm = settings["temperature"] > 0
    for _ in range(settings["burnIn"] if warm else 0):
        langevin()
    for _ in range(settings["draws"]):
        for _ in range(settings["thinning"] if warm else 0):
            langevin()
        with torch.no_grad():
            yield network(theta, test_x).softmax(1)


def score(x, y):
    settings = config["evaluation"]
    outputs = [p for _ in range(settings["chains"]) for p in chain(x, y, settings)]
    mean = torch.stack(outputs).double().mean(0)
    truth = mean[torch.arange(len(test_y)), test_y]
    return {"accuracy": (mean.argmax(1) == test_y).double().mean().item(), "nll": -truth.log().mean().item()}


def run(request):
    seed = request["seed"]
    torch.manual_seed(seed)
    start = channels_last(from_ours("x", tensor(f"start/{seed}/x")))
    y = tensor(f"start/{seed}/labels").long()
    learned, step_size = learn(start, y)
    moved = (learned - start).square().mean().sqrt().item()
    return {"init": score(start, y), "learned": score(learned, y), "moved": moved, "stepSize": step_size}


answer(run, torch.__version__)
