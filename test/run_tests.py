#===- run_tests.py - Run every test suite and count ------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Runs the lit suite, the GoogleTest binary and the Python tests of a build; of
one that has only the runtime, its GoogleTest binary and the example in C.

Failures are printed where they happen and listed again at the end, followed by
the line `N passed, N failed`. A suite that cannot run counts as one failure.
The same line is written to BUILD/test/summary.txt.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIT = pathlib.Path("/usr/lib/llvm-22/bin/lit")
# A test that runs longer than this many seconds hangs.
TIMEOUT = 300
FULL_TIMEOUT = 7200


class Outcome:
    """What one suite reported: two counts, and the names of what went wrong."""

    def __init__(self, passed=0, failures=(), skipped=0):
        self.passed = passed
        self.failures = list(failures)
        self.skipped = skipped


def read_report(path):
    """The JSON report at `path`, or None where the suite left none."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def run_lit(options, reports):
    report = reports / "lit.json"
    if not options.filter:  # Those of earlier builds would pile up.
        shutil.rmtree(options.build / "test" / "objects", ignore_errors=True)
    command = [sys.executable, str(LIT), "-v", f"--output={report}",
               f"--timeout={FULL_TIMEOUT if options.full else TIMEOUT}"]
    if options.jobs:
        command.append(f"--workers={options.jobs}")
    if options.full:
        command.append("--param=full=1")
    if options.filter:
        command += [f"--filter={options.filter}", "--allow-empty-runs"]
    status = subprocess.run(command + [str(options.build / "test")]).returncode
    results = read_report(report)
    if results is None:
        return Outcome(failures=[f"lit (exit status {status}, no report)"])
    return count_lit(results["tests"])


def count_lit(tests):
    outcome = Outcome()
    for test in tests:
        if test["code"] in ("PASS", "XFAIL", "FLAKYPASS"):
            outcome.passed += 1
        elif test["code"] in ("UNSUPPORTED", "SKIPPED", "EXCLUDED"):
            outcome.skipped += 1
        else:
            outcome.failures.append(f"{test['name']} ({test['code']})")
    return outcome


def run_gtest(options, reports):
    binary = options.build / "bin" / "attn-unit-tests"
    report = reports / "gtest.json"
    command = [str(binary), "--gtest_brief=1", f"--gtest_output=json:{report}"]
    if options.filter:
        command.append(f"--gtest_filter=*{options.filter}*")
    environment = dict(os.environ)
    # The packaged MLIR is not instrumented, so its containers look broken.
    environment.setdefault(
        "ASAN_OPTIONS", "allow_user_poisoning=0:detect_container_overflow=0:detect_leaks=0")
    environment.setdefault("UBSAN_OPTIONS",
                           "print_stacktrace=1:halt_on_error=1")
    if options.full:
        environment["ATTN_TEST_FULL"] = "1"
    try:
        status = subprocess.run(
            command, env=environment,
            timeout=FULL_TIMEOUT if options.full else TIMEOUT).returncode
    except (OSError, subprocess.TimeoutExpired) as error:
        return Outcome(failures=[f"attn-unit-tests ({error})"])
    results = read_report(report)
    if results is None:
        return Outcome(failures=[f"attn-unit-tests (exit status {status}, "
                                 "no report: it ended before its last test)"])
    outcome = count_gtest(results)
    if status and not outcome.failures:
        outcome.failures.append(f"attn-unit-tests (exit status {status})")
    return outcome


def count_gtest(results):
    outcome = Outcome()
    for suite in results["testsuites"]:
        for test in suite["testsuite"]:
            if test["result"] == "SKIPPED" or test["status"] == "NOTRUN":
                outcome.skipped += 1
            elif test.get("failures"):
                outcome.failures.append(f"{suite['name']}.{test['name']}")
            else:
                outcome.passed += 1
    return outcome


def python_tests(build):
    """The files with Python tests; those of the package where it is built."""
    paths = sorted((ROOT / "test" / "reference").glob("test_*.py"))
    if any((build / "python" / "attn_mlir").glob("_native*.so")):
        paths += sorted((ROOT / "test" / "python").glob("test_*.py"))
    return paths


def run_python(options, reports):
    """Each file runs in a process of its own: one crash is one failure."""
    total = Outcome()
    environment = dict(os.environ, PYTHONPATH=str(options.build / "python"),
                       ATTN_CACHE_DIR=str(options.build / "test" / "python-cache"))
    for path in python_tests(options.build):
        if options.filter and options.filter not in str(path):
            continue
        report = reports / f"{path.stem}.json"
        report.unlink(missing_ok=True)
        status = subprocess.run(
            [sys.executable, "-B", __file__, f"--unittest={path}",
             f"--report={report}"], env=environment).returncode
        results = read_report(report)
        if results is None:
            results = {"passed": 0, "skipped": 0,
                       "failures": [f"{path.name} (exit status {status})"]}
        total.passed += results["passed"]
        total.skipped += results["skipped"]
        total.failures += results["failures"]
    return total


def run_example(options, reports):
    """The example in C, built with the runtime of this build, on a package that
    the compiler of the usual build makes."""
    compiler = ROOT / "build" / "bin" / "attn-compile"
    if not compiler.exists():
        print(f"the example is skipped, as {compiler} makes its package")
        return Outcome(skipped=1)
    package = reports / "causal.attn"
    subprocess.run([str(compiler), str(ROOT / "variants/softmax/causal.mlir"),
                    "--emit=package", "-o", str(package)], check=True)
    result = subprocess.run([str(options.build / "bin" / "run_package"),
                             str(package)], capture_output=True, text=True)
    print(result.stdout + result.stderr, end="", flush=True)
    expected = ": mean of 0 .. 98 is 49.0, of 0 .. 99 is 49.5\n"
    if result.returncode or not result.stdout.endswith(expected):
        return Outcome(failures=[f"run_package (exit status {result.returncode})"])
    return Outcome(passed=1)


def run_unittest_file(path, report):
    """Runs one Python test file and writes its counts to `report`."""
    sys.path.insert(0, str(path.parent))
    suite = unittest.defaultTestLoader.loadTestsFromName(path.stem)
    result = unittest.TextTestRunner(verbosity=0).run(suite)
    # Subtests fail one by one; what counts is the test that holds them.
    bad = {getattr(test, "test_case", test).id()
           for test, _ in result.failures + result.errors}
    bad |= {test.id() for test in result.unexpectedSuccesses}
    # A class whose set-up fails is reported without running its tests.
    ran_bad = [name for name in bad if not name.startswith(("setUp", "tearDown"))]
    passed = result.testsRun - len(ran_bad) - len(result.skipped)
    report.write_text(json.dumps({"passed": max(passed, 0),
                                  "skipped": len(result.skipped),
                                  "failures": sorted(bad)}))


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build",
                        help="the build directory to test (default: build)")
    parser.add_argument("--jobs", type=int, default=0,
                        help="lit tests to run at a time (default: all cores)")
    parser.add_argument("--filter", help="only tests whose name has this text")
    parser.add_argument("--full", action="store_true",
                        help="the whole matrix of shapes and types (hours)")
    parser.add_argument("--unittest", type=pathlib.Path,
                        help=argparse.SUPPRESS)
    parser.add_argument("--report", type=pathlib.Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def is_runtime_only(build):
    """Whether a build has no compiler in it (ATTN_RUNTIME_ONLY)."""
    cache = build / "CMakeCache.txt"
    return cache.exists() and "ATTN_RUNTIME_ONLY:BOOL=ON" in cache.read_text()


def run_all(options):
    reports = options.build / "test" / "reports"
    reports.mkdir(parents=True, exist_ok=True)
    for stale in reports.glob("*.json"):
        stale.unlink()
    passed, failures = 0, []
    if is_runtime_only(options.build):
        suites = (("GoogleTest", run_gtest), ("example", run_example))
    else:
        suites = (("lit", run_lit), ("GoogleTest", run_gtest),
                  ("Python", run_python))
    for name, run in suites:
        print(f"== {name}", flush=True)
        outcome = run(options, reports)
        print(f"{name}: {outcome.passed} passed, {len(outcome.failures)} failed"
              f", {outcome.skipped} skipped", flush=True)
        passed += outcome.passed
        failures += outcome.failures
    for failure in failures:
        print(f"FAILED: {failure}")
    summary = f"{passed} passed, {len(failures)} failed"
    (options.build / "test" / "summary.txt").write_text(summary + "\n")
    print(summary, flush=True)
    return 1 if failures or not passed else 0


def main():
    options = parse_options()
    if options.unittest:
        run_unittest_file(options.unittest, options.report)
        return 0
    options.build = options.build.resolve()
    if any(blank in str(ROOT) + str(options.build) for blank in " \t"):
        print("test/run.sh: lit does not support blanks in paths: expected a "
              f"checkout without, got '{ROOT}'", file=sys.stderr)
        return 1
    if (not is_runtime_only(options.build)
            and not (options.build / "test" / "lit.site.cfg.py").exists()):
        print(f"test/run.sh: {options.build} is not a configured build; run "
              "'make build' first", file=sys.stderr)
        return 1
    return run_all(options)


if __name__ == "__main__":
    sys.exit(main())
