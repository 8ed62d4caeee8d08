"""From a model file back to a trained run's folder, where the run itself is lost.

`python -m ghostnote.export.recover MODEL.onnx -o RUN` writes what `ghostnote finetune`, `distill`, `shrink` and
`export` start from. All weights and statistics are in the graph, rounded as it stores them: to fp16 or to 8 bits. What
only a run in progress needs, the optimiser's state among it, is not.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import onnx
import typer

from ghostnote.bridge.dsp.shape import BAND_EDGES
from ghostnote.bridge.errors import ModelError
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.model_card import Card
from ghostnote.bridge.io.atomic_file import prepare_folder, write_bytes
from ghostnote.export.graph_reader import GraphReader
from ghostnote.export.quantization import Floats
from ghostnote.export.unet_reader import fill, read_network, read_settings
from ghostnote.models.dsp.decomposition import GROUPS
from ghostnote.models.dsp.mdct import BANDS
from ghostnote.models.nets.cascade import Cascade, CascadeSettings
from ghostnote.models.nets.checkpoint import WEIGHTS, save_model
from ghostnote.models.program import run_program
from ghostnote.models.statistics.repeatability import SHARED_LATENT, SPANS

AMOUNTS: Final = "amounts.json"
"""The card's amounts, as `--calibration` of `ghostnote finetune` and `ghostnote export` reads them."""
_SOUND: Final = "sound"
_SHAPE: Final = "shape/network"
_RUN_FACTS: Final = ("steps", "seconds")
"""What a card's training says beside the training facts of a run."""


@dataclass(frozen=True)
class _Place:
    """Where the graph holds a tensor: the one constant of its size that nodes of a kind take in a part."""

    part: str
    kind: str
    position: int | None = None
    """The input's, where another constant may have the same size."""

    def read(self, graph: GraphReader, size: int | None = None) -> Floats:
        """Return the tensor, of `size` elements if that is known, in the graph's shape."""
        return graph.find(self.part, self.kind, self.position, size)


_PLACES: Final[Mapping[str, _Place]] = {
    "sound.label.weight": _Place("condition_network", "Gather", 0),
    "sound.velocity.weight": _Place("condition_network", "Gemm", 1),
    "sound.velocity.bias": _Place("condition_network", "Gemm", 2),
    "sound.conditioning.weight": _Place("condition_network", "Conv", 1),
    "sound.conditioning.bias": _Place("condition_network", "Conv", 2),
    "sound.given.weight": _Place("start_sample", "Conv", 1),
    "sound.frequencies": _Place(_SOUND, "Mul"),
    "shape.label.weight": _Place("shape", "Gather", 0),
    "shape.velocity.weight": _Place("shape", "Gemm", 1),
    "shape.velocity.bias": _Place("shape", "Gemm", 2),
    "shape.frequencies": _Place(_SHAPE, "Mul"),
    "shape_mean": _Place("restore_shape", "Add"),
    "shape_std": _Place("restore_shape", "Mul"),
    "shape_low": _Place("restore_shape", "Max"),
    "shape_high": _Place("restore_shape", "Min"),
    "repeatability_weight": _Place("reference_encoder", "MatMul"),
    "repeatability_bias": _Place("reference_encoder", "Add"),
    "coherence_shift": _Place("reference_encoder", "Add"),
    "principal_components": _Place("draw_stroke", "MatMul"),
    "extent": _Place("draw_stroke", "MatMul"),
    "coherence_offset": _Place("draw_stroke", "MatMul"),
    "coherence_decay_db": _Place("draw_stroke", "Div"),
    "slopes": _Place("draw_stroke", "GatherND", 0),
}
"""Tensors that the graph holds as they are, but for rounding and shape."""
_CONTRAST: Final = _Place("reference_encoder", "Mul")
_SPARSITY: Final = (_Place("draw_stroke", "Add"), _Place("draw_stroke", "Mul"), _Place("draw_stroke", "MatMul"))
"""A constant, each cell's own, and the effects of the shared latent."""


