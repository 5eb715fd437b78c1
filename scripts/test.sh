#!/usr/bin/env bash
# Run the tests: all of them, or the files named. Also on a machine that has seen nothing of this project yet.
#
#   npm test                                 everything that needs no privileges; the walls of the house are npm run check
#   npm test -- test/lock/grant.test.ts      some
#   DLM_E2E=1 npm test                       also test/e2e, which needs root and takes the machine for itself
#   E2E=long npm run e2e, npm run e2e:engines   the long ones of test/e2e: clusters that are broken on purpose
#
# The runner is Node's own; its closing lines come last, and its exit code is ours.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Neither tsx nor newer Nodes may leave their caches in the machine's temporary folder.
export TSX_DISABLE_CACHE=1 NODE_DISABLE_COMPILE_CACHE=1

bash scripts/prepare.sh

# These take longest, so they begin first: none of them is to be left over when all else is done.
longest=(test/transcript/transcript.test.ts test/kill/matrix.test.ts test/sim/seeds-even.test.ts test/sim/seeds-odd.test.ts test/lean/sameness.test.ts)

files=("$@")
if [ ${#files[@]} -eq 0 ]; then
  left=()
  [ "${DLM_E2E:-}" = 1 ] || left=(-not -path 'test/e2e/*')
  mapfile -t others < <(find test -name '*.test.ts' -not -path 'test/house/*' "${left[@]}" | sort | grep -vxF -f <(printf '%s\n' "${longest[@]}"))
  files=("${longest[@]}" "${others[@]}")
  [ ${#left[@]} -eq 0 ] || echo 'left out: test/e2e, which needs root; DLM_E2E=1 runs it'
fi
[ ${#files[@]} -gt 0 ] || { echo 'there are no tests here' >&2; exit 1; }

# No more than there are cores: real leases run out where nobody gets his turn.
exec node --import tsx --test --test-reporter=spec --test-concurrency="$(nproc)" "${files[@]}"
