#===- _flex.py - The interface of FlexAttention -----------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""flex_attention() and what goes with it, with the names and arguments of
torch.nn.attention.flex_attention. Block masks only keep their function: which
blocks a mask leaves is found by the compiler, without a matrix of any size."""

from __future__ import annotations

from typing import Any, Callable, Optional

from ._attend import attend
from ._errors import ArgumentError, DTypeError, ShapeError

MaskMod = Callable[[Any, Any, Any, Any], Any]


class BlockMask:
    """What create_block_mask() returns: a function and the sizes it was made for."""

    __slots__ = ("mask_mod", "shape")

    def __init__(self, mask_mod: MaskMod, shape: tuple[Optional[int], Optional[int], int, int]):
        self.mask_mod, self.shape = mask_mod, shape

    def __repr__(self) -> str:
        return f"BlockMask({self.mask_mod!r}, shape={self.shape})"


def create_block_mask(mask_mod: MaskMod, B: Optional[int], H: Optional[int], Q_LEN: int,
                      KV_LEN: int, device: Any = None, BLOCK_SIZE: Any = None,
                      _compile: bool = False) -> BlockMask:
    """A block mask for flex_attention(). `device`, `BLOCK_SIZE` and `_compile` are
    taken and mean nothing here."""
    if not callable(mask_mod):
        raise DTypeError(f"'mask_mod': expected a function, got '{type(mask_mod).__name__}'")
    for name, size in (("B", B), ("H", H), ("Q_LEN", Q_LEN), ("KV_LEN", KV_LEN)):
        if size is None and name in ("B", "H"):
            continue
        if not isinstance(size, int) or size < 0:
            raise ArgumentError(f"'{name}': expected a size, got {size!r}")
    return BlockMask(mask_mod, (B, H, Q_LEN, KV_LEN))


def and_masks(*mask_mods: MaskMod) -> MaskMod:
    """A mask function that holds where all of these do."""
    def and_mask(b: Any, h: Any, q_idx: Any, kv_idx: Any) -> Any:
        result: Any = True
        for mask_mod in mask_mods:
            result = mask_mod(b, h, q_idx, kv_idx) & result
        return result
    return and_mask


def or_masks(*mask_mods: MaskMod) -> MaskMod:
    """A mask function that holds where any of these does."""
    def or_mask(b: Any, h: Any, q_idx: Any, kv_idx: Any) -> Any:
        result: Any = False
        for mask_mod in mask_mods:
            result = mask_mod(b, h, q_idx, kv_idx) | result
        return result
    return or_mask


def noop_mask(b: Any, h: Any, q_idx: Any, kv_idx: Any) -> Any:
    """A mask function that holds everywhere."""
    return True


def flex_attention(query: Any, key: Any, value: Any, score_mod: Optional[Callable] = None,
                   block_mask: Any = None, scale: Optional[float] = None,
                   enable_gqa: bool = False, return_lse: bool = False, *,
                   kernel_options: Any = None, target: Optional[str] = None,
                   schedule: Optional[str] = None, tuning_db: Optional[str] = None,
                   threads: int = 0) -> Any:
    """Attention with the functions of FlexAttention, unchanged:
    `score_mod(score, b, h, q_idx, kv_idx)` and a block mask, whose function is
    `mask_mod(b, h, q_idx, kv_idx)`. Query 0 stands at key 0.

    A block mask is one of create_block_mask(), here or of PyTorch. It must be made
    for these sizes, or for B=None and H=None. `kernel_options` must be None.
    Returns the output, or (output, lse).
    """
    if kernel_options is not None:
        raise ArgumentError("'kernel_options' are those of another compiler: expected None; block "
                            "sizes are given by schedule='block_q=64,block_k=64'")
    mask = None
    if block_mask is not None:
        mask = _mask_of(block_mask, query, key)
    return attend(query, key, value, score=score_mod, mask=mask, scale=scale,
                  enable_gqa=enable_gqa, return_lse=return_lse, alignment="start", target=target,
                  schedule=schedule, tuning_db=tuning_db, threads=threads)


def _mask_of(block_mask: Any, query: Any, key: Any) -> MaskMod:
    """The function of a block mask, after a look at its sizes."""
    mask_mod = getattr(block_mask, "mask_mod", None)
    if not callable(mask_mod):
        raise DTypeError("'block_mask': expected a block mask of create_block_mask(), got "
                         f"'{type(block_mask).__name__}'")
    shape = tuple(getattr(block_mask, "shape", ()))
    if len(shape) != 4 or len(query.shape) != 4 or len(key.shape) != 4:
        return mask_mod
    sizes = (query.shape[0], query.shape[1], query.shape[2], key.shape[2])
    for name, made, size in zip(("B", "H", "Q_LEN", "KV_LEN"), shape, sizes):
        shares = name in ("B", "H") and made in (None, 1)
        if made != size and not shares:
            raise ShapeError(f"'block_mask': made for {name}={made}, got {size}")
    return mask_mod
