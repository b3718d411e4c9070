"""What makes a batch fast on a CPU: weights in the order the processor reads them, and attention
that computes only what a request may look at.

It knows modules and tensors; it knows no requests. Both parts keep the results of transformers'
own, up to the order of floating-point sums (docs/experiments.md has the measurements).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn
from torch.nn import functional
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import flash_attention_mask

ATTENTION = "cpu_flash_paged"
"""Its name among transformers' attention functions. The manager gives cumulative lengths in place
of a mask to every function with "flash" in its name."""
# Above so many weights of one piece (64 MiB in float32) the fused kernel is used, which holds none.
_MOST_WEIGHTS = 1 << 24
# Up to so many cache rows of single tokens it is the faster one.
_FEW_ROWS = 1024


class PackedLinear(nn.Module):
    """A linear layer for inference whose weight lies as oneDNN's kernels read it.

    From a weight in the usual order the kernels copy every block into their own order first, at
    every token: half of the time of a small batch.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), None)  # noqa: SLF001
        self.packed: torch.Tensor
        self.bias: torch.Tensor | None
        self.register_buffer("packed", packed, persistent=False)
        bias = None if linear.bias is None else linear.bias.detach()
        self.register_buffer("bias", bias, persistent=False)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """As that of `nn.Linear`."""
        result: torch.Tensor = torch.ops.mkldnn._linear_pointwise(  # noqa: SLF001
            given, self.packed, self.bias, "none", [], ""
        )
        return result


def pack_linears(model: nn.Module) -> None:
    """Put a `PackedLinear` in the place of every linear layer of `model`, one at a time, so that no
    more than one weight is held twice; where the processor or the number format has no packed
    kernels, nothing is changed."""
    mkldnn: Any = torch.backends.mkldnn  # untyped
    if not mkldnn.is_available():
        return
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Linear and child.weight.dtype in (torch.float32, torch.bfloat16):
                setattr(parent, name, PackedLinear(child))


@dataclass
class _Table:
    """The cache rows of the requests that add one token, as one rectangle."""

    queries: torch.Tensor | None
    """Their places among the tokens of the step; None where there are no others."""
    rows: torch.Tensor
    """requests x longest; behind the end of a request any row."""
    mask: torch.Tensor | None
    """requests x 1 x 1 x longest, 0 or minus infinity; None where all are as long."""


@dataclass
class _Step:
    """What all layers of one step share."""

    mark: list[torch.Tensor]
    """The manager makes a new list of read indices for every step."""
    ends_q: list[int]
    ends_k: dict[str, list[int]] = field(default_factory=dict)
    tables: dict[str, _Table | None] = field(default_factory=dict)
    masks: dict[tuple[int, int, int | None], torch.Tensor] = field(default_factory=dict)


_steps: WeakKeyDictionary[Any, _Step] = WeakKeyDictionary()


