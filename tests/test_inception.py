"""The Inception distance: torchmetrics' own on our images, and one line where it cannot be had."""

from __future__ import annotations

import pickle
import sys
import urllib.error
from pathlib import Path

import pytest
import torch
import torch_fidelity.feature_extractor_inceptionv3 as fidelity
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance

from genlib.__main__ import main
from genlib.data import FashionMNIST
from genlib.loading import load
from genlib.metrics import inception
from genlib.metrics.frechet import Gaussian, frechet_distance
from genlib.sampling import generate
from tests.tiny import refused

NAME = "vae-dense-8"


class Eyes(nn.Module):
    """In the network's place: twelve numbers of an RGB image."""

    num_features = 12

    def forward(self, x: Tensor) -> Tensor:
        assert x.dtype == torch.uint8 and x.shape[1:] == (3, 28, 28)
        return nn.functional.adaptive_avg_pool2d(x.double(), 2).flatten(1)


def test_it_is_the_distance_of_samples_from_test_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inception, "_metric", lambda weights: FrechetInceptionDistance(feature=Eyes()))
    told: list[int] = []
    distance = inception.inception_distance(NAME, 300, seed=2, progress=told.append)
    features = [
        Eyes()(images[:, None].expand(-1, 3, -1, -1)).numpy()[:, :4]
        for images in (FashionMNIST.load("test").images[:300], generate(load(NAME), 300, seed=2)[0])
    ]
    ours = frechet_distance(Gaussian.of(features[0]), Gaussian.of(features[1]))
    # three equal channels: three times the mean's part, and of the covariance's, too
    assert distance == pytest.approx(3 * ours, rel=1e-3)
    assert told == [*range(50, 601, 50)]


@pytest.mark.slow
def test_the_network_takes_weights_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random ones, since the real ones are a download; the distance of the network's 2,048 numbers is finite."""
    torch.manual_seed(0)
    with monkeypatch.context() as patch:
        patch.setattr(fidelity, "load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(nn.Module, "load_state_dict", lambda *_: None)
        network = fidelity.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])
    torch.save(network.state_dict(), tmp_path / "w.pth")
    assert inception.inception_distance(NAME, 10, weights=tmp_path / "w.pth") > 0
    torch.save({"fc.weight": torch.zeros(2)}, tmp_path / "small.pth")
    with refused("small.pth does not fit the Inception network"):
        inception.inception_distance(NAME, 10, weights=tmp_path / "small.pth")


def test_without_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    with refused("needs torchmetrics and torch-fidelity: pip install"):
        inception.inception_distance(NAME, 10)


def test_without_a_network(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(*_: object, **__: object) -> None:
        raise urllib.error.URLError("no such host")

    monkeypatch.setattr(fidelity, "load_state_dict_from_url", fail)
    assert main(["evaluate", NAME, "--n", "10", "--inception"]) == 2
    told = capsys.readouterr().err
    assert "Inception's weights cannot be downloaded: no such host; give a file" in told and "Traceback" not in told


class Hostile:
    def __reduce__(self) -> tuple[object, ...]:
        return (pytest.fail, ("a file of weights was run",))


def test_files_that_are_no_weights(tmp_path: Path) -> None:
    (tmp_path / "text.pth").write_text("weights")
    (tmp_path / "hostile.pth").write_bytes(pickle.dumps(Hostile(), protocol=2))
    torch.save([1, 2], tmp_path / "list.pth")
    for name in ("text", "hostile", "list"):
        with refused(f"{name}.pth is no file of weights"):
            inception.inception_distance(NAME, 10, weights=tmp_path / f"{name}.pth")
    with refused("cannot read .*nothing.pth: No such file"):
        inception.inception_distance(NAME, 10, weights=tmp_path / "nothing.pth")


def test_bad_numbers() -> None:
    for n in (0, 9, 10_001, True):
        with refused("n takes a whole number from 10 to 10000"):
            inception.inception_distance(NAME, n)
