#!/usr/bin/env bash
# Run the tests: all of them, or the files named. Also on a machine that has seen nothing of this project yet.
#
#   npm test                                 everything that needs no privileges; the walls of the house are npm run check
#   npm test -- test/lock/grant.test.ts      some
#   DLM_E2E=1 npm test                       also test/e2e, which needs root and takes the machine for itself
#   E2E=long npm run e2e, npm run e2e:engines   the long ones of test/e2e: clusters that are broken on purpose
#
# The runner is Node's own; its exit code is ours. Of named files its closing lines come last. All tests are two runs at
# the same time, and the last line counts both: those with real clocks, and behind them, at a low priority, those that
# only compute. Real leases run out where nobody gets his turn; what computes can wait. For all tests everything is
# compiled once beforehand; named files are compiled as they are run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Neither tsx nor newer Nodes may leave their caches in the machine's temporary folder.
export TSX_DISABLE_CACHE=1 NODE_DISABLE_COMPILE_CACHE=1

bash scripts/prepare.sh

if [ $# -gt 0 ]; then exec node --import tsx --test --test-reporter=spec --test-concurrency="$(nproc)" "$@"; fi

# These take longest, so they begin first: none of them is to be left over when all else is done.
longest=(test/transcript/transcript.test.ts test/kill/matrix.test.ts test/lean/sameness.test.ts)
rooms=(test/{base,conformance,lock,lockspace,model,node,scenario,sim,wire})
left=()
[ "${DLM_E2E:-}" = 1 ] || left=(-not -path 'test/e2e/*')
mapfile -t computing < <(find "${rooms[@]}" -name '*.test.ts' | sort)
mapfile -t others < <(find test -name '*.test.ts' -not -path 'test/house/*' "${left[@]}" | sort | grep -vxF -f <(printf '%s\n' "${longest[@]}" "${computing[@]}"))

told=$(mktemp -d)
computing_run=
trap '[ -z "$computing_run" ] || kill "$computing_run" 2>/dev/null || true; rm -rf "$told"' EXIT
counted() {
  local files=("${@:3}")
  files=("${files[@]/#/.tmp/compiled/}")
  # Worlds leave much garbage that is young: with more room for it a collection finds less that still lives.
  nice -n "$2" node --enable-source-maps --max-semi-space-size=32 --test --test-concurrency="$(nproc)" --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=tap --test-reporter-destination="$told/$1.tap" "${files[@]/%.ts/.js}"
}
sum() { awk -v kinds="$1" '$1 == "#" && index(kinds, $2) { sum += $3 } END { print sum + 0 }' "$told"/*.tap; }

node scripts/compile-tests.mjs
counted computing 10 "${computing[@]}" >"$told/words" 2>&1 &
computing_run=$!
status=0
counted real 0 "${longest[@]}" "${others[@]}" || status=$?
wait "$computing_run" || status=$?
cat "$told/words"
[ ${#left[@]} -eq 0 ] || echo 'left out: test/e2e, which needs root; DLM_E2E=1 runs it'
echo "$(sum pass) passed, $(sum 'fail cancelled') failed"
exit "$status"
