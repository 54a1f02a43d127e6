"""How a peer talks to `bpc bench`: its task is one JSON argument, its answers are lines of JSON.

A task with "evaluate" names two safetensors files: the peer computes once on the first, writes the second and ends. Peers
that are timed find lines with a count on standard input, each answered by {"ms": [...], "cpuMs": ..., "peakRssMb": ...};
those that sample find requests in JSON, each answered by {"result": ...}.
"""
import json
import resource
import struct
import sys
import time


def read_task():
    return json.loads(sys.argv[1])


def say(answer):
    print(json.dumps(answer), flush=True)


def read_tensors(path):
    """Name to numpy array, of a file whose tensors are float32 or int32."""
    import numpy as np

    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    types = {"F32": np.float32, "I32": np.int32}
    return {
        name: np.frombuffer(data[8 + length + begin : 8 + length + end], types[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
        for begin, end in [entry["data_offsets"]]
    }


def draws_of(arrays):
    """The batches of images among some arrays: x0, x1, ..."""
    return [name for name in arrays if name[0] == "x" and name[1:].isdigit()]


def write_tensors(path, arrays):
    """Writes float32 arrays by name."""
    header, parts, offset = {}, [], 0
    for name in sorted(arrays):
        data = arrays[name].astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(arrays[name].shape), "data_offsets": [offset, offset + len(data)]}
        parts.append(data)
        offset += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def peak_rss_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def serve(step, version, warm_ups=3):
    """Warms up, then times `step` as often as it is asked to."""
    for _ in range(warm_ups):
        step()
    say({"ready": True, "version": version})
    for line in sys.stdin:
        times = []
        busy, started = time.process_time(), time.perf_counter()
        for _ in range(int(line)):
            begun = time.perf_counter()
            step()
            times.append((time.perf_counter() - begun) * 1e3)
        say(
            {
                "ms": times,
                "cpuMs": (time.process_time() - busy) * 1e3,
                "wallMs": (time.perf_counter() - started) * 1e3,
                "peakRssMb": peak_rss_mb(),
            }
        )


def answer(work, version):
    """Does what each line of standard input asks for. Nothing is warmed up: what the first answer compiles is part of it."""
    say({"ready": True, "version": version})
    for line in sys.stdin:
        say({"result": work(json.loads(line))})
