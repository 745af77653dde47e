#!/bin/bash
# Stands in for the image's own: see main.go.
set -euo pipefail
: "${CLICKHOUSE_PASSWORD:?is not set}"
exec /usr/bin/clickhouse-standin
