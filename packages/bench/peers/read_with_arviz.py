"""Other side of `bpc bench arviz`: opens draws that we wrote with ArviZ and says what it finds in them.

The task names files per case: CmdStan's CSV, one per chain, and JSON. The answer has, per case, shapes and diagnostics of
every variable, flattened in C order, and the seconds that ArviZ takes for its summary.
"""
import json
import logging
import time
import warnings

import arviz as az
import numpy as np

from subject_protocol import read_task, say

warnings.simplefilter("ignore")
logging.getLogger("arviz").setLevel(logging.CRITICAL)

STATISTICS = {
    "mean": lambda x: x.mean(),
    "sd": lambda x: x.std(ddof=1),
    "rhat": lambda x: az.rhat(x),
    "essBulk": lambda x: az.ess(x, method="bulk"),
    "essTail": lambda x: az.ess(x, method="tail"),
    "essMean": lambda x: az.ess(x, method="mean"),
    "essSd": lambda x: az.ess(x, method="sd"),
    "essQuantile": lambda x: az.ess(x, method="quantile", prob=0.25),
    "mcseMean": lambda x: az.mcse(x, method="mean"),
    "mcseSd": lambda x: az.mcse(x, method="sd"),
    "mcseQuantile": lambda x: az.mcse(x, method="quantile", prob=0.25),
}


def scalars(values):
    """Chains of each scalar of [chains, draws, *shape]."""
    flat = values.reshape(*values.shape[:2], -1)
    return [np.ascontiguousarray(flat[:, :, i]) for i in range(flat.shape[2])]


def variables(dataset):
    return {
        str(name): {
            "shape": list(array.shape),
            # Every number, so that a permuted index cannot hide behind equal diagnostics.
            "values": array.values.ravel().tolist(),
            **{key: [float(of(x)) for x in scalars(array.values)] for key, of in STATISTICS.items()},
        }
        for name, array in dataset.data_vars.items()
    }


def statistics(dataset):
    return {str(name): np.asarray(array.values, float).ravel().tolist() for name, array in dataset.data_vars.items()}


def loo(names, posterior):
    if "logLikelihood" not in names:
        return None
    data = az.from_dict(log_likelihood={"y": posterior["logLikelihood"].values}, posterior={"unused": np.zeros((1, 1))})
    found = az.loo(data, pointwise=True, reff=1.0)
    return {
        "elpd": float(found.elpd_loo),
        # Of the mean over n - 1, as in the paper.
        "standardError": float(found.se) * (found.n_data_points / (found.n_data_points - 1)) ** 0.5,
        "effectiveParameters": float(found.p_loo),
        "paretoK": np.asarray(found.pareto_k).ravel().tolist(),
    }


def read_case(case):
    data = az.from_cmdstan(case["csv"], save_warmup=True)
    with open(case["json"]) as file:
        written = json.load(file)["draws"]
    from_json = az.from_dict(
        posterior={name: np.array(values, float) for name, values in written["values"].items()},
        sample_stats={name: np.array(values, float) for name, values in written["statistics"].items()},
    )
    started = time.perf_counter()
    az.summary(data, round_to="none")
    seconds = time.perf_counter() - started
    warmup = getattr(data, "warmup_posterior", None)
    return {
        "variables": variables(data.posterior),
        "json": {str(name): list(array.shape) for name, array in from_json.posterior.data_vars.items()},
        "jsonEnergy": [float(value) for value in az.bfmi(from_json)] if "energy" in from_json.sample_stats else [],
        "statistics": statistics(data.sample_stats),
        "bfmi": [float(value) for value in az.bfmi(data)] if "energy" in data.sample_stats else [],
        "warmup": {} if warmup is None else {str(n): list(a.shape) for n, a in warmup.data_vars.items()},
        "warmupMeans": {} if warmup is None else {str(n): float(a.values.mean()) for n, a in warmup.data_vars.items()},
        "loo": loo(written["values"], from_json.posterior),
        "summarySeconds": seconds,
    }


say({"result": {"version": az.__version__, "cases": {case["name"]: read_case(case) for case in read_task()["cases"]}}})
