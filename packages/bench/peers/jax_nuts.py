"""One side of `bpc bench samplers`: NUTS in BlackJAX or NumPyro, in float64, with a diagonal metric and warm-up by windows.

All chains are one compiled program: one after the other ("sequential") or as one batch ("vmap"). A request
{"seed": ..., "out": PATH} makes one run and writes its draws, float64 [chain, draw, parameter]; the first one compiles.
NumPyro runs by its functional kernel: MCMC.run() initialises outside of the program and compiles again at every call.
"""
import time

import jax
import jax.numpy as jnp
import numpy as np

from jax_densities import log_density, read_data, relative_error
from subject_protocol import answer, peak_rss_mb, read_task, say

task = read_task()
library, mode = task["subject"].split(":")
if library == "blackjax":
    import blackjax as engine
else:
    import numpyro as engine
    from numpyro.infer.hmc import hmc

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)
density = log_density(task["model"], read_data(task["dataFile"], jnp.float64))
size = task["size"]
warmup, draws = task["warmup"], task["draws"]
target, depth = task["targetAcceptance"], task["maxDepth"]


def uniform_start(key):
    return jax.random.uniform(key, (size,), minval=-2, maxval=2)


def blackjax_chain(key):
    start, adapt, sample = jax.random.split(key, 3)
    adaptation = engine.window_adaptation(
        engine.nuts, density, is_mass_matrix_diagonal=True, target_acceptance_rate=target, max_num_doublings=depth
    )
    (state, parameters), history = adaptation.run(adapt, uniform_start(start), warmup)
    kernel = engine.nuts(density, **parameters)

    def step(state, key):
        state, info = kernel.step(key, state)
        return state, (state.position, info.num_integration_steps, info.is_divergent)

    _, (positions, leapfrogs, divergent) = jax.lax.scan(step, state, jax.random.split(sample, draws))
    return positions, leapfrogs.sum() + history.info.num_integration_steps.sum(), divergent.sum()


def numpyro_chain(key):
    start, key = jax.random.split(key)
    init, kernel = hmc(lambda q: -density(q), algo="NUTS")
    state = init(
        uniform_start(start), warmup, target_accept_prob=target, dense_mass=False, max_tree_depth=depth, rng_key=key
    )

    def step(state, _):
        state = kernel(state)
        return state, (state.z, state.num_steps, state.diverging)

    state, (_, before, _) = jax.lax.scan(step, state, None, length=warmup)
    _, (positions, leapfrogs, divergent) = jax.lax.scan(step, state, None, length=draws)
    return positions, leapfrogs.sum() + before.sum(), divergent.sum()


chain = blackjax_chain if library == "blackjax" else numpyro_chain
run = jax.jit(jax.vmap(chain) if mode == "vmap" else lambda keys: jax.lax.map(chain, keys))
compiled = None


def work(request):
    global compiled
    keys = jax.block_until_ready(jax.random.split(jax.random.PRNGKey(request["seed"]), task["chains"]))
    started = time.perf_counter()
    if compiled is None:
        compiled = run.lower(keys).compile()
    busy, begun = time.process_time(), time.perf_counter()
    positions, leapfrogs, divergent = jax.block_until_ready(compiled(keys))
    ended, cpu = time.perf_counter(), time.process_time() - busy
    np.asarray(positions, dtype="<f8").tofile(request["out"])
    return {
        "compileMs": (begun - started) * 1e3,
        "samplingMs": (ended - begun) * 1e3,
        "cpuMs": cpu * 1e3,
        "leapfrogs": int(leapfrogs.sum()),
        "divergent": int(divergent.sum()),
        "peakRssMb": peak_rss_mb(),
    }


def checked(request):
    """Whether it is the same density; outside of what is timed."""
    gradient = jax.jit(jax.value_and_grad(density))
    return {"relativeError": relative_error(*gradient(jnp.asarray(request["position"])), request)}


answer(lambda request: checked(request) if "position" in request else work(request), engine.__version__)
