"""Generation by a WaveNet one frame after the other, at a cost that does not grow with what came before.

Each layer keeps, in a ring as long as its dilation, what its older tap will add (Paine et al. 2016, "Fast WaveNet"):
a frame takes two small products a layer, for all hits of a batch at once. They are NumPy's, in arrays that are used
again, as most of the time goes into the calls.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ghostnote.models.dsp.mu_law import LEVELS, SILENCE
from ghostnote.models.nets.wavenet import GatedLayer, WaveNet

Array = NDArray[np.float32]


class CachedLayer:
    """One layer's products, and the ring of what its older tap adds `dilation` frames later.

    As σ(b) is (1 + tanh(b/2))/2, the gate's weights are halved and one tanh does for both.
    """

    def __init__(self, layer: GatedLayer, label: Tensor, offset: Array, gates: Array) -> None:
        """Take `layer` for hits of the classes `label` (batch,).

        `offset` (residual,) is the sum of the biases so far, which `step` leaves out of what it passes on; `gates`
        (batch, residual) is where its outputs go.
        """
        width, batch = gates.shape[1], len(label)
        half = np.repeat(np.array([1, 0.5], np.float32), width)
        older, newer = (_array(layer.conv.weight[:, :, tap]).T * half for tap in (0, 1))
        self.product = np.ascontiguousarray(np.concatenate([newer, older], axis=1))
        bias = (_bias(layer.conv) + _array(layer.label(label))) * half + offset @ newer
        self.ring = np.repeat(bias[None], layer.dilation, axis=0)
        self.bias = bias + offset @ older
        self.out = np.ascontiguousarray(_weight(layer.out).T / 2)
        self.gates, self.at = gates, 0
        self.taps, self.sums = np.empty((batch, 4 * width), np.float32), np.empty((batch, 2 * width), np.float32)
        self.now, self.later = np.split(self.taps, 2, axis=1)
        self.filtered, self.gate = np.split(self.sums, 2, axis=1)
        self.more = np.empty((batch, width), np.float32)

    def step(self, x: Array) -> None:
        """Add the layer's output to its input `x` (batch, residual), in place."""
        past = self.ring[self.at]
        np.matmul(x, self.product, out=self.taps)
        np.add(self.now, past, out=self.sums)
        np.add(self.later, self.bias, out=past)
        np.tanh(self.sums, out=self.sums)
        np.add(self.gate, 1, out=self.gate)
        np.multiply(self.filtered, self.gate, out=self.gates)
        np.matmul(self.gates, self.out, out=self.more)
        np.add(x, self.more, out=x)
        self.at = (self.at + 1) % len(self.ring)


class CachedWaveNet:
    """A WaveNet that takes one frame of a batch of hits at a time."""

    def __init__(self, net: WaveNet, label: Tensor) -> None:
        """Stand before the first frame of hits of the classes `label` (batch,)."""
        width, count = net.settings.residual, len(net.settings.dilations)
        self.embed = _array(net.embed.weight)
        self.gates = np.zeros((len(label), count * width), np.float32)
        offset = np.zeros(width, np.float32)
        self.layers: list[CachedLayer] = []
        layers = [layer for layer in net.layers if isinstance(layer, GatedLayer)]
        for index, layer in enumerate(layers):
            self.layers.append(CachedLayer(layer, label, offset, self.gates[:, index * width : (index + 1) * width]))
            offset = offset + _bias(layer.out)
        self.skip = np.concatenate([_weight(layer.skip).T for layer in layers]) / 2
        self.skip_bias = np.sum([_bias(layer.skip) for layer in layers], axis=0)
        self.head = [(np.ascontiguousarray(_weight(conv).T), _bias(conv)) for conv in (net.hidden, net.logits)]

    def step(self, levels: NDArray[np.int64]) -> Array:
        """Return the logits (batch, LEVELS) of the next frame, after one of these `levels` (batch,)."""
        x = self.embed[levels]
        for layer in self.layers:
            layer.step(x)
        h = self.gates @ self.skip + self.skip_bias
        for weight, bias in self.head:
            h = np.maximum(h, 0) @ weight + bias
        return np.asarray(h)


def pick(logits: Array, uniform: Array, temperature: float = 1.0) -> NDArray[np.int64]:
    """Return a level of each row of `logits` (batch, LEVELS), drawn by numbers (batch,) that are even in [0, 1)."""
    weights = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    heights = weights.cumsum(axis=1)
    drawn = (heights <= uniform[:, None] * heights[:, -1:]).sum(axis=1)
    return np.asarray(np.minimum(drawn, LEVELS - 1))


@torch.no_grad()
def generate(
    net: WaveNet,
    label: Tensor,
    frames: int,
    generator: torch.Generator,
    *,
    given: Tensor | None = None,
    temperature: float = 1.0,
) -> Tensor:
    """Return the levels (batch, frames) of hits of the classes `label` (batch,), which begin with those `given`.

    `temperature` below 1 prefers what is likely.
    """
    uniform = torch.rand(frames, len(label), generator=generator, device=generator.device).cpu().numpy()
    start = np.empty((0, len(label)), np.int64) if given is None else given.cpu().numpy().T
    out = np.empty((frames, len(label)), np.int64)
    out[: len(start)] = start
    cached = CachedWaveNet(net, label)
    last = np.full(len(label), SILENCE)
    for frame in range(frames):
        logits = cached.step(last)
        if frame >= len(start):
            out[frame] = pick(logits, uniform[frame], temperature)
        last = out[frame]
    return torch.from_numpy(out.T.copy()).to(label.device)


def _array(tensor: Tensor) -> Array:
    return np.asarray(tensor.detach().cpu().numpy(), np.float32)


def _weight(conv: nn.Conv1d) -> Array:
    """Return the matrix (out, in) of a convolution of one tap."""
    return _array(conv.weight[:, :, 0])


def _bias(conv: nn.Conv1d) -> Array:
    return np.zeros(conv.out_channels, np.float32) if conv.bias is None else _array(conv.bias)
