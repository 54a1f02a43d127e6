"""Estimators of divergences in PyTorch, eagerly: value and gradient in the coreset, as `@bpc/core` defines them.

Parameters and noise are dictionaries by name. `noise(kind, index)` gives one standard normal draw shaped like the parameters.
Where an estimator averages draws, one graph at a time is alive, as in a careful implementation by hand.
"""
import math

import torch
import torch.nn.functional as F


def shifted(params, noise, scale):
    """params + scale * noise, as constants."""
    if scale == 0:
        return {name: p.detach() for name, p in params.items()}
    moved = torch._foreach_add(list(params.values()), list(noise.values()), alpha=scale)
    return dict(zip(params, moved))


class Problem:
    """A network with a coreset, one draw of its augmentation and the settings of a task."""

    def __init__(self, network, x, y, weights, settings, augment=None):
        self.network, self.x, self.y, self.settings, self.weights = network, x, y, settings, weights
        self.augment = augment or (lambda images: images)
        self.images = x.detach().requires_grad_()
        self.fixed = self.augment(self.images.detach()).contiguous(memory_format=torch.channels_last)

    def energy(self, params, x):
        """(1/M) sum of w times the cross-entropy."""
        return (self.weights * F.cross_entropy(self.network(params, x), self.y, reduction="none")).mean()

    def phase(self, params):
        """E(S, params) with the gradient of it in the images, through the augmentation."""
        value = self.energy(params, self.augment(self.images))
        (grad,) = torch.autograd.grad(value, self.images)
        return value.detach(), grad

    def descend(self, start, steps, temperature=0.0, noise=None):
        """The end of `steps` Langevin steps on E(S, .); plain gradient descent at temperature 0."""
        step_size = self.settings["stepSize"]
        chain = {name: p.detach().clone().requires_grad_() for name, p in start.items()}
        leaves = list(chain.values())
        scale = (2 * step_size * temperature) ** 0.5
        for t in range(steps):
            grads = torch.autograd.grad(self.energy(chain, self.fixed), leaves)
            with torch.no_grad():
                torch._foreach_add_(leaves, grads, alpha=-step_size)
                if scale > 0:
                    torch._foreach_add_(leaves, list(noise("chain", t).values()), alpha=scale)
        return {name: p.detach() for name, p in chain.items()}


def contrastive_divergence(problem, expert, noise):
    """E(S, theta+) - E(S, theta-), theta- the end of k Langevin steps from theta+ = expert + sigma * noise."""
    settings = problem.settings
    positive = shifted(expert, noise("expert", 0) if settings["sigma"] > 0 else None, settings["sigma"])
    negative = problem.descend(positive, settings["innerSteps"], settings["temperature"], noise)
    (plus, grad_plus), (minus, grad_minus) = problem.phase(positive), problem.phase(negative)
    return plus - minus, {"x": grad_plus - grad_minus}


def mean_of_phases(problem, positives, negatives):
    """The mean over draws of E(S, theta+) - E(S, theta-)."""
    value, grad, count = 0, 0, 0
    for positive, negative in zip(positives, negatives):
        (plus, grad_plus), (minus, grad_minus) = problem.phase(positive), problem.phase(negative)
        value, grad, count = value + plus - minus, grad + grad_plus - grad_minus, count + 1
    return value / count, {"x": grad / count}


def forward_kl(problem, expert, start, noise):
    """Draws around the expert against draws around the end of gradient descent from its start."""
    settings = problem.settings
    end = problem.descend(start, settings["innerSteps"])
    sigma, draws = settings["sigma"], range(settings["draws"])
    return mean_of_phases(
        problem,
        (shifted(expert, noise("expert", k), sigma) for k in draws),
        (shifted(end, noise("posterior", k), sigma) for k in draws),
    )


