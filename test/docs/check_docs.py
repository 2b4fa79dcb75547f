#===- check_docs.py - Examples and commands of the documentation -----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Runs what the documentation shows; tools are found on PATH.

  check_docs.py examples ROOT   every mlir block parses and verifies; in the
                                pass reference, the pass runs on its example
  check_docs.py commands ROOT   every sh block runs; what is shown as its
                                output is really part of it
  check_docs.py links ROOT      every relative link leads to a file, and to one
                                of its headings if it names one

HTML comments in front of a block say what else it is:

  <!-- excerpt -->       mlir that is not a whole program: not parsed
  <!-- file: NAME -->    written to NAME before the commands run
  <!-- output -->        lines of the output of the sh block before it, in
                         order; '...' stands for anything, names of SSA values
                         do not matter
  <!-- not run -->       a command that takes long or needs more than a build
"""

import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile

Block = collections.namedtuple("Block", "path line language text note")
NOTE = re.compile(r"<!--\s*(.*?)\s*-->$")
SECTION = re.compile(r"^### `-(\S+)`\n(.*?)(?=^### |\Z)", re.S | re.M)
COMMAND_TIMEOUT = 120


def documents(root):
    return [root / "README.md"] + sorted((root / "docs").rglob("*.md"))


def blocks(path):
    """The fenced blocks of a file, each with the comment in front of it."""
    note, open_block = "", None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if open_block is not None:
            if line.strip() == "```":
                yield Block(path, open_block[0], open_block[1],
                            "\n".join(open_block[2]) + "\n", note)
                open_block, note = None, ""
            else:
                open_block[2].append(line)
        elif line.startswith("```"):
            open_block = (number, line[3:].strip(), [])
        elif match := NOTE.match(line):
            note = match[1]
        elif line.strip():
            note = ""


def run(command, text=None, **options):
    return subprocess.run(command, input=text, text=True, capture_output=True,
                          timeout=COMMAND_TIMEOUT, **options)


def attn_opt(text, *flags):
    """Runs attn-opt; returns its output, or None and the complaint."""
    result = run(["attn-opt", *flags], text)
    return (result.stdout, "") if not result.returncode else (None, result.stderr)


#===-----------------------------------------------------------------------===#
# Examples
#===-----------------------------------------------------------------------===#


def check_parses(root):
    for path in documents(root):
        for block in blocks(path):
            if block.language != "mlir" or block.note == "excerpt":
                continue
            where = f"{path.relative_to(root)}:{block.line}"
            parsed, complaint = attn_opt(block.text)
            yield where, complaint if parsed is None else None


def ops_of(text):
    """How often each op occurs, spelled as it is printed."""
    body = re.sub(r'"[^"]*"', "", text or "")
    names = re.findall(r"^\s*(?:%[^=\n]*= )?([a-z_]+(?:\.[a-z_0-9]+)*)\b", body, re.M)
    return collections.Counter(names)


def check_pass(name, text):
    """The example of a pass: it runs, and gives the ops that are shown."""
    examples = re.findall(r"```mlir\n(.*?)```", text, re.S)
    if not examples:
        return "has no example"
    spelled = re.search(rf"`(--{name}=[^`]*)`", text)
    flag = spelled[1] if spelled else f"--{name}"
    after, complaint = attn_opt(examples[0], flag)
    if after is None:
        return complaint
    if len(examples) == 1:
        return None
    clean = ("--canonicalize", "--cse")
    shown = ops_of(attn_opt(examples[1], *clean)[0])
    missing = shown - ops_of(attn_opt(after, *clean)[0])
    if missing:
        return f"{flag} does not give what is shown; missing: {dict(missing)}"
    return None


def check_passes(root):
    for page in sorted((root / "docs" / "reference").glob("*passes.md")):
        for name, text in SECTION.findall(page.read_text()):
            yield f"{page.relative_to(root)}: {name}", check_pass(name, text)


def check_examples(root):
    yield from check_parses(root)
    yield from check_passes(root)


#===-----------------------------------------------------------------------===#
# Commands
#===-----------------------------------------------------------------------===#


def normal(line):
    return re.sub(r"\s+", " ", re.sub(r"%\w+([:#]\d+)?", "%", line)).strip()


def is_shown(line, output):
    """Whether the fragments of `line` between '...' occur in it in order."""
    pattern = ".*".join(re.escape(part.strip()) for part in normal(line).split("..."))
    return re.search(pattern, output) is not None


def missing_line(shown, output):
    """The first line of `shown` that `output` has not, in order."""
    rest = iter([normal(line) for line in output.splitlines()])
    for line in shown.splitlines():
        if line.strip() in ("", "..."):
            continue
        if not any(is_shown(line, candidate) for candidate in rest):
            return line
    return None


def check_commands_of(path, root, folder):
    output = None
    for block in blocks(path):
        where = f"{path.relative_to(root)}:{block.line}"
        if block.note.startswith("file: "):
            (folder / block.note[6:]).write_text(block.text)
        elif block.note == "output":
            line = missing_line(block.text, output or "")
            yield where, f"not in the output: {line}" if line is not None else None
        elif block.language == "sh" and block.note != "not run":
            script = "set -euo pipefail\n" + block.text.replace(
                "build/bin/", "").replace("build/venv/bin/python", sys.executable)
            result = run(["bash", "-c", script], cwd=folder)
            output = result.stdout
            failed = f"exit status {result.returncode}\n{result.stderr}"
            yield where, failed if result.returncode else None


def check_commands(root):
    for path in documents(root):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            os.symlink(root / "variants", folder / "variants")
            yield from check_commands_of(path, root, folder)


#===-----------------------------------------------------------------------===#
# Links
#===-----------------------------------------------------------------------===#


def prose(path):
    return re.sub(r"```.*?```", "", path.read_text(), flags=re.S)


def anchors(path):
    """What '#...' may name: headings as GitHub spells them."""
    headings = re.findall(r"^#+ +(.*)$", prose(path), flags=re.M)
    shown = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings]
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in shown}


def check_link(path, target, anchor):
    place = path.parent / target if target else path
    if not place.exists():
        return "no such file"
    if anchor and place.suffix == ".md" and anchor not in anchors(place):
        return f"no heading '{anchor}'"
    return None


def check_links(root):
    for path in documents(root) + [root / "CONTRIBUTING.md", root / "variants" / "README.md"]:
        for link in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
            if not link.startswith(("http:", "https:")):
                target, _, anchor = link.partition("#")
                yield f"{path.relative_to(root)}: {link}", check_link(path, target, anchor)


def main():
    checks = {"examples": check_examples, "commands": check_commands, "links": check_links}
    if len(sys.argv) != 3 or sys.argv[1] not in checks:
        sys.exit(__doc__)
    count, failures = 0, 0
    for where, complaint in checks[sys.argv[1]](pathlib.Path(sys.argv[2]).resolve()):
        count += 1
        if complaint is not None:
            failures += 1
            print(f"{where}: {complaint}")
    print(f"{count} {sys.argv[1]}, {failures} failed")
    return 1 if failures or not count else 0


if __name__ == "__main__":
    sys.exit(main())
