"""Takes libtensorflow and its C headers out of a tensorflow-cpu wheel: unpack-wheel.py WHEEL FOLDER."""

import os
import shutil
import sys
import zipfile

LIBRARIES = {"tensorflow/libtensorflow_cc.so.2", "tensorflow/libtensorflow_framework.so.2"}
INCLUDE = "tensorflow/include/"
HEADERS = tuple(
    INCLUDE + folder for folder in ("tensorflow/c/", "tensorflow/core/platform/", "tensorflow/tsl/", "tsl/", "xla/tsl/")
)


def target(name: str) -> "str | None":
    if name in LIBRARIES:
        return os.path.join("lib", os.path.basename(name))
    if name.startswith(HEADERS) and name.endswith(".h"):
        return os.path.join("include", name[len(INCLUDE) :])
    return None


def main(wheel: str, folder: str) -> None:
    found = set()
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            relative = target(member.filename)
            if relative is None:
                continue
            found.add(member.filename)
            path = os.path.join(folder, relative)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with archive.open(member) as source, open(path, "wb") as copy:
                shutil.copyfileobj(source, copy, 1 << 20)
    if not LIBRARIES <= found:
        sys.exit("the wheel lacks " + ", ".join(sorted(LIBRARIES - found)))
    for name in ("libtensorflow_cc.so.2", "libtensorflow_framework.so.2"):
        link = name.replace("_cc", "").replace(".2", "")
        os.symlink(name, os.path.join(folder, "lib", link))


main(sys.argv[1], sys.argv[2])