def wasserstein(problem, expert, start, step_size):
    """|theta_k - expert|^2 / |start - expert|^2, differentiated through all k steps of gradient descent from the start."""
    chain = {name: p.detach().requires_grad_() for name, p in start.items()}
    augmented = problem.augment(problem.images)
    size = step_size.detach().requires_grad_()
    for _ in range(problem.settings["innerSteps"]):
        grads = torch.autograd.grad(problem.energy(chain, augmented), list(chain.values()), create_graph=True)
        chain = {name: p - size * grad for (name, p), grad in zip(chain.items(), grads)}
    moved = sum(((chain[name] - expert[name]) ** 2).sum() for name in chain)
    scale = sum(((start[name] - expert[name]) ** 2).sum() for name in chain)
    value = moved / scale
    grad, size_grad = torch.autograd.grad(value, [problem.images, size])
    return value.detach(), {"x": grad, "stepSize": size_grad}


def log_likelihoods(problem, params, x, y):
    return -F.cross_entropy(problem.network(params, x), y, reduction="none")


def covariance_gradient(problem, start, real, scale, divisor, noise):
    """-Cov[w grad_u f(u), r] over draws around the end of gradient descent, r = scale * sum_B f(x) - sum_M w f(u) / divisor."""
    settings = problem.settings
    end = problem.descend(start, settings["innerSteps"])
    reals, pseudos, images = [], [], []
    for k in range(settings["draws"]):
        params = shifted(end, noise("posterior", k), settings["sigma"])
        with torch.no_grad():
            reals.append(log_likelihoods(problem, params, *real))
        pseudo = log_likelihoods(problem, params, problem.images, problem.y)
        # Points do not see each other in these networks, so the gradient of the sum is that of every point.
        (grad,) = torch.autograd.grad(pseudo.sum(), problem.images)
        pseudos.append(pseudo.detach())
        images.append(grad)
    g, f = torch.stack(reals), torch.stack(pseudos)
    g, f = g - g.mean(0), f - f.mean(0)
    residual = scale * g.sum(1) - f @ problem.weights / divisor
    # The residuals add up to zero, so that image gradients need no centring.
    grad = sum(image * r for image, r in zip(images, residual)) * problem.weights.view(-1, 1, 1, 1) / -len(images)
    return (residual**2).mean() / 2, {"x": grad, "weights": -(f.T @ residual) / len(images)}


def reverse_kl(problem, start, real, noise):
    """Means on both sides."""
    value, grads = covariance_gradient(problem, start, real, 1 / len(real[1]), len(problem.y), noise)
    return value, {"x": grads["x"]}


def psvi(problem, start, real, noise):
    """Sums on both sides, and gradients in the weights."""
    return covariance_gradient(problem, start, real, problem.settings["dataCount"] / len(real[1]), 1, noise)


def hmc(problem, origin, transitions, noise, accept):
    """The end of a chain on exp(-sum of w times the cross-entropy); `accept(t)` is a uniform draw."""
    settings = problem.settings
    size, count = settings["stepSize"], len(problem.y)

    def force(position):
        leaves = {name: p.detach().requires_grad_() for name, p in position.items()}
        energy = problem.energy(leaves, problem.fixed) * count
        return energy.item(), torch.autograd.grad(energy, list(leaves.values()))

    position = {name: p.detach() for name, p in origin.items()}
    energy, grads = force(position)
    for t in range(transitions):
        momentum = list(noise("chain", t).values())
        before = energy + sum((r * r).sum().item() for r in momentum) / 2
        moved, moved_grads = position, grads
        for _ in range(settings["leapfrogSteps"]):
            momentum = torch._foreach_add(momentum, moved_grads, alpha=-size / 2)
            moved = dict(zip(moved, torch._foreach_add(list(moved.values()), momentum, alpha=size)))
            moved_energy, moved_grads = force(moved)
            momentum = torch._foreach_add(momentum, moved_grads, alpha=-size / 2)
        after = moved_energy + sum((r * r).sum().item() for r in momentum) / 2
        # Written so that NaN is rejected.
        if math.log(max(accept(t), 1e-38)) < before - after:
            position, grads, energy = moved, moved_grads, moved_energy
    return position


def hmc_phase(problem, expert, noise, accept):
    """One draw around the expert against the state of HMC from it after `innerSteps` transitions."""
    settings = problem.settings
    positive = shifted(expert, noise("expert", 0), settings["sigma"])
    return mean_of_phases(problem, [positive], [hmc(problem, expert, settings["innerSteps"], noise, accept)])
