#!/usr/bin/env bash
# Builds main packages as static binaries, and an image of each FROM nothing.
#
#   build.sh FOLDER...   e.g. cmd/operator: writes BIN/images/operator, .tar, .ref
#
# From the environment: BIN, REGISTRY (localhost: loaded, never pulled), VERSION.
# Prints the images' full names. The tag is a hash of the content.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bin=${BIN:-$root/bin}
version=${VERSION:-dev}
export CGO_ENABLED=0 GOWORK=off

mkdir -p "$bin/images"
go -C "$root/hack/image" build -o "$bin/images/.image" .
for folder in "$@"; do
	name=$(basename "$folder")
	echo "building $folder and its image (cold: minutes; warm: seconds)" >&2
	GOOS=linux go -C "$root/$folder" build -trimpath -ldflags="-s -w -X main.version=$version" -o "$bin/images/$name" .
	"$bin/images/.image" build -binary "$bin/images/$name" -name "${REGISTRY:-localhost}/handoff-$name" \
		-out "$bin/images" -version "$version"
done
