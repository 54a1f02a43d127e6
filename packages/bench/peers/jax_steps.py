"""One side of `bpc bench samplers`: steps of unadjusted Langevin and of HMC in JAX, in float64 or float32.

"scan" runs a block of steps in one compiled loop and keeps the position after each; "call" calls a compiled step from Python.
A task with "out" makes its blocks once, writes all positions as float64 [steps, parameter] and ends.
"""
import jax
import jax.numpy as jnp
import numpy as np

from jax_densities import log_density, read_data
from subject_protocol import read_task, say, serve

task = read_task()
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", task["precision"] == "float64")
dtype = jnp.float64 if task["precision"] == "float64" else jnp.float32
value_and_gradient = jax.value_and_grad(log_density(task["model"], read_data(task["dataFile"], dtype)))
position = jnp.asarray(task["position"], dtype)
size = position.shape[0]
step_size, leapfrogs, block = task["stepSize"], task["leapfrogSteps"], task["block"]


def ula(q, noise):
    _, gradient = value_and_gradient(q)
    q = q + step_size * gradient + jnp.sqrt(2 * step_size) * noise
    return q, q


def hmc(state, random):
    q0, value0, gradient0 = state
    momentum, uniform = random

    def leap(_, state):
        q, p, _, gradient = state
        p = p + 0.5 * step_size * gradient
        q = q + step_size * p
        value, gradient = value_and_gradient(q)
        return q, p + 0.5 * step_size * gradient, value, gradient

    q, p, value, gradient = jax.lax.fori_loop(0, leapfrogs, leap, (q0, momentum, value0, gradient0))
    log_ratio = value - 0.5 * jnp.sum(p**2) - value0 + 0.5 * jnp.sum(momentum**2)
    accept = jnp.log(uniform) < log_ratio
    state = jax.tree.map(lambda new, old: jnp.where(accept, new, old), (q, value, gradient), (q0, value0, gradient0))
    return state, state[0]


if task["kernel"] == "ula":
    step, start = ula, position
    draw = lambda key, shape: jax.random.normal(key, (*shape, size), dtype)
else:
    step, start = hmc, (position, *value_and_gradient(position))
    draw = lambda key, shape: (
        jax.random.normal(key, (*shape, size), dtype),
        jax.random.uniform(jax.random.fold_in(key, 1), shape, dtype),
    )


@jax.jit
def many(key, state):
    # The noise of a block at once: faster than a generator in the loop.
    key, own = jax.random.split(key)
    state, positions = jax.lax.scan(step, state, draw(own, (block,)))
    return key, state, positions


@jax.jit
def one(key, state):
    key, own = jax.random.split(key)
    state, q = step(state, draw(own, ()))
    return key, state, q


def scanned(key, state):
    return many(key, state)


def called(key, state):
    positions = []
    for _ in range(block):
        key, state, q = one(key, state)
        positions.append(q)
    return key, state, positions


run = scanned if task["loop"] == "scan" else called
key, state = jax.random.PRNGKey(task["seed"]), start


def next_block():
    global key, state
    key, state, positions = jax.block_until_ready(run(key, state))
    return positions


if "out" in task:
    blocks = [np.asarray(next_block(), "<f8") for _ in range(task["blocks"])]
    np.concatenate(blocks).tofile(task["out"])
    say({"result": True})
else:
    serve(next_block, jax.__version__)
