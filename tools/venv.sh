# Sourced: make_venv DIR REQUIREMENT… makes a virtual environment once, and again when what it is
# made from changed.

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3.11 python3.12 python3.13 python3; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo 'No Python 3.11 or newer found; set PYTHON to one.' >&2
  exit 2
}

make_venv() {
  local dir=$1
  shift
  local python stamp
  python=$(find_python)
  stamp=$({ "$python" --version; echo "$*"; cat pyproject.toml; } | cksum)
  [ -f "$dir/.stamp" ] && [ "$(cat "$dir/.stamp")" = "$stamp" ] && return
  echo "making $dir with $("$python" --version) …" >&2
  rm -rf "$dir"
  "$python" -m venv "$dir"
  local arguments=()
  local requirement
  for requirement in "$@"; do
    case $requirement in
      .*) arguments+=(-e "$requirement") ;;
      *) arguments+=("$requirement") ;;
    esac
  done
  install_into "$dir" "${arguments[@]}" || { rm -rf "$dir"; return 1; }
  if [ -x "$dir/bin/mlops-iac" ]; then
    "$dir/bin/mlops-iac" doctor --compile > /dev/null
  fi
  echo "$stamp" > "$dir/.stamp"
}

# uv unpacks the tens of thousands of modules of a provider's SDK several times faster than pip,
# which takes over where that fails. The few that are used are compiled at the end.
install_into() {
  local dir=$1 pip uv index
  shift
  pip=("$dir/bin/python" -m pip --quiet --disable-pip-version-check)
  uv=$(command -v uv) || uv=.venv/bin/uv
  if [ ! -x "$uv" ]; then
    uv=$dir/bin/uv
    "${pip[@]}" install "$(grep -o 'uv==[0-9.]*' pyproject.toml)" || true
  fi
  index=$("${pip[@]}" config get global.index-url 2> /dev/null) || index=https://pypi.org/simple
  UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-${PIP_INDEX_URL:-$index}} \
    "$uv" pip install --quiet --python "$dir/bin/python" "$@" ||
    "${pip[@]}" install --no-compile "$@"
}
