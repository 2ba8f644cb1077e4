"""Measurements that need a Python process of their own."""

import importlib.util
import subprocess
import sys


def installed(names: list[str]) -> list[str]:
    return [name for name in names if importlib.util.find_spec(name) is not None]


def output_of(code: str) -> str:
    """What a fresh interpreter prints when it runs `code`."""
    done = subprocess.run([sys.executable, "-c", code], check=True, text=True, capture_output=True)
    return done.stdout


def resident() -> float:
    """Resident memory of this process, MB."""
    return status_field("VmRSS")


def peak_resident() -> float:
    """The most memory that was ever resident in this process, MB."""
    return status_field("VmHWM")


def status_field(field: str) -> float:
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024  # the kernel counts in kB of 1,024
    raise ValueError(f"/proc/self/status has no {field}")
