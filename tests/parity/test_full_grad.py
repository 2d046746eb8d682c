"""FullGrad is compared with that of pytorch-grad-cam (`grad-cam`)."""

from __future__ import annotations

import numpy as np

from tests.parity.peers import grad_cam_image, pytorch_grad_cam
from tests.parity.twins import CLASSES, SIZE, channels_first, difference, photos, twins
from workers.contract.map_place import MapPlace
from workers.methods.gradients import full_grad


def test_full_grad() -> None:
    """The peer takes a convolution and the batch norm after it for two layers. We merge them, and so does this test.

    Each channel is scaled to 0-1. The peer enlarges after that, as we do, but adds 1e-7 to the divisor in place of 1e-6.
    """
    model, given = twins().torch, channels_first(photos()).requires_grad_()
    with pytorch_grad_cam.FullGrad(model, []) as peer:
        logits = peer.activations_and_grads(given)
        sum(row[class_index] for class_index, row in zip(CLASSES, logits, strict=True)).backward()
        conv1, conv2, norm2 = (
            bias[None, :, None, None] * gradient.numpy()
            for bias, gradient in zip(peer.bias_data, peer.activations_and_grads.gradients, strict=True)
        )
    layers = [np.moveaxis(parts, 1, -1) for parts in (conv1, conv2 + norm2)]
    at_input = np.moveaxis(given.grad.numpy() * given.detach().numpy(), 1, -1)
    places = [MapPlace.whole(SIZE), twins().probe.map_place("norm2", SIZE)]
    for row, ours in enumerate(twins().run("full_grad", photos(), scaling="channel")):
        parts = [(own[row], place) for own, place in zip(layers, places, strict=True)]
        assert difference(ours.maps[0], full_grad.full_grad(at_input[row], parts, "channel")) < 1e-4
        assert ours.errors[0] < 1e-4
    scaled_by_peer = grad_cam_image.scale_accross_batch_and_channels(np.abs(conv1), SIZE[::-1]).sum(axis=1)
    ours = np.stack([full_grad.scaled_sum(parts, "channel") for parts in layers[0]])
    assert difference(ours, scaled_by_peer) < 1e-3
