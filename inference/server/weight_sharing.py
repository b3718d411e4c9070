"""A second model over the weights of a first one, with a configuration of its own.

It knows modules and configurations; it knows neither requests nor what the models compute.
"""

from __future__ import annotations

import copy
from types import MethodType
from typing import Any

import torch
from transformers import PreTrainedConfig


def share_weights(model: Any, *, attention: str = "sdpa") -> Any:
    """A model that computes the same as `model` with `attention`, whatever `model` is switched to.

    Modules look up the implementation of attention in the configuration that they hold, so every
    module with a configuration, and every module around one, is copied without its weights; all
    others (projections, norms, embeddings) are the same objects in both models. Parameters exist
    once. Build it anew after the first model has been moved to another device.
    """
    twin: Any = _Sharing().module(model)
    twin.set_attn_implementation(attention)
    return twin


class _Sharing:
    """What was copied so far: a module or a configuration that occurs twice stays one."""

    def __init__(self) -> None:
        self._modules: dict[int, torch.nn.Module] = {}
        self._configs: dict[int, Any] = {}

    def module(self, module: torch.nn.Module) -> torch.nn.Module:
        known = self._modules.get(id(module))
        if known is not None:
            return known
        children = {
            name: child if child is None else self.module(child)
            for name, child in module._modules.items()  # noqa: SLF001 - named_children() skips twins
        }
        changed = any(children[name] is not child for name, child in module._modules.items())  # noqa: SLF001
        if not changed and not any(
            isinstance(held, PreTrainedConfig) for held in vars(module).values()
        ):
            self._modules[id(module)] = module
            return module
        twin = type(module).__new__(type(module))
        self._modules[id(module)] = twin
        vars(twin).update(
            {name: self._attribute(held, module, twin) for name, held in vars(module).items()}
        )
        # Of their own, so that a buffer that one model sets anew is not changed in the other.
        vars(twin).update(
            _modules=children,
            _parameters=dict(module._parameters),  # noqa: SLF001
            _buffers=dict(module._buffers),  # noqa: SLF001
        )
        return twin

    def _attribute(self, held: Any, module: torch.nn.Module, twin: torch.nn.Module) -> Any:
        if isinstance(held, PreTrainedConfig):
            # One memory for all copies: a configuration may be a part of another one.
            return copy.deepcopy(held, self._configs)
        if isinstance(held, MethodType) and held.__self__ is module:
            return MethodType(held.__func__, twin)
        if isinstance(held, torch.nn.Module):
            return self._modules.get(id(held), held)
        return held
