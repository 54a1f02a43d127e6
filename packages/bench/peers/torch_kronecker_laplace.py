"""A Kronecker-factored Laplace posterior in PyTorch, as `kroneckerLaplaceDraws` of `@bpc/core` defines it."""
import torch
import torch.nn.functional as F
from torch_divergence_estimates import mean_of_phases, shifted
from torch_networks import looked_into


def layer_rows(x, kernel):
    """What a layer multiplies its kernel with, [points, positions, fan-in + 1], in the order of our kernels, ones for the bias last."""
    if kernel.ndim == 4:
        size = kernel.shape[-1]
        patches = F.unfold(x, size, padding=size // 2)
        rows = patches.view(len(x), x.shape[1], size * size, -1).permute(0, 3, 2, 1).flatten(2)
    else:
        rows = x.unsqueeze(1)
    return F.pad(rows, (0, 1), value=1.0)


def factors(problem, mode):
    """E[sum over positions of a a^T] and E[mean over positions of g g^T] by layer; labels are averaged over exactly."""
    params = {name: p.detach().requires_grad_() for name, p in mode.items()}
    with looked_into() as layers:
        outputs = problem.network(params, problem.fixed)
    weights = problem.weights / problem.weights.sum()
    found = {}
    for name, (x, _) in layers.items():
        rows = layer_rows(x.detach(), mode[name + "/kernel"])
        found[name] = [(rows * weights.view(-1, 1, 1)).flatten(0, 1).T @ rows.flatten(0, 1), 0]
    p = outputs.detach().softmax(1)
    for label in range(outputs.shape[1]):
        column = (F.one_hot(torch.tensor(label), outputs.shape[1]) - p) * p[:, label : label + 1].sqrt()
        grads = torch.autograd.grad((outputs * column).sum(), [y for _, y in layers.values()], retain_graph=True)
        for name, grad in zip(layers, grads):
            g = grad.flatten(2).transpose(1, 2) if grad.ndim == 4 else grad.unsqueeze(1)
            product = (g * weights.view(-1, 1, 1)).flatten(0, 1).T @ g.flatten(0, 1)
            found[name][1] = found[name][1] + product / g.shape[1]
    return found


def inverse_root(b):
    """W with W B W^T = I: symmetric where that is cheap, else the inverse of the Cholesky factor."""
    if len(b) <= 128:
        values, vectors = torch.linalg.eigh(b)
        return (vectors * values.rsqrt()) @ vectors.T
    return torch.linalg.solve_triangular(torch.linalg.cholesky(b), torch.eye(len(b)), upper=False)


def damped_roots(inputs, outputs, count, precision):
    balance = (inputs.diagonal().mean() / outputs.diagonal().mean().clamp_min(1e-12)).sqrt()
    ridge = precision**0.5
    scaled = lambda factor, damping: factor * count**0.5 + torch.eye(len(factor)) * damping
    return inverse_root(scaled(inputs, ridge * balance)), inverse_root(scaled(outputs, ridge / balance))


def moved(mode, roots, noise):
    """Every layer with a root at its mode + W_A^T Z W_G, the bias the last row of Z; the rest as it is."""
    drawn = dict(mode)
    for name, (a, g) in roots.items():
        kernel, z = mode[name + "/kernel"], noise[name + "/kernel"]
        # Our kernels have their units last.
        rows = z.permute(2, 3, 1, 0).reshape(-1, z.shape[0]) if z.ndim == 4 else z
        change = a.T @ torch.cat([rows, noise[name + "/bias"].view(1, -1)]) @ g
        body = change[:-1]
        if kernel.ndim == 4:
            body = body.view(*kernel.shape[2:], kernel.shape[1], -1).permute(3, 2, 0, 1)
        drawn[name + "/kernel"] = (kernel + body).contiguous(
            memory_format=torch.channels_last if kernel.ndim == 4 else torch.contiguous_format
        )
        drawn[name + "/bias"] = mode[name + "/bias"] + change[-1]
    return drawn


def kfl_phase(problem, expert, noise):
    """Draws around the expert against draws of the Laplace posterior around the end of gradient descent from it."""
    settings = problem.settings
    mode = problem.descend(expert, settings["innerSteps"])
    count = problem.weights.sum().item()
    roots = {name: damped_roots(*both, count, settings["precision"]) for name, both in factors(problem, mode).items()}
    draws = range(settings["draws"])
    return mean_of_phases(
        problem,
        (shifted(expert, noise("expert", k), settings["sigma"]) for k in draws),
        (moved(mode, roots, noise("posterior", k)) for k in draws),
    )
