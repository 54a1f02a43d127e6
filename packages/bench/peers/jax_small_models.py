"""One side of `bpc bench small-models`: value and gradient of a log density in JAX, in float64 or float32.

"scan" runs all iterations in one compiled loop whose position moves along the gradient, so that none can be left out or
folded; "call" calls a compiled function from Python.
"""
import jax
import jax.numpy as jnp

from jax_densities import log_density, read_data, relative_error
from subject_protocol import read_task, say, serve

task = read_task()
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", task["precision"] == "float64")
dtype = jnp.float64 if task["precision"] == "float64" else jnp.float32
value_and_gradient = jax.value_and_grad(log_density(task["model"], read_data(task["dataFile"], dtype)))
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


error = relative_error(*jax.jit(value_and_gradient)(start), task["expected"])
if error <= task["expected"]["tolerance"]:
    serve(block, jax.__version__)
else:
    say({"failed": f"computes something else: relative error {error}"})