def attend(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,  # noqa: ARG001 - none is made for this name
    *,
    cache: Any,
    scaling: float,
    cu_seq_lens_q: torch.Tensor,
    sliding_window: int | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of a ragged batch over a paged cache, for transformers' attention interface.

    `query` is (1, heads, tokens, size), `key` and `value` (1, key heads, tokens, size), the
    requests' tokens one after the other. Returns (1, tokens, heads, size). Raises ValueError for
    a model that asks for more than scaling and windows.
    """
    beyond = [
        name for name in ("softcap", "s_aux", "position_bias") if kwargs.get(name) is not None
    ]
    if beyond:
        raise ValueError(f"attention with {beyond[0]} is not supported on a CPU")
    layer = int(module.layer_idx)  # type: ignore[arg-type]
    allocator = cache.layer_to_allocator[layer]
    kind = allocator.layer_type
    step = _steps.get(cache)
    if step is None or step.mark is not kwargs["read_index"]:
        step = _steps[cache] = _Step(kwargs["read_index"], cu_seq_lens_q.tolist())
    if kind not in step.ends_k:
        step.ends_k[kind] = kwargs["cu_seq_lens_k"][kind].tolist()
    ends_q, ends_k = step.ends_q, step.ends_k[kind]

    read_index = kwargs["read_index"][allocator.index]
    direct = kwargs["max_length_q"] == 1 and kind == "full_attention" and read_index.numel() > 0
    if direct:
        # Written here and read in place, where `update` would first copy all keys of the batch.
        keys, values = allocator._kv_token_views[layer]  # noqa: SLF001 - there is no public way
        where = kwargs["write_index"][allocator.index]
        keys.index_copy_(0, where, key[0].transpose(0, 1))
        values.index_copy_(0, where, value[0].transpose(0, 1))
    else:
        keys, values = cache.update(key, value, layer_idx=layer, kwargs=kwargs)
        keys, values = keys[0].transpose(0, 1), values[0].transpose(0, 1)
    if kind not in step.tables:
        rows = read_index if direct else torch.arange(ends_k[-1])
        step.tables[kind] = _table(rows, ends_q, ends_k, query.dtype)

    result = query.new_empty((query.size(2), query.size(1), value.size(-1)))
    table = step.tables[kind]
    if table is not None:
        singles = _attend_singles(query[0], keys, values, table, scaling)
        if table.queries is None:
            return singles.unsqueeze(0), None
        result[table.queries] = singles
    for number, (begin, end) in enumerate(pairwise(ends_q)):
        if end - begin < 2:
            continue
        seen = slice(ends_k[number], ends_k[number + 1])
        length = seen.stop - seen.start
        shape = (end - begin, length, sliding_window)
        if shape not in step.masks:
            step.masks[shape] = _causal(*shape, query.dtype)
        result[begin:end] = _attend_piece(
            query[0, :, begin:end], keys[seen], values[seen], step.masks[shape], scaling
        )
    return result.unsqueeze(0), None


def _table(
    rows: torch.Tensor, ends_q: list[int], ends_k: list[int], dtype: torch.dtype
) -> _Table | None:
    singles = [number for number, (begin, end) in enumerate(pairwise(ends_q)) if end - begin == 1]
    if not singles:
        return None
    begins = torch.tensor([ends_k[number] for number in singles])
    lengths = torch.tensor([ends_k[number + 1] - ends_k[number] for number in singles])
    columns = torch.arange(int(lengths.max()))
    places = begins.unsqueeze(-1) + columns.minimum(lengths.unsqueeze(-1) - 1)
    mask = None
    if bool((lengths != lengths[0]).any()):
        beyond = columns >= lengths.unsqueeze(-1)
        mask = torch.zeros(beyond.shape, dtype=dtype).masked_fill(beyond, -torch.inf)[:, None, None]
    alone = len(singles) == len(ends_q) - 1
    queries = None if alone else torch.tensor([ends_q[number] for number in singles])
    return _Table(queries, rows[places], mask)


def _attend_singles(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, table: _Table, scaling: float
) -> torch.Tensor:
    """For one token of each request. `query` is (heads, tokens, size), `keys` and `values` (rows,
    key heads, size); returns (requests, heads, size)."""
    requests, longest = table.rows.shape
    groups = keys.size(1)
    # (requests, key heads, longest, size) without a copy of a copy.
    places = (table.rows.unsqueeze(1) * groups + torch.arange(groups).unsqueeze(-1)).view(-1)
    shape = (requests, groups, longest)
    ours = keys.reshape(-1, keys.size(-1)).index_select(0, places).view(*shape, -1)
    theirs = values.reshape(-1, values.size(-1)).index_select(0, places).view(*shape, -1)
    chosen = query if table.queries is None else query[:, table.queries]
    asked = chosen.transpose(0, 1).reshape(requests, groups, -1, query.size(-1))
    if table.rows.numel() > _FEW_ROWS:
        found = _weighted(asked, ours, theirs, table.mask, scaling)
    else:
        found = functional.scaled_dot_product_attention(
            asked, ours, theirs, attn_mask=table.mask, scale=scaling
        )
    return found.reshape(requests, query.size(0), values.size(-1))


def _attend_piece(
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    mask: torch.Tensor,
    scaling: float,
) -> torch.Tensor:
    """For several tokens of one request. `query` is (heads, tokens, size), `keys` and `values`
    (seen, key heads, size), `mask` tokens x seen; returns (tokens, heads, size)."""
    heads, tokens, _ = query.shape
    ours, theirs = keys.transpose(0, 1), values.transpose(0, 1)
    groups = ours.size(0)
    if heads * tokens * ours.size(1) > _MOST_WEIGHTS:
        whole = functional.scaled_dot_product_attention(
            query.unsqueeze(0),
            ours.repeat_interleave(heads // groups, 0).unsqueeze(0),
            theirs.repeat_interleave(heads // groups, 0).unsqueeze(0),
            attn_mask=mask,
            scale=scaling,
        )
        return whole[0].transpose(0, 1)
    asked = query.reshape(groups, heads // groups * tokens, -1)
    repeated = mask.repeat(heads // groups, 1)
    found = _weighted(asked, ours, theirs, repeated, scaling)
    return found.reshape(heads, tokens, -1).transpose(0, 1)


def _weighted(
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    mask: torch.Tensor | None,
    scaling: float,
) -> torch.Tensor:
    """softmax(Q K' scaling + mask) V by two products of matrices."""
    weights = torch.matmul(query * scaling, keys.transpose(-1, -2))
    if mask is not None:
        weights += mask
    # In float32 within the kernel, whatever the number format of both ends.
    weights = weights.softmax(dim=-1)
    return torch.matmul(weights, values)


def _causal(tokens: int, seen: int, sliding_window: int | None, dtype: torch.dtype) -> torch.Tensor:
    """tokens x seen, the last token sees all: 0, and minus infinity for what comes later or lies a
    window or more back."""
    position = torch.arange(seen - tokens, seen).unsqueeze(-1)
    other = torch.arange(seen)
    hidden = other > position
    if sliding_window is not None:
        hidden |= other <= position - sliding_window
    return torch.zeros(hidden.shape, dtype=dtype).masked_fill(hidden, -torch.inf)


def use_attention(model: Any) -> None:
    """Make `attend` the attention of `model`, which from then on needs a paged cache."""
    AttentionInterface.register(ATTENTION, attend)
    AttentionMaskInterface.register(ATTENTION, flash_attention_mask)
    # Not by `set_attn_implementation`, which would look for a CUDA kernel of this name.
    model.config._attn_implementation = ATTENTION  # noqa: SLF001
