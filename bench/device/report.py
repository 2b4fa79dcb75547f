#===- report.py - What a run on a device says ------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Turns records into a page, a file of numbers and a short summary."""

import json
import statistics

import plan

PEERS = ("cudnn", "flash", "efficient", "flex", "fla", *plan.SCHEDULES)
# The summary must stay short.
MOST_CHARACTERS = 140


def shorten(text):
    text = " ".join(str(text).split())
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS - 3] + "..."


def limit(lines, most):
    rest = len(lines) - most
    return lines[:most] + ([f"... and {rest} more"] if rest > 0 else [])


def tell_failures(outcomes):
    """A line for each case that failed; one for all that say the same."""
    groups = {}
    for case, record in outcomes:
        if not record["passed"]:
            groups.setdefault(record["words"], []).append(plan.get_case_name(case))
    return [f"FAIL {names[0]}{f' and {len(names) - 1} more' if names[1:] else ''}: "
            f"{shorten(words)}" for words, names in groups.items()]


#===-----------------------------------------------------------------------===#
# Verification
#===-----------------------------------------------------------------------===#


def count_verified(outcomes):
    """{variant: {element type: (passed, all)}}."""
    cells = {}
    for case, record in outcomes:
        row = cells.setdefault(case["variant"], {})
        passed, total = row.get(case["dtype"], (0, 0))
        row[case["dtype"]] = passed + record["passed"], total + 1
    return cells


def tell_failing_variants(outcomes):
    """One line with the variants that failed, and in which types."""
    words = []
    for variant, row in sorted(count_verified(outcomes).items()):
        failed = [f"{dtype} {total - passed}/{total}" for dtype, (passed, total) in row.items()
                  if passed < total]
        if failed:
            words.append(f"{variant} ({', '.join(failed)})")
    return ["failed: " + ", ".join(words)] if words else []


def format_verified(outcomes):
    cells = count_verified(outcomes)
    dtypes = list(dict.fromkeys(case["dtype"] for case, _ in outcomes))
    lines = ["| variant | " + " | ".join(dtypes) + " |", "|---" * (1 + len(dtypes)) + "|"]
    for variant in sorted(cells):
        row = [cells[variant].get(dtype, (0, 0)) for dtype in dtypes]
        words = [f"pass ({total})" if passed == total else
                 f"**{total - passed} of {total} fail**" for passed, total in row]
        lines.append(f"| {variant} | " + " | ".join(words) + " |")
    return lines


#===-----------------------------------------------------------------------===#
# Times
#===-----------------------------------------------------------------------===#


def get_probes(outcomes):
    """TFLOP/s of the products by element type, GB/s of the copy."""
    probes = {}
    for case, record in outcomes:
        if case["kind"] == "probe" and record.get("contenders"):
            figures = record["contenders"]["probe"]
            probes[case["probe"]] = figures["gb_s" if case["probe"] == "copy" else "tflops"]
    return probes


def format_share(value, probe):
    return f"{value / probe:.2f}" if probe else "-"


def format_peer(record, name):
    peer = record["contenders"].get(name)
    if peer is None:
        return "refused" if name in record.get("refused", {}) else "-"
    ratio = peer["ms"] / record["contenders"]["ours"]["ms"]
    return f"{peer['ms']:.3g} ms, {ratio:.2f}" + ("" if peer.get("ok", True) else " wrong")


def format_row(case, record, probes):
    ours = record["contenders"]["ours"]
    is_wrong = not ours.get("ok", True)
    cells = [case["spec"], case["dtype"], case["length"], case["features"],
             f"{ours['ms']:.3g} ms" + (" **wrong**" if is_wrong else ""),
             f"{ours['tflops']:.1f}", format_share(ours["tflops"], probes.get("f32")),
             f"{ours['gb_s']:.0f}", format_share(ours["gb_s"], probes.get("copy"))]
    cells += [format_peer(record, name) for name in PEERS]
    return "| " + " | ".join(map(str, cells)) + " |"


def get_timed(outcomes):
    return [(case, record) for case, record in outcomes
            if case["kind"] != "probe" and record.get("contenders")]


def format_times(outcomes):
    probes = get_probes(outcomes)
    header = ["spec", "type", "N", "D", "ours", "TFLOP/s", "of probe", "GB/s", "of copy", *PEERS]
    rows = [format_row(case, record, probes) for case, record in get_timed(outcomes)]
    shown = [f"{name} {value:.4g} {'GB/s' if name == 'copy' else 'TFLOP/s'}"
             for name, value in probes.items()]
    return ["Probes: " + (", ".join(shown) or "none") + ".", "",
            "| " + " | ".join(header) + " |", "|---" * len(header) + "|", *rows]


