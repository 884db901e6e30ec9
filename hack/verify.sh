#!/usr/bin/env bash
# Checks what a reviewer cannot see: that generated files match their sources, go.mod is tidy, SQLite has the libc
# it was built for, and config/ renders. Works on a copy, so a tree with work in progress stays as it is.
# usage: BIN=dir KUSTOMIZE=path hack/verify.sh     (`make verify` sets both)
set -euo pipefail
cd "$(dirname "$0")/.."
: "${BIN:?run this through make verify}" "${KUSTOMIZE:?run this through make verify}"
failed=0
fail() { echo "verify: $*" >&2; failed=1; }

# What the generators write. Deleted from the copy first, so a file whose source is gone is noticed as well.
generated=(config/crd/bases config/rbac/role.yaml docs/api-reference.md
  api/applyconfiguration api/v1alpha1/zz_generated.deepcopy.go)

check_generated() {
  local copy path
  copy=$(mktemp -d)
  trap 'rm -rf "$copy"' RETURN
  git ls-files --cached --others --exclude-standard -z | while IFS= read -r -d '' path; do
    [ ! -e "$path" ] || printf '%s\0' "$path"
  done | tar --null --files-from=- -cf - | tar -C "$copy" -xf -
  (cd "$copy" && rm -rf "${generated[@]}")
  if ! make -C "$copy" BIN="$BIN" generate >"$copy/generate.log" 2>&1; then
    cat "$copy/generate.log" >&2
    fail "make generate failed"
    return
  fi
  for path in "${generated[@]}"; do
    diff -ruN "$path" "$copy/$path" || fail "$path is not what its sources give; run make generate and commit the result"
  done
}

check_modules() {
  local mod
  while IFS= read -r mod; do
    (cd "$(dirname "$mod")" && go mod tidy -diff) || fail "$mod is not tidy; run go mod tidy in its folder"
  done < <(git ls-files -- go.mod '*/go.mod')
}

# modernc.org/sqlite is C translated against one version of libc; with another it crashes at run time.
check_libc() {
  local want have
  want=$(awk '{for (i = 1; i < NF; i++) if ($i == "modernc.org/libc") print $(i + 1)}' \
    "$(go list -m -f '{{.GoMod}}' modernc.org/sqlite)")
  have=$(go list -m -f '{{.Version}}' modernc.org/libc)
  [ "$want" = "$have" ] ||
    fail "go.mod has modernc.org/libc $have, but modernc.org/sqlite needs exactly $want: go get modernc.org/libc@$want"
}

check_config() {
  "$KUSTOMIZE" build config/default >/dev/null || fail "config/default does not render"
}

for check in check_generated check_modules check_libc check_config; do
  echo "verify: ${check#check_}"
  "$check"
done
[ "$failed" = 0 ] || exit 1
echo "verify: all good"
