#===- check_spec_labels.py - Every rule is stated, enforced and tested -----===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Compares the labels of constraints (attend_c3) in the specification, in
comments of the verifiers and in comments of the negative tests: each label must
be in all three, be stated once, and be numbered without gaps."""

import pathlib
import re
import sys

LABEL = re.compile(r"\b([a-z][a-z_]*_c)([1-9][0-9]*)\b")
STATED = re.compile(r"(?m)^- `([a-z][a-z_]*_c[1-9][0-9]*)`: ")
# The label alone in a comment, then the function that breaks the rule.
TESTED = re.compile(r"(?m)^// ([a-z][a-z_]*_c[1-9][0-9]*)\n(?:// .*\n)*"
                    r"(?:func\.func|module)\b.*@negative_")


def labels(text):
    return {match[0] for match in LABEL.finditer(text)}


def comments(path):
    """What stands behind // in a file."""
    return "\n".join(line.partition("//")[2] for line in path.read_text().splitlines())


def gaps(stated):
    """Labels that are missing below the largest of their kind."""
    largest = {}
    for label in stated:
        kind, number = LABEL.fullmatch(label).groups()
        largest[kind] = max(largest.get(kind, 0), int(number))
    return {f"{kind}{number}" for kind, last in largest.items()
            for number in range(1, last + 1)} - set(stated)


def main():
    root = pathlib.Path(sys.argv[1])
    spec = (root / "docs" / "spec.md").read_text()
    stated = STATED.findall(spec)
    enforced = set().union(*(labels(comments(p))
                             for p in (root / "dialect").glob("*.cpp")))
    tested = set().union(*(labels(match[1])
                           for p in (root / "test" / "dialect").glob("*.mlir")
                           for match in TESTED.finditer(p.read_text())))
    problems = [
        ("stated twice in docs/spec.md", {l for l in stated if stated.count(l) > 1}),
        ("used in docs/spec.md but not stated", labels(spec) - set(stated)),
        ("left out in docs/spec.md", gaps(stated)),
        ("not in a verifier (dialect/*.cpp)", set(stated) - enforced),
        ("not at a negative test (test/dialect/*.mlir)", set(stated) - tested),
        ("in a verifier but not in docs/spec.md", enforced - set(stated)),
        ("at a test but not in docs/spec.md", tested - set(stated)),
    ]
    for what, which in problems:
        for label in sorted(which):
            print(f"{label}: {what}")
    print(f"{len(stated)} rules, {sum(len(which) for _, which in problems)} problems")
    sys.exit(any(which for _, which in problems))


if __name__ == "__main__":
    main()