def tell_refusals(outcomes):
    """Who refuses what, each reason once."""
    reasons = {}
    for case, record in outcomes:
        for name, reason in record.get("refused", {}).items():
            reasons.setdefault((name, reason), []).append(plan.get_case_name(case))
        if "skipped" in record:
            reasons.setdefault(("skipped", record["skipped"]), []).append(
                plan.get_case_name(case))
    return [f"{name}: {shorten(reason)} ({len(cases)} cases, first: {cases[0]})"
            for (name, reason), cases in reasons.items()]


def tell_times(outcomes):
    """A line for every spec and element type: medians over sizes."""
    groups, lines = {}, []
    for case, record in get_timed(outcomes):
        groups.setdefault((case["spec"], case["dtype"], case["features"]), []).append(record)
    for (spec, dtype, features), records in groups.items():
        ours = [record["contenders"]["ours"] for record in records]
        words = [f"{spec} {dtype} D={features}: {max(x['tflops'] for x in ours):.1f} TFLOP/s, "
                 f"{max(x['gb_s'] for x in ours):.0f} GB/s at best"]
        for name in PEERS:
            ratios = [record["contenders"][name]["ms"] / record["contenders"]["ours"]["ms"]
                      for record in records if name in record["contenders"]]
            if ratios:
                words.append(f"{name} {statistics.median(ratios):.2f}")
        lines.append(", ".join(words))
    return lines


#===-----------------------------------------------------------------------===#
# Output
#===-----------------------------------------------------------------------===#


def make_page(run):
    lines = ["# Kernels on a GPU", "",
             f"Written by `bench/device/run.py` on {run['machine']['date']}; do not edit.", "",
             *[f"- {key}: {value}" for key, value in run["machine"].items()], ""]
    if run["verified"]:
        lines += ["## Results against the NumPy oracles", "",
                  *format_verified(run["verified"]), ""]
    if run["timed"]:
        lines += ["## Times", "",
                  "Median of a call. Peers: their time, and how many times as long as ours it "
                  "is (above 1 ours is faster); so for other schedules of ours. TFLOP/s count "
                  "the pairs that the mask keeps, of recurrences chunks of 64; "
                  "the probe is a product of f32 matrices without TF32.", "",
                  *format_times(run["timed"]), ""]
    for title, lines_of in (("Failures", tell_failures(run["verified"] + run["timed"])),
                            ("Refusals", tell_refusals(run["timed"])),
                            ("Left out, as time was over", run["left_out"])):
        if lines_of:
            lines += [f"## {title}", "", *[f"- {line}" for line in lines_of], ""]
    return "\n".join(lines)


def write(run, out):
    """OUT.md and OUT.json."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.with_suffix(".md").write_text(make_page(run))
    data = {**run, **{key: [{**case, **record} for case, record in run[key]]
                      for key in ("verified", "timed")}}
    out.with_suffix(".json").write_text(json.dumps(data, indent=1) + "\n")


def summarize(run):
    """The lines that are printed last."""
    machine = run["machine"]
    lines = [f"device {machine['name']}, capability {machine.get('capability', '-')}, "
             f"driver {machine.get('driver', '-')}, PyTorch {machine['torch']}"]
    verified, timed = run["verified"], run["timed"]
    if timed:
        lines += ["probes " + ", ".join(f"{name} {value:.4g}" for name, value in
                                        get_probes(timed).items()) + " (TFLOP/s, GB/s)",
                  "times; behind a peer: its time divided by ours, median over N"]
        lines += limit(tell_times(timed), 40) + limit(tell_refusals(timed), 10)
    lines += limit(tell_failures(verified), 12) + limit(tell_failures(timed), 8)
    lines += tell_failing_variants(verified)
    if run["left_out"]:
        lines.append(f"left out, as time was over: {len(run['left_out'])} cases, first: "
                     f"{run['left_out'][0]}")
    targets = sorted({record["target"] for _, record in verified + timed
                      if "target" in record})
    lines.append(f"code {', '.join(targets) or 'none'}; {run['seconds']:.0f} s")
    for what, outcomes in (("verified", verified), ("timed", timed)):
        failed = sum(not record["passed"] for _, record in outcomes)
        if outcomes:
            lines.append(f"{what}: {len(outcomes) - failed} passed, {failed} failed")
    return lines
