#===- recurrences.py - Recurrences beside flash-linear-attention -----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Arguments of the recurrences that are timed, the ops of flash-linear-attention
(package `fla`) that compute the same, and the recurrence in float64.

All contenders get the same tensors, which lie in memory as that package wants
them, [B, N, H, D]: our kernels get views [B, H, N, D] of these, and copies
[B, H, N] of gates per token.
"""

import dataclasses
import importlib
import inspect
import math

import paths  # noqa: F401  (makes the oracles importable.)
import plan
import linear

# Behind whole chunks is a short one.
SMALL_LENGTH = 300
CHUNK = 64
DECAY = -0.1


@dataclasses.dataclass(frozen=True)
class Recurrence:
    """What a spec computes: the dimensions of its gate, whether it has states,
    its oracle (q, k, v, g[, h0]), and the module and name of the peer."""
    gate: str
    has_state: bool
    oracle: object
    module: str
    function: str
    maps_rows: bool = False


def gla_scalar(q, k, v, g, h0):
    """`linear.gla` with a gate per token."""
    return linear.gla(q, k, v, g[..., None], h0)


RECURRENCES = {
    "lightning": Recurrence("H", False, linear.lightning, "fla.ops.lightning_attn",
                            "chunk_lightning_attn", maps_rows=True),
    "retention": Recurrence("H", False, linear.retention, "fla.ops.simple_gla",
                            "chunk_simple_gla"),
    "gla": Recurrence("BHND", True, linear.gla, "fla.ops.gla", "chunk_gla"),
    "gla-scalar": Recurrence("BHN", True, gla_scalar, "fla.ops.simple_gla",
                             "chunk_simple_gla"),
}


@dataclasses.dataclass(frozen=True)
class Argument:
    """A tensor of a call."""
    name: str
    shape: tuple
    dtype: str

    @property
    def has_rows(self):
        """Whether it is [B, H, N, ...]."""
        return len(self.shape) > 2 and self.name not in ("h0", "ht")

    @property
    def memory_shape(self):
        """The shape in memory, where the heads of a token follow each other."""
        if not self.has_rows:
            return self.shape
        return (self.shape[0], self.shape[2], self.shape[1], *self.shape[3:])


def get_arguments(case):
    """The arguments of a spec, in its order."""
    recurrence, features = RECURRENCES[case["spec"]], case["features"]
    sizes = {"B": plan.BATCH, "H": plan.HEADS, "N": case["length"], "D": features}
    arguments = [Argument(name, tuple(sizes[dim] for dim in "BHND"), case["dtype"])
                 for name in "qkv"]
    arguments.append(Argument("g", tuple(sizes[dim] for dim in recurrence.gate), "f32"))
    if recurrence.has_state:
        arguments.append(Argument("h0", (plan.BATCH, plan.HEADS, features, features), "f32"))
    return arguments


def get_results(case):
    """The results of a spec: rows, and a state if it has one."""
    arguments = get_arguments(case)
    results = [dataclasses.replace(arguments[2], name="out")]
    return results + [dataclasses.replace(state, name="ht") for state in arguments[4:]]


def count_work(case):
    """Operations as attn-run counts them, for chunks of 64 tokens, and bytes of a
    call."""
    rows, features = plan.BATCH * plan.HEADS * case["length"], case["features"]
    tensors = get_arguments(case) + get_results(case)
    moved = sum(math.prod(x.shape) * plan.ITEM_BYTES[x.dtype] for x in tensors)
    return rows * (2 * CHUNK * 2 * features + 4 * features**2), moved


#===-----------------------------------------------------------------------===#
# flash-linear-attention
#===-----------------------------------------------------------------------===#


def import_peer(recurrence):
    """The op of the package; says what is missing if it is not there."""
    try:
        module = importlib.import_module(recurrence.module)
    except ImportError as error:
        raise RuntimeError(f"flash-linear-attention is not there: {error}; expected a package "
                           f"with '{recurrence.module}'") from None
    function = getattr(module, recurrence.function, None)
    if function is None:
        raise RuntimeError(f"'{recurrence.module}' has no '{recurrence.function}'")
    return function


def get_gate_options(spec, function, g):
    """The argument that the op takes for the gate of a spec."""
    if spec == "lightning":  # It computes the decays that make_gate computes.
        return {"layer_idx": 0, "num_layers": 1}
    name = "g_gamma" if RECURRENCES[spec].gate == "H" else "g"
    if name not in inspect.signature(function).parameters:
        raise RuntimeError(f"'{function.__name__}' of this version takes no '{name}'")
    return {name: g}


def make_peer(spec, features, silu):
    """A function of q, k, v, g[, h0], in memory [B, N, H, ...], that gives rows of
    the same order, and with h0 the last state. Older versions take rows of a head
    together unless told."""
    recurrence = RECURRENCES[spec]
    function = import_peer(recurrence)
    options = {"scale": 1.0 if spec == "lightning" else plan.get_scale(features)}
    if "head_first" in inspect.signature(function).parameters:
        options["head_first"] = False

    def run(q, k, v, g, h0=None):
        if recurrence.maps_rows:
            q, k = silu(q), silu(k)
        out, ht = function(q, k, v, **get_gate_options(spec, function, g), **options,
                           initial_state=h0, output_final_state=h0 is not None)
        return [out] if h0 is None else [out, ht]

    return run


#===-----------------------------------------------------------------------===#
# Tensors of PyTorch
#===-----------------------------------------------------------------------===#


class Tensors:
    """Makes tensors with the module torch on a device."""

    def __init__(self, torch, device, types):
        self._torch, self._device, self._types = torch, device, types

    def make_set(self, case):
        """The arguments as they lie in memory."""
        return [self._make(case["spec"], argument) for argument in get_arguments(case)]

    def _make(self, spec, argument):
        if spec == "lightning" and argument.name == "g":
            # The slopes of the first of one layer, as the peer has them.
            heads = argument.shape[0]
            return self._torch.arange(heads, device=self._device).float() * (-8 / heads)
        numbers = self._torch.randn(argument.memory_shape, device=self._device)
        if argument.name == "g":
            numbers = numbers.abs() * DECAY
        return numbers.to(self._types[argument.dtype])

    def make_outputs(self, case):
        """Results, of NaN, as views [B, H, N, D]."""
        outputs = []
        for result in get_results(case):
            tensor = self._torch.full(result.memory_shape, math.nan, device=self._device,
                                      dtype=self._types[result.dtype])
            outputs.append(take_heads_first(result, tensor))
        return outputs


    @staticmethod
    def get_views(case, tensors):
        """The arguments of our kernels."""
        return [take_heads_first(argument, tensor)
                for argument, tensor in zip(get_arguments(case), tensors)]

    def make_peer(self, case):
        return make_peer(case["spec"], case["features"], self._torch.nn.functional.silu)


def take_heads_first(argument, tensor):
    """The view [B, H, N, ...] of a tensor that has rows; a copy of one number a row,
    whose tokens our kernels want next to each other."""
    if not argument.has_rows:
        return tensor
    view = tensor.transpose(1, 2)
    return view if len(argument.shape) > 3 else view.contiguous()


def get_errors(case, tensors, results):
    """The largest error of every contender, whose results are [B, H, ...], in the last
    batch, relative to the largest number of the result, and what is allowed: 8 eps of
    the type of the rows."""
    arrays = [to_array(view if view.ndim == 1 else view[-1:])
              for view in Tensors.get_views(case, tensors)]
    expected = RECURRENCES[case["spec"]].oracle(*arrays)[:len(get_results(case))]
    errors = {name: max(get_error(to_array(result[-1]), own[0])
                        for result, own in zip(contender, expected, strict=True))
              for name, contender in results.items()}
    return errors, 8 * plan.EPSILONS[case["dtype"]]


def get_error(result, expected):
    """Relative to the largest number. What has another shape, or NaN, is infinitely
    wrong."""
    error = float(abs(result - expected).max()) if result.shape == expected.shape else math.nan
    return math.inf if math.isnan(error) else error / float(abs(expected).max())


def to_array(tensor):
    return tensor.double().cpu().numpy()
