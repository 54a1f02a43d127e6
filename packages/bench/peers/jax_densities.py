"""The log densities of `bench-support/small-models/models.ts` in JAX: functions of one flat vector of unconstrained parameters."""
import json

import jax.numpy as jnp
import numpy as np


def read_data(path, dtype):
    """The model's data by name."""
    with open(path) as file:
        return {name: jnp.asarray(np.array(values), dtype) for name, values in json.load(file).items()}


def half_cauchy(u, scale):
    return u - jnp.log(1 + (jnp.exp(u) / scale) ** 2)


def log_density(model, data):
    def regression(a, b):
        residuals = data["y"][:, 0] - data["X"] @ a
        return -0.5 * jnp.sum(residuals**2) * jnp.exp(-2 * b) - data["y"].shape[0] * b

    def logistic(q):
        z = data["X"] @ q
        return jnp.sum(data["y"][:, 0] * z - jnp.log(1 + jnp.exp(z))) - 0.5 * jnp.sum(q**2)

    def eight_schools(q):
        mu, tau, z = q[0], q[1], q[2:]
        theta = mu + jnp.exp(tau) * z
        likelihood = -0.5 * jnp.sum(((data["y"] - theta) / data["sigma"]) ** 2)
        return likelihood - 0.5 * jnp.sum(z**2) - 0.5 * (mu / 5) ** 2 + half_cauchy(tau, 5)

    def ar(q):
        return -0.005 * jnp.sum(q[:-1] ** 2) + half_cauchy(q[-1], 2.5) + regression(q[:-1], q[-1])

    def kidiq(q):
        return half_cauchy(q[-1], 2.5) + regression(q[:-1], q[-1])

    return {"logistic": logistic, "eight-schools": eight_schools, "arK": ar, "kidiq": kidiq}[model]


def relative_error(value, gradient, expected):
    """The largest error of a value and a gradient, relative to the largest number of each."""
    wanted = np.array(expected["gradient"])
    return max(
        abs(float(value) - expected["value"]) / max(1, abs(expected["value"])),
        float(np.max(np.abs(np.asarray(gradient, np.float64) - wanted))) / max(1, float(np.max(np.abs(wanted)))),
    )
