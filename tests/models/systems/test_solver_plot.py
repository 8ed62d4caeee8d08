"""The plot of solvers: its errors fall with the evaluations, and a run of what does not diffuse is refused."""

import pytest
import torch

from ghostnote.bridge.errors import InputError
from ghostnote.models.diffusion.solvers import SOLVERS
from ghostnote.models.diffusion.v_prediction import t_to_alpha_sigma
from ghostnote.models.nets.checkpoint import WEIGHTS
from ghostnote.models.systems.checkpoint import save_system
from ghostnote.models.systems.diffusion_system import DiffusionSystem
from ghostnote.models.systems.registry import make_system
from ghostnote.models.systems.solver_plot import evaluations, main, measure, plan
from ghostnote.models.systems.system import SystemSettings


class NormalSystem(DiffusionSystem):
    """Knows the true x of data that is normal with deviation 1/2."""

    title, target = "normal", "v"

    def predict(self, z, t, label):
        alpha, sigma = t_to_alpha_sigma(t[:, None])
        x = z * alpha / 4 / (alpha**2 / 4 + sigma**2)
        return alpha * (z - alpha * x) / sigma.clamp_min(1e-6) - sigma * x

    def noise(self, label, generator):
        return torch.randn(len(label), 500, generator=generator)

    def to_audio(self, x):
        return x

    def stages(self):
        return []

    def sample(self, label, generator, steps=None):
        return self.noise(label, generator)


def test_numbers_of_steps_divide_those_of_the_reference():
    assert plan("ddim", 200) == [4, 5, 8, 10, 20, 25, 40, 50, 100, 200]
    assert plan("heun", 200) == [4, 5, 8, 10, 20, 25, 40, 50, 100]
    assert plan("sde", 200)[-1] == 100


def test_errors_fall_with_evaluations_and_those_of_order_two_faster():
    calls = []
    curves = measure(NormalSystem(SystemSettings()), torch.zeros(2, dtype=torch.long), 200, progress=calls.append)
    assert sum(calls) == evaluations(200)
    error = {name: dict(curve) for name, curve in curves.items()}
    for name in SOLVERS:
        values = [value for count, value in curves[name] if count >= 40]
        assert values == sorted(values, reverse=True)
        assert values[-1] < 0.2
    assert error["heun"][100] < 0.2 * error["euler"][100]
    assert error["dpm++2m"][100] < 0.2 * error["ddim"][100]


def test_a_run_is_drawn_and_its_numbers_are_printed(tmp_path, capsys):
    settings = {"decimation": 4, "front": "patch", "stride": 64, "widths": (8,), "attention_levels": 0}
    system = make_system("ddpm", settings)
    save_system(tmp_path / WEIGHTS, "ddpm", system, system.state_dict(), {})
    main(tmp_path, tmp_path / "solvers.png", hits=1, steps=8)
    assert (tmp_path / "solvers.png").read_bytes().startswith(b"\x89PNG")
    assert f"{SOLVERS['heun'].title}: 8: " in capsys.readouterr().out


def test_a_run_that_does_not_diffuse_is_refused(tmp_path):
    system = make_system("wavenet", {"residual": 2, "skip": 2, "dilations": (1,)})
    save_system(tmp_path / WEIGHTS, "wavenet", system, system.state_dict(), {})
    with pytest.raises(InputError, match="WaveNet, which does not diffuse"):
        main(tmp_path, tmp_path / "solvers.png")
