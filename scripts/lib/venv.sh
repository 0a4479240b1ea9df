# shellcheck shell=bash
# Python's packages that Debian does not have. For sourcing, after common.sh.

# make_venv FOLDER PACKAGE...: a virtual environment with just these packages of pip; made once. Where pip can't install
# them: returns 1, and venv_failure says why.
make_venv() {
  local venv=$1 log
  shift
  log=build/$(basename "$venv")-install.log
  [[ $(cat "$venv/installed" 2>/dev/null) != "$*" ]] || return 0
  # shellcheck disable=SC2154  # packages.sh has them
  python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages "${venv_packages[@]}"
  mkdir -p build
  rm -rf "$venv"
  python3 -m venv "$venv"
  say "installing $* in $venv (log: $log)"
  timeout 900 "$venv/bin/pip" install --disable-pip-version-check "$@" >"$log" 2>&1 </dev/null || {
    # shellcheck disable=SC2034  # for the caller
    venv_failure=$(grep -i error "$log" | tail -n 1 || true)
    rm -rf "$venv"
    return 1
  }
  echo "$*" >"$venv/installed"
}
