"""One side of `bpc bench cd-step`: a network's loss and parameter gradients in PyTorch, or a Langevin step with them."""
import torch
import torch.nn.functional as F
from subject_protocol import draws_of, read_task, read_tensors, say, serve, write_tensors
from torch_networks import channels_last, from_ours, networks, random_parameters, to_ours

task = read_task()
torch.set_num_threads(task["threads"])
torch.manual_seed(0)
network = networks[task["network"]["kind"]]
# The network is what is worth compiling; with the loss inside it is no faster.
run = torch.compile(network) if task["subject"] == "torch-compile" else network


def gradients(params, x, y):
    loss = F.cross_entropy(run(params, x), y)
    return loss, torch.autograd.grad(loss, list(params.values()))


def evaluate(paths):
    arrays = read_tensors(paths["inputs"])
    params = {
        name: from_ours(name, torch.from_numpy(arrays["params/" + name].copy())).requires_grad_() for name, _ in task["parameters"]
    }
    labels = torch.from_numpy(arrays["labels"].copy()).long()
    found = {}
    for draw in draws_of(arrays):
        loss, grads = gradients(params, from_ours("x", torch.from_numpy(arrays[draw].copy())), labels)
        found[draw + "/value"] = loss.detach().numpy()
        found.update({f"{draw}/grad/{name}": to_ours(name, grad).contiguous().numpy() for name, grad in zip(params, grads)})
    write_tensors(paths["outputs"], found)
    say({"ready": True, "version": torch.__version__})


def timed():
    params = random_parameters(task["parameters"])
    leaves = [p.requires_grad_() for p in params.values()]
    height, width, channels = task["network"]["inputShape"]
    x = channels_last(torch.randn(task["batch"], channels, height, width))
    y = torch.arange(task["batch"]) % 10
    if task["step"] == "gradient":
        return lambda: gradients(params, x, y)
    scale = (2 * task["stepSize"] * task["temperature"]) ** 0.5

    def langevin():
        _, grads = gradients(params, x, y)
        with torch.no_grad():
            torch._foreach_add_(leaves, grads, alpha=-task["stepSize"])
            torch._foreach_add_(leaves, [torch.randn_like(p) for p in leaves], alpha=scale)

    return langevin


if "evaluate" in task:
    evaluate(task["evaluate"])
else:
    serve(timed(), torch.__version__)