def recover(path: Path) -> tuple[Cascade, Card, str]:
    """Return the model of a file in evaluation mode, its card, and the file's checksum.

    `ModelError` for a file that ghostnote cannot play, or whose graph is not as this version exports it.
    """
    opened = Generator.open(path)
    graph = GraphReader(onnx.load(path))
    model = Cascade(_settings(graph, opened.card)).eval()
    for tensor in model.state_dict().values():
        # Whatever is not read shows, as no weight may be "not a number".
        fill(tensor, np.full(tensor.shape, np.nan, np.float32))
    read_network(graph, _SOUND, model.sound)
    read_network(graph, _SHAPE, model.shape)
    _read_tensors(graph, opened.card, model)
    missing = [name for name, tensor in model.state_dict().items() if tensor.isnan().any()]
    if missing:
        raise ModelError(f"{path} does not hold {', '.join(missing)}")
    return model, opened.card, opened.checksum


def _settings(graph: GraphReader, card: Card) -> CascadeSettings:
    """Return the shapes of both networks."""
    classes = len(card.classes)
    sound_width, shape_width = (_PLACES[f"{name}.label.weight"].read(graph).shape[1] for name in ("sound", "shape"))
    sound = read_settings(graph, _SOUND, card.bands, classes, sound_width)
    shape = read_settings(graph, _SHAPE, card.shape_size[0], classes, shape_width)
    rows = _PLACES["sound.conditioning.weight"].read(graph).shape[1] // sound.patch
    return CascadeSettings(replace(sound, conditioning=rows, inpainting=True), shape)


def _read_tensors(graph: GraphReader, card: Card, model: Cascade) -> None:
    """Fill what is not inside the networks' nodes: embeddings, conditioning and statistics."""
    state = model.state_dict()
    for name, place in _PLACES.items():
        fill(state[name], place.read(graph, state[name].numel()).reshape(state[name].shape))
    fill(model.level_spread_db, np.array(card.level_spread_db, np.float32))
    fill(model.attack_spread_db, np.array(card.attack_spread_db, np.float32))
    # Each band has its group's contrast, as the power that amplitudes are raised to.
    power = _CONTRAST.read(graph, BANDS)[list(BAND_EDGES[:-1]), 0]
    fill(model.spectral_contrast, power / np.float32(2) - np.float32(1))
    sizes = (GROUPS * SPANS, GROUPS * SPANS, SHARED_LATENT * GROUPS * SPANS)
    tables = [place.read(graph, size) for place, size in zip(_SPARSITY, sizes, strict=True)]
    fill(model.sparsity, np.concatenate([table.reshape(-1, GROUPS, SPANS) for table in tables]))


def facts_of(card: Card, checksum: str) -> dict[str, Any]:
    """Return the facts of the run that a card tells of, and the checksum of the model file that it came from."""
    training = {name: value for name, value in card.training.items() if name not in _RUN_FACTS}
    return {
        "training": training,
        "credits": list(card.credits),
        "partials": asdict(card.partials),
        "drums": asdict(card.drums),
        "step": card.training.get("steps"),
        "seconds": card.training.get("seconds"),
        "recovered_from": checksum,
    }


def main(
    path: Annotated[Path, typer.Argument(metavar="MODEL.onnx", help="A model file of 'ghostnote export'.")],
    run: Annotated[Path, typer.Option("--output", "-o", metavar="RUN", help="The folder to write.")],
) -> None:
    """Write the run's folder that a model file was exported from, as far as the file holds it."""
    model, card, checksum = recover(path)
    prepare_folder(run)
    save_model(run / WEIGHTS, model.state_dict(), model.settings, facts_of(card, checksum))
    write_bytes(run / AMOUNTS, json.dumps({"calibration": {"amounts": card.amounts}}).encode())
    count = sum(parameter.numel() for parameter in model.parameters())
    typer.echo(f"{run}: {len(model.state_dict())} tensors, {count / 1e6:.1f} million weights, of {card.name!r}")


if __name__ == "__main__":
    run_program(main)
