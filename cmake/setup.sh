#!/usr/bin/env bash
#===- setup.sh - Install what the build and the tests need ------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===------------------------------------------------------------------------===#
#
# Debian 12 packages through apt-get, and a Python environment in build/venv.
# Only what is missing is installed, so a second run returns at once.
#
#===------------------------------------------------------------------------===#
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly packages=(
  clang-22 lld-22 liblld-22-dev llvm-22-dev llvm-22-tools
  libmlir-22-dev mlir-22-tools clang-format-22 clang-tidy-22 libclang-rt-22-dev
  ccache ninja-build cmake libtbb-dev libgtest-dev libbenchmark-dev libzstd-dev
  zlib1g-dev nlohmann-json3-dev libdlpack-dev libxxhash-dev
  libboost-context-dev libsqlite3-dev python3 python3-dev
)
readonly python=/usr/bin/python3
readonly venv=build/venv
readonly requirements=test/requirements.txt

fail() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

# Prints those of its arguments that dpkg does not report as installed.
missing_packages() {
  local installed
  installed=" $(dpkg-query -W -f '${Package}=${db:Status-Status} ' "$@" \
    2>/dev/null || true)"
  for package in "$@"; do
    [[ $installed == *" $package=installed "* ]] || echo "$package"
  done
}

# Runs apt-get as root, through sudo where this user is not root.
as_root() {
  if [[ $(id -u) == 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "root is needed to install: ${wanted[*]}" \
      "run as root, install sudo, or install these Debian packages yourself"
  fi
}

# True when apt already knows every given package, so that no update is needed.
apt_knows() {
  local package
  for package in "$@"; do
    [[ $(apt-cache policy "$package" 2>/dev/null) == *Candidate:\ [0-9]* ]] ||
      return 1
  done
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
    --no-install-recommends "$@"
}

install_packages() {
  local wanted=("$@")
  command -v apt-get >/dev/null ||
    fail "apt-get not found; this script knows Debian 12 only" \
      "install by other means: ${wanted[*]}"
  echo "setup: installing ${wanted[*]}"
  # Known packages may have left the mirror since the last update: retry once.
  if apt_knows "$@" && apt_install "$@"; then return; fi
  as_root apt-get update -q ||
    fail "apt-get update failed; is this machine online?"
  apt_knows "$@" ||
    fail "apt does not offer all of: ${wanted[*]}; is this machine online?" \
      "expected Debian 12 with bookworm-security in /etc/apt (it has LLVM 22)"
  apt_install "$@" ||
    fail "apt-get could not install ${wanted[*]}; is this machine online?"
}

ensure_packages() {
  local missing
  mapfile -t missing < <(missing_packages "${packages[@]}")
  [[ ${#missing[@]} == 0 ]] || install_packages "${missing[@]}"
}

# The requirements of a complete environment are kept inside it as its stamp.
ensure_venv() {
  local stamp=$venv/requirements.txt
  if [[ -x $venv/bin/python ]] && cmp -s "$requirements" "$stamp"; then return; fi
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    install_packages python3-venv
  echo "setup: making the Python environment $venv"
  "$python" -m venv --clear "$venv" || fail "could not make $venv"
  "$venv/bin/python" -m pip install -q --disable-pip-version-check \
    -r "$requirements" ||
    fail "pip could not install $requirements; is PyPI reachable?"
  cp "$requirements" "$stamp"
}

ensure_packages
ensure_venv
