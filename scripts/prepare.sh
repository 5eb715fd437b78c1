#!/usr/bin/env bash
# Make this checkout ready to run: the dependencies package-lock.json names, and dist/ built from src/.
#
# Everything that needs the program (tests, checks, demo, benchmarks, CI) begins with this, so nobody has to remember a
# set-up step. Two stamps decide what is left to do: node_modules/.installed-from is the lock file that was installed,
# dist/.built is as old as the sources that were compiled. With nothing to do it says nothing and takes a few
# milliseconds. Two at once are safe: the second waits for the first, then finds the work done.
# Nothing outside the checkout is touched, npm's own cache excepted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export NODE_DISABLE_COMPILE_CACHE=1

say() { echo "prepare: $*" >&2; }
fail() { say "$*"; exit 1; }

install() {
  cmp -s package-lock.json node_modules/.installed-from && return
  command -v node >/dev/null || fail 'no node here; this project needs Node 20.19 or newer'
  node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 19) ? 0 : 1)' ||
    fail "Node $(node -v) is too old; this project needs 20.19 or newer"
  say 'installing dependencies (npm ci)'
  rm -f node_modules/.installed-from
  npm ci --include=dev --no-audit --no-fund --no-update-notifier --loglevel=error >&2 ||
    fail 'npm ci failed, see above; is there a network, and does package-lock.json agree with package.json?'
  cp package-lock.json node_modules/.installed-from
}

build() {
  [ -e dist/.built ] && [ -z "$(find src scripts package.json package-lock.json tsconfig.json -newer dist/.built -print -quit)" ] && return
  say 'building (tsc)'
  # The stamp is as old as the beginning, so that an edit made while tsc runs is not taken for built.
  touch .tmp/build-began
  node_modules/.bin/tsc >&2 || fail 'the sources do not compile, see above'
  forget_the_gone
  node scripts/manifest.mjs >&2 || fail 'the list of commands could not be written, see above'
  node scripts/bundle.mjs >&2 || fail 'the bundles could not be made, see above'
  mv .tmp/build-began dist/.built
}

# tsc leaves behind what it once built from a file that is gone, and oclif would go on offering it as a command.
forget_the_gone() {
  local built source
  find dist -name '*.js' | while read -r built; do
    source="src/${built#dist/}"
    source="${source%.js}"
    [ -e "$source.ts" ] || [ -e "$source.tsx" ] || rm -f "${built%.js}.js" "${built%.js}.d.ts"
  done
}

mkdir -p .tmp
exec 9>.tmp/prepare.lock
flock 9
install
build
