"""What is asked of Hugging Face Jobs for a training, and how a run directory remembers it."""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

from genlib.config import Config
from genlib.errors import GenlibError, shown
from genlib.hub.answers import LOG_IN
from genlib.io.fields import TABLE, TEXT, Kind, list_of, read_fields
from genlib.io.files import write_json
from genlib.loading import weights_directory
from genlib.model import Preset
from genlib.remote.repository import METRICS, SOURCE
from genlib.zoo.files import read_metrics

JOBS = "Hugging Face Jobs"
STATE = "hf-job.json"
COUNTS = "--distance-samples", "--evaluation-samples"
FLAVOR = "t4-small"
LABEL = "genlib-run"
# The Python that runs here, so that the versions that are installed here install there too. PyTorch's wheels for Linux
# bring CUDA with them; an image of PyTorch's would hold it twice, and another version of it.
IMAGE = f"python:{sys.version_info.major}.{sys.version_info.minor}-slim"
ENVIRONMENT = {"PYTHONUNBUFFERED": "1", "TQDM_DISABLE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
INSTALL = "pip install --quiet --disable-pip-version-check --root-user-action=ignore"
SET_UP_SECONDS = 1_800  # to install PyTorch, fetch the data, and measure at the end
OTHER_SECONDS = 6 * 3_600  # for settings whose time no shipped model tells
MOST_SECONDS = 24 * 3_600


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for. Without a flavor or counts those of the job before hold, or the defaults."""

    preset: Preset
    config: Config
    directory: Path
    flavor: str | None
    resume: bool
    counts: list[str]

    @property
    def command(self) -> str:
        """What follows the job again."""
        parts = ("python -m genlib train", self.preset.name, "--on hf-jobs --run-dir", shlex.quote(str(self.directory)))
        return " ".join(parts)


@dataclass(frozen=True)
class Rental:
    """A training on a rented machine, as hf-job.json in its run directory has it."""

    preset: str
    config: dict[str, Any]
    counts: list[str]  # options of `genlib train` that set the sample counts
    flavor: str
    repository: str  # "owner/name", of the run
    label: str  # by which a job is found whose submission was never confirmed
    job: str = ""  # its id; empty until its submission is confirmed

    @property
    def owner(self) -> str:
        return self.repository.partition("/")[0]

    @property
    def url(self) -> str:
        """The job's page."""
        from huggingface_hub.constants import ENDPOINT

        return f"{ENDPOINT}/jobs/{self.owner}/{self.job}"

    @property
    def stop(self) -> str:
        """The command that cancels the job."""
        return f"hf jobs cancel {shlex.quote(f'{self.owner}/{self.job}')}"

    def save(self, directory: Path) -> None:
        """Write hf-job.json."""
        write_json(directory / STATE, asdict(self))


def read_rental(directory: Path) -> Rental | None:
    """What hf-job.json says; None where there is none."""
    path = directory / STATE
    if not path.is_file():
        return None
    try:
        found = read_fields(path, _KINDS, _KINDS.keys() - {"job"})
    except GenlibError as error:
        raise GenlibError(f"{error}; it says which job trains the run: give a new run directory") from error
    return Rental(**{key: found[key] for key in found.keys() & _KINDS.keys()})


_REPOSITORY = Kind("owner/name", lambda value: TEXT.fits(value) and re.fullmatch(r"[\w.-]+/[\w.-]+", value) is not None)
_KINDS = {field.name: TEXT for field in fields(Rental)}
_COUNTS = Kind(
    "options of sample counts",
    lambda value: (
        list_of(TEXT).fits(value)
        and re.fullmatch(r"(--(distance|evaluation)-samples [0-9]{1,6} ){0,2}", "".join(f"{word} " for word in value))
        is not None
    ),
)
_KINDS |= {"config": TABLE, "counts": _COUNTS, "repository": _REPOSITORY}


def check_flavor(flavor: str) -> None:
    """GenlibError for what is no machine of Jobs, and for one with GPUs that would idle."""
    from huggingface_hub import JobHardware

    known = [str(each.value) for each in JobHardware]
    usable = [each for each in known if not re.search(r"x[2-9]$", each)]
    if flavor not in usable:
        why = "has several GPUs, of which genlib uses one" if flavor in known else "is no machine of Hugging Face Jobs"
        raise GenlibError(f"{shown(flavor)} {why}; choose one of {', '.join(usable)}")


def check_access() -> None:
    """GenlibError where this machine is told to stay offline, or has no token of the Hub."""
    from huggingface_hub import get_token
    from huggingface_hub.constants import is_offline_mode

    if is_offline_mode():
        raise GenlibError(f"HF_HUB_OFFLINE is set, and {JOBS} take the network")
    if not get_token():
        raise GenlibError(f"{JOBS} take a token that may write repositories and start jobs: {LOG_IN}")


def job_request(rental: Rental, token: str, seconds: int) -> dict[str, Any]:
    """Arguments of HfApi.run_job. The token is a secret of the job, and in nothing that others can see."""
    return {
        "image": IMAGE,
        "command": ["bash", "-c", job_script(rental)],
        "env": ENVIRONMENT,
        "secrets": {"HF_TOKEN": token},
        "flavor": rental.flavor,
        "timeout": seconds,
        "name": f"genlib-{rental.preset}",
        "labels": {LABEL: rental.label},
        "namespace": rental.owner,
    }


def job_script(rental: Rental) -> str:
    """What the job does: fetch the sources and the run, install, train.

    The device is named: a machine whose GPU does not work must fail at once, rather than train for hours without it.
    """
    device = "cpu" if rental.flavor.startswith("cpu-") else "cuda"
    training = [rental.repository, rental.preset, "--device", device, *rental.counts]
    steps = [
        'cd "$(mktemp -d)"',
        f"{INSTALL} huggingface-hub=={version('huggingface-hub')}",
        f"hf download {shlex.quote(rental.repository)} --local-dir . > /dev/null",
        f"python -m tarfile -e {SOURCE}",
        "echo 'installing PyTorch'",
        f"{INSTALL} -r requirements.txt",
        f"exec python -m genlib.remote.worker {shlex.join(training)}",
    ]
    return " && ".join(steps)


def time_limit(preset: Preset, config: Config) -> int:
    """Seconds after which a job is ended: it costs no more than a training three times as slow as the shipped model's.

    That one tells nothing where more than epochs and seed differs. What is ended early can be resumed.
    """
    metrics = weights_directory() / preset.name / METRICS
    if config.replace(epochs=preset.config.epochs, seed=preset.config.seed) != preset.config or not metrics.is_file():
        return OTHER_SECONDS
    measured = read_metrics(metrics.parent)
    if not (measured.get("train_seconds") and measured.get("train_epochs")):
        return OTHER_SECONDS
    training = 3 * measured["train_seconds"] / measured["train_epochs"] * config.epochs
    return round(min(SET_UP_SECONDS + training, MOST_SECONDS))
