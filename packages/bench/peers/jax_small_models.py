"""One side of `bpc bench small-models`: value and gradient of a log density in JAX, in float64 or float32.

"scan" runs all iterations in one compiled loop whose position moves along the gradient, so that none can be left out or
folded; "call" calls a compiled function from Python.
"""
import json

import jax
import jax.numpy as jnp
import numpy as np

from subject_protocol import read_task, say, serve

task = read_task()
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", task["precision"] == "float64")
dtype = jnp.float64 if task["precision"] == "float64" else jnp.float32
with open(task["dataFile"]) as file:
    data = {name: jnp.asarray(np.array(values), dtype) for name, values in json.load(file).items()}


def half_cauchy(u, scale):
    return u - jnp.log(1 + (jnp.exp(u) / scale) ** 2)


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


log_density = {"logistic": logistic, "eight-schools": eight_schools, "arK": ar, "kidiq": kidiq}[task["model"]]
value_and_gradient = jax.value_and_grad(log_density)
start = jnp.asarray(task["position"], dtype)


def move(q, _):
    value, gradient = value_and_gradient(q)
    return q + 1e-9 * gradient, value


loop = jax.jit(lambda q: jax.lax.scan(move, q, None, length=task["calls"]))
step = jax.jit(lambda q: move(q, None))


def block():
    if task["loop"] == "scan":
        jax.block_until_ready(loop(start))
    else:
        q = start
        for _ in range(task["calls"]):
            q, value = step(q)
        jax.block_until_ready((q, value))


value, gradient = jax.jit(value_and_gradient)(start)
expected = task["expected"]
wanted = np.array(expected["gradient"])
error = max(
    abs(float(value) - expected["value"]) / max(1, abs(expected["value"])),
    float(np.max(np.abs(np.asarray(gradient, np.float64) - wanted))) / max(1, float(np.max(np.abs(wanted)))),
)
if error <= expected["tolerance"]:
    serve(block, jax.__version__)
else:
    say({"failed": f"computes something else: relative error {error}"})
