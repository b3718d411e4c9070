"""Packed layers compute what the layers they replace do."""

from __future__ import annotations

import weakref

import pytest
import torch
from torch import nn

from inference.server.cpu import PackedLinear, pack_linears

pytestmark = pytest.mark.weights


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("dtype", "allowed"), [(torch.float32, 1e-5), (torch.bfloat16, 3e-2)])
@pytest.mark.parametrize("shape", [(1, 48), (1, 1, 48), (1, 37, 48), (300, 48)])
@torch.no_grad()
def test_a_packed_layer_gives_what_the_layer_gives(
    shape: tuple[int, ...], dtype: torch.dtype, allowed: float, bias: bool
) -> None:
    torch.manual_seed(3)
    linear = nn.Linear(48, 33, bias=bias, dtype=dtype)
    given = torch.randn(shape, dtype=dtype)

    packed = PackedLinear(linear)(given)

    assert packed.dtype == dtype
    torch.testing.assert_close(packed, linear(given), rtol=allowed, atol=allowed)


def test_every_linear_layer_is_replaced_and_nothing_else() -> None:
    class Scaled(nn.Linear):
        """A layer with a meaning of its own, which must keep it."""

    model = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 2)))
    model.append(Scaled(2, 2))
    model.append(nn.Linear(2, 2, dtype=torch.float64))

    pack_linears(model)
    pack_linears(model)

    kinds = [type(module).__name__ for module in model.modules()]
    assert kinds == [
        *("Sequential", "PackedLinear", "Sequential", "LayerNorm", "PackedLinear", "Scaled"),
        "Linear",
    ]


def test_the_weights_of_packed_layers_are_given_back() -> None:
    model = nn.Sequential(nn.Linear(512, 512, bias=False))
    plain = weakref.ref(model[0])

    pack_linears(model)

    assert plain() is None
    assert sum(buffer.nbytes for buffer in model.buffers()) < 1.1 * 512 * 512 * 4
