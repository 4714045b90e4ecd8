#!/bin/sh
# The lock file against the advisories of OSV. 1 when something we ship has a known hole; 0 with a sentence, and no
# verdict, when the database of advisories cannot be reached.
told=$("${UV:-uv}" audit --frozen --no-dev --preview-features audit-command 2>&1) && { echo "$told"; exit 0; }
echo "$told"
case "$told" in
  *"error sending request"*|*"Request failed"*|*"Could not connect"*)
    echo "NOT CHECKED: the database of advisories cannot be reached; nothing is known about today's dependencies" ;;
  *) exit 1 ;;
esac
