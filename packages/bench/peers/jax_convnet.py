"""One side of `bpc bench cd-step`: a ConvNet's loss and parameter gradients in JAX, compiled.

XLA's thread pool takes every core it may run on, whatever its flags say, so this process is confined to as many cores as it
is given threads.
"""
import os

from subject_protocol import draws_of, read_task, read_tensors, say, serve, write_tensors

task = read_task()
if hasattr(os, "sched_setaffinity"):
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[-task["threads"] :])
if task["threads"] == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax  # noqa: E402  (reads its environment when it is imported)
import jax.numpy as jnp  # noqa: E402

jax.config.update("jax_platforms", "cpu")


def logits(p, x):
    block = 0
    while f"conv{block}/kernel" in p:
        padding = 3 if block == 0 and x.shape[1] == 28 and x.shape[2] == 28 else 1
        x = jax.lax.conv_general_dilated(
            x, p[f"conv{block}/kernel"], (1, 1), [(padding, padding)] * 2, dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        x = x + p[f"conv{block}/bias"]
        mean = x.mean((1, 2), keepdims=True)
        variance = ((x - mean) ** 2).mean((1, 2), keepdims=True)
        x = (x - mean) * jax.lax.rsqrt(variance + 1e-5) * p[f"norm{block}/gamma"] + p[f"norm{block}/beta"]
        n, h, w, c = x.shape
        x = jax.nn.relu(x).reshape(n, h // 2, 2, w // 2, 2, c).mean((2, 4))
        block += 1
    return x.reshape(x.shape[0], -1) @ p["dense/kernel"] + p["dense/bias"]


def loss(p, x, y):
    return -jnp.mean(jax.nn.log_softmax(logits(p, x))[jnp.arange(x.shape[0]), y])


gradients = jax.jit(jax.value_and_grad(loss))


def random_parameters():
    made = {}
    for i, (name, shape) in enumerate(task["parameters"]):
        if name.endswith("gamma"):
            made[name] = jnp.ones(shape)
        elif name.endswith("kernel"):
            made[name] = jax.random.normal(jax.random.PRNGKey(i), shape) * 0.03
        else:
            made[name] = jnp.zeros(shape)
    return made


if "evaluate" in task:
    import numpy as np

    arrays = read_tensors(task["evaluate"]["inputs"])
    params = {name: jnp.asarray(arrays["params/" + name]) for name, _ in task["parameters"]}
    found = {}
    for draw in draws_of(arrays):
        value, grads = gradients(params, jnp.asarray(arrays[draw]), jnp.asarray(arrays["labels"]))
        found[draw + "/value"] = np.asarray(value)
        found.update({f"{draw}/grad/{name}": np.asarray(grad) for name, grad in grads.items()})
    write_tensors(task["evaluate"]["outputs"], found)
    say({"ready": True, "version": jax.__version__})
else:
    params = random_parameters()
    x = jax.random.normal(jax.random.PRNGKey(99), (task["batch"], *task["network"]["inputShape"]))
    y = jnp.arange(task["batch"]) % 10
    serve(lambda: jax.block_until_ready(gradients(params, x, y)), jax.__version__)
