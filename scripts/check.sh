#!/usr/bin/env bash
# Does the house stand: types, the walls between its rooms, its style, its drawing. Two at a time; what the compiler and the linter say comes last.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bash scripts/prepare.sh
PATH="$PWD/node_modules/.bin:$PATH"

told=$(mktemp)
trap 'rm -f "$told"' EXIT
(tsc -p tsconfig.test.json && tsc -p tsconfig.pure.json && eslint --max-warnings 0 . && depcruise --output-type err-long src) >"$told" 2>&1 &
status=0
bash scripts/test.sh test/house/*.test.ts || status=$?
wait $! || status=$?
cat "$told"
exit "$status"
