#!/usr/bin/env bash
# Counts the API server's requests by user and verb, most first.
#
#   audit.sh [USER] [SINCE]   only users that contain USER; only requests from
#                             SINCE on (RFC 3339 in UTC, e.g. 2026-01-02T15:04:05Z)
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[[ $CLUSTER == local ]] || die "the audit log of a cluster of your own is not known here"
[[ -e $CLUSTER_DIR/audit/audit.log ]] || die "not up: make cluster-up"
jq -r --arg user "${1:-}" --arg since "${2:-}" \
	'select((.user.username | contains($user)) and .requestReceivedTimestamp >= $since) | [.user.username, .verb, .objectRef.resource // .requestURI] | @tsv' \
	"$CLUSTER_DIR"/audit/*.log | sort | uniq -c | sort -rn
