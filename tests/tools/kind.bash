# Sourced by tests/<kind>/run: the parts that every kind shares. Sets root, preset, jobs; the caller sets usage().
#
#   kind_options "$@"       parses --preset, --help; what it does not know goes to the function kind_option, if there
#                           is one, which answers how many words it took (0: unknown)
#   kind_build TARGET...    configures and builds
#   kind_ctest KIND         runs every test with that label and counts
#   kind_count PASSED FAILED
#   kind_finish             prints "N passed, N failed" and exits; with NIMES_RESULTS set, appends it to that file too
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
preset=${preset:-dev}
jobs=$(nproc)
kind_passed=0
kind_failed=0
caller=$PWD  # relative paths in arguments mean this one
cd "$root"

kind_options() {
  while [ $# -gt 0 ]; do
    case "$1" in
      -h | --help) usage; exit 0 ;;
      --preset)
        [ $# -gt 1 ] || { usage >&2; exit 2; }
        preset=$2; shift 2 ;;
      *)
        local taken=0
        if declare -F kind_option >/dev/null; then kind_option "$@" || taken=$?; fi
        [ "$taken" -gt 0 ] || { echo "error: unknown argument: $1" >&2; usage >&2; exit 2; }
        shift "$taken" ;;
    esac
  done
}

kind_build() {
  cmake --preset "$preset" >/dev/null
  cmake --build --preset "$preset" -j "$jobs" --target "$@" -- --quiet
}

kind_ctest() {
  local report="$root/build/$preset/tests-$1.xml" status=0
  rm -f "$report"
  # the parts of one kind start processes of their own; two at a time is what two cores bear
  ctest --test-dir "$root/build/$preset" -L "^$1\$" -j "$jobs" --output-on-failure --no-tests=error \
    --output-junit "$report" || status=$?
  [ -s "$report" ] || { echo "error: ctest wrote no report" >&2; exit 1; }
  local counts
  counts=$(/usr/bin/python3 - "$report" <<'PY'
import sys
import xml.etree.ElementTree as tree
suite = tree.parse(sys.argv[1]).getroot()
total, failed = int(suite.get("tests")), int(suite.get("failures"))
unrun = int(suite.get("disabled", 0)) + int(suite.get("skipped", 0))
print(total - failed - unrun, failed + unrun)
PY
  )
  kind_count ${counts}
  [ "$status" -eq 0 ] || [ "$kind_failed" -gt 0 ] || kind_count 0 1
}

kind_count() {
  kind_passed=$((kind_passed + $1))
  kind_failed=$((kind_failed + $2))
}

kind_finish() {
  echo "$kind_passed passed, $kind_failed failed"
  [ -z "${NIMES_RESULTS:-}" ] || echo "$kind_passed $kind_failed" >>"$NIMES_RESULTS"
  [ "$kind_failed" -eq 0 ] && [ "$kind_passed" -gt 0 ] && exit 0
  exit 1
}
