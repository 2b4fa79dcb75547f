#===- lit.cfg.py - Configuration of the lit tests --------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Tests are .mlir and .test files with RUN lines; tools are found on PATH.

Substitutions: %python (with NumPy), %build, %cc, %cxx (the compilers), %variants (the
catalogue), %reference (the oracles), %llvm_lib (the libraries of LLVM and MLIR). Features: avx2, avx512
(this machine), asan (this build), ptxas (of a CUDA toolkit), full (the whole matrix was asked for with
`make test-full`).
"""

import os
import shutil

import lit.formats

if not hasattr(config, "attn_build_dir"):
    lit_config.fatal("run 'make test', or lit on build/test with --filter")

config.name = "attn-mlir"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["unit", "reference", "python", "Inputs"]
config.test_source_root = os.path.join(config.attn_source_dir, "test")
config.test_exec_root = os.path.join(config.attn_build_dir, "test")


def put_tools_on_path():
    """The tools of this build come first, then FileCheck, not and the rest."""
    folders = [os.path.join(config.attn_build_dir, "bin"),
               config.llvm_tools_dir, config.environment["PATH"]]
    config.environment["PATH"] = os.pathsep.join(folders)


def add_substitutions():
    source = config.attn_source_dir
    # The environment is shared by all builds, as cmake/setup.sh makes only one.
    python = os.path.join(source, "build", "venv", "bin", "python")
    config.substitutions += [
        ("%python", python + " -B"),
        ("%build", config.attn_build_dir),
        ("%cxx", config.attn_cxx_compiler),
        ("%cc", config.attn_c_compiler),
        ("%variants", os.path.join(source, "variants")),
        ("%reference", os.path.join(source, "test", "reference")),
        ("%llvm_lib", os.path.join(os.path.dirname(config.llvm_tools_dir),
                                   "lib")),
    ]


def host_cpu_flags():
    """The flags of the first processor in /proc/cpuinfo; none elsewhere."""
    try:
        with open("/proc/cpuinfo") as cpuinfo:
            for line in cpuinfo:
                if line.startswith("flags"):
                    return set(line.partition(":")[2].split())
    except OSError:
        pass
    return set()


def find_ptxas():
    """ptxas of a CUDA toolkit; its folder comes last on the PATH."""
    path = config.environment["PATH"] + os.pathsep + "/usr/local/cuda/bin"
    found = shutil.which("ptxas", path=path)
    if found:
        config.environment["PATH"] = path
    return found


def add_features():
    flags = host_cpu_flags()
    if {"avx2", "fma"} <= flags:
        config.available_features.add("avx2")
    if {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= flags:
        config.available_features.add("avx512")
    if "address" in config.attn_sanitize:
        config.available_features.add("asan")
    if find_ptxas():
        config.available_features.add("ptxas")
    if lit_config.params.get("full"):
        config.available_features.add("full")


def set_environment():
    # Kernels that earlier runs left in the user's cache must not be found.
    config.environment["XDG_CACHE_HOME"] = os.path.join(
        config.test_exec_root, "cache")
    config.environment["PYTHONPATH"] = os.path.join(config.attn_build_dir, "python")
    if config.attn_sanitize:
        # The packaged MLIR is not instrumented, so its containers look broken
        # and what it keeps until exit looks leaked.
        config.environment["ASAN_OPTIONS"] = (
            "allow_user_poisoning=0:detect_container_overflow=0:detect_leaks=0")
        config.environment["UBSAN_OPTIONS"] = (
            "print_stacktrace=1:halt_on_error=1")


put_tools_on_path()
add_substitutions()
add_features()
set_environment()
