"""Points composed once are what Hydra makes of each of them alone."""

from collections.abc import Iterator

import pytest
from hydra import initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from runs import TINY

from grok.settings import places
from grok.settings.composing import PointLoader
from grok.sweep.identity import FOLDER_PLACEHOLDER, identity

SWEEPS = {
    "plain settings": (
        ["optim.wd=0 replicate=0", "optim.wd=1 replicate=0", "optim.wd=1.0 replicate=1", "optim.wd=1e-3 replicate=7"],
        1,
    ),
    "a setting that others follow, and one that stands in their place": (
        ["replicate=3", "replicate=3 seed=5", "replicate=4 data.seed=1", "replicate=4"],
        1,
    ),
    "words, quotes, null and truth": (
        ["stop=never", "stop='never'", "threads=null", "pictures=true", "data.split=unordered", "name='a=b'"],
        1,
    ),
    "groups": (
        [
            "optim=sgd optim.lr=0.1",
            "optim=adam optim.lr=0.1",
            "experiment=quick optim.lr=1",
            "optim.lr=1 experiment=quick",
        ],
        4,
    ),
    "lists and dictionaries": (
        ["key_frequencies=[1,2]", "key_frequencies=max", "measure_early={every: 2, until: 4}", "optim={wd: 3}"],
        4,
    ),
    "interpolations": (["data.seed=${seed}", "seed=4 data.seed=${seed}", "name=x_${optim.wd} optim.wd=3"], 3),
    "added and taken away": (
        ["+optim.amsgrad=true optim.wd=2", "~callbacks.phases optim.wd=2", "++optim.wd=4", "optim.wd=2"],
        4,
    ),
    "one within the other, in either order": (["optim={wd: 3} optim.wd=5", "optim.wd=5 optim={wd: 3}"], 2),
}


@pytest.fixture
def loader() -> Iterator[ConfigLoaderImpl]:
    places.register_resolvers()
    with initialize_config_dir(str(places.conf_folder()), version_base="1.3"):
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None
        assert isinstance(hydra.config_loader, ConfigLoaderImpl)
        yield hydra.config_loader


def master(loader: ConfigLoaderImpl) -> DictConfig:
    return loader.load_configuration("train", [], run_mode=RunMode.MULTIRUN)


def alone(loader: ConfigLoaderImpl, typed: list[str], above: DictConfig | None = None) -> DictConfig:
    config = loader.load_sweep_config(above or master(loader), typed)
    with open_dict(config):
        del config["hydra"]
    return config


@pytest.mark.parametrize("name", SWEEPS)
def test_a_point_is_what_hydra_makes_of_it_alone(loader: ConfigLoaderImpl, name: str) -> None:
    lines, _ = SWEEPS[name]
    points, above = PointLoader(loader), master(loader)
    for line in [*lines, *reversed(lines)]:  # whatever was asked for before
        typed = [*TINY, *_words(line)]
        fast, real = points.load_sweep_config(above, typed), alone(loader, typed, above)
        fast.folder = real.folder = FOLDER_PLACEHOLDER
        assert OmegaConf.to_container(fast) == OmegaConf.to_container(real)
        assert OmegaConf.to_yaml(fast, resolve=True) == OmegaConf.to_yaml(real, resolve=True)
        assert identity(fast) == identity(real)


@pytest.mark.parametrize("name", SWEEPS)
def test_hydra_composes_once_for_all_that_plain_settings_tell_apart(
    loader: ConfigLoaderImpl, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, times = SWEEPS[name]
    points, composed, above = PointLoader(loader), [], master(loader)
    real = loader.load_sweep_config

    def counted(*arguments: object) -> DictConfig:
        composed.append(arguments)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(loader, "load_sweep_config", counted)
    for line in lines:
        points.load_sweep_config(above, _words(line))
    assert len(composed) == times


@pytest.mark.parametrize("typed", ["optim.wdd=1", "optim.wd.x=1", "nothing=1", "data.p=5 stopp=never", "optim=sdg"])
def test_what_hydra_refuses_alone_is_refused_in_the_same_words(loader: ConfigLoaderImpl, typed: str) -> None:
    points = PointLoader(loader)
    points.load_sweep_config(master(loader), ["optim.wd=3"])
    with pytest.raises(HydraException) as there:
        alone(loader, typed.split())
    with pytest.raises(HydraException) as here:
        points.load_sweep_config(master(loader), typed.split())
    assert str(here.value) == str(there.value)
    after = points.load_sweep_config(master(loader), ["optim.wd=2"])
    assert OmegaConf.to_container(after) == OmegaConf.to_container(alone(loader, ["optim.wd=2"]))


def _words(line: str) -> list[str]:
    """Settings, of which values in braces hold spaces."""
    words: list[str] = []
    for word in line.split(" "):
        if words and words[-1].count("{") > words[-1].count("}"):
            words[-1] += f" {word}"
        else:
            words.append(word)
    return words
